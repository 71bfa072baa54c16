import type { Session } from '../session/session.svelte.ts';
import { t } from '../text/members.ts';

/** The pages of an institution's lead; campuses are a university's. */
export function memberTabs(session: Session): { href: string; label: string }[] {
  return [
    { href: '/members', label: t('tab_accounts') },
    { href: '/members/profile', label: t('tab_profile') },
    ...(isUniversity(session) ? [{ href: '/members/campuses', label: t('tab_campuses') }] : []),
  ];
}

/** Accrual fields and campuses are a matter of universities and their foundations. */
export function isUniversity(session: Session): boolean {
  return ['university', 'iacf'].includes(session.claims?.institutionKind ?? '');
}
