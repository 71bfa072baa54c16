// @vitest-environment node
import { beforeEach, describe, expect, it } from 'vitest';

import { Findings } from './findings';
import { at, extended } from './selection';
import { Sheet } from './sheet';
import type { GridColumn } from './types';

const COLUMNS: GridColumn[] = [
  { key: 'brn', label: '사업자번호', type: 'brn', required: true },
  { key: 'name', label: '기업명', type: 'text', aliases: ['업체명'] },
  { key: 'won', label: '금액(원)', type: 'won' },
];

let sheet: Sheet;
let reasons: string[];

beforeEach(() => {
  reasons = [];
  sheet = new Sheet((reason) => reasons.push(reason));
  sheet.columns = COLUMNS;
  sheet.load([
    ['1', '가', '10'],
    ['2', '나', '20'],
    ['3', '다', '30'],
  ]);
});

function select(top: number, left: number, bottom = top, right = left): void {
  sheet.selection = extended(at({ row: top, col: left }), { row: bottom, col: right });
}

function errors(...cells: [number, string, string?][]): void {
  sheet.setFindings(
    new Findings(
      cells.map(([row, field, suggestion]) => ({
        row,
        field,
        code: 'X',
        level: 'error' as const,
        message: '틀렸습니다.',
        suggestion: suggestion ?? null,
      })),
      COLUMNS,
    ),
  );
}

describe('pasting', () => {
  it('grows the sheet and says what it left out', () => {
    select(2, 1);
    const result = sheet.paste([
      ['x', '1', '끝'],
      ['y', '2', '끝'],
      ['z', '3', '끝'],
    ]);
    expect(result).toEqual({ rows: 3, columns: 2, left: ['3'], header: false, cut: 0 });
    expect(sheet.rows).toEqual([
      ['1', '가', '10'],
      ['2', '나', '20'],
      ['3', 'x', '1'],
      ['', 'y', '2'],
      ['', 'z', '3'],
    ]);
    expect(sheet.block).toEqual({ top: 2, left: 1, bottom: 4, right: 2 });
  });

  it('fills a selection that is a multiple of what was copied', () => {
    select(0, 0, 2, 1);
    sheet.paste([['9']]);
    expect(sheet.rows.map((row) => row.join())).toEqual(['9,9,10', '9,9,20', '9,9,30']);
  });

  it('goes by the header row that came along, whatever the order of its columns', () => {
    select(0, 2);
    const result = sheet.paste([
      ['업체명 *', '비고', '사업자 번호', '금액'],
      ['㈜뚝섬', '메모', '1048203590', '5'],
    ]);
    expect(sheet.rows[0]).toEqual(['1048203590', '㈜뚝섬', '5']);
    expect(result).toMatchObject({ rows: 1, columns: 3, left: ['비고'], header: true });
  });

  it('stops at the most rows, and says how many it left out', () => {
    sheet.maxRows = 4;
    select(2, 0);
    expect(sheet.paste([['a'], ['b'], ['c']])).toMatchObject({ rows: 2, cut: 1 });
    expect(sheet.rows).toHaveLength(4);
    const column = Array.from({ length: 200_000 }, () => ['a']);
    expect(sheet.paste(column)).toMatchObject({ rows: 2, cut: 199_998 });
  });

  it('a thousand rows are one step back', () => {
    const before = sheet.rows;
    select(0, 0);
    sheet.paste(Array.from({ length: 1_000 }, (_, row) => [`${row}`, '이름', '1']));
    expect(sheet.filled).toBe(1_000);
    sheet.undo();
    expect(sheet.rows).toEqual(before);
    sheet.redo();
    expect(sheet.filled).toBe(1_000);
    expect(reasons).toEqual(['paste', 'undo', 'redo']);
  });
});

describe('editing', () => {
  it('composes what was typed, and changes nothing where nothing differs', () => {
    expect(sheet.write({ row: 0, col: 1 }, '한글'.normalize('NFD'))).toBe(true);
    expect(sheet.rows[0]?.[1]).toBe('한글');
    expect(sheet.write({ row: 0, col: 1 }, '한글')).toBe(false);
    expect(reasons).toEqual(['edit']);
  });

  it('fills the first row of a block down, and a single cell from above', () => {
    select(0, 1, 2, 2);
    sheet.fillDown();
    expect(sheet.rows.map((row) => row.slice(1).join())).toEqual(['가,10', '가,10', '가,10']);
    select(3, 0);
    sheet.fillDown();
    expect(sheet.rows[3]).toEqual(['3', '', '']);
    select(0, 0);
    expect(sheet.fillDown()).toBe(false);
  });

  it('keeps rows that did not change the same objects, so that a save finds the others', () => {
    const [first, , third] = sheet.rows;
    sheet.write({ row: 1, col: 2 }, '21');
    expect(sheet.rows[0]).toBe(first);
    expect(sheet.rows[2]).toBe(third);
  });

  it('changes nothing that may only be read', () => {
    sheet.readOnly = true;
    select(0, 0, 2, 2);
    expect(sheet.clear()).toBe(false);
    expect(sheet.paste([['9']])).toBeNull();
    expect(sheet.deleteRows()).toBe(false);
    expect(sheet.undo()).toBe(false);
    expect(reasons).toEqual([]);
  });

  it('deletes and inserts rows, and findings go with theirs', () => {
    errors([3, 'name']);
    select(0, 0);
    sheet.deleteRows();
    expect(sheet.rows.map((row) => row[0])).toEqual(['2', '3']);
    expect(sheet.findings.rows).toEqual([1]);
    select(0, 0, 1, 0);
    sheet.insertRows();
    expect(sheet.rows.map((row) => row[0])).toEqual(['', '', '2', '3']);
    expect(sheet.findings.rows).toEqual([3]);
    sheet.undo();
    sheet.undo();
    expect(sheet.rows.map((row) => row[0])).toEqual(['1', '2', '3']);
    expect(sheet.findings.rows).toEqual([2]);
  });

  it('leaves a gap for a deleted row where notes name rows by number', () => {
    sheet.keepNumbers = true;
    select(1, 0);
    sheet.deleteRows();
    expect(sheet.rows.map((row) => row.join(''))).toEqual(['1가10', '', '3다30']);
    expect(sheet.insertRows()).toBe(false);
  });
});

describe('findings', () => {
  it('of a cell are gone once it is changed, those of others stay', () => {
    errors([1, 'brn'], [1, 'name'], [2, 'brn']);
    sheet.write({ row: 0, col: 0 }, '1048203590');
    expect(sheet.findings.count('error')).toBe(2);
    expect(sheet.findings.levelAt(0, 0)).toBeNull();
  });

  it('suggest values that are taken one by one or all at once', () => {
    errors([1, 'brn', '11'], [3, 'won', '33'], [2, 'name']);
    select(0, 0);
    expect(sheet.acceptSuggestion()).toBe(true);
    expect(sheet.acceptAll()).toBe(1);
    expect(sheet.rows.map((row) => row.join())).toEqual(['11,가,10', '2,나,20', '3,다,33']);
    sheet.undo();
    expect(sheet.rows[2]?.[2]).toBe('30');
  });

  it('are what the filter shows; a mended row stays until the filter is pressed again', () => {
    errors([1, 'brn'], [3, 'brn']);
    expect(sheet.setFilter(true)).toBe(true);
    expect(sheet.shownRows).toBe(2);
    sheet.write({ row: 1, col: 0 }, '33');
    expect(sheet.rows[2]?.[0]).toBe('33');
    errors([1, 'brn']);
    expect(sheet.shownRows).toBe(2);
    sheet.setFilter(false);
    sheet.setFilter(true);
    expect(sheet.shownRows).toBe(1);
  });

  it('without any there is nothing to filter', () => {
    expect(sheet.setFilter(true)).toBe(false);
    expect(sheet.filter).toBeNull();
  });
});
