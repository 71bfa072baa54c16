/** The budget of a proposal as the table edits it: items of the call, lines, people, exact won. */
import type { Language as Lang } from '#lib/text/text.svelte.ts';
import {
  said,
  type BudgetRules,
  type Fund,
  type Item,
  type Period,
  type SpendingKind,
} from '../rules.ts';

export interface Pay {
  person: string;
  monthly_won: string;
  start: string;
  months: number;
  rate: string;
}

export interface Asset {
  ref: string;
  price_won?: number | null;
  quantity?: number;
  pledged_elsewhere_won?: number;
}

/** A line of the budget. What the table does not show (goods, trips) is kept as it is. */
export interface Line {
  item: string;
  kind: string;
  fund: Fund;
  amount_won?: number;
  name?: string;
  pay?: Pay | null;
  asset?: Asset | null;
  heads?: number;
  basis?: string;
}

export interface Person {
  ref: string;
  name: string;
  role: string;
  grade?: string | null;
  post?: string | null;
  course?: string | null;
  employed_elsewhere?: boolean;
  researcher_no?: string | null;
  affiliation?: string;
  rank?: string;
  other_projects?: OtherProject[];
}

export interface OtherProject {
  name: string;
  start: string;
  months: number;
  rate: string;
}

export interface Budget {
  year: Period;
  lines: Line[];
  people?: Person[];
}

/** A row of the table's frame: an item of the call's tree, branches before their leaves. */
export interface ItemRow {
  code: string;
  title: string;
  depth: number;
  leaf: boolean;
  item: Item;
}

export function itemRows(rules: BudgetRules, lang: Lang): ItemRow[] {
  const walk = (items: readonly Item[], depth: number): ItemRow[] =>
    items.flatMap((item) => [
      { code: item.code, title: said(item.name, lang), depth, leaf: !item.children?.length, item },
      ...walk(item.children ?? [], depth + 1),
    ]);
  return walk(rules.items, 0);
}

export const emptyBudget = (year: Period): Budget => ({ year, lines: [], people: [] });

/** A line that can be checked at once: first use and first source of funds of its item. */
export function newLine(item: Item, year: Period, person: string | undefined): Line | undefined {
  const kind = item.kinds?.[0];
  const fund = item.funds?.[0] ?? 'grant';
  if (!kind) return undefined;
  const line: Line = { item: item.code, kind: kind.code, fund, amount_won: 0 };
  return kind.pay && person !== undefined ? { ...line, pay: newPay(person, year) } : line;
}

export const newPay = (person: string, year: Period): Pay => ({
  person,
  monthly_won: '0',
  start: year.start,
  months: 12,
  rate: '100',
});

/** The first reference of a person that is not taken: p1, p2, … */
export function nextRef(people: readonly Person[]): string {
  const taken = new Set(people.map((person) => person.ref));
  let number = people.length + 1;
  while (taken.has(`p${number}`)) number += 1;
  return `p${number}`;
}

export const kindOf = (item: Item, code: string): SpendingKind | undefined =>
  item.kinds?.find((kind) => kind.code === code);

/**
 * A line's won as it will be counted, for the echo while typing: exact, then cut to the form's unit.
 * Undefined while a number of it is not one. The check's sums are what counts.
 */
export function amountOf(line: Line, unit: number): number | undefined {
  if (!line.pay) return Math.floor((line.amount_won ?? 0) / unit) * unit;
  const monthly = fraction(line.pay.monthly_won);
  const rate = fraction(line.pay.rate);
  if (!monthly || !rate || !Number.isInteger(line.pay.months)) return undefined;
  const [above, below] = [
    monthly[0] * rate[0] * BigInt(line.pay.months),
    monthly[1] * rate[1] * 100n * BigInt(unit),
  ];
  return Number(above / below) * unit;
}

/** "1000", "33.3" or "1/3" as numerator and denominator; undefined where it is no such number. */
export function fraction(text: string | number): [bigint, bigint] | undefined {
  const written = String(text).replaceAll(',', '').trim();
  const ratio = /^(\d{1,18})\/(\d{1,9})$/.exec(written);
  if (ratio) return Number(ratio[2]) ? [BigInt(ratio[1]!), BigInt(ratio[2]!)] : undefined;
  const decimal = /^(\d{1,18})(?:\.(\d{1,9}))?$/.exec(written);
  if (!decimal) return undefined;
  const places = decimal[2] ?? '';
  return [BigInt(decimal[1]! + places), 10n ** BigInt(places.length)];
}
