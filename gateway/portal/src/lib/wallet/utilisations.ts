/** What the pages of 활용신청 ask of the server, and how rules read. */
import { api, ok, type Schemas } from '../api/client.ts';
import { t } from '../text/wallet.ts';

export type Utilisation = Schemas['UtilisationOut'];
export type Preview = Schemas['PreviewOut'];
export type Wanted = Schemas['UtilisationIn'];
export type Rule = Schemas['BonusRule'];
export type State = Utilisation['state'];

export const UTILISATIONS = '/api/v1/accrual/utilisations';
export const STATES: readonly State[] = ['requested', 'confirmed', 'rejected', 'withdrawn'];

type Key = { 'Idempotency-Key': string };

export interface Programme {
  id: string;
  name: string;
  rule: Rule;
}

/** Programmes that take requests now and give points for mileage. */
export async function programmes(): Promise<Programme[]> {
  const found: Programme[] = [];
  let cursor: string | null = null;
  do {
    const query = { timing: 'open' as const, limit: 200, ...(cursor !== null && { cursor }) };
    const page: Schemas['Page_ProgrammeOut_'] = await ok(
      api.GET('/api/v1/grants/programmes', { params: { query } }),
    );
    for (const { id, name, bonus_rule: rule } of page.items) {
      if (rule !== null) found.push({ id, name, rule: rule as unknown as Rule });
    }
    cursor = page.next_cursor;
  } while (cursor !== null);
  return found;
}

export function preview(body: Wanted): Promise<Preview> {
  return ok(api.POST('/api/v1/accrual/utilisations/preview', { body }));
}

export function request(body: Wanted, headers: Key): Promise<Utilisation> {
  return ok(api.POST('/api/v1/accrual/utilisations', { body, headers }));
}

export function withdraw(id: string, headers: Key): Promise<Utilisation> {
  const params = { path: { utilisation_id: id } };
  return ok(
    api.POST('/api/v1/accrual/utilisations/{utilisation_id}/withdraw', { params, headers }),
  );
}

/** A rule in sentences, one an element. */
export function sentences(rule: Rule): string[] {
  const unit = rule.unit ?? '';
  const kept = rule.deducts === false;
  return [
    t('rule', {
      step: rule.mileage_per_step,
      points: rule.points_per_step + unit,
      most: rule.max_points + unit,
    }),
    kept ? t('rule_kept') : t('rule_spent'),
    ...(!kept && rule.spares_certified === true ? [t('rule_spares')] : []),
    ...(rule.certified_only === true ? [t('rule_certified')] : []),
  ];
}

/** Where the rule asks whether the institution is certified. */
export function asksForCertificate(rule: Rule): boolean {
  return rule.certified_only === true || rule.spares_certified === true;
}
