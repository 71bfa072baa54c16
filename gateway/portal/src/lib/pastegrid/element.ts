/**
 * `<paste-grid>`: rows to type, to paste out of a spreadsheet, and to mend.
 *
 * Give it `columns`, `rows`, `findings` and `notes`; it tells of changes by events. See README.md.
 */

import './pastegrid.css';

import * as clipboard from './clipboard';
import { make, set } from './dom';
import { Driver } from './driver';
import { Editor } from './editor';
import { Findings, Notes } from './findings';
import { commandOf } from './keyboard';
import { KO, type GridMessages } from './messages';
import { listen } from './pointer';
import { at, extended, same } from './selection';
import { Sheet } from './sheet';
import { Toolbar } from './toolbar';
import type { ChangeReason, GridColumn, GridFinding, GridNote, PasteResult, Row } from './types';
import { View } from './view';

export interface PasteGridEvents {
  /** The rows are others now. */
  rowschange: { reason: ChangeReason };
  pasted: PasteResult;
  /** Another cell is active; `row` counts from 1. */
  cellfocus: { row: number; field: string };
}

let grids = 0;

// Without a document (where pages are rendered by a server) there is nothing to extend.
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

export class PasteGrid extends Base {
  readonly #id = `pg${(grids += 1)}`;
  readonly #sheet = new Sheet((reason) => this.#changed(reason));
  readonly #editor = new Editor();
  readonly #view = new View(this.#sheet, this.#editor.input);
  readonly #toolbar: Toolbar;
  readonly #driver: Driver;
  readonly #help = make('p', 'pg-help', { id: `${this.#id}-help` });
  readonly #lists = make('div', '', { hidden: true });
  #messages = KO;
  #label = '';
  #frame = 0;

  constructor() {
    super();
    const sheet = this.#sheet;
    this.#toolbar = new Toolbar(sheet, {
      undo: () => this.#driver.run({ do: 'undo' }),
      redo: () => this.#driver.run({ do: 'redo' }),
      insertRow: () => this.#driver.act(() => sheet.insertRows()),
      deleteRow: () => this.#driver.act(() => sheet.deleteRows()),
      toggleFilter: () => this.#driver.showErrors(sheet.filter === null),
      goToError: (backwards) => this.#driver.goToError(backwards),
      accept: () => this.#driver.run({ do: 'accept' }),
      acceptAll: () => this.#driver.acceptAll(),
    });
    const messages = () => this.#messages;
    this.#driver = new Driver({
      sheet,
      editor: this.#editor,
      view: this.#view,
      toolbar: this.#toolbar,
      get messages() {
        return messages();
      },
      refresh: () => this.#refresh(),
      moved: () => this.#moved(),
    });
  }

  get columns(): readonly GridColumn[] {
    return this.#sheet.columns;
  }

  set columns(columns: readonly GridColumn[]) {
    this.#sheet.columns = columns;
    this.#sheet.selection = at({ row: 0, col: 0 });
    this.#rebuild();
  }

  /** Cells in the order of the columns. Rows are replaced when they change, never written to. */
  get rows(): readonly Row[] {
    return this.#sheet.rows;
  }

  set rows(rows: readonly Row[]) {
    this.#editor.ready();
    this.#sheet.load(rows);
    this.#refresh();
  }

  set findings(findings: readonly GridFinding[]) {
    this.#sheet.setFindings(new Findings(findings, this.#sheet.columns));
    this.#refresh();
  }

  set notes(notes: readonly GridNote[]) {
    this.#sheet.notes = new Notes(notes, this.#sheet.columns);
    this.#refresh();
  }

  get readOnly(): boolean {
    return this.#sheet.readOnly;
  }

  set readOnly(readOnly: boolean) {
    this.#sheet.readOnly = readOnly;
    this.#name();
    this.#refresh();
  }

  /** A deleted row stays as a blank one, so that the others keep the numbers notes speak of. */
  set keepNumbers(keepNumbers: boolean) {
    this.#sheet.keepNumbers = keepNumbers;
    this.#refresh();
  }

  /** The most rows the grid holds. */
  set maxRows(maxRows: number) {
    this.#sheet.maxRows = maxRows;
  }

  set messages(messages: GridMessages) {
    this.#messages = messages;
    this.#rebuild();
  }

  /** The grid's name for those who listen. */
  set label(label: string) {
    this.#label = label;
    this.#name();
  }

  connectedCallback(): void {
    if (!this.contains(this.#view.scroller)) this.#assemble();
    this.#rebuild();
  }

  /** Go to a cell by the row's number and the column's key, as a link in a summary does. */
  focusCell(row: number, field?: string | null): void {
    const col = this.#sheet.columns.findIndex((column) => column.key === field);
    this.#driver.focusRow(row - 1, Math.max(0, col));
    this.#view.scroller.scrollIntoView?.({ block: 'nearest' });
  }

  /** Show only rows with errors, or all. */
  showErrors(on: boolean): void {
    this.#driver.showErrors(on);
  }

  /** Take over what is being typed, before a save. */
  commit(): void {
    if (!this.#editor.isComposing) this.#driver.commit();
  }

  #assemble(): void {
    const { bar, counts, said, live, keys } = this.#toolbar;
    said.id = `${this.#id}-said`;
    set(this.#editor.input, { 'aria-describedby': said.id });
    const top = make('div', 'pg-top', {}, bar, counts);
    this.append(top, this.#help, this.#view.scroller, said, keys, live, this.#lists);
    const { input } = this.#editor;
    input.addEventListener('keydown', (event) => this.#onKey(event));
    // Who scrolled away and types on wants to see it.
    input.addEventListener('input', () => this.#view.reveal(this.#sheet.selection.active));
    input.addEventListener('blur', () => this.#onBlur());
    input.addEventListener('focus', () => this.#view.grid.classList.add('pg-focused'));
    this.#view.scroller.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    clipboard.listen(this.#driver, (result) => {
      this.#toolbar.announce(this.#messages.pasted(result));
      this.#tell('pasted', result);
    });
    this.#point();
  }

  #onKey(event: KeyboardEvent): void {
    if (this.#editor.isComposed(event)) {
      // The press that ended a composition is used up by it; a new composition is the browser's.
      if (!event.isComposing && event.keyCode !== 229) event.preventDefault();
      return;
    }
    const { selection, columns, size } = this.#sheet;
    const isChoice = (columns[selection.active.col]?.choices?.length ?? 0) > 0;
    const command = commandOf(event, this.#editor.mode, isChoice);
    if (!command) return;
    const { row, col } = selection.active;
    const atEnd = event.shiftKey
      ? row === 0 && col === 0
      : row === size.rows - 1 && col === size.cols - 1;
    const leaves = this.#driver.isLeaving || (atEnd && same(selection.anchor, selection.head));
    if (command.do === 'advance' && command.by === 'tab' && leaves) {
      this.#driver.isLeaving = false;
      return;
    }
    event.preventDefault();
    this.#driver.run(command);
  }

  #onBlur(): void {
    // Moving the input to another cell takes the focus for a moment, too.
    if (!this.#editor.isMoving) {
      this.#view.grid.classList.remove('pg-focused');
      this.commit();
    }
  }

  #onScroll(): void {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#view.draw();
    });
  }

  #point(): void {
    const [sheet, editor, driver] = [this.#sheet, this.#editor, this.#driver];
    listen(this.#view, {
      press: (place, extend) => {
        if (place.col < 0) {
          driver.selectRows(extend ? sheet.selection.anchor.row : place.row, place.row);
        } else {
          if (same(place, sheet.selection.active) && editor.mode !== 'ready') return false;
          // Ends a composition: what it has so far is taken over before the input moves.
          if (editor.isComposing) editor.input.blur();
          driver.go(place, extend);
        }
        editor.focus();
        return true;
      },
      drag: (place) => {
        if (editor.mode !== 'ready') return;
        const { selection, columns } = sheet;
        const head = place.col < 0 ? { row: place.row, col: columns.length - 1 } : place;
        if (same(head, selection.head)) return;
        sheet.selection = extended(selection, head);
        this.#refresh();
      },
      open: (place) => {
        if (!same(place, sheet.selection.active)) driver.go(place);
        editor.focus();
        editor.edit();
      },
    });
  }

  #changed(reason: ChangeReason): void {
    this.#refresh();
    this.#tell('rowschange', { reason });
  }

  #moved(): void {
    const { active } = this.#sheet.selection;
    const field = this.#sheet.columns[active.col]?.key ?? '';
    this.#tell('cellfocus', { row: this.#sheet.indexOf(active.row) + 1, field });
  }

  #tell<K extends keyof PasteGridEvents>(name: K, detail: PasteGridEvents[K]): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }

  // --- what is shown ---------------------------------------------------------------------------

  /** New columns or words. */
  #rebuild(): void {
    if (!this.isConnected) return;
    const lists = this.#sheet.columns.map((column, col) => {
      const options = (column.choices ?? []).map((value) => make('option', '', { value }));
      return make('datalist', '', { id: `${this.#id}-list-${col}` }, ...options);
    });
    this.#lists.replaceChildren(...lists);
    this.#toolbar.name(this.#messages);
    this.#view.build(this.#messages);
    this.#name();
    this.#refresh();
  }

  #name(): void {
    const label = this.#label || this.#messages.label;
    set(this.#view.grid, { 'aria-label': label, 'aria-describedby': this.#help.id });
    set(this.#toolbar.bar, { 'aria-label': label });
    this.#help.textContent = this.#sheet.readOnly ? this.#messages.readOnly : this.#messages.help;
  }

  /** Draw everything; what is being typed is left alone. */
  #refresh(): void {
    if (!this.isConnected || !this.#sheet.columns.length) return;
    this.#view.render();
    this.#toolbar.render(this.#messages);
    const { active } = this.#sheet.selection;
    const column = this.#sheet.columns[active.col];
    const cell = this.#view.cellAt(active);
    if (!column || !cell) return;
    if (this.#editor.mode === 'ready' && !this.#editor.isComposing) {
      const isWritable = this.#sheet.isWritable(active.col);
      this.#editor.moveTo(cell, this.#sheet.value(active), column, isWritable);
    }
    const index = this.#sheet.indexOf(active.row);
    const isWrong = this.#sheet.findings.levelAt(index, active.col) === 'error';
    set(this.#editor.input, {
      'aria-label': this.#messages.cell(index + 1, column.label, column.required ?? false),
      'aria-invalid': isWrong ? 'true' : 'false',
      list: column.choices?.length ? `${this.#id}-list-${active.col}` : undefined,
    });
  }
}

/** Makes `<paste-grid>` known; once is enough, and twice does no harm. */
export function definePasteGrid(): void {
  if (!customElements.get('paste-grid')) customElements.define('paste-grid', PasteGrid);
}
