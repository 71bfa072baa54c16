/** Findings and notes by cell, and the way from one to the next. Pure; rows counted from 0. */

import type { GridColumn, GridFinding, GridNote, Place } from './types';

export type Level = 'error' | 'warning';

interface Located {
  row: number;
  col: number;
  finding: GridFinding;
}

/** Column of what concerns a row as a whole. */
export const WHOLE_ROW = -1;

export class Findings {
  #byRow = new Map<number, Located[]>();
  #located: Located[] = [];

  constructor(findings: readonly GridFinding[] = [], columns: readonly GridColumn[] = []) {
    const indexes = new Map(columns.map((column, index) => [column.key, index]));
    for (const finding of findings) {
      if (finding.row === null) continue;
      const col = indexes.get(finding.field ?? '') ?? WHOLE_ROW;
      this.#located.push({ row: finding.row - 1, col, finding });
    }
    this.#index();
  }

  #index(): void {
    this.#located.sort((one, other) => one.row - other.row || one.col - other.col);
    this.#byRow = new Map();
    for (const item of this.#located) {
      const there = this.#byRow.get(item.row);
      if (there) there.push(item);
      else this.#byRow.set(item.row, [item]);
    }
  }

  /** What was found about a cell, errors first. */
  at(row: number, col: number): GridFinding[] {
    const found = this.#byRow.get(row)?.filter((item) => item.col === col) ?? [];
    return found.map((item) => item.finding).sort((one, other) => rank(one) - rank(other));
  }

  levelAt(row: number, col: number): Level | null {
    return this.at(row, col)[0]?.level ?? null;
  }

  /** The worst that was found anywhere in a row. */
  levelOf(row: number): Level | null {
    const found = this.#byRow.get(row);
    if (!found) return null;
    return found.some((item) => item.finding.level === 'error') ? 'error' : 'warning';
  }

  /** The rows with a finding; with errors only if there are any. */
  get rows(): number[] {
    const level = this.count('error') ? 'error' : 'warning';
    return [...this.#byRow.keys()].filter((row) => this.levelOf(row) === level);
  }

  /** Cells (and whole rows) with a finding of a level; a cell with an error counts as that only. */
  count(level: Level): number {
    let count = 0;
    let last: Located | undefined;
    for (const item of this.#located) {
      if (last && last.row === item.row && last.col === item.col) continue;
      last = item;
      const found = this.#byRow.get(item.row)?.filter((other) => other.col === item.col) ?? [];
      const isError = found.some((other) => other.finding.level === 'error');
      if (isError === (level === 'error')) count += 1;
    }
    return count;
  }

  /** The next cell with an error (with a warning, where there are no errors), around the end. */
  next(from: Place, backwards: boolean): Place | null {
    const level = this.count('error') ? 'error' : 'warning';
    const places = this.#located
      .filter((item) => item.finding.level === level)
      .map(({ row, col }) => ({ row, col: Math.max(col, 0) }));
    const after = (place: Place) => place.row - from.row || place.col - from.col;
    if (backwards) {
      places.reverse();
      return places.find((place) => after(place) < 0) ?? places[0] ?? null;
    }
    return places.find((place) => after(place) > 0) ?? places[0] ?? null;
  }

  suggestionAt(row: number, col: number): string | null {
    return this.at(row, col).find((finding) => finding.suggestion)?.suggestion ?? null;
  }

  /** Every suggestion there is, one a cell. */
  get suggestions(): { row: number; col: number; value: string }[] {
    const seen = new Set<string>();
    const found = [];
    for (const { row, col, finding } of this.#located) {
      if (!finding.suggestion || col < 0 || seen.has(`${row}:${col}`)) continue;
      seen.add(`${row}:${col}`);
      found.push({ row, col, value: finding.suggestion });
    }
    return found;
  }

  /** Without what was said of cells that have changed since: the server will say it anew. */
  without(changed: (row: number, col: number) => boolean): Findings {
    return this.#with(this.#located.filter((item) => !changed(item.row, item.col)));
  }

  /** Rows `at`… moved by `by`; what was said of removed rows (`by` < 0) is gone. */
  moved(at: number, by: number): Findings {
    const kept = this.#located.filter((item) => by > 0 || item.row < at || item.row >= at - by);
    return this.#with(kept.map((item) => (item.row < at ? item : { ...item, row: item.row + by })));
  }

  #with(located: Located[]): Findings {
    const made = new Findings();
    made.#located = located;
    made.#index();
    return made;
  }
}

export class Notes {
  #texts = new Map<string, string[]>();

  constructor(notes: readonly GridNote[] = [], columns: readonly GridColumn[] = []) {
    const indexes = new Map(columns.map((column, index) => [column.key, index]));
    for (const note of notes) {
      const key = `${note.row - 1}:${indexes.get(note.field ?? '') ?? WHOLE_ROW}`;
      this.#texts.set(key, [...(this.#texts.get(key) ?? []), note.text]);
    }
  }

  at(row: number, col: number): readonly string[] {
    return this.#texts.get(`${row}:${col}`) ?? [];
  }
}

function rank(finding: GridFinding): number {
  return finding.level === 'error' ? 0 : 1;
}
