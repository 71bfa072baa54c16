/**
 * Where one is in the grid. Pure.
 *
 * The active cell holds the input. A block reaches from the anchor to the head and has the active
 * cell in it; without a block all three are one.
 */

import type { Block, Place } from './types';

export interface Selection {
  active: Place;
  anchor: Place;
  head: Place;
}

export interface Size {
  rows: number;
  cols: number;
}

export type Direction = 'up' | 'down' | 'left' | 'right';

const STEPS: Record<Direction, Place> = {
  up: { row: -1, col: 0 },
  down: { row: 1, col: 0 },
  left: { row: 0, col: -1 },
  right: { row: 0, col: 1 },
};

export function at(place: Place): Selection {
  return { active: place, anchor: place, head: place };
}

/** The block from the active cell to another. */
export function extended({ active }: Selection, head: Place): Selection {
  return { active, anchor: active, head };
}

export function blockOf({ anchor, head }: Selection): Block {
  return {
    top: Math.min(anchor.row, head.row),
    left: Math.min(anchor.col, head.col),
    bottom: Math.max(anchor.row, head.row),
    right: Math.max(anchor.col, head.col),
  };
}

export function isOne({ anchor, head }: Selection): boolean {
  return anchor.row === head.row && anchor.col === head.col;
}

export function contains(block: Block, place: Place): boolean {
  return (
    place.row >= block.top &&
    place.row <= block.bottom &&
    place.col >= block.left &&
    place.col <= block.right
  );
}

export function clamp(place: Place, size: Size): Place {
  const within = (value: number, count: number) => Math.max(0, Math.min(value, count - 1));
  return { row: within(place.row, size.rows), col: within(place.col, size.cols) };
}

export function clampAll({ active, anchor, head }: Selection, size: Size): Selection {
  return { active: clamp(active, size), anchor: clamp(anchor, size), head: clamp(head, size) };
}

export function step(from: Place, direction: Direction, size: Size, by = 1): Place {
  const { row, col } = STEPS[direction];
  return clamp({ row: from.row + row * by, col: from.col + col * by }, size);
}

/**
 * Ctrl and an arrow: to the end of what is filled, or over a gap to the next filled cell, or to the
 * edge.
 */
export function jump(
  from: Place,
  direction: Direction,
  size: Size,
  isFilled: (place: Place) => boolean,
): Place {
  let place = step(from, direction, size);
  if (same(place, from)) return from;
  if (isFilled(from) && isFilled(place)) {
    for (;;) {
      const next = step(place, direction, size);
      if (same(next, place) || !isFilled(next)) return place;
      place = next;
    }
  }
  while (!isFilled(place)) {
    const next = step(place, direction, size);
    if (same(next, place)) return place;
    place = next;
  }
  return place;
}

/**
 * Tab and Enter inside of a block go around in it; outside, Tab goes on to the next row and Enter
 * down. Null where Tab would leave the grid.
 */
export function advance(
  selection: Selection,
  by: 'tab' | 'enter',
  backwards: boolean,
  size: Size,
): Place | null {
  const { active } = selection;
  const inBlock = !isOne(selection);
  if (!inBlock && by === 'enter') return step(active, backwards ? 'up' : 'down', size);
  const block = inBlock
    ? blockOf(selection)
    : { top: 0, left: 0, bottom: size.rows - 1, right: size.cols - 1 };
  const width = block.right - block.left + 1;
  const height = block.bottom - block.top + 1;
  const [row, col] = [active.row - block.top, active.col - block.left];
  const position = (by === 'tab' ? row * width + col : col * height + row) + (backwards ? -1 : 1);
  const cells = width * height;
  if (!inBlock && (position < 0 || position >= cells)) return null;
  const next = (position + cells) % cells;
  const [outer, inner] =
    by === 'tab'
      ? [Math.floor(next / width), next % width]
      : [next % height, Math.floor(next / height)];
  return { row: block.top + outer, col: block.left + inner };
}

export function same(one: Place, other: Place): boolean {
  return one.row === other.row && one.col === other.col;
}
