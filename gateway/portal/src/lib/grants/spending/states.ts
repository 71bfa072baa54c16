/** How agreements and expenses are shown: a word and a tone. */
import { t } from '#lib/text/grantsSpending.ts';
import type { Tone } from '#lib/ui/StatusChip.svelte';

const TONES: Record<string, Tone> = {
  active: 'success',
  final: 'success',
  refunded: 'success',
  allowed: 'success',
  partly_allowed: 'warning',
  disallowed: 'danger',
  returned: 'warning',
  objected: 'warning',
  objection: 'warning',
  in_review: 'info',
  under_settlement: 'info',
  reported: 'info',
};

/** From the report on there is something to settle; before it the server refuses to say. */
export const isReported = (state: string | undefined): boolean =>
  state !== undefined &&
  ['reported', 'under_settlement', 'objection', 'final', 'refunded'].includes(state);

export const agreementState = (state: string): { tone: Tone; label: string } => ({
  tone: TONES[state] ?? 'neutral',
  label: t.of('agreement_state_', state),
});

export const expenseState = (state: string): { tone: Tone; label: string } => ({
  tone: TONES[state] ?? 'neutral',
  label: t.of('expense_state_', state),
});
