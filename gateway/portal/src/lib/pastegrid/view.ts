/** Draws the rows around the viewport, the header and the selection. Reads the sheet, never writes. */

import { make, set, write } from './dom';
import { WHOLE_ROW } from './findings';
import { shown, WIDTHS } from './format';
import type { GridMessages } from './messages';
import { contains, isOne } from './selection';
import type { Sheet } from './sheet';
import type { GridColumn, Place } from './types';
import { drawn, reveal, type Viewport } from './window';

const ROW_HEIGHT = 40; // until the style sheet has been measured
const CHARACTER = 9; // pixels a character of a column's width takes

interface RowView {
  element: HTMLElement;
  header: HTMLElement;
  cells: HTMLElement[];
  row: number;
}

export class View {
  readonly scroller = make('div', 'pg-scroll');
  readonly grid = make('div', 'pg-grid', { role: 'grid' });
  readonly #head = make('div', 'pg-head', { role: 'rowgroup' });
  readonly #body = make('div', 'pg-body', { role: 'rowgroup' });
  readonly #handle = make('div', 'pg-handle', { 'aria-hidden': 'true' });
  readonly #rows = new Map<number, RowView>();
  #spare: RowView[] = [];
  #rowHeight = ROW_HEIGHT;

  constructor(
    readonly sheet: Sheet,
    readonly input: HTMLInputElement,
  ) {
    this.grid.append(this.#head, this.#body);
    this.scroller.append(this.grid);
  }

  get viewport(): Viewport {
    const height = this.scroller.clientHeight - this.#head.offsetHeight;
    return {
      scrollTop: this.scroller.scrollTop,
      height: height > 0 ? height : 15 * ROW_HEIGHT,
      rowHeight: this.#rowHeight,
    };
  }

  /** New columns: the header and all rows are made anew. */
  build(messages: GridMessages): void {
    for (const view of this.#rows.values()) view.element.remove();
    this.#rows.clear();
    this.#spare = [];
    const corner = make('div', 'pg-corner', { role: 'columnheader', 'aria-colindex': 1 });
    corner.append(messages.rowHeader);
    const headers = this.sheet.columns.map((column, index) => header(column, index, messages));
    const line = make('div', 'pg-row', { role: 'row', 'aria-rowindex': 1 }, corner, ...headers);
    this.#head.replaceChildren(line);
    const widths = this.sheet.columns.map(
      (column) =>
        (column.width ?? Math.max(WIDTHS[column.type], column.label.length * 2 + 3)) * CHARACTER,
    );
    const total = widths.reduce((sum, width) => sum + width, 0);
    this.grid.style.setProperty('--pg-columns', widths.map((width) => `${width}fr`).join(' '));
    this.grid.style.setProperty('--pg-width', `${total}px`);
  }

  /** Everything as the sheet has it now. */
  render(): void {
    const { sheet } = this;
    this.#rowHeight = this.#head.offsetHeight || ROW_HEIGHT;
    this.#body.style.height = `${sheet.shownRows * this.#rowHeight}px`;
    set(this.grid, {
      'aria-rowcount': sheet.shownRows + 1,
      'aria-colcount': sheet.columns.length + 1,
      'aria-readonly': sheet.readOnly ? 'true' : undefined,
      'aria-multiselectable': 'true',
    });
    this.draw(true);
  }

  /** The rows now in view; those already drawn are drawn again only when `all` may have changed. */
  draw(all = false): void {
    const { first, last } = drawn(this.viewport, this.sheet.shownRows);
    const { active } = this.sheet.selection;
    for (const [row, view] of this.#rows) {
      // The row with the input stays until the input has left it, or the focus would be lost.
      if ((row >= first && row < last) || row === active.row || this.#holds(view)) continue;
      this.#rows.delete(row);
      view.element.remove();
      this.#spare.push(view);
    }
    for (let row = first; row < last; row += 1) this.#place(row, all);
    if (active.row < this.sheet.shownRows) this.#place(active.row, all);
  }

  #holds(view: RowView): boolean {
    return view.element.contains(this.input);
  }

  cellAt({ row, col }: Place): HTMLElement | undefined {
    return this.#rows.get(row)?.cells[col];
  }

  /** The place a node of the grid stands for; `col` is -1 for a row's number. */
  placeOf(target: EventTarget | null): Place | null {
    const cell = target instanceof Element ? target.closest('[data-col]') : null;
    const row = cell?.closest('[data-row]');
    if (!cell || !row || !this.#body.contains(row)) return null;
    return {
      row: Number(row.getAttribute('data-row')),
      col: Number(cell.getAttribute('data-col')),
    };
  }

  isHandle(target: EventTarget | null): boolean {
    return target === this.#handle;
  }

  /** Scroll so that a place is seen beside what is fixed. */
  reveal({ row, col }: Place): void {
    const { scroller } = this;
    const { scrollTop, height, rowHeight } = this.viewport;
    const top = reveal(scrollTop, height, row * rowHeight, rowHeight);
    if (top !== scrollTop) scroller.scrollTop = top;
    this.draw();
    const view = this.#rows.get(row);
    const cell = view?.cells[col];
    if (!view || !cell) return;
    const fixed = view.header.offsetWidth;
    const room = scroller.clientWidth - fixed;
    const left = reveal(scroller.scrollLeft, room, cell.offsetLeft - fixed, cell.offsetWidth);
    if (left !== scroller.scrollLeft) scroller.scrollLeft = left;
  }

  #place(row: number, again: boolean): void {
    const known = this.#rows.get(row);
    if (known) {
      if (again) this.#fill(known);
      return;
    }
    const view = this.#spare.pop() ?? this.#makeRow();
    view.row = row;
    this.#rows.set(row, view);
    this.#fill(view);
    // In the order of the rows, since that is the order in which they are read.
    const next = this.#rows.get(row + 1)?.element ?? this.#following(row);
    this.#body.insertBefore(view.element, next);
  }

  #following(row: number): HTMLElement | null {
    let nearest: RowView | null = null;
    for (const view of this.#rows.values()) {
      if (view.row > row && view.row < (nearest?.row ?? Infinity)) nearest = view;
    }
    return nearest?.element ?? null;
  }

  #makeRow(): RowView {
    const number = make('div', 'pg-index', {
      role: 'rowheader',
      'aria-colindex': 1,
      'data-col': -1,
    });
    const cells = this.sheet.columns.map((column, col) =>
      make(
        'div',
        'pg-cell',
        { role: 'gridcell', 'aria-colindex': col + 2, 'data-col': col },
        make('span', 'pg-text'),
      ),
    );
    const element = make('div', 'pg-row', { role: 'row' }, number, ...cells);
    return { element, header: number, cells, row: -1 };
  }

  #fill(view: RowView): void {
    const { sheet } = this;
    const { row } = view;
    const index = sheet.indexOf(row);
    set(view.element, { 'data-row': row, 'aria-rowindex': row + 2 });
    view.element.style.transform = `translateY(${row * this.#rowHeight}px)`;
    const level = sheet.findings.levelOf(index);
    const noted = sheet.notes.at(index, WHOLE_ROW).length > 0;
    write(view.header, String(index + 1));
    view.header.className = classes('pg-index', level && `pg-${level}`, noted && 'pg-noted');
    const messages = sheet.findings.at(index, WHOLE_ROW).map((finding) => finding.message);
    set(view.header, {
      title: [...messages, ...sheet.notes.at(index, WHOLE_ROW)].join('\n') || undefined,
    });
    view.cells.forEach((cell, col) => this.#fillCell(cell, { row, col }, index));
  }

  #fillCell(cell: HTMLElement, place: Place, index: number): void {
    const { sheet } = this;
    const column = sheet.columns[place.col];
    const { selection } = sheet;
    const isActive = selection.active.row === place.row && selection.active.col === place.col;
    const selected = !isOne(selection) && contains(sheet.block, place);
    const findings = sheet.findings.at(index, place.col);
    const level = findings[0]?.level;
    const notes = sheet.notes.at(index, place.col);
    if (cell.firstChild) {
      write(cell.firstChild as Element, column ? shown(sheet.value(place), column.type) : '');
    }
    cell.className = classes(
      'pg-cell',
      `pg-${column?.type ?? 'text'}`,
      level && `pg-${level}`,
      notes.length > 0 && 'pg-noted',
      selected && 'pg-selected',
      isActive && 'pg-active',
      !sheet.isWritable(place.col) && 'pg-fixed',
    );
    set(cell, {
      'aria-invalid': level === 'error' ? 'true' : undefined,
      'aria-selected': isActive || selected ? 'true' : 'false',
      title: [...findings.map((finding) => finding.message), ...notes].join('\n') || undefined,
    });
    const isCorner = selection.head.row === place.row && selection.head.col === place.col;
    if (isCorner && this.#handle.parentNode !== cell) cell.append(this.#handle);
  }
}

function header(column: GridColumn, index: number, messages: GridMessages): HTMLElement {
  const element = make(
    'div',
    `pg-header pg-${column.type}`,
    { role: 'columnheader', 'aria-colindex': index + 2, title: column.hint },
    column.label,
  );
  if (column.required) {
    const star = make('span', 'pg-star', { 'aria-hidden': 'true' }, '*');
    element.append(star, make('span', 'pg-hidden', {}, ` (${messages.required})`));
  }
  return element;
}

function classes(...names: (string | false | null | undefined)[]): string {
  return names.filter(Boolean).join(' ');
}
