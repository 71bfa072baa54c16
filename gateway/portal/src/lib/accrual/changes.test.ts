// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { changesOf, merge } from './changes';

describe('what a save sends', () => {
  it('is what differs, by row numbers; a blank row is a deleted one', () => {
    const saved = [
      ['1', 'a'],
      ['2', 'b'],
      ['3', 'c'],
    ];
    const now = [
      ['1', 'a'],
      ['2', 'B'],
      ['', ''],
      ['4', 'd'],
    ];
    expect(changesOf(saved, now)).toEqual({ set: [2, 4], deleted: [3] });
    expect(changesOf(saved, saved.slice(0, 2))).toEqual({ set: [], deleted: [3] });
    expect(changesOf([], [['', '']])).toEqual({ set: [], deleted: [] });
  });
});

describe('two people at one sheet', () => {
  const base = [
    ['1', 'a'],
    ['2', 'b'],
  ];

  it('keep what either changed', () => {
    const merged = merge(
      base,
      [
        ['1', 'A'],
        ['2', 'b'],
      ],
      [
        ['1', 'a'],
        ['2', 'B'],
        ['3', 'c'],
      ],
    );
    expect(merged.rows).toEqual([
      ['1', 'A'],
      ['2', 'B'],
      ['3', 'c'],
    ]);
    expect([merged.mine, merged.theirs, merged.both]).toEqual([1, 3, []]);
  });

  it('see where they disagree, and mine stays', () => {
    const merged = merge(
      base,
      [
        ['1', 'X'],
        ['2', 'b'],
      ],
      [
        ['1', 'Y'],
        ['2', 'b'],
      ],
    );
    expect(merged.rows[0]).toEqual(['1', 'X']);
    expect(merged.both).toEqual([{ row: 0, col: 1, mine: 'X', theirs: 'Y' }]);
  });

  it('a row one of them deleted and the other left alone stays deleted', () => {
    expect(merge(base, [['1', 'a']], base).rows[1]).toEqual(['', '']);
  });
});
