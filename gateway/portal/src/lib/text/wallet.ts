import { en } from './en/wallet.ts';
import { ko } from './ko/wallet.ts';
import { texts } from './text.svelte.ts';

/** An institution's mileage: ledger, certificates, use in programmes. */
export const t = texts(ko, en);
