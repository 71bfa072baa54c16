import { expect, test } from 'vitest';
import { rowNumbers } from './rowNumbers.ts';

test.each([
  ['3', [3]],
  ['3, 7-9', [3, 7, 8, 9]],
  ['9 3,3', [3, 9]],
  ['7~8', [7, 8]],
  ['', []],
])('%s are rows', (text, rows) => {
  expect(rowNumbers(text)).toEqual(rows);
});

test.each(['0', '3-', '9-7', '삼', '3.5', '-3', '1-9999999'])('%s are none', (text) => {
  expect(rowNumbers(text)).toBeNull();
});
