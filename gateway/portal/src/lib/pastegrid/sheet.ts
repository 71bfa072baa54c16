/**
 * What the grid holds and can do, without a document: rows, selection, history, findings, filter.
 *
 * Places are those of the grid as shown: with the filter on, row 0 is the first row with an error.
 * `indexOf` tells which row of the sheet that is.
 */

import { Findings, Notes } from './findings';
import { columnsNamed } from './headers';
import { History } from './history';
import {
  apply,
  blankRow,
  cellsOf,
  change,
  extentOf,
  filledCount,
  insertion,
  inverse,
  isBlank,
  removal,
  widthOf,
  type CellChange,
  type Splice,
} from './rows';
import { at, blockOf, clamp, clampAll, type Selection, type Size } from './selection';
import type { Block, ChangeReason, GridColumn, PasteResult, Place, Row } from './types';

/** Blank rows shown below the last one, to go on typing in. */
const SPARE_ROWS = 5;
const LEAST_ROWS = 15;

interface Step {
  splice: Splice;
  before: Selection;
  after: Selection;
}

export class Sheet {
  columns: readonly GridColumn[] = [];
  rows: readonly Row[] = [];
  selection: Selection = at({ row: 0, col: 0 });
  findings = new Findings();
  notes = new Notes();
  readOnly = false;
  /** A deleted row stays as a blank one, so that the others keep the numbers notes speak of. */
  keepNumbers = false;
  maxRows = 100_000;
  filter: readonly number[] | null = null;

  readonly history = new History<Step>();
  readonly #changed: (reason: ChangeReason) => void;

  constructor(changed: (reason: ChangeReason) => void = () => {}) {
    this.#changed = changed;
  }

  get size(): Size {
    return { rows: this.shownRows, cols: this.columns.length };
  }

  get shownRows(): number {
    if (this.filter) return this.filter.length;
    if (this.readOnly) return Math.max(1, this.rows.length);
    const wanted = Math.max(LEAST_ROWS, this.rows.length + SPARE_ROWS);
    return Math.max(this.rows.length, Math.min(wanted, this.maxRows));
  }

  /** Rows with something in them. */
  get filled(): number {
    return this.rows.reduce((count, row) => count + (isBlank(row) ? 0 : 1), 0);
  }

  get block(): Block {
    return blockOf(this.selection);
  }

  indexOf(shown: number): number {
    return this.filter ? (this.filter[shown] ?? -1) : shown;
  }

  shownAt(index: number): number {
    return this.filter ? this.filter.indexOf(index) : index;
  }

  value({ row, col }: Place): string {
    return this.rows[this.indexOf(row)]?.[col] ?? '';
  }

  isWritable(col: number): boolean {
    return !this.readOnly && !this.columns[col]?.readOnly;
  }

  /** New rows from outside: what was done before cannot be undone into them. */
  load(rows: readonly Row[]): void {
    this.rows = rows.slice(0, filledCount(rows));
    this.history.clear();
    this.filter = null;
    this.selection = clampAll(this.selection, this.size);
  }

  /** New findings; with the filter on, rows that were mended stay until it is pressed again. */
  setFindings(findings: Findings): void {
    this.findings = findings;
    if (this.filter) {
      const shown = new Set([...this.filter, ...findings.rows]);
      const active = this.indexOf(this.selection.active.row);
      this.filter = [...shown].sort((one, other) => one - other);
      this.#select({
        row: Math.max(0, this.filter.indexOf(active)),
        col: this.selection.active.col,
      });
    }
  }

  /** Show rows with findings only, or all. False where there is nothing to show. */
  setFilter(on: boolean): boolean {
    const index = this.indexOf(this.selection.active.row);
    const rows = on ? this.findings.rows : null;
    if (rows?.length === 0) return false;
    this.filter = rows;
    this.#select({ row: Math.max(0, this.shownAt(index)), col: this.selection.active.col });
    return true;
  }

  write(place: Place, value: string): boolean {
    return this.#edit([{ ...place, value: value.normalize('NFC') }], 'edit');
  }

  clear(reason: 'clear' | 'cut' = 'clear'): boolean {
    return this.#edit(
      this.#each(this.block, () => ''),
      reason,
    );
  }

  /** The first row of the block into the rows below; of a single cell, the one above into it. */
  fillDown(): boolean {
    const block = this.block;
    const source = block.top === block.bottom ? block.top - 1 : block.top;
    if (source < 0) return false;
    return this.#edit(
      this.#each(block, ({ col }) => this.value({ row: source, col })),
      'fill',
    );
  }

  copied(): Row[] {
    const { top, bottom } = this.block;
    const indexes = [];
    for (let row = top; row <= bottom; row += 1) indexes.push(this.indexOf(row));
    return cellsOf(this.rows, indexes, this.block);
  }

  /** Put cells at the selection, growing the sheet; null where nothing could be written. */
  paste(cells: readonly Row[]): PasteResult | null {
    if (this.readOnly || cells.length === 0) return null;
    if (this.filter) this.setFilter(false);
    const order = cells.length > 1 ? columnsNamed(cells[0] ?? [], this.columns) : null;
    const body = order ? cells.slice(1) : cells;
    const start = order
      ? { row: this.block.top, col: 0 }
      : { row: this.block.top, col: this.block.left };
    const extent = order
      ? { rows: body.length, cols: (cells[0] ?? []).length }
      : extentOf(body, this.block);
    const kept = Math.max(0, Math.min(extent.rows, this.maxRows - start.row));
    const width = widthOf(body);
    const target = (col: number) => (order ? (order[col] ?? -1) : start.col + col);
    const changes: CellChange[] = [];
    const used = new Set<number>();
    for (let row = 0; row < kept; row += 1) {
      const source = body[row % body.length] ?? [];
      for (let col = 0; col < extent.cols; col += 1) {
        const to = target(col);
        if (to < 0 || !this.columns[to] || !this.isWritable(to)) continue;
        used.add(to);
        changes.push({ row: start.row + row, col: to, value: source[col % width] ?? '' });
      }
    }
    const left = [];
    for (let col = 0; col < extent.cols; col += 1) {
      if (!used.has(target(col))) left.push((order && cells[0]?.[col]) || String(col + 1));
    }
    this.#apply(change(this.rows, changes, this.columns.length), 'paste', {
      ...at(start),
      head: { row: start.row + kept - 1, col: Math.max(...used, start.col) },
    });
    return {
      rows: kept,
      columns: used.size,
      left,
      header: order !== null,
      cut: extent.rows - kept,
    };
  }

  insertRows(): boolean {
    if (this.readOnly || this.keepNumbers || this.filter) return false;
    const { top, bottom } = this.block;
    if (top >= this.rows.length) return false;
    return this.#apply(insertion(top, bottom - top + 1, this.columns.length), 'rows');
  }

  deleteRows(): boolean {
    if (this.readOnly) return false;
    const { top, bottom } = this.block;
    if (this.keepNumbers || this.filter) {
      const all = { top, bottom, left: 0, right: this.columns.length - 1 };
      return this.#edit(
        this.#each(all, () => ''),
        'rows',
      );
    }
    const splice = removal(this.rows, top, bottom - top + 1);
    if (splice.removed.length === 0) return false;
    return this.#apply(splice, 'rows', at({ row: top, col: this.selection.active.col }));
  }

  acceptSuggestion(): boolean {
    const { row, col } = this.selection.active;
    const value = this.findings.suggestionAt(this.indexOf(row), col);
    return value !== null && this.#edit([{ row, col, value }], 'suggestion');
  }

  /** Every suggestion at once; how many there were. */
  acceptAll(): number {
    const suggestions = this.findings.suggestions.filter(({ col }) => this.isWritable(col));
    const splice = change(this.rows, suggestions, this.columns.length);
    return this.#apply(splice, 'suggestion') ? suggestions.length : 0;
  }

  undo(): boolean {
    const step = this.readOnly ? undefined : this.history.undo();
    if (step) this.#take(inverse(step.splice), step.before, 'undo');
    return step !== undefined;
  }

  redo(): boolean {
    const step = this.readOnly ? undefined : this.history.redo();
    if (step) this.#take(step.splice, step.after, 'redo');
    return step !== undefined;
  }

  #each(block: Block, value: (place: Place) => string): CellChange[] {
    const changes: CellChange[] = [];
    for (let row = block.top; row <= block.bottom; row += 1)
      for (let col = block.left; col <= block.right; col += 1)
        changes.push({ row, col, value: value({ row, col }) });
    return changes;
  }

  /** Cells as shown, into the rows they are of. */
  #edit(changes: readonly CellChange[], reason: ChangeReason): boolean {
    const real = changes
      .filter(({ col }) => this.isWritable(col))
      .map((one) => ({ ...one, row: this.indexOf(one.row) }))
      .filter(({ row }) => row >= 0 && row < this.maxRows);
    return this.#apply(change(this.rows, real, this.columns.length), reason);
  }

  #apply(splice: Splice | null, reason: ChangeReason, after = this.selection): boolean {
    if (!splice) {
      this.selection = after;
      return false;
    }
    this.history.push({ splice, before: this.selection, after });
    this.#take(splice, after, reason);
    return true;
  }

  #take(splice: Splice, selection: Selection, reason: ChangeReason): void {
    if (this.filter && splice.removed.length !== splice.inserted.length) this.filter = null;
    this.rows = apply(this.rows, splice);
    this.#carryFindings(splice);
    this.selection = clampAll(selection, this.size);
    this.#changed(reason);
  }

  /** What was said of a changed cell no longer holds; what was said of others moves with them. */
  #carryFindings({ at: start, removed, inserted }: Splice): void {
    const both = Math.min(removed.length, inserted.length);
    const width = this.columns.length;
    this.findings = this.findings.without((row, col) => {
      const index = row - start;
      if (index < 0 || index >= both || col < 0) return false;
      const blank = blankRow(width);
      return (removed[index] ?? blank)[col] !== (inserted[index] ?? blank)[col];
    });
    const by = inserted.length - removed.length;
    if (by !== 0 && start + removed.length <= this.rows.length - by) {
      this.findings = this.findings.moved(start + both, by);
    }
  }

  #select(place: Place): void {
    this.selection = at(clamp(place, this.size));
  }
}
