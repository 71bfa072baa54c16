// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { advance, at, blockOf, extended, jump, step } from './selection';

const SIZE = { rows: 3, cols: 2 };
const place = (row: number, col: number) => ({ row, col });

describe('moving', () => {
  it('stops at the edges', () => {
    expect(step(place(0, 0), 'up', SIZE)).toEqual(place(0, 0));
    expect(step(place(0, 0), 'down', SIZE, 10)).toEqual(place(2, 0));
    expect(step(place(1, 1), 'right', SIZE)).toEqual(place(1, 1));
  });

  it('jumps to the end of what is filled, over gaps, and to the edge', () => {
    const size = { rows: 10, cols: 1 };
    const filled = ({ row }: { row: number }) => [0, 1, 2, 5, 6].includes(row);
    expect(jump(place(0, 0), 'down', size, filled).row).toBe(2);
    expect(jump(place(2, 0), 'down', size, filled).row).toBe(5);
    expect(jump(place(6, 0), 'down', size, filled).row).toBe(9);
    expect(jump(place(9, 0), 'up', size, filled).row).toBe(6);
    expect(jump(place(9, 0), 'down', size, filled).row).toBe(9);
  });
});

describe('Tab and Enter', () => {
  it('Tab goes on to the next row, and out after the last cell', () => {
    expect(advance(at(place(0, 1)), 'tab', false, SIZE)).toEqual(place(1, 0));
    expect(advance(at(place(1, 0)), 'tab', true, SIZE)).toEqual(place(0, 1));
    expect(advance(at(place(2, 1)), 'tab', false, SIZE)).toBeNull();
    expect(advance(at(place(0, 0)), 'tab', true, SIZE)).toBeNull();
  });

  it('Enter goes down and stays at the last row', () => {
    expect(advance(at(place(0, 1)), 'enter', false, SIZE)).toEqual(place(1, 1));
    expect(advance(at(place(2, 1)), 'enter', false, SIZE)).toEqual(place(2, 1));
    expect(advance(at(place(1, 1)), 'enter', true, SIZE)).toEqual(place(0, 1));
  });

  it('both go around in a block', () => {
    const block = { active: place(1, 1), anchor: place(0, 0), head: place(1, 1) };
    expect(advance(block, 'tab', false, SIZE)).toEqual(place(0, 0));
    expect(advance(block, 'enter', false, SIZE)).toEqual(place(0, 0));
    const first = { ...block, active: place(1, 0) };
    expect(advance(first, 'enter', false, SIZE)).toEqual(place(0, 1));
    expect(advance(first, 'enter', true, SIZE)).toEqual(place(0, 0));
  });
});

it('a block reaches from the active cell to the head, in any direction', () => {
  const selection = extended(at(place(2, 1)), place(0, 0));
  expect(blockOf(selection)).toEqual({ top: 0, left: 0, bottom: 2, right: 1 });
  expect(selection.active).toEqual(place(2, 1));
});
