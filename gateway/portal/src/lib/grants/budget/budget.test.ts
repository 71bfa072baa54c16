import { describe, expect, it } from 'vitest';
import type { Finding } from '../types.ts';
import { RULES } from '../testing.ts';
import { byCell } from './findings.ts';
import { amountOf, fraction, itemRows, newLine, nextRef, type Budget, type Line } from './model.ts';

const rules = RULES.budget;
const year = { start: '2031-01-01', end: '2031-12-31' };
const overhead = (kind: string, amount_won: number): Line => ({
  item: 'overhead',
  kind,
  fund: 'grant',
  amount_won,
});
const paid: Line = {
  item: 'crew',
  kind: 'salary',
  fund: 'in_kind',
  pay: { person: 'p2', monthly_won: '10000000', start: '2031-01-01', months: 12, rate: '33.3' },
};
const budget: Budget = {
  year,
  lines: [paid, overhead('common', 5000), overhead('safety', 1000)],
  people: [
    { ref: 'p1', name: '가', role: 'operator' },
    { ref: 'p2', name: '나', role: 'principal' },
  ],
};
const finding = (pointer: string, more: Partial<Finding> = {}): Finding => ({
  pointer,
  code: 'X',
  message: 'x',
  level: 'error',
  ...more,
});
const cells = (found: Finding) => [...byCell([found], rules, budget).keys()];

describe('a line', () => {
  it('of pay is exact until it is cut to the form’s unit', () => {
    expect(amountOf(paid, 1000)).toBe(39_960_000);
    const third = {
      ...paid,
      pay: { ...paid.pay!, monthly_won: '1000000/3', months: 1, rate: '50' },
    };
    expect(amountOf(third, 1000)).toBe(166_000);
    expect(amountOf({ ...paid, pay: { ...paid.pay!, rate: '' } }, 1000)).toBeUndefined();
  });

  it('begins as one that can be checked', () => {
    const rows = itemRows(rules, 'ko');
    expect(rows.map((row) => [row.code, row.depth, row.leaf])).toEqual([
      ['people', 0, false],
      ['crew', 1, true],
      ['overhead', 0, true],
    ]);
    expect(newLine(rows[1]!.item, year, 'p1')).toMatchObject({
      kind: 'salary',
      fund: 'in_kind',
      pay: { person: 'p1', months: 12 },
    });
    expect(newLine(rows[2]!.item, year, 'p1')).toEqual(overhead('common', 0));
    expect(newLine(rows[0]!.item, year, 'p1')).toBeUndefined();
  });

  it('reads decimals and ratios, nothing else', () => {
    expect(fraction('33.3')).toEqual([333n, 10n]);
    expect(fraction('1,000')).toEqual([1000n, 1n]);
    expect([fraction('1/0'), fraction('-1'), fraction('１２'), fraction('1e3')]).toEqual(
      Array.from({ length: 4 }),
    );
  });
});

describe('a finding of the budget', () => {
  it('on a cap marks every line it is about, and the item', () => {
    const cap = finding('/budget/caps/H-7', { rule: 'H-7', params: { name_ko: '간접비' } });
    expect(cells(cap)).toEqual([
      '/budget/lines/1/amount_won',
      '/budget/lines/2/amount_won',
      '/budget/items/overhead',
    ]);
  });

  it('on one of two caps of a rule marks what that one is about', () => {
    const cap = finding('/budget/caps/H-7', { rule: 'H-7', params: { name_ko: '안전관리비' } });
    expect(cells(cap)).toEqual(['/budget/lines/2/amount_won']);
  });

  it('on a line marks its amount, on its pay the part that is wrong', () => {
    expect(cells(finding('/budget/lines/1'))).toEqual(['/budget/lines/1/amount_won']);
    expect(cells(finding('/budget/lines/0'))).toEqual(['/budget/lines/0/pay/rate']);
    expect(cells(finding('/budget/lines/0/pay/months'))).toEqual(['/budget/lines/0/pay/months']);
  });

  it('on a person is found by reference and by place', () => {
    expect(cells(finding('/budget/people/p2'))).toEqual(['/budget/people/1/name']);
    expect(cells(finding('/budget/people/0/researcher_no'))).toEqual([
      '/budget/people/0/researcher_no',
    ]);
  });

  it('elsewhere is none of the table’s', () => {
    expect(cells(finding('/pledge/cash_won'))).toEqual([]);
    expect(cells(finding('/budget/totals/private'))).toEqual(['/budget/totals/private']);
  });
});

it('gives a person a reference nobody has', () => {
  expect(nextRef([{ ref: 'p2', name: '', role: 'internal' }])).toBe('p3');
  expect(nextRef([])).toBe('p1');
});
