import { expect, it } from 'vitest';
import { remaining, timing } from './clock.ts';

const opens = '2031-01-05T00:00:00+09:00';
const closes = '2031-02-07T17:00:00+09:00';
const at = (instant: string) => new Date(instant);

it('a call is open up to its last instant', () => {
  expect(timing(opens, closes, at('2031-01-04T23:59:59+09:00'))).toBe('upcoming');
  expect(timing(opens, closes, at('2031-01-05T00:00:00+09:00'))).toBe('open');
  expect(timing(opens, closes, at('2031-01-30T00:00:00+09:00'))).toBe('closing_soon');
  expect(timing(opens, closes, at('2031-02-07T17:00:00+09:00'))).toBe('closing_soon');
  expect(timing(opens, closes, at('2031-02-07T17:00:00.001+09:00'))).toBe('closed');
});

it('what is left is never rounded up', () => {
  expect(remaining(closes, at('2031-02-05T15:30:30+09:00'))).toEqual({
    days: 2,
    hours: 1,
    minutes: 29,
  });
  expect(remaining(closes, at('2031-02-07T17:00:01+09:00'))).toBeUndefined();
});
