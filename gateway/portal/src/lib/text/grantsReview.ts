import { en } from './en/grantsReview.ts';
import { ko } from './ko/grantsReview.ts';
import { texts } from './text.svelte.ts';

/** The agency's procedure from what it received to the designation, and the reviewers'. */
export const t = texts(ko, en);
