import { en } from './en/home.ts';
import { ko } from './ko/home.ts';
import { texts } from './text.svelte.ts';

/** The front page, for visitors and for members. */
export const t = texts(ko, en);
