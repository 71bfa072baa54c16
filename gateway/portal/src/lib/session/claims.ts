/** What an access token says of its bearer. The portal reads it for menus only: services decide. */

export const SCOPES = [
  'password:change',
  'second-factor:enrol',
  'account:self',
  'accounts:manage',
  'accounts:admin',
  'institutions:admin',
  'accrual:read',
  'accrual:apply',
  'accrual:review',
  'ledger:read',
  'ledger:adjust',
  'exchange:read',
  'exchange:sell',
  'exchange:buy',
  'exchange:admin',
  'grants:read',
  'grants:apply',
  'grants:manage',
  'grants:evaluate',
  'grants:settle',
] as const;
export type Scope = (typeof SCOPES)[number];

export type Role =
  | 'operator'
  | 'reviewer'
  | 'university'
  | 'sub_account'
  | 'company'
  | 'agency_officer'
  | 'evaluator'
  | 'auditor'
  | 'observer';

export interface Claims {
  sub: string;
  role: Role;
  scopes: ReadonlySet<string>;
  institutionId: string;
  institutionKind: string;
  /** The accrual fields of a sub-account; null for accounts that are not limited. */
  fields: readonly string[] | null;
  passwordChange: boolean;
  /** A session; without one the token opens a single errand. */
  sid: string | null;
}

export function claimsOf(token: string): Claims {
  const payload: unknown = JSON.parse(decoded(token.split('.')[1] ?? ''));
  const claims = payload as Record<string, unknown>;
  return {
    sub: String(claims['sub']),
    role: claims['role'] as Role,
    scopes: new Set(String(claims['scope'] ?? '').split(' ')),
    institutionId: String(claims['institution_id'] ?? ''),
    institutionKind: String(claims['institution_kind'] ?? ''),
    fields: Array.isArray(claims['fields']) ? claims['fields'].map(String) : null,
    passwordChange: claims['pwd_change'] === true,
    sid: typeof claims['sid'] === 'string' ? claims['sid'] : null,
  };
}

function decoded(part: string): string {
  const bytes = atob(part.replace(/-/g, '+').replace(/_/g, '/'));
  return new TextDecoder().decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
}
