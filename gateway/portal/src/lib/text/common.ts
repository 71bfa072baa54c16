import { en } from './en/common.ts';
import { ko } from './ko/common.ts';
import { texts } from './text.svelte.ts';

/** What every area needs. */
export const t = texts(ko, en);
