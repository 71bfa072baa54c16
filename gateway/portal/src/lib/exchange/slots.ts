/** Days and times of the exchange: Korean time, whatever the clock of the machine says. */

export interface Period {
  starts_at: string;
  ends_at: string;
}

const STEP_MS = 30 * 60_000; // the grid times are booked on
const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
const SEOUL_MS = 9 * HOUR_MS; // the same all year

/** `instant('2027-03-02', '24:00')` is the first one of the next day. */
export function instant(day: string, time: string): string {
  return time === '24:00' ? `${dayAfter(day)}T00:00:00+09:00` : `${day}T${time}:00+09:00`;
}

export function dayAfter(day: string): string {
  return new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10);
}

/** When a use may begin on a day: every half hour that is free, `09:00`. */
export function startTimes(free: readonly Period[], day: string): string[] {
  return free.flatMap((period) => {
    const [from, to] = within(period, day);
    return steps(from, to - STEP_MS).map((ms) => timeOf(ms, day));
  });
}

/** When a use that begins at `start` may end: in the same free time, by whole hours if told so. */
export function endTimes(
  free: readonly Period[],
  day: string,
  start: string,
  wholeHours: boolean,
): string[] {
  const begins = Date.parse(instant(day, start));
  const period = free.find(
    ({ starts_at, ends_at }) => Date.parse(starts_at) <= begins && begins < Date.parse(ends_at),
  );
  if (period === undefined) return [];
  const step = wholeHours ? HOUR_MS : STEP_MS;
  const [, to] = within(period, day);
  return steps(begins + step, to, step).map((ms) => timeOf(ms, day));
}

/** The part of a period that lies on a day. */
function within(period: Period, day: string): [number, number] {
  const midnight = Date.parse(instant(day, '00:00'));
  return [
    Math.max(Date.parse(period.starts_at), midnight),
    Math.min(Date.parse(period.ends_at), midnight + DAY_MS),
  ];
}

function steps(from: number, to: number, step = STEP_MS): number[] {
  const found = [];
  for (let ms = Math.ceil(from / STEP_MS) * STEP_MS; ms <= to; ms += step) found.push(ms);
  return found;
}

function timeOf(ms: number, day: string): string {
  const local = new Date(ms + SEOUL_MS).toISOString();
  return local.slice(0, 10) === day ? local.slice(11, 16) : '24:00';
}
