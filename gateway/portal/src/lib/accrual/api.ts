/** What the pages of accrual ask of the server. */
import { answer, api, ok, type Answer, type Schemas } from '../api/client.ts';
import type { GridColumn, GridFinding, GridNote, Row } from '../pastegrid';

export type Detail = Schemas['DetailOut'];
export type ListItem = Schemas['ListItemOut'];
export type Column = Schemas['ColumnOut'];
export type Criteria = Schemas['CriteriaOut'];
export type FieldRule = Criteria['fields'][number];
export type FieldCode = Schemas['DraftIn']['field'];
export type Check = Pick<
  Schemas['SavedOut'],
  'ready' | 'row_count' | 'company_count' | 'mileage' | 'companies' | 'finding_count' | 'findings'
>;
export type Finding = Schemas['FindingOut'];
export type SheetRow = Schemas['RowOut'];

const ROWS_AT_ONCE = 1_000;
export const APPLICATIONS = '/api/v1/accrual/applications';

export function criteria(): Promise<Criteria> {
  return ok(api.GET('/api/v1/accrual/criteria'));
}

export function columnsOf(field: string): Promise<Column[]> {
  const path = { field: field as FieldCode };
  return ok(api.GET('/api/v1/accrual/templates/{field}/columns', { params: { path } }));
}

export function detail(id: string): Promise<Answer<Detail>> {
  const params = { path: { application_id: id } };
  return answer(api.GET('/api/v1/accrual/applications/{application_id}', { params }));
}

/**
 * All rows, over as many pages as there are. With a `purpose` personal data is not masked, and the
 * look is recorded.
 */
export async function allRows(
  id: string,
  purpose: string | null = null,
): Promise<{ rows: SheetRow[]; masked: boolean }> {
  const rows: SheetRow[] = [];
  let cursor: string | null = null;
  let masked = false;
  do {
    const query = {
      limit: ROWS_AT_ONCE,
      ...(cursor !== null && { cursor }),
      ...(purpose !== null && { purpose }),
    };
    const params = { path: { application_id: id }, query };
    const found: Schemas['RowsOut'] = await ok(
      api.GET('/api/v1/accrual/applications/{application_id}/rows', { params }),
    );
    rows.push(...found.items);
    cursor = found.next_cursor;
    masked = found.masked;
  } while (cursor !== null);
  return { rows, masked };
}

/** A column as the grid takes it, in the language of the page. */
export function gridColumn(column: Column, language: 'ko' | 'en'): GridColumn {
  const type = column.type === 'year' || column.type === 'hours' ? 'number' : column.type;
  return {
    key: column.key,
    label: column[language],
    type,
    required: column.required,
    hint: column.hint,
    aliases: [column.ko, column.en, ...column.aliases],
    ...(column.choices.length > 0 && { choices: column.choices.map((choice) => choice.ko) }),
  };
}

/** Rows by their numbers, as cells in the order of the columns; gaps are blank rows. */
export function gridRows(rows: readonly SheetRow[], keys: readonly string[]): Row[] {
  const last = rows.reduce((most, row) => Math.max(most, row.number), 0);
  const made: Row[] = Array.from({ length: last }, () => keys.map(() => ''));
  for (const { number, cells } of rows) {
    made[number - 1] = keys.map((key) => String(cells[key] ?? ''));
  }
  return made;
}

export function cellsOf(row: Row | undefined, keys: readonly string[]): Record<string, string> {
  const cells: Record<string, string> = {};
  keys.forEach((key, index) => {
    const value = row?.[index];
    if (value) cells[key] = value;
  });
  return cells;
}

export function gridFindings(findings: readonly Finding[]): GridFinding[] {
  return findings.map(({ row, field, code, level, message, suggestion }) => ({
    row: row ?? null,
    field: field ?? null,
    code,
    level,
    message,
    suggestion: suggestion ?? null,
  }));
}

/** How many places are wrong: a cell may be wrong in two ways, and is mended once. */
export function placesOf(findings: readonly Finding[]): number {
  return new Set(findings.map(({ row, field, pointer }) => (row ? `${row} ${field}` : pointer)))
    .size;
}

/** The reviewer's open notes that belong to a row or a cell. */
export function gridNotes(comments: Detail['comments']): GridNote[] {
  return comments.flatMap(({ row, field, text, resolved_at }) =>
    row === null || resolved_at !== null ? [] : [{ row, field, text }],
  );
}
