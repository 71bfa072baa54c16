import { expect, test } from 'vitest';
import { daysSince } from './waiting.ts';

// 00:30 on the 22nd in Seoul.
const NOW = new Date('2026-11-21T15:30:00Z');

test.each([
  ['2026-11-22', 0],
  ['2026-11-21', 1],
  ['2026-10-31', 22],
  ['2026-11-23', 0],
  [null, 0],
])('since %s it waits %i days', (date, days) => {
  expect(daysSince(date, NOW)).toBe(days);
});
