/** Which command a key stands for, by what the input is doing. Pure. */

import type { Mode } from './editor';
import type { Direction } from './selection';

export type Command =
  | { do: 'move'; direction: Direction; extend: boolean; jump: boolean }
  | { do: 'page'; direction: 'up' | 'down'; extend: boolean }
  | { do: 'edge'; edge: 'home' | 'end'; whole: boolean; extend: boolean }
  | { do: 'advance'; by: 'tab' | 'enter'; backwards: boolean }
  | { do: 'error'; backwards: boolean }
  | {
      do:
        | 'edit'
        | 'list'
        | 'cancel'
        | 'leave'
        | 'clear'
        | 'undo'
        | 'redo'
        | 'selectAll'
        | 'fillDown'
        | 'accept';
    };

const ARROWS: Record<string, Direction> = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'left',
  ArrowRight: 'right',
};

type Key = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>;

/** The command, or null where the key is the input's or the browser's own. */
export function commandOf(event: Key, mode: Mode, isChoice: boolean): Command | null {
  const { key, shiftKey: extend, altKey } = event;
  const control = event.ctrlKey || event.metaKey;
  const arrow = ARROWS[key];
  if (altKey) return key === 'ArrowDown' && !control ? { do: 'list' } : null;
  if (arrow) {
    const isNative = mode === 'editing' || (mode === 'typing' && isChoice && isVertical(arrow));
    return isNative ? null : { do: 'move', direction: arrow, extend, jump: control };
  }
  switch (key) {
    case 'Enter':
      return control ? null : { do: 'advance', by: 'enter', backwards: extend };
    case 'Tab':
      return control ? null : { do: 'advance', by: 'tab', backwards: extend };
    case 'F2':
      return { do: 'edit' };
    case 'F8':
      return { do: 'error', backwards: extend };
    case 'F9':
      return { do: 'accept' };
    case 'Escape':
      return { do: mode === 'ready' ? 'leave' : 'cancel' };
  }
  if (mode !== 'ready') return null;
  switch (key) {
    case 'Home':
    case 'End':
      return { do: 'edge', edge: key === 'Home' ? 'home' : 'end', whole: control, extend };
    case 'PageUp':
    case 'PageDown':
      return { do: 'page', direction: key === 'PageUp' ? 'up' : 'down', extend };
    case 'Delete':
      return { do: 'clear' };
  }
  return control ? withControl(event) : null;
}

/** By the place of the key too: with a Korean layout Ctrl+Z may arrive as Ctrl+ㅋ. */
function withControl({ key, code, shiftKey }: Key): Command | null {
  const letter = /^Key[A-Z]$/.test(code) ? code.slice(3).toLowerCase() : key?.toLowerCase();
  switch (letter) {
    case 'a':
      return { do: 'selectAll' };
    case 'd':
      return { do: 'fillDown' };
    case 'y':
      return { do: 'redo' };
    case 'z':
      return { do: shiftKey ? 'redo' : 'undo' };
    default:
      return null;
  }
}

function isVertical(direction: Direction): boolean {
  return direction === 'up' || direction === 'down';
}
