import { t } from '../text/account.ts';

/** The pages of one's own account. */
export function accountTabs(): { href: string; label: string }[] {
  return [
    { href: '/account', label: t('tab_profile') },
    { href: '/account/password', label: t('tab_password') },
    { href: '/account/second-factor', label: t('tab_second_factor') },
    { href: '/account/sessions', label: t('tab_sessions') },
  ];
}
