import { beforeEach, describe, expect, it } from 'vitest';

import { definePasteGrid, type PasteGrid } from './index';
import type { GridColumn } from './types';

definePasteGrid();

const COLUMNS: GridColumn[] = [
  { key: 'brn', label: '사업자번호', type: 'brn', required: true, hint: '숫자만 입력합니다.' },
  { key: 'name', label: '기업명', type: 'text' },
  { key: 'kind', label: '유형', type: 'choice', choices: ['표준', '자율'] },
];

let grid: PasteGrid;
let input: HTMLInputElement;

beforeEach(() => {
  document.body.replaceChildren();
  grid = document.createElement('paste-grid') as PasteGrid;
  grid.columns = COLUMNS;
  grid.rows = [
    ['1048203590', '가', '표준'],
    ['2', '나', ''],
  ];
  document.body.append(grid);
  input = grid.querySelector('input.pg-input') as HTMLInputElement;
  input.focus();
});

function press(key: string, held: KeyboardEventInit = {}): boolean {
  return input.dispatchEvent(
    new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...held }),
  );
}

function type(text: string): void {
  input.value = text;
  input.dispatchEvent(new Event('input', { bubbles: true }));
}

function place(): string {
  const cell = input.closest('[role=gridcell]');
  const row = input.closest('[role=row]');
  return `${row?.getAttribute('aria-rowindex')}:${cell?.getAttribute('aria-colindex')}`;
}

describe('the input', () => {
  it('stands in the active cell with its text selected, so that a first key replaces it', () => {
    expect(place()).toBe('2:2');
    expect(document.activeElement).toBe(input);
    expect(input.value).toBe('104-82-03590');
    expect([input.selectionStart, input.selectionEnd]).toEqual([0, input.value.length]);
    expect(input.getAttribute('aria-label')).toBe('1행 사업자번호 (필수)');
  });

  it('keeps the focus wherever it goes, and commits on the way', () => {
    press('ArrowRight');
    type('㈜뚝섬');
    press('Enter');
    expect(place()).toBe('3:3');
    expect(document.activeElement).toBe(input);
    expect(grid.rows[0]).toEqual(['1048203590', '㈜뚝섬', '표준']);
  });

  it('goes nowhere while something is composed, nor by the Enter that ends it', () => {
    press('ArrowRight');
    input.dispatchEvent(new CompositionEvent('compositionstart'));
    type('한');
    press('ArrowDown', { isComposing: true, code: 'ArrowDown' });
    press('Enter', { isComposing: true, code: 'Enter' });
    input.dispatchEvent(new CompositionEvent('compositionend'));
    expect(press('Enter', { code: 'Enter' })).toBe(false);
    expect(place()).toBe('2:3');
    input.dispatchEvent(new KeyboardEvent('keyup', { key: 'Enter', code: 'Enter' }));
    press('Enter', { code: 'Enter' });
    expect(place()).toBe('3:3');
    expect(grid.rows[0]?.[1]).toBe('한');
  });

  it('is put back by Escape', () => {
    type('9');
    press('Escape');
    expect(input.value).toBe('104-82-03590');
    press('Enter');
    expect(grid.rows[0]?.[0]).toBe('1048203590');
  });

  it('opens the cell by F2 with what it holds, not with how it reads', () => {
    press('F2');
    expect(input.value).toBe('1048203590');
    expect(press('ArrowLeft')).toBe(true);
    expect(place()).toBe('2:2');
  });

  it('leaves a choice as it was when its list is opened and nothing is chosen', () => {
    press('ArrowRight');
    press('ArrowRight');
    press('ArrowDown', { altKey: true });
    press('Tab');
    expect(grid.rows[0]?.[2]).toBe('표준');
  });

  it('offers the words of a choice', () => {
    press('ArrowRight');
    expect(input.getAttribute('list')).toBeNull();
    press('ArrowRight');
    const list = document.getElementById(input.getAttribute('list') ?? '');
    const options = [...(list?.querySelectorAll('option') ?? [])];
    expect(options.map((option) => option.value)).toEqual(['표준', '자율']);
  });
});

describe('keys', () => {
  it('Enter after some Tabs returns to the column where they began', () => {
    press('Tab');
    press('Tab');
    press('Enter');
    expect(place()).toBe('3:2');
  });

  it('Escape and Tab lead out of the grid', () => {
    expect(press('Tab')).toBe(false);
    press('Escape');
    expect(press('Tab')).toBe(true);
    expect(press('Tab')).toBe(false);
  });

  it('Delete clears the block, Ctrl+Z brings it back', () => {
    press('ArrowRight', { shiftKey: true });
    press('ArrowDown', { shiftKey: true });
    press('Delete');
    expect(grid.rows).toEqual([
      ['', '', '표준'],
      ['', '', ''],
    ]);
    press('z', { ctrlKey: true, code: 'KeyZ' });
    expect(grid.rows[0]).toEqual(['1048203590', '가', '표준']);
  });

  it('change nothing where one may only read', () => {
    grid.readOnly = true;
    expect(input.readOnly).toBe(true);
    press('Delete');
    expect(grid.rows[0]?.[0]).toBe('1048203590');
  });
});

describe('findings', () => {
  const finding = {
    row: 2,
    field: 'brn',
    code: 'DIGITS_ONLY',
    level: 'error' as const,
    message: '숫자만 입력할 수 있습니다.',
    suggestion: '2208112343',
  };

  it('mark their cell, count, and are read with it', () => {
    grid.findings = [finding];
    expect(grid.querySelector('.pg-counts')?.textContent).toBe('전체 2행 · 오류 1칸');
    press('F8');
    expect(place()).toBe('3:2');
    expect(input.getAttribute('aria-invalid')).toBe('true');
    expect(input.closest('[role=gridcell]')?.getAttribute('aria-invalid')).toBe('true');
    const said = document.getElementById(input.getAttribute('aria-describedby') ?? '');
    expect(said?.textContent).toContain('숫자만 입력할 수 있습니다.');
  });

  it('are mended by one key where there is a suggestion', () => {
    grid.findings = [finding];
    press('F8');
    press('F9');
    expect(grid.rows[1]?.[0]).toBe('2208112343');
    expect(grid.querySelector('.pg-counts')?.textContent).toBe('전체 2행 · 오류 0칸');
  });

  it('leave alone what is being typed when they arrive', () => {
    type('12');
    grid.findings = [finding];
    expect(input.value).toBe('12');
    press('Enter');
    expect(grid.rows[0]?.[0]).toBe('12');
  });

  it('and notes of a reviewer stand at their cell', () => {
    grid.notes = [{ row: 1, field: 'name', text: '등기상 상호로 고쳐 주세요.' }];
    grid.focusCell(1, 'name');
    expect(grid.querySelector('.pg-said')?.textContent).toContain('등기상 상호로 고쳐 주세요.');
  });
});

describe('events', () => {
  it('tell of changes and of the cell one is in', () => {
    const told: unknown[] = [];
    for (const name of ['rowschange', 'cellfocus']) {
      grid.addEventListener(name, (event) => told.push([name, (event as CustomEvent).detail]));
    }
    type('5');
    press('Tab');
    expect(told).toEqual([
      ['rowschange', { reason: 'edit' }],
      ['cellfocus', { row: 1, field: 'name' }],
    ]);
  });
});

it('draws a few rows of five thousand', () => {
  grid.rows = Array.from({ length: 5_000 }, (_, row) => [`${row}`, '이름', '표준']);
  expect(grid.querySelectorAll('.pg-body [role=row]').length).toBeLessThan(60);
  grid.focusCell(4_000, 'name');
  expect(place()).toBe('4001:3');
  expect(document.activeElement).toBe(input);
});
