/** How states are shown: a word and a tone, never a colour alone. */
import { t } from '#lib/text/grants.ts';
import type { Tone } from '#lib/ui/StatusChip.svelte';
import type { Timing } from './clock.ts';

const PROPOSAL: Record<string, Tone> = {
  draft: 'neutral',
  submitted: 'info',
  pre_review: 'info',
  completion: 'warning',
  eligible: 'info',
  ineligible: 'danger',
  scored: 'info',
  preferred: 'success',
  reserve: 'warning',
  rejected: 'danger',
  negotiation: 'info',
  designated: 'success',
  agreed: 'success',
  withdrawn: 'neutral',
};

const TIMING: Record<Timing, Tone> = {
  upcoming: 'neutral',
  open: 'success',
  closing_soon: 'warning',
  closed: 'neutral',
};

export const proposalState = (state: string): { tone: Tone; label: string } => ({
  tone: PROPOSAL[state] ?? 'neutral',
  label: t.of('proposal_state_', state),
});

export const timingState = (timing: Timing): { tone: Tone; label: string } => ({
  tone: TIMING[timing],
  label: t(`timing_${timing}`),
});
