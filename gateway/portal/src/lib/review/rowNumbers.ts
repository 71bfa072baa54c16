/** Row numbers as people write them: `3, 7-9`. */

/** The most rows one range may name: a slip of the finger must not name a million. */
const WIDEST = 100_000;

/** The numbers, each once and in order; null where the text is something else. */
export function rowNumbers(text: string): number[] | null {
  const found = new Set<number>();
  for (const part of text.split(/[,\s]+/).filter(Boolean)) {
    const [, first, last = first] = /^(\d{1,7})(?:[-–~](\d{1,7}))?$/.exec(part) ?? [];
    const from = Number(first);
    const to = Number(last);
    if (!(from >= 1 && to >= from && to - from < WIDEST)) return null;
    for (let row = from; row <= to; row++) found.add(row);
  }
  return [...found].sort((a, b) => a - b);
}
