// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { commandOf } from './keyboard';

function key(key: string, held: Partial<KeyboardEvent> = {}) {
  return { key, code: '', ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held };
}

describe('keys', () => {
  it('move while nothing is typed, and after something was; not while a cell is open', () => {
    const move = { do: 'move', direction: 'left', extend: false, jump: false };
    expect(commandOf(key('ArrowLeft'), 'ready', false)).toEqual(move);
    expect(commandOf(key('ArrowLeft'), 'typing', false)).toEqual(move);
    expect(commandOf(key('ArrowLeft'), 'editing', false)).toBeNull();
  });

  it('up and down choose in the list of a choice', () => {
    expect(commandOf(key('ArrowDown'), 'typing', true)).toBeNull();
    expect(commandOf(key('ArrowDown'), 'ready', true)).not.toBeNull();
  });

  it('Ctrl and a letter go by the place of the key, for a Korean layout', () => {
    const undo = { do: 'undo' };
    expect(commandOf(key('ㅋ', { code: 'KeyZ', ctrlKey: true }), 'ready', false)).toEqual(undo);
    expect(commandOf(key('z', { metaKey: true }), 'ready', false)).toEqual(undo);
    expect(commandOf(key('z', { ctrlKey: true }), 'editing', false)).toBeNull();
  });

  it('letters, copy and paste are left to the input', () => {
    expect(commandOf(key('a'), 'ready', false)).toBeNull();
    expect(commandOf(key('v', { ctrlKey: true }), 'ready', false)).toBeNull();
    expect(commandOf(key('Backspace'), 'ready', false)).toBeNull();
  });

  it('Escape cancels what is typed, and then leaves', () => {
    expect(commandOf(key('Escape'), 'typing', false)).toEqual({ do: 'cancel' });
    expect(commandOf(key('Escape'), 'ready', false)).toEqual({ do: 'leave' });
  });
});
