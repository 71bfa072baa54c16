import { en } from './en/menu.ts';
import { ko } from './ko/menu.ts';
import { texts } from './text.svelte.ts';

/** The main menu. */
export const t = texts(ko, en);
