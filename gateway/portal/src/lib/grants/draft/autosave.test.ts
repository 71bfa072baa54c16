import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Autosave, Conflict, type SaveState } from './autosave.ts';

let saved: [string, string][];
let answers: (() => Promise<string>)[];
const saver = {
  save: (value: string, version: string) => {
    saved.push([value, version]);
    return answers.shift()?.() ?? Promise.resolve(`v${saved.length + 1}`);
  },
  current: () => Promise.resolve('v9'),
};

beforeEach(() => {
  vi.useFakeTimers();
  saved = [];
  answers = [];
});
afterEach(() => vi.useRealTimers());

describe('an autosave', () => {
  it('waits for a pause and saves once, with the version it knows', async () => {
    const draft = new Autosave<string>(saver, 'v1');
    draft.write('a');
    draft.write('ab');
    await vi.advanceTimersByTimeAsync(1499);
    expect(saved).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(saved).toEqual([['ab', 'v1']]);
    draft.write('abc');
    await vi.advanceTimersByTimeAsync(1500);
    expect(saved[1]).toEqual(['abc', 'v2']);
    expect(draft.state).toBe('saved');
  });

  it('saves one after the other, never two at once', async () => {
    let arrive: (version: string) => void = () => {};
    answers.push(() => new Promise((resolve) => (arrive = resolve)));
    const draft = new Autosave<string>(saver, 'v1');
    draft.write('a');
    const first = draft.flush();
    draft.write('b');
    const both = draft.flush();
    expect(saved).toEqual([['a', 'v1']]);
    arrive('v2');
    await Promise.all([first, both]);
    expect(saved).toEqual([
      ['a', 'v1'],
      ['b', 'v2'],
    ]);
  });

  it('keeps what it could not save, and saves it with the next try', async () => {
    answers.push(() => Promise.reject(new Error('offline')));
    const states: SaveState[] = [];
    const draft = new Autosave<string>(saver, 'v1', (state) => states.push(state));
    draft.write('a');
    expect(await draft.flush()).toBe(false);
    expect(draft.isSafe).toBe(false);
    expect(await draft.flush()).toBe(true);
    expect(saved).toEqual([
      ['a', 'v1'],
      ['a', 'v1'],
    ]);
    expect(states).toEqual(['waiting', 'saving', 'failed', 'saving', 'saved']);
  });

  it('stops at a conflict and overwrites only when told to', async () => {
    answers.push(() => Promise.reject(new Conflict()));
    const draft = new Autosave<string>(saver, 'v1');
    draft.write('mine');
    await draft.flush();
    expect(draft.state).toBe('conflict');
    draft.write('mine, longer');
    await vi.advanceTimersByTimeAsync(5000);
    expect(saved).toHaveLength(1);
    expect(await draft.overwrite()).toBe(true);
    expect(saved[1]).toEqual(['mine, longer', 'v9']);
  });
});
