/**
 * The one input of the grid. It stands in the active cell and has the focus, always, so that there
 * is no first key to be lost: what an input method composes is composed in place.
 *
 * `ready`: the cell's text is selected, and whatever is typed replaces it. `typing`: something was.
 * `editing`: opened to be changed (F2, double click); arrows move the caret.
 */

import { make, set } from './dom';
import { INPUT_MODES, oneLine, shown } from './format';
import type { GridColumn } from './types';

export type Mode = 'ready' | 'typing' | 'editing';

export class Editor {
  readonly input = make('input', 'pg-input', {
    type: 'text',
    autocomplete: 'off',
    autocapitalize: 'off',
    autocorrect: 'off',
    spellcheck: 'false',
    enterkeyhint: 'next',
  });
  mode: Mode = 'ready';
  isComposing = false;
  /** While the input goes from cell to cell; a loss of focus then means nothing. */
  isMoving = false;
  #value = '';
  #column: GridColumn | undefined;
  #swallowed: string | null = null;
  /** The list was opened, and nothing was chosen or typed since. */
  #isListed = false;

  constructor() {
    this.input.addEventListener('compositionstart', () => {
      this.isComposing = true;
      this.#setMode(this.mode === 'ready' ? 'typing' : this.mode);
    });
    this.input.addEventListener('compositionend', () => (this.isComposing = false));
    this.input.addEventListener('input', () => {
      this.#isListed = false;
      if (this.mode === 'ready') this.#setMode('typing');
    });
    this.input.addEventListener('focus', () => {
      if (this.mode === 'ready') this.input.select();
    });
    this.input.addEventListener('keyup', () => (this.#swallowed = null));
  }

  /**
   * Whether a key belongs to the input method. Some systems send the Enter that ends a composition
   * a second time, as a plain one; that is still the same press of the key.
   */
  isComposed(event: KeyboardEvent): boolean {
    if (event.isComposing || event.keyCode === 229) {
      this.#swallowed = event.code || event.key;
      return true;
    }
    return this.#swallowed !== null && this.#swallowed === (event.code || event.key);
  }

  /** Stand in a cell, ready to be typed over. */
  moveTo(cell: HTMLElement, value: string, column: GridColumn, isWritable: boolean): void {
    this.#value = value;
    this.#column = column;
    if (this.input.parentNode !== cell) {
      const had = document.activeElement === this.input;
      this.isMoving = true;
      cell.append(this.input);
      if (had) this.input.focus({ preventScroll: true });
      this.isMoving = false;
    }
    this.input.readOnly = !isWritable;
    set(this.input, { inputmode: INPUT_MODES[column.type] });
    this.ready();
  }

  /** Back to the value of the sheet, selected. */
  ready(): void {
    this.#setMode('ready');
    this.#isListed = false;
    const text = this.#column ? shown(this.#value, this.#column.type) : this.#value;
    if (this.input.value !== text) this.input.value = text;
    if (document.activeElement === this.input) this.input.select();
  }

  /** Open the cell to change what is there. */
  edit(): void {
    if (this.input.readOnly || this.mode !== 'ready') return;
    this.#setMode('editing');
    this.input.value = oneLine(this.#value);
    this.input.setSelectionRange(this.input.value.length, this.input.value.length);
  }

  /** Open the list of a choice: all of it, not only what resembles the present word. */
  openList(): void {
    if (this.input.readOnly || !this.#column?.choices?.length) return;
    this.#setMode('typing');
    this.input.value = '';
    this.#isListed = true;
    try {
      this.input.showPicker();
    } catch {
      // Without a picker the list opens as one types.
    }
  }

  /** What was typed, or null where nothing was changed. */
  typed(): string | null {
    if (this.mode === 'ready' || this.#isListed) return null;
    const { value } = this.input;
    return value === oneLine(this.#value) ? null : value;
  }

  focus(): void {
    this.input.focus({ preventScroll: true });
  }

  #setMode(mode: Mode): void {
    this.mode = mode;
    this.input.dataset['mode'] = mode;
  }
}
