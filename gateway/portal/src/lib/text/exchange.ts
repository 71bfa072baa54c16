import { en } from './en/exchange.ts';
import { ko } from './ko/exchange.ts';
import { texts } from './text.svelte.ts';

/** The exchange: listings, quotes, orders. */
export const t = texts(ko, en);
