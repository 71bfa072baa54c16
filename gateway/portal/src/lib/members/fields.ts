/** The seven accrual fields (M-030), in the order of the criteria. */
import { t } from '../text/members.ts';

export const FIELDS = [
  'PRACTICE',
  'CURRICULUM',
  'HIRING',
  'RESEARCH',
  'TECH_TRANSFER',
  'EQUIPMENT',
  'SCHOLARSHIP',
] as const;
export type FieldCode = (typeof FIELDS)[number];

export function fieldName(field: string): string {
  return t.of('field_', field);
}

export function fieldNames(fields: readonly string[]): string {
  return fields.map(fieldName).join(', ');
}
