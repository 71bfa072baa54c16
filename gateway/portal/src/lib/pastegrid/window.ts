/** Which rows are drawn, and how far to scroll for one to be seen. Pure; all lengths in pixels. */

export interface Viewport {
  scrollTop: number;
  height: number;
  rowHeight: number;
}

/** More rows than are seen, so that a small scroll shows no gap. */
const BEYOND = 8;

/** The rows to draw, `last` excluded. */
export function drawn(
  { scrollTop, height, rowHeight }: Viewport,
  count: number,
): { first: number; last: number } {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - BEYOND);
  const seen = Math.ceil(height / rowHeight) + 2 * BEYOND + 1;
  return { first: Math.min(first, count), last: Math.min(count, first + seen) };
}

/** Rows that fit on a page, for PageUp and PageDown. */
export function pageOf({ height, rowHeight }: Viewport): number {
  return Math.max(1, Math.floor(height / rowHeight) - 1);
}

/**
 * The scroll offset at which `start`…`start + length` is seen, as near to the present one as can be.
 *
 * `view` is the room between what is fixed at the start (header, row numbers) and the end.
 */
export function reveal(offset: number, view: number, start: number, length: number): number {
  if (start < offset || length > view) return start;
  const over = start + length - (offset + view);
  return over > 0 ? offset + over : offset;
}
