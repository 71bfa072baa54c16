/** The statement: what it can be narrowed down by. */
export const FILTERS = ['from', 'to', 'kind', 'title'] as const;

export const KINDS = [
  'accrual',
  'exchange',
  'utilisation',
  'adjustment',
  'expiry',
  'migration',
  'reversal',
  'revocation',
] as const;

export const EXPORT = '/api/v1/accrual/ledger/entries/export';
