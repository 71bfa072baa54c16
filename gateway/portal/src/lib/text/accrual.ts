import { en } from './en/accrual.ts';
import { ko } from './ko/accrual.ts';
import { texts } from './text.svelte.ts';

/** Applications for mileage, and the calculator. */
export const t = texts(ko, en);
