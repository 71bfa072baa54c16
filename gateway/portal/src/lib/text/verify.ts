import { en } from './en/verify.ts';
import { ko } from './ko/verify.ts';
import { texts } from './text.svelte.ts';

/** Whether a certificate is genuine, for anybody who holds one. */
export const t = texts(ko, en);
