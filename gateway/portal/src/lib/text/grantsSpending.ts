import { en } from './en/grantsSpending.ts';
import { ko } from './ko/grantsSpending.ts';
import { texts } from './text.svelte.ts';

/** Agreements, what is spent under them, and the settlement. */
export const t = texts(ko, en);
