/** The pages of the exchange, as far as an account has a part in it. */
import { hasPage } from '../home/pages.ts';
import type { Session } from '../session/session.svelte.ts';
import { t } from '../text/exchange.ts';

export function exchangeTabs(session: Session): { href: string; label: string }[] {
  const tabs = [{ href: '/exchange', label: t('tab_listings') }];
  if (session.can('exchange:read')) tabs.push({ href: '/exchange/orders', label: t('tab_orders') });
  if (session.can('exchange:sell')) {
    tabs.push({ href: '/exchange/managed', label: t('tab_managed') });
  }
  return tabs.filter(({ href }) => hasPage(href));
}
