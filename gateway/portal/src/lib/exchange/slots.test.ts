import { expect, test } from 'vitest';
import { dayAfter, endTimes, instant, startTimes } from './slots.ts';

const DAY = '2027-03-02';
const MORNING = { starts_at: '2027-03-02T00:10:00Z', ends_at: '2027-03-02T02:00:00Z' };
const NIGHT = { starts_at: '2027-03-02T14:00:00Z', ends_at: '2027-03-02T18:00:00Z' };

test('a use begins on the half hour, in Korean time, while something of the free time is left', () => {
  expect(startTimes([MORNING], DAY)).toEqual(['09:30', '10:00', '10:30']);
});

test('free time that goes on tomorrow ends today at midnight', () => {
  expect(startTimes([NIGHT], DAY)).toEqual(['23:00', '23:30']);
  expect(endTimes([NIGHT], DAY, '23:00', false)).toEqual(['23:30', '24:00']);
});

test('a use ends in the free time it began in, after whole hours if its unit wants it', () => {
  expect(endTimes([MORNING, NIGHT], DAY, '09:30', false)).toEqual(['10:00', '10:30', '11:00']);
  expect(endTimes([MORNING, NIGHT], DAY, '09:30', true)).toEqual(['10:30']);
  expect(endTimes([MORNING], DAY, '12:00', false)).toEqual([]);
});

test('24:00 is the first instant of the next day, over the end of a month too', () => {
  expect(instant('2027-02-28', '24:00')).toBe('2027-03-01T00:00:00+09:00');
  expect(instant(DAY, '09:30')).toBe('2027-03-02T09:30:00+09:00');
  expect(dayAfter('2027-12-31')).toBe('2028-01-01');
});
