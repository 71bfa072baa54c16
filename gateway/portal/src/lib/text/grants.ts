import { en } from './en/grants.ts';
import { ko } from './ko/grants.ts';
import { texts } from './text.svelte.ts';

/** Calls, and a proposal from its first line to the receipt. */
export const t = texts(ko, en);
