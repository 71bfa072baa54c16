import type { ko } from '../ko/home.ts';
import type { Messages } from '../text.svelte.ts';

export const en: Messages<typeof ko> = {
  title: 'Sanhak Mileage',
  lead: 'Universities earn mileage for their cooperation with industry, companies spend it on university equipment and facilities, and government programmes run here from application to settlement.',
  developers: 'For developers',
  api_docs: 'API reference',
  error_codes: 'Error codes',
  openapi: 'OpenAPI document (JSON)',
  status: 'Service status',
  notices: 'Notices',
  notices_more: 'All notices',
  log_in: 'Log in',
};
