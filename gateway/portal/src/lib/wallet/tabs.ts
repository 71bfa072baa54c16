import type { Session } from '../session/session.svelte.ts';
import { t } from '../text/wallet.ts';

/** Points belong to institutions that earn or spend them; others look at an institution's ledger. */
export function hasWallet(session: Session): boolean {
  return ['university', 'iacf', 'company'].includes(session.claims?.institutionKind ?? '');
}

/** Whether the caller may see the balance of the whole institution, and what tells of it. */
export function seesWhole(session: Session): boolean {
  return session.claims?.fields === null;
}

export function walletTabs(session: Session): { href: string; label: string }[] {
  const documents = [
    { href: '/wallet/certificates', label: t('tab_certificates') },
    { href: '/wallet/utilisations', label: t('tab_utilisations') },
  ];
  return [{ href: '/wallet', label: t('tab_ledger') }, ...(seesWhole(session) ? documents : [])];
}
