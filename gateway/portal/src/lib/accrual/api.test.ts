// @vitest-environment node
import { expect, it } from 'vitest';

import { cellsOf, gridColumn, gridNotes, gridRows, placesOf } from './api';

it('rows stand at their numbers, numbers become text, gaps are blank', () => {
  const row = {
    status: 'entered',
    rejected_reason: null,
    quantity: null,
    external_id: null,
  } as const;
  const rows = [
    { ...row, number: 3, cells: { won: 5_000, brn: '1' } },
    { ...row, number: 1, cells: { brn: '2' } },
  ];
  expect(gridRows(rows, ['brn', 'won'])).toEqual([
    ['2', ''],
    ['', ''],
    ['1', '5000'],
  ]);
});

it('blank cells are not sent', () => {
  expect(cellsOf(['', 'a'], ['brn', 'name'])).toEqual({ name: 'a' });
});

it('a column is known by its names in both languages', () => {
  const column = {
    key: 'hours',
    ko: '실습시간',
    en: 'Hours',
    type: 'hours',
    example: '320',
    hint: '',
    required: true,
    aliases: ['시간'],
    choices: [],
  } as const;
  expect(gridColumn({ ...column, aliases: ['시간'], choices: [] }, 'en')).toMatchObject({
    label: 'Hours',
    type: 'number',
    aliases: ['실습시간', 'Hours', '시간'],
  });
});

it('notes that were seen to, or are of no row, do not stand in the grid', () => {
  const note = { id: 'a', text: '확인', at: '', field: 'brn' };
  expect(
    gridNotes([
      { ...note, row: 1, resolved_at: null },
      { ...note, row: 2, resolved_at: '2026-11-22T00:00:00Z' },
      { ...note, row: null, resolved_at: null },
    ]),
  ).toEqual([{ row: 1, field: 'brn', text: '확인' }]);
});

it('a cell that is wrong in two ways is one place to mend', () => {
  const finding = { pointer: '/rows/1/brn', code: 'A', message: '', level: 'error' } as const;
  const evidence = { ...finding, pointer: '/evidence' };
  expect(
    placesOf([
      { ...finding, row: 1, field: 'brn' },
      { ...finding, row: 1, field: 'brn' },
    ]),
  ).toBe(1);
  expect(placesOf([{ ...finding, row: 2, field: 'brn' }, evidence])).toBe(2);
});
