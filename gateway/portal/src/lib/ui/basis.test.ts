import { expect, it } from 'vitest';
import { Basis } from './basis.ts';

it('goes along with changes elsewhere, and stays where these fields are no longer the same', () => {
  const basis = new Basis({ name: '가' }, 1);
  expect(basis.seen({ name: '가' }, 2)).toBe(2);
  expect(basis.seen({ name: '나' }, 3)).toBe(2);
});

it('goes on from what was saved, also before the page was read anew', () => {
  const basis = new Basis({ name: '가' }, 1);
  basis.saved({ name: '나' }, 2);
  expect(basis.seen({ name: '가' }, 1)).toBe(2);
  expect(basis.seen({ name: '나' }, 2)).toBe(2);
  expect(basis.seen({ name: '다' }, 3)).toBe(2);
});
