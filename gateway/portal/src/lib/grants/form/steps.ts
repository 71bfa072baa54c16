/**
 * The wizard's pages for a call: whatever its form asks, in the form's own order. Nothing of a
 * particular call is known here.
 */
import type { Language as Lang } from '#lib/text/text.svelte.ts';
import { isWithin, pointerOf } from '../pointer.ts';
import { said, type Column, type Part, type RuleSet } from '../rules.ts';
import type { Block, Field, FieldType, Step } from './fields.ts';
import { blocksOf, type Names, type Schema } from './schema.ts';

const MAX_TEXT = 20_000;
const MAX_ROWS = 500;
const LENGTHS: Partial<Record<NonNullable<Column['type']>, number>> = {
  text: 1000,
  long: 10_000,
  crn: 20,
  researcher: 8,
  email: 255,
};

export interface Titles extends Names {
  step(
    code: 'applicant' | 'summary' | 'budget' | 'people' | 'pledge' | 'targets' | 'files',
  ): string;
  copies(count: number): string;
  usual(length: number, unit: 'characters' | 'words'): string;
  atLeast(count: number): string;
  printed: string;
}

/** Every page of a call's form. `kind` is what the cover says: new, or continuing a project. */
export function stepsOf(
  rules: RuleSet,
  schema: Schema,
  titles: Titles,
  lang: Lang,
  kind: 'new' | 'continuing' = 'new',
): Step[] {
  const typed = schema.properties ?? {};
  const written = (rules.form?.sections ?? []).map((section): Step => {
    const parts = section.parts.filter((part) => !part.only || part.only === kind);
    return {
      code: `section-${section.code}`,
      title: said(section.name, lang),
      kind: 'blocks',
      blocks: parts.map((part) => blockOf(part, titles, lang)),
      places: parts.map((part) => pointerOf('sections', part.code)),
    };
  });
  const steps: Step[] = [
    part('applicant', typed['applicant'], titles),
    summary(rules, titles, lang),
    ...written.filter((step) => step.blocks.some((block) => block.kind !== 'printed')),
    own('people', ['/budget/people'], titles),
    own('budget', ['/budget'], titles),
    part('pledge', typed['pledge'], titles),
    targets(rules, titles, lang),
    { ...own('files', ['/copies'], titles), blocks: copies(rules, titles, lang) },
  ];
  return steps.filter((step) => step.kind !== 'blocks' || step.blocks.length > 0);
}

/** The page a finding belongs to: the one that writes its place, the most exact one first. */
export function stepOf(steps: readonly Step[], pointer: string): Step | undefined {
  const owners = steps.flatMap((step) =>
    step.places.filter((place) => isWithin(pointer, place)).map((place) => ({ step, place })),
  );
  owners.sort((one, other) => other.place.length - one.place.length);
  return owners[0]?.step;
}

function own(code: 'people' | 'budget' | 'files', places: string[], titles: Titles): Step {
  return { code, title: titles.step(code), kind: code, blocks: [], places };
}

function part(code: 'applicant' | 'pledge', schema: Schema | undefined, titles: Titles): Step {
  return {
    code,
    title: titles.step(code),
    kind: 'blocks',
    blocks: schema ? blocksOf(code, schema, titles) : [],
    places: [pointerOf(code)],
  };
}

function summary(rules: RuleSet, titles: Titles, lang: Lang): Step {
  const lengths = rules.call.text_lengths ?? [];
  const texts = lengths
    .filter((length) => length.unit === 'characters')
    .map((length): Block => ({
      kind: 'text',
      pointer: pointerOf('texts', length.code),
      title: said(length.name, lang),
      note: titles.usual(length.usual, length.unit),
      maxLength: MAX_TEXT,
    }));
  const words = lengths
    .filter((length) => length.unit === 'words')
    .map((length): Field => ({
      key: length.code,
      title: said(length.name, lang),
      type: 'words',
      required: false,
      hint: titles.usual(length.usual, length.unit),
    }));
  const keywords: Block[] = words.length
    ? [{ kind: 'record', pointer: '/keywords', title: titles.title('keywords', ''), fields: words }]
    : [];
  return {
    code: 'summary_texts',
    title: titles.step('summary'),
    kind: 'blocks',
    blocks: [...texts, ...keywords],
    places: ['/texts', '/keywords'],
  };
}

function targets(rules: RuleSet, titles: Titles, lang: Lang): Step {
  const fields = rules.call.duties.map((duty): Field => ({
    key: duty.code,
    title: said(duty.name, lang),
    type: 'integer',
    required: false,
    hint: titles.atLeast(duty.at_least),
  }));
  const title = titles.step('targets');
  return {
    code: 'targets',
    title,
    kind: 'blocks',
    blocks: fields.length ? [{ kind: 'record', pointer: '/targets', title, fields }] : [],
    places: ['/targets'],
  };
}

function copies(rules: RuleSet, titles: Titles, lang: Lang): Block[] {
  const fields = rules.call.documents.map((document): Field => ({
    key: document.code,
    title: said(document.name, lang),
    type: 'integer',
    required: false,
    hint: titles.copies(document.copies),
  }));
  return [{ kind: 'record', pointer: '/copies', title: titles.title('copies', ''), fields }];
}

function blockOf(part: Part, titles: Titles, lang: Lang): Block {
  const title = said(part.name, lang);
  const at = {
    pointer: pointerOf('sections', part.code),
    title,
    ...(part.note ? { note: said(part.note, lang) } : {}),
  };
  const fields = (part.columns ?? [])
    .filter((column) => !column.total_of?.length && !column.share_of?.length)
    .map((column) => columnField(column, lang));
  switch (part.kind) {
    case 'heading':
      return { kind: 'heading', title, level: part.level ?? 2 };
    case 'view':
      return { kind: 'printed', title, note: titles.printed };
    case 'text':
      return { kind: 'text', maxLength: MAX_TEXT, ...at };
    case 'record':
      return { kind: 'record', fields, ...at };
    case 'table': {
      const rows = (part.rows ?? []).map((row) => ({
        value: row.code,
        title: said(row.name, lang),
      }));
      return rows.length
        ? { kind: 'matrix', fields, rows, ...at }
        : { kind: 'table', fields, maxRows: MAX_ROWS, ...at };
    }
  }
}

const TYPES: Partial<Record<NonNullable<Column['type']>, FieldType>> = {
  count: 'integer',
  crn: 'text',
  researcher: 'text',
};

function columnField(column: Column, lang: Lang): Field {
  const type = column.type ?? 'text';
  const maxLength = LENGTHS[type];
  return {
    key: column.code,
    title: said(column.name, lang),
    type: TYPES[type] ?? (type as FieldType),
    required: column.required ?? false,
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(column.options
      ? { options: column.options.map((o) => ({ value: o.code, title: said(o.name, lang) })) }
      : {}),
  };
}
