/** How answers are kept (TanStack Query): one client, emptied when somebody else logs in. */
import { QueryClient, type Query } from '@tanstack/svelte-query';
import { session } from '../session/session.svelte.ts';
import { ProblemError } from './problem.ts';

const TRIES = 2;

/** What somebody is writing, under keys of its own: nothing that is fetched anew replaces it. */
export const WRITING = 'writing';

/** All that the server told is asked for again, in the language of now for instance. */
export function askAgain(): void {
  void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== WRITING });
}

/**
 * The page of a list stays while the next one is fetched; its key ends with the list's address.
 * An object does not: it would stand under the address of another one.
 */
function isPageOfList({ queryKey }: Query): boolean {
  const last = queryKey.at(-1);
  return typeof last === 'string' && (last === '' || last.startsWith('?'));
}

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      placeholderData: (before: unknown, query?: Query) =>
        query !== undefined && isPageOfList(query) ? before : undefined,
      retry: (count, error) => error instanceof ProblemError && error.passing && count < TRIES,
      // Looking at the window again is no reason to keep a session alive.
      refetchOnWindowFocus: false,
    },
  },
});

session.onLeave(() => queries.clear());
