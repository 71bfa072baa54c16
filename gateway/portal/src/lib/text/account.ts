import { en } from './en/account.ts';
import { ko } from './ko/account.ts';
import { texts } from './text.svelte.ts';

/** Logging in, passwords, second factors, sessions. */
export const t = texts(ko, en);
