import { expect, test } from 'vitest';
import { wholeWon } from './recovery.ts';

test('an exact share of the interest is shown as the won that are paid', () => {
  expect(wholeWon('1234560/13')).toBe(94_966);
  expect(wholeWon('123456')).toBe(123_456);
  expect(wholeWon('0')).toBe(0);
});
