/** What can be filled in: a field, and the blocks fields stand in. */

import type { JsonObject } from '../pointer.ts';

export type FieldType =
  | 'text'
  | 'long'
  | 'integer'
  | 'won'
  | 'rate'
  | 'day'
  | 'year'
  | 'choice'
  | 'flag'
  | 'months'
  | 'words'
  | 'email';

export interface Option {
  value: string;
  title: string;
}

export interface Field {
  key: string;
  title: string;
  type: FieldType;
  required: boolean;
  options?: readonly Option[];
  maxLength?: number;
  hint?: string;
}

interface At {
  pointer: string;
  title: string;
  note?: string;
}

/**
 * Part of a page of the form. `pointer` is where its value stands in the document, `fresh` what a
 * new row of a table begins as.
 */
export type Block =
  | { kind: 'heading'; title: string; level: number }
  | ({ kind: 'text'; maxLength: number } & At)
  | ({ kind: 'record'; fields: readonly Field[] } & At)
  | ({ kind: 'table'; fields: readonly Field[]; maxRows: number; fresh?: JsonObject } & At)
  | ({ kind: 'matrix'; fields: readonly Field[]; rows: readonly Option[] } & At)
  | ({ kind: 'printed' } & Omit<At, 'pointer'>);

/** A page of the wizard: what it asks is drawn from `blocks`, or by a page of its own. */
export interface Step {
  code: string;
  title: string;
  kind: 'blocks' | 'budget' | 'people' | 'files';
  blocks: readonly Block[];
  /** What the step writes: findings at or below these places belong to it. */
  places: readonly string[];
}
