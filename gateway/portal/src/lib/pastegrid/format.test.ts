// @vitest-environment node
import { expect, it } from 'vitest';

import { shown } from './format';

it.each([
  ['4500000', 'won', '4,500,000'],
  ['450', 'won', '450'],
  ['4,500,000', 'won', '4,500,000'],
  ['-5', 'won', '-5'],
  ['１２３４', 'won', '１２３４'],
  ['20260901', 'date', '2026-09-01'],
  ['2026091', 'date', '2026091'],
  ['1048203590', 'brn', '104-82-03590'],
  ['104820359', 'brn', '104820359'],
  ['두\n줄', 'text', '두 줄'],
] as const)('%s as %s reads %s', (value, type, expected) => {
  expect(shown(value, type)).toBe(expected);
});
