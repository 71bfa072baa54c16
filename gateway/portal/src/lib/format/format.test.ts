import { expect, test } from 'vitest';
import { brn, bytes, day, manwon, moment, points, today, wholeNumber, won } from './format.ts';

test('points and won have separators', () => {
  expect(points(1000)).toBe('1,000점');
  expect(won(1234567)).toBe('1,234,567원');
});

test.each([
  [9_999, ''],
  [10_000, '1만 원'],
  [123_400_000, '1억 2,340만 원'],
  [200_000_000, '2억 원'],
  [-50_000, '-5만 원'],
])('%d won read aloud', (value, text) => {
  expect(manwon(value)).toBe(text);
});

test('instants are told in Korean time, days as they are', () => {
  expect(moment('2026-11-22T15:30:00Z')).toBe('2026-11-23 00:30');
  expect(day('2026-11-22T15:30:00Z')).toBe('2026-11-23');
  expect(day('2026-11-22')).toBe('2026-11-22');
  expect(day(null)).toBe('–');
  expect(today(new Date('2026-12-31T15:00:00Z'))).toBe('2027-01-01');
});

test('business numbers are hyphenated', () => {
  expect(brn('1048203590')).toBe('104-82-03590');
  expect(brn('12')).toBe('12');
});

test('sizes are rounded up, so that nothing is empty', () => {
  expect(bytes(1)).toBe('1 B');
  expect(bytes(1025)).toBe('2 KB');
  expect(bytes(10 * 1024 ** 2)).toBe('10.0 MB');
});

test.each([
  ['1,000', 1000],
  ['１２３', 123],
  [' 50,000원 ', 50_000],
  ['12.5', null],
  ['', null],
  ['abc', null],
])('%s is read as %s', (typed, value) => {
  expect(wholeNumber(typed)).toBe(value);
});
