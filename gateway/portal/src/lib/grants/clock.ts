/** Where a call stands on the clock, and how long it still takes. */

export type Timing = 'upcoming' | 'open' | 'closing_soon' | 'closed';
/** A call that closes within this many days is closing soon; so the catalogue's filter means it. */
const SOON_DAYS = 14;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export interface Remaining {
  days: number;
  hours: number;
  minutes: number;
}

/** Received up to the last instant, inclusive. */
export function timing(opensAt: string, closesAt: string, now: Date): Timing {
  const left = Date.parse(closesAt) - now.getTime();
  if (now.getTime() < Date.parse(opensAt)) return 'upcoming';
  if (left < 0) return 'closed';
  return left <= SOON_DAYS * DAY ? 'closing_soon' : 'open';
}

/** The time from now to an instant; nothing once it is over. Minutes are cut, never rounded up. */
export function remaining(until: string, now: Date): Remaining | undefined {
  const left = Date.parse(until) - now.getTime();
  if (left < 0) return undefined;
  return {
    days: Math.floor(left / DAY),
    hours: Math.floor((left % DAY) / HOUR),
    minutes: Math.floor((left % HOUR) / MINUTE),
  };
}
