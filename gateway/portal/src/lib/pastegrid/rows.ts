/**
 * Rows as values: every change is one splice, and a splice turned around takes it back. Pure.
 *
 * Rows are never changed in place, so a row that is the same object is the same row; the history
 * holds references, not copies.
 */

import type { Block, Row } from './types';

export interface Splice {
  at: number;
  removed: readonly Row[];
  inserted: readonly Row[];
}

export interface CellChange {
  row: number;
  col: number;
  value: string;
}

export function blankRow(width: number): Row {
  return new Array<string>(width).fill('');
}

export function isBlank(row: Row | undefined): boolean {
  return !row || row.every((cell) => cell.trim() === '');
}

/** How many rows there are up to the last one with something in it. */
export function filledCount(rows: readonly Row[]): number {
  let count = rows.length;
  while (count > 0 && isBlank(rows[count - 1])) count -= 1;
  return count;
}

export function apply(rows: readonly Row[], { at, removed, inserted }: Splice): Row[] {
  return [...rows.slice(0, at), ...inserted, ...rows.slice(at + removed.length)];
}

export function inverse({ at, removed, inserted }: Splice): Splice {
  return { at, removed: inserted, inserted: removed };
}

/** The change of some cells as one splice, with blank rows up to the last; null if none differs. */
export function change(
  rows: readonly Row[],
  changes: readonly CellChange[],
  width: number,
): Splice | null {
  const real = changes.filter(({ row, col, value }) => (rows[row]?.[col] ?? '') !== value);
  if (real.length === 0) return null;
  let [first, last] = [Infinity, -1];
  for (const { row } of real) {
    first = Math.min(first, row);
    last = Math.max(last, row);
  }
  first = Math.min(first, rows.length);
  const removed = rows.slice(first, last + 1);
  const inserted: (Row | string[])[] = [];
  for (let row = first; row <= last; row += 1) inserted.push(rows[row] ?? blankRow(width));
  const copied = new Set<number>();
  for (const { row, col, value } of real) {
    const index = row - first;
    if (!copied.has(index)) {
      inserted[index] = [...(inserted[index] ?? [])];
      copied.add(index);
    }
    (inserted[index] as string[])[col] = value;
  }
  return { at: first, removed, inserted };
}

export function insertion(at: number, count: number, width: number): Splice {
  return { at, removed: [], inserted: Array.from({ length: count }, () => blankRow(width)) };
}

export function removal(rows: readonly Row[], at: number, count: number): Splice {
  return { at, removed: rows.slice(at, at + count), inserted: [] };
}

/** Of the widest row. Not by `Math.max(...rows)`: a pasted sheet may have more rows than a call takes. */
export function widthOf(rows: readonly Row[]): number {
  return rows.reduce((most, row) => Math.max(most, row.length), 0);
}

/** The cells of a block; what lies beyond the rows is blank. */
export function cellsOf(rows: readonly Row[], indexes: readonly number[], block: Block): Row[] {
  return indexes.map((index) => {
    const cells: string[] = [];
    for (let col = block.left; col <= block.right; col += 1) cells.push(rows[index]?.[col] ?? '');
    return cells;
  });
}

/**
 * Where pasted cells go.
 *
 * A selection that is a whole multiple of what is pasted is filled with it, as spreadsheets do;
 * otherwise the pasted block starts at its first cell, whatever the selection's size.
 */
export function extentOf(pasted: readonly Row[], selected: Block): { rows: number; cols: number } {
  const height = pasted.length;
  const width = widthOf(pasted);
  const [rows, cols] = [selected.bottom - selected.top + 1, selected.right - selected.left + 1];
  const fits = height > 0 && width > 0 && rows % height === 0 && cols % width === 0;
  return fits ? { rows, cols } : { rows: height, cols: width };
}
