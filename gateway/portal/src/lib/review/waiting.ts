import { today } from '../format/format.ts';

const DAY_MS = 86_400_000;

/** Whole days in Seoul since a business day; 0 today, and where none is known. */
export function daysSince(date: string | null, now: Date = new Date()): number {
  if (date === null) return 0;
  return Math.max(0, Math.round((Date.parse(today(now)) - Date.parse(date)) / DAY_MS));
}
