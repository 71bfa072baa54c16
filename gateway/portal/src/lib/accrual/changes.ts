/**
 * What differs between a sheet as it was saved and as it is, and how two people's changes go
 * together. Pure. Rows are counted from 1 where the server sees them.
 */
import type { Row } from '../pastegrid';

export interface CellDifference {
  /** Counted from 0. */
  row: number;
  col: number;
  mine: string;
  theirs: string;
}

export interface Merge {
  rows: Row[];
  /** Cells changed here and there since the last common version. */
  mine: number;
  theirs: number;
  /** Cells both changed, to different values. */
  both: CellDifference[];
}

/** Rows to set and row numbers to delete that make `saved` into `now`. */
export function changesOf(
  saved: readonly Row[],
  now: readonly Row[],
): { set: number[]; deleted: number[] } {
  const set: number[] = [];
  const deleted: number[] = [];
  for (let index = 0; index < Math.max(saved.length, now.length); index += 1) {
    const [before, after] = [saved[index], now[index]];
    if (before === after || sameCells(before, after)) continue;
    (isBlank(after) ? deleted : set).push(index + 1);
  }
  return { set, deleted };
}

/** Both sides' changes; where a cell was changed on both, mine stays. */
export function merge(base: readonly Row[], mine: readonly Row[], theirs: readonly Row[]): Merge {
  const found: Merge = { rows: [], mine: 0, theirs: 0, both: [] };
  const width = Math.max(0, ...[base, mine, theirs].map((rows) => rows[0]?.length ?? 0));
  for (let row = 0; row < Math.max(mine.length, theirs.length); row += 1) {
    const cells: string[] = [];
    for (let col = 0; col < width; col += 1) {
      const [before, here, there] = [base, mine, theirs].map((rows) => rows[row]?.[col] ?? '') as [
        string,
        string,
        string,
      ];
      const [changedHere, changedThere] = [here !== before, there !== before];
      if (changedHere) found.mine += 1;
      if (changedThere) found.theirs += 1;
      if (changedHere && changedThere && here !== there) {
        found.both.push({ row, col, mine: here, theirs: there });
      }
      cells.push(changedHere ? here : there);
    }
    found.rows.push(cells);
  }
  return found;
}

function isBlank(row: Row | undefined): boolean {
  return !row || row.every((cell) => cell === '');
}

function sameCells(one: Row | undefined, other: Row | undefined): boolean {
  if (!one || !other) return isBlank(one) && isBlank(other);
  return one.length === other.length && one.every((cell, index) => cell === other[index]);
}
