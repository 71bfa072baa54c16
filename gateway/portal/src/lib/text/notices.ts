import { en } from './en/notices.ts';
import { ko } from './ko/notices.ts';
import { texts } from './text.svelte.ts';

/** The boards. */
export const t = texts(ko, en);
