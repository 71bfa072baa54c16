/**
 * The part of a call's rule set (`GET …/programmes/{id}/rules`) that the portal draws by. The
 * server reads it exactly; here only what is shown is named.
 */
import type { Language as Lang } from '#lib/text/text.svelte.ts';

export interface Text {
  ko: string;
  en: string;
}

export type Fund = 'grant' | 'cash' | 'in_kind';
export const FUNDS: readonly Fund[] = ['grant', 'cash', 'in_kind'];

/** Decimals come as numbers or as text; they are only shown, or compared by the server. */
export type Decimal = number | string;

export interface Selector {
  items?: string[];
  kinds?: string[];
  except_kinds?: string[];
  funds?: Fund[];
}

export interface SpendingKind {
  code: string;
  name: Text;
  pay?: 'grade' | 'actual';
}

export interface Item {
  code: string;
  name: Text;
  kinds?: SpendingKind[];
  children?: Item[];
  funds?: Fund[];
  role?: 'internal_pay' | 'external_pay';
  citation?: string;
}

interface Ruled {
  rule: string;
  name: Text;
  citation: string;
}

export interface ShareCap extends Ruled {
  part: Selector;
  percent: Decimal;
  base: Fund[];
  base_name: Text;
  level?: 'error' | 'warning';
}

export interface HeadCap extends Ruled {
  part: Selector;
  limit_won: number;
  head: Text;
}

export interface AssetCap extends Ruled {
  part: Selector;
  percent: Decimal;
  price_name: Text;
}

export interface BudgetRules {
  unit_won: number;
  items: Item[];
  funding: Ruled & {
    grant_percent: Decimal;
    limit_rule: string;
    grant_limit_won: number;
    limit_citation: string;
  };
  share_caps: ShareCap[];
  head_caps: HeadCap[];
  asset_caps: AssetCap[];
  pay: {
    grades: { code: string; name: Text; monthly_won: number }[];
    posts: Record<string, string>;
    courses: Record<string, string>;
    participation: { at_most: Decimal; decimals: number };
  };
}

export interface ScoreItem {
  code: string;
  name: Text;
  scores: number[];
  rule: string;
  citation: string;
  measure?: { kind: 'percent' | 'count' | 'number'; numerator: string[]; within_years?: number };
}

export interface Evaluation {
  grades: Text[];
  sections: { code: string; name: Text; items: ScoreItem[] }[];
  bonus?: {
    rule: string;
    citation: string;
    regions: Record<string, Text>;
    rows: { lead: Area; partner: Area | null; points: number }[];
  };
  tie_break: string[];
  pre_review?: { code: string; name: Text; citation: string }[];
  passing_score?: Decimal;
}

export type Area = 'capital' | 'non_capital';

export interface RequiredDocument {
  code: string;
  name: Text;
  copies: number;
  citation: string;
  when?: Selector;
  required?: boolean;
}

/** What documents prove an expense, and on what grounds money goes back. */
export interface Spending {
  evidence_kinds: { code: string; name: Text }[];
  recovery: { grounds: { number: number; name: Text }[] };
}

interface Duty {
  code: string;
  name: Text;
  at_least: number;
  citation: string;
}

export interface TextLength {
  code: string;
  name: Text;
  usual: number;
  unit: 'characters' | 'words';
}

export interface Call {
  fields: { code: string; name: Text; topics: Text }[];
  awards: number;
  programme: Period;
  years: Period[];
  eligibility: {
    graduate_schools_at_least: number;
    companies_at_least: number;
    companies_usual_from: number;
    companies_usual_to: number;
  };
  documents: RequiredDocument[];
  duties: Duty[];
  text_lengths?: TextLength[];
}

export interface Period {
  start: string;
  end: string;
}

export type ColumnType =
  | 'text'
  | 'long'
  | 'count'
  | 'won'
  | 'rate'
  | 'day'
  | 'year'
  | 'choice'
  | 'months'
  | 'crn'
  | 'researcher'
  | 'email';

export interface Column {
  code: string;
  name: Text;
  type?: ColumnType;
  options?: { code: string; name: Text }[];
  required?: boolean;
  total_of?: string[];
  share_of?: string[];
}

export interface Part {
  code: string;
  name: Text;
  kind: 'heading' | 'text' | 'record' | 'table' | 'view';
  level?: number;
  columns?: Column[];
  rows?: { code: string; name: Text }[];
  view?: string;
  only?: 'new' | 'continuing';
  note?: Text;
}

export interface Form {
  title?: Text;
  sections?: { code: string; name: Text; parts: Part[] }[];
}

export interface RuleSet {
  code: string;
  version: number;
  name: Text;
  call: Call;
  budget: BudgetRules;
  evaluation: Evaluation;
  spending: Spending;
  form?: Form;
}

export const said = (text: Text, lang: Lang): string => text[lang];

/** Whether a rule is about such a line: an empty part means "any", every part given must agree. */
export function takes(part: Selector, line: { item: string; kind: string; fund: Fund }): boolean {
  const among = (codes: readonly string[] | undefined, code: string) =>
    !codes?.length || codes.includes(code);
  return (
    among(part.items, line.item) &&
    among(part.kinds, line.kind) &&
    !part.except_kinds?.includes(line.kind) &&
    among(part.funds, line.fund)
  );
}
