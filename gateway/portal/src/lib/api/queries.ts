/** How answers are kept (TanStack Query): one client, emptied when somebody else logs in. */
import { QueryClient } from '@tanstack/svelte-query';
import { session } from '../session/session.svelte.ts';
import { ProblemError } from './problem.ts';

const TRIES = 2;

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // What is on the page stays while the next page of a list is fetched.
      placeholderData: (before: unknown) => before,
      retry: (count, error) => error instanceof ProblemError && error.passing && count < TRIES,
      // Looking at the window again is no reason to keep a session alive.
      refetchOnWindowFocus: false,
    },
  },
});

session.onLeave(() => queries.clear());
