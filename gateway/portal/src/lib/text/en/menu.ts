import type { ko } from '../ko/menu.ts';
import type { Messages } from '../text.svelte.ts';

export const en: Messages<typeof ko> = {
  members: 'Institution',
  accrual: 'Accrual',
  wallet: 'Mileage',
  exchange: 'Exchange',
  grants: 'Programmes',
  review: 'Review',
  admin: 'Administration',
  calculator: 'Calculator',
  verify: 'Verify a document',
  notices: 'Notices',
};
