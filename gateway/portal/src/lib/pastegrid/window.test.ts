// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { drawn, pageOf, reveal } from './window';

describe('drawing a window', () => {
  it('draws some rows of many, wherever one is', () => {
    const view = { scrollTop: 100_000, height: 400, rowHeight: 40 };
    const { first, last } = drawn(view, 5_000);
    expect(first).toBeLessThanOrEqual(2_500);
    expect(last).toBeGreaterThanOrEqual(2_510);
    expect(last - first).toBeLessThan(60);
  });

  it('does not draw beyond the last row', () => {
    expect(drawn({ scrollTop: 0, height: 400, rowHeight: 40 }, 3)).toEqual({ first: 0, last: 3 });
    expect(drawn({ scrollTop: 9_999, height: 400, rowHeight: 40 }, 3)).toEqual({
      first: 3,
      last: 3,
    });
  });

  it('has a page of at least one row', () => {
    expect(pageOf({ scrollTop: 0, height: 30, rowHeight: 40 })).toBe(1);
  });

  it('scrolls no further than it must', () => {
    expect(reveal(100, 200, 150, 40)).toBe(100);
    expect(reveal(100, 200, 40, 40)).toBe(40);
    expect(reveal(100, 200, 290, 40)).toBe(130);
    expect(reveal(100, 200, 500, 300)).toBe(500);
  });
});
