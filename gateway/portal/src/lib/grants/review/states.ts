/** How a sheet stands, in a word. */
import type { Schemas } from '#lib/api/client.ts';
import { t } from '#lib/text/grantsReview.ts';
import type { Tone } from '#lib/ui/StatusChip.svelte';

export function sheetState(sheet: Schemas['SheetOut']): { tone: Tone; label: string } {
  if (sheet.state === 'recused') return { tone: 'neutral', label: t('sheet_recused') };
  if (sheet.state === 'submitted') return { tone: 'success', label: t('sheet_submitted') };
  return sheet.cleared_at
    ? { tone: 'info', label: t('sheet_open') }
    : { tone: 'warning', label: t('sheet_undeclared') };
}
