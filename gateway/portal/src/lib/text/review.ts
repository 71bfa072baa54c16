import { en } from './en/review.ts';
import { ko } from './ko/review.ts';
import { texts } from './text.svelte.ts';

/** The operator's queue and cases. */
export const t = texts(ko, en);
