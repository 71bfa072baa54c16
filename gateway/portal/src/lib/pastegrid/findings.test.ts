// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { Findings } from './findings';
import type { GridFinding } from './types';

const COLUMNS = [
  { key: 'brn', label: '사업자번호', type: 'brn' },
  { key: 'name', label: '기업명', type: 'text' },
] as const;

function finding(
  row: number | null,
  field: string | null,
  level: 'error' | 'warning' = 'error',
  suggestion: string | null = null,
): GridFinding {
  return { row, field, code: 'X', level, message: `${row} ${field}`, suggestion };
}

const SOME = [
  finding(3, 'name', 'warning'),
  finding(1, 'brn'),
  finding(1, 'brn', 'warning'),
  finding(4, 'brn', 'error', '1048203590'),
  finding(2, null),
  finding(null, null),
];

describe('findings', () => {
  it('are counted by cell; one with an error is not counted as a warning too', () => {
    const findings = new Findings(SOME, COLUMNS);
    expect(findings.count('error')).toBe(3);
    expect(findings.count('warning')).toBe(1);
    expect(findings.rows).toEqual([0, 1, 3]);
  });

  it('lead from error to error and around the end, in both directions', () => {
    const findings = new Findings(SOME, COLUMNS);
    expect(findings.next({ row: 0, col: 0 }, false)).toEqual({ row: 1, col: 0 });
    expect(findings.next({ row: 1, col: 0 }, false)).toEqual({ row: 3, col: 0 });
    expect(findings.next({ row: 3, col: 0 }, false)).toEqual({ row: 0, col: 0 });
    expect(findings.next({ row: 0, col: 0 }, true)).toEqual({ row: 3, col: 0 });
    expect(new Findings([], COLUMNS).next({ row: 0, col: 0 }, false)).toBeNull();
  });

  it('lead to warnings where there are no errors', () => {
    const findings = new Findings([finding(3, 'name', 'warning')], COLUMNS);
    expect(findings.next({ row: 0, col: 0 }, false)).toEqual({ row: 2, col: 1 });
  });

  it('move with their rows, and go with removed ones', () => {
    const findings = new Findings(SOME, COLUMNS);
    expect(findings.moved(1, 2).rows).toEqual([0, 3, 5]);
    expect(findings.moved(1, -1).rows).toEqual([0, 2]);
  });

  it('give one suggestion a cell', () => {
    const findings = new Findings([...SOME, finding(4, 'brn', 'error', 'other')], COLUMNS);
    expect(findings.suggestions).toEqual([{ row: 3, col: 0, value: '1048203590' }]);
    expect(findings.suggestionAt(0, 0)).toBeNull();
  });
});
