import { describe, expect, it } from 'vitest';
import { isWithin, pointerOf, steps, valueAt, withValue } from './pointer.ts';

const document = { budget: { lines: [{ amount_won: 1 }, { amount_won: 2 }] }, 'a/b': { '~': 3 } };

describe('pointers', () => {
  it('escape what their own signs are', () => {
    expect(pointerOf('a/b', '~', 0)).toBe('/a~1b/~0/0');
    expect(steps('/a~1b/~0')).toEqual(['a/b', '~']);
    expect(valueAt(document, '/a~1b/~0')).toBe(3);
    expect(steps('')).toEqual([]);
  });

  it('find what is there, and nothing where nothing is', () => {
    expect(valueAt(document, '/budget/lines/1/amount_won')).toBe(2);
    expect(valueAt(document, '/budget/lines/7/amount_won')).toBeUndefined();
    expect(valueAt(document, '/budget/lines/0/amount_won/x')).toBeUndefined();
  });

  it('write into a copy and leave alone what lies beside', () => {
    const next = withValue(document, '/budget/lines/1/amount_won', 9);
    expect(valueAt(next, '/budget/lines/1/amount_won')).toBe(9);
    expect(document.budget.lines[1]).toEqual({ amount_won: 2 });
    expect(valueAt(next, '/budget/lines/0')).toBe(document.budget.lines[0]);
  });

  it('make the way to a place that was not there', () => {
    expect(withValue({}, '/sections/lead/name', '한빛')).toEqual({
      sections: { lead: { name: '한빛' } },
    });
  });

  it('take away a key, and a row without leaving a hole', () => {
    expect(withValue({ a: 1, b: 2 }, '/a', undefined)).toEqual({ b: 2 });
    expect(withValue({ rows: [1, 2, 3] }, '/rows/1', undefined)).toEqual({ rows: [1, 3] });
  });

  it('know below from beside', () => {
    expect(isWithin('/sections/lead/name', '/sections/lead')).toBe(true);
    expect(isWithin('/sections/leader', '/sections/lead')).toBe(false);
  });
});
