/** Points, won, days, numbers: how the portal writes them. Whole numbers only, as in the API. */
import { language } from '../text/text.svelte.ts';

const ZONE = 'Asia/Seoul';

export function number(value: number): string {
  return value.toLocaleString('ko-KR');
}

/** `1,000점` */
export function points(value: number): string {
  return language.current === 'en' ? `${number(value)} points` : `${number(value)}점`;
}

/** `1,000,000원` */
export function won(value: number): string {
  return language.current === 'en' ? `₩${number(value)}` : `${number(value)}원`;
}

/** How large an amount of won is, to read aloud: `1억 2,340만 원`; empty below 10,000 won. */
export function manwon(value: number): string {
  const whole = Math.floor(Math.abs(value) / 10_000);
  if (whole === 0) return '';
  const eok = Math.floor(whole / 10_000);
  const man = whole % 10_000;
  const parts = [eok > 0 ? `${number(eok)}억` : '', man > 0 ? `${number(man)}만` : ''];
  return `${value < 0 ? '-' : ''}${parts.filter(Boolean).join(' ')} 원`;
}

const DAY = new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE, dateStyle: 'short' });
const MOMENT = new Intl.DateTimeFormat('sv-SE', {
  timeZone: ZONE,
  dateStyle: 'short',
  timeStyle: 'short',
});

/** A day as it stands in the API, or the Seoul day of an instant: `2026-11-22`. */
export function day(value: string | null | undefined): string {
  if (!value) return '–';
  return /^\d{4}-\d{2}-\d{2}$/.test(value) ? value : DAY.format(new Date(value));
}

/** An instant in Korean time: `2026-11-22 19:30`. */
export function moment(value: string | null | undefined): string {
  return value ? MOMENT.format(new Date(value)) : '–';
}

/** Today in Seoul, as the API writes days. */
export function today(now: Date = new Date()): string {
  return DAY.format(now);
}

/** `1048203590` → `104-82-03590` */
export function brn(value: string | null | undefined): string {
  if (!value) return '–';
  const digits = value.replace(/\D/g, '');
  return digits.length === 10
    ? `${digits.slice(0, 3)}-${digits.slice(3, 5)}-${digits.slice(5)}`
    : value;
}

/** The size of a file. */
export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  if (value < 1024 ** 2) return `${Math.ceil(value / 1024)} KB`;
  return `${(value / 1024 ** 2).toFixed(1)} MB`;
}

/** Digits of what somebody typed, full-width ones included; null when it is no whole number. */
export function wholeNumber(typed: string): number | null {
  const digits = typed.normalize('NFKC').replace(/[\s,원점]/g, '');
  if (!/^-?\d{1,15}$/.test(digits)) return null;
  return Number(digits);
}
