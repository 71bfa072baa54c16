/** What is pasted together with its header row: columns are found by their names. Pure. */

import type { GridColumn, Row } from './types';

/** Fewer names than this may be chance: a company may be called like a column. */
const ENOUGH = 3;

/** A header without what people vary: width, case, spaces, stars, remarks in brackets. */
export function headerKey(header: string): string {
  return header
    .normalize('NFKC')
    .replace(/\([^()]*\)/g, '')
    .replace(/[\s*·_\-]/g, '')
    .toLowerCase();
}

/** For each cell of the line the index of its column, -1 where unknown; null if it is no header. */
export function columnsNamed(line: Row, columns: readonly GridColumn[]): number[] | null {
  const names = new Map<string, number>();
  columns.forEach((column, index) => {
    for (const name of [column.label, column.key, ...(column.aliases ?? [])]) {
      const key = headerKey(name);
      if (key && !names.has(key)) names.set(key, index);
    }
  });
  const taken = new Set<number>();
  const found = line.map((cell) => {
    const index = names.get(headerKey(cell)) ?? -1;
    if (index < 0 || taken.has(index)) return -1;
    taken.add(index);
    return index;
  });
  return taken.size >= Math.min(ENOUGH, columns.length) ? found : null;
}
