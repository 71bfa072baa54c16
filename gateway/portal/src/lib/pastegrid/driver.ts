/** Carries commands out: where they lead, what they change, and what is said of it. */

import type { Editor } from './editor';
import type { Command } from './keyboard';
import type { GridMessages } from './messages';
import { advance, at, blockOf, extended, isOne, jump, step, type Direction } from './selection';
import type { Sheet } from './sheet';
import type { Toolbar } from './toolbar';
import type { Place } from './types';
import type { View } from './view';
import { pageOf } from './window';

export interface Host {
  readonly sheet: Sheet;
  readonly editor: Editor;
  readonly view: View;
  readonly toolbar: Toolbar;
  readonly messages: GridMessages;
  /** Draw what there is now. */
  refresh(): void;
  /** Another cell is active. */
  moved(): void;
}

export class Driver {
  /** Set by Escape: the next Tab goes out of the grid. */
  isLeaving = false;
  #tabbedFrom: number | null = null;

  constructor(readonly host: Host) {}

  /** Take over what was typed; nothing moves before that. */
  commit(): void {
    const { editor, sheet } = this.host;
    const typed = editor.typed();
    editor.mode = 'ready';
    if (typed === null || !sheet.write(sheet.selection.active, typed)) editor.ready();
  }

  go(place: Place, extend = false): void {
    const { sheet } = this.host;
    this.commit();
    sheet.selection = extend ? extended(sheet.selection, place) : at(place);
    this.#show(place);
    if (!extend) this.host.moved();
  }

  act(change: () => boolean): void {
    this.commit();
    if (!change()) this.host.refresh();
    this.host.editor.focus();
  }

  /** Rows as a whole, from the number of one to the number of another. */
  selectRows(from: number, to: number): void {
    const { sheet } = this.host;
    this.commit();
    const last = sheet.columns.length - 1;
    const active = { row: from, col: 0 };
    sheet.selection = { active, anchor: active, head: { row: to, col: last } };
    this.host.refresh();
  }

  run(command: Command): void {
    const { sheet, editor, view, toolbar, messages } = this.host;
    const { active, head } = sheet.selection;
    if (command.do !== 'advance') this.#tabbedFrom = null;
    if (command.do !== 'leave') this.isLeaving = false;
    const from = 'extend' in command && command.extend ? head : active;
    switch (command.do) {
      case 'move':
        return this.go(this.#target(from, command.direction, command.jump), command.extend);
      case 'page': {
        const rows = pageOf(view.viewport);
        return this.go(step(from, command.direction, sheet.size, rows), command.extend);
      }
      case 'edge':
        return this.go(this.#edge(from, command), command.extend);
      case 'advance':
        return this.#advance(command.by, command.backwards);
      case 'error':
        return this.goToError(command.backwards);
      case 'edit':
        return editor.edit();
      case 'list':
        return editor.openList();
      case 'cancel':
        return editor.ready();
      case 'leave':
        this.isLeaving = true;
        return toolbar.announce(messages.leave);
      case 'clear':
        this.act(() => sheet.clear());
        return toolbar.announce(messages.cleared);
      case 'undo':
      case 'redo':
        return this.#travel(command.do);
      case 'selectAll':
        return this.selectRows(0, this.#lastRow());
      case 'fillDown':
        return this.act(() => sheet.fillDown());
      case 'accept':
        this.act(() => sheet.acceptSuggestion());
    }
  }

  goToError(backwards: boolean): void {
    const { sheet, toolbar, messages } = this.host;
    this.commit();
    const { row, col } = sheet.selection.active;
    const place = sheet.findings.next({ row: sheet.indexOf(row), col }, backwards);
    if (place) this.focusRow(place.row, place.col);
    else toolbar.announce(messages.noErrors);
  }

  /** To a cell by the row of the sheet, out of the filter if that hides it. */
  focusRow(index: number, col: number): void {
    const { sheet, editor } = this.host;
    this.commit();
    if (sheet.shownAt(index) < 0) {
      sheet.setFilter(false);
      this.host.refresh();
    }
    const last = sheet.shownRows - 1;
    this.go({ row: Math.min(sheet.shownAt(index), last), col });
    editor.focus();
  }

  acceptAll(): void {
    const { sheet, toolbar, messages } = this.host;
    this.act(() => {
      const count = sheet.acceptAll();
      toolbar.announce(messages.accepted(count));
      return count > 0;
    });
  }

  showErrors(on: boolean): void {
    const { sheet, toolbar, messages } = this.host;
    this.commit();
    if (!sheet.setFilter(on)) toolbar.announce(messages.noErrors);
    this.#show(sheet.selection.active);
  }

  #show(place: Place): void {
    this.host.refresh();
    this.host.view.reveal(place);
  }

  #travel(way: 'undo' | 'redo'): void {
    const { sheet, editor, toolbar, messages } = this.host;
    this.commit();
    const done = way === 'undo' ? sheet.undo() : sheet.redo();
    if (done) this.#show(sheet.selection.active);
    const told = way === 'undo' ? messages.undone : messages.redone;
    toolbar.announce(done ? told : messages.nothingToUndo);
    editor.focus();
  }

  #target(from: Place, direction: Direction, jumps: boolean): Place {
    const { sheet } = this.host;
    if (!jumps) return step(from, direction, sheet.size);
    return jump(from, direction, sheet.size, (place) => sheet.value(place) !== '');
  }

  #edge(from: Place, { edge, whole }: Extract<Command, { do: 'edge' }>): Place {
    const row = whole ? (edge === 'home' ? 0 : this.#lastRow()) : from.row;
    return { row, col: edge === 'home' ? 0 : this.host.sheet.columns.length - 1 };
  }

  #lastRow(): number {
    const { rows, filter } = this.host.sheet;
    return Math.max(0, (filter ?? rows).length - 1);
  }

  /** In a block around in it; Enter after some Tabs to the column where they began. */
  #advance(by: 'tab' | 'enter', backwards: boolean): void {
    const { sheet } = this.host;
    const { selection } = sheet;
    const next = advance(selection, by, backwards, sheet.size);
    if (!next) return this.commit();
    if (!isOne(selection)) {
      this.commit();
      const { top, left, bottom, right } = blockOf(selection);
      const [anchor, head] = [
        { row: top, col: left },
        { row: bottom, col: right },
      ];
      sheet.selection = { active: next, anchor, head };
      this.#show(next);
      return this.host.moved();
    }
    const origin = this.#tabbedFrom;
    const returns = by === 'enter' && !backwards && origin !== null;
    this.go(returns ? { ...next, col: origin } : next);
    this.#tabbedFrom = by === 'tab' && !backwards ? (origin ?? selection.active.col) : null;
  }
}
