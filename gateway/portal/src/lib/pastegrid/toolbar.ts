/** The buttons above the grid, the counters, and the line that says what is wrong with a cell. */

import { make, set, write } from './dom';
import { WHOLE_ROW } from './findings';
import type { GridMessages } from './messages';
import type { Sheet } from './sheet';

export interface Actions {
  undo(): void;
  redo(): void;
  insertRow(): void;
  deleteRow(): void;
  toggleFilter(): void;
  goToError(backwards: boolean): void;
  accept(): void;
  acceptAll(): void;
}

type Name = keyof Actions | 'previousError' | 'nextError';

export class Toolbar {
  readonly bar = make('div', 'pg-toolbar', { role: 'group' });
  readonly counts = make('p', 'pg-counts', { role: 'status' });
  readonly said = make('div', 'pg-said');
  readonly live = make('p', 'pg-hidden', { role: 'status' });
  readonly keys = make('details', 'pg-keys');
  readonly #buttons = new Map<Name, HTMLButtonElement>();
  readonly #list = make('ul', 'pg-messages');
  readonly #accept: HTMLButtonElement;

  constructor(
    readonly sheet: Sheet,
    actions: Actions,
  ) {
    this.#accept = button('pg-accept', () => actions.accept());
    this.said.append(this.#list, this.#accept);
    const make_ = (name: Name, press: () => void) => {
      const made = button('', press);
      this.#buttons.set(name, made);
      this.bar.append(made);
    };
    make_('undo', () => actions.undo());
    make_('redo', () => actions.redo());
    make_('insertRow', () => actions.insertRow());
    make_('deleteRow', () => actions.deleteRow());
    make_('toggleFilter', () => actions.toggleFilter());
    make_('previousError', () => actions.goToError(true));
    make_('nextError', () => actions.goToError(false));
    make_('acceptAll', () => actions.acceptAll());
  }

  /** The words; called again when they change. */
  name(messages: GridMessages): void {
    const words: Record<Name, string> = {
      undo: messages.undo,
      redo: messages.redo,
      insertRow: messages.insertRow,
      deleteRow: messages.deleteRow,
      toggleFilter: messages.onlyErrors,
      previousError: messages.previousError,
      nextError: messages.nextError,
      accept: messages.accept,
      acceptAll: '',
      goToError: '',
    };
    for (const [name, made] of this.#buttons) write(made, words[name]);
    write(this.#accept, messages.accept);
    const list = make('dl', '');
    for (const [key, meaning] of messages.keyList) {
      list.append(make('dt', '', {}, make('kbd', '', {}, key)), make('dd', '', {}, meaning));
    }
    this.keys.replaceChildren(make('summary', '', {}, messages.keys), list);
  }

  render(messages: GridMessages): void {
    const { sheet } = this;
    const errors = sheet.findings.count('error');
    const warnings = sheet.findings.count('warning');
    write(this.counts, messages.counts(sheet.filled, errors, warnings));
    this.counts.dataset['level'] = errors ? 'error' : warnings ? 'warning' : 'none';
    const suggestions = sheet.readOnly ? 0 : sheet.findings.suggestions.length;
    this.#show('undo', !sheet.readOnly, sheet.history.canUndo);
    this.#show('redo', !sheet.readOnly, sheet.history.canRedo);
    this.#show('insertRow', !sheet.readOnly && !sheet.keepNumbers, sheet.filter === null);
    this.#show('deleteRow', !sheet.readOnly, true);
    const some = errors + warnings > 0;
    this.#show('toggleFilter', some || sheet.filter !== null, true);
    this.#show('previousError', some, true);
    this.#show('nextError', some, true);
    this.#show('acceptAll', suggestions > 1, true);
    set(this.#button('toggleFilter'), { 'aria-pressed': sheet.filter ? 'true' : 'false' });
    write(this.#button('acceptAll'), messages.acceptAll(suggestions));
    this.#say(messages);
  }

  /** Tell those who listen, not look; the same words twice are told twice. */
  announce(text: string): void {
    this.live.textContent = this.live.textContent === text ? `${text}\u00a0` : text;
  }

  #say(messages: GridMessages): void {
    const { sheet } = this;
    const { row, col } = sheet.selection.active;
    const index = sheet.indexOf(row);
    const about = [...sheet.findings.at(index, col), ...sheet.findings.at(index, WHOLE_ROW)];
    const notes = [...sheet.notes.at(index, col), ...sheet.notes.at(index, WHOLE_ROW)];
    const suggestion = sheet.isWritable(col) ? sheet.findings.suggestionAt(index, col) : null;
    const lines = about.map((finding) =>
      line(finding.level, messages[finding.level], finding.message),
    );
    lines.push(...notes.map((note) => line('note', messages.note, note)));
    if (suggestion !== null) lines.push(line('suggestion', '', messages.suggestion(suggestion)));
    const hint = sheet.columns[col]?.hint;
    if (lines.length === 0 && hint && !sheet.readOnly) lines.push(line('hint', '', hint));
    this.#list.replaceChildren(...lines);
    this.#accept.hidden = suggestion === null;
  }

  #show(name: Name, isShown: boolean, isUsable: boolean): void {
    const made = this.#button(name);
    made.hidden = !isShown;
    made.disabled = !isUsable;
  }

  #button(name: Name): HTMLButtonElement {
    return this.#buttons.get(name) as HTMLButtonElement;
  }
}

function button(className: string, press: () => void): HTMLButtonElement {
  const made = make('button', `pg-button ${className}`.trim(), { type: 'button' });
  made.addEventListener('click', press);
  return made;
}

function line(kind: string, word: string, text: string): HTMLElement {
  const item = make('li', `pg-say-${kind}`);
  if (word) item.append(make('strong', '', {}, word), ' ');
  item.append(text);
  return item;
}
