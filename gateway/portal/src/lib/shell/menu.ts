/** The main menu: one line for each area, and who sees it. An area adds its own. */
import type { Scope } from '../session/claims.ts';
import type { Session } from '../session/session.svelte.ts';
import { t } from '../text/menu.ts';

interface Entry {
  href: string;
  label: () => string;
  /** Shown to whoever holds one of these; to everybody without. */
  scopes?: readonly Scope[];
  /** Not shown to these roles, though they hold the scope. */
  except?: readonly string[];
}

const ENTRIES: readonly Entry[] = [
  { href: '/grants', label: () => t('grants'), except: ['sub_account'] },
  { href: '/members', label: () => t('members'), scopes: ['accounts:manage'] },
  { href: '/accrual', label: () => t('accrual'), scopes: ['accrual:apply'] },
  {
    href: '/wallet',
    label: () => t('wallet'),
    scopes: ['ledger:read'],
    // They look at the ledgers of institutions, and have none.
    except: ['operator', 'reviewer', 'observer'],
  },
  { href: '/exchange', label: () => t('exchange') },
  { href: '/calculator', label: () => t('calculator') },
  { href: '/review', label: () => t('review'), scopes: ['accrual:review'] },
  { href: '/notices', label: () => t('notices') },
  { href: '/verify', label: () => t('verify') },
];

export function menuOf(session: Session): Entry[] {
  const role = session.claims?.role ?? '';
  return ENTRIES.filter(
    (entry) =>
      (entry.scopes === undefined || session.can(...entry.scopes)) && !entry.except?.includes(role),
  );
}
