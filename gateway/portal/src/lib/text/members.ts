import { en } from './en/members.ts';
import { ko } from './ko/members.ts';
import { texts } from './text.svelte.ts';

/** Institutions and the accounts under a lead. */
export const t = texts(ko, en);
