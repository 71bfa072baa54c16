/**
 * Blocks for the typed parts of a document (applicant, pledge, …), from the JSON Schema the call
 * publishes: an object is a record, a list of objects a table, a map of numbers a record of codes.
 */
import type { Block, Field, FieldType, Option } from './fields.ts';
import { pointerOf, type Json, type JsonObject } from '../pointer.ts';

export interface Schema {
  title?: string;
  type?: string;
  format?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: string[];
  anyOf?: Schema[];
  additionalProperties?: Schema | boolean;
  maxItems?: number;
  maxLength?: number;
}

export interface Names {
  /** What an option is called; the schema carries its code only. */
  option(key: string, code: string): string;
  title(key: string, printed: string): string;
}

const LONG = /_(content|reason|note)$/;
const MAX_ROWS = 500;
const MAX_TEXT = 1000;

/** A schema without its "or null". */
export const bare = (schema: Schema): Schema =>
  schema.anyOf?.find((option) => option.type !== 'null') ?? schema;

/** A typed part as blocks: its own fields first, then a table for each list in it. */
export function blocksOf(code: string, schema: Schema, names: Names): Block[] {
  const shape = bare(schema);
  const title = names.title(code, schema.title ?? code);
  const fields: Field[] = [];
  const tables: Block[] = [];
  for (const [key, property] of Object.entries(shape.properties ?? {})) {
    const inner = bare(property);
    if (inner.type === 'array' && inner.items?.type === 'object') {
      tables.push({
        kind: 'table',
        pointer: pointerOf(code, key),
        title: names.title(key, property.title ?? key),
        fields: fieldsOf(inner.items, names),
        maxRows: inner.maxItems ?? MAX_ROWS,
        fresh: seedOf(inner.items) ?? {},
      });
    } else {
      fields.push(fieldOf(key, property, shape.required?.includes(key) ?? false, names));
    }
  }
  const record: Block[] = fields.length
    ? [{ kind: 'record', pointer: pointerOf(code), title, fields }]
    : [];
  return [...record, ...tables];
}

/**
 * The least that has a schema's shape, so that a part can be checked from the first key on; nothing
 * where the schema asks for nothing.
 */
export function seedOf(schema: Schema): JsonObject | undefined {
  const shape = bare(schema);
  if (!shape.required?.length) return undefined;
  return Object.fromEntries(
    shape.required.map((key) => [key, blank(bare(shape.properties?.[key] ?? {}))]),
  );
}

function blank(shape: Schema): Json {
  if (shape.enum) return shape.enum[0] ?? '';
  switch (shape.type) {
    case 'array':
      return [];
    case 'integer':
      return 0;
    case 'boolean':
      return false;
    case 'object':
      return seedOf(shape) ?? {};
    default:
      return '';
  }
}

export function fieldsOf(schema: Schema, names: Names): Field[] {
  return Object.entries(schema.properties ?? {}).map(([key, property]) =>
    fieldOf(key, property, schema.required?.includes(key) ?? false, names),
  );
}

function fieldOf(key: string, property: Schema, required: boolean, names: Names): Field {
  const shape = bare(property);
  const field: Field = {
    key,
    title: names.title(key, property.title ?? key),
    type: typeOf(key, shape),
    required,
    maxLength: shape.maxLength ?? MAX_TEXT,
  };
  if (!shape.enum) return field;
  const options: Option[] = shape.enum.map((code) => ({
    value: code,
    title: names.option(key, code),
  }));
  return { ...field, options };
}

function typeOf(key: string, shape: Schema): FieldType {
  if (shape.enum) return 'choice';
  if (shape.type === 'boolean') return 'flag';
  if (shape.format === 'date') return 'day';
  if (shape.type === 'integer') return key.endsWith('_won') ? 'won' : 'integer';
  return LONG.test(key) ? 'long' : 'text';
}
