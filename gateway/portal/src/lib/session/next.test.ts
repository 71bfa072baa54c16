import { expect, test } from 'vitest';
import { nextOf } from './next.ts';

test.each([
  ['next=%2Faccrual%3Fpage%3D2', '/accrual?page=2'],
  ['', '/'],
  ['next=https%3A%2F%2Felsewhere.example', '/'],
  ['next=%2F%2Felsewhere.example', '/'],
  ['next=%2F%5Celsewhere.example', '/'],
  ['next=%2F%09%2Felsewhere.example', '/'],
  ['next=%2Flogin%3Fnext%3D%2Flogin', '/'],
])('%s leads to %s', (query, place) => {
  expect(nextOf(new URLSearchParams(query))).toBe(place);
});
