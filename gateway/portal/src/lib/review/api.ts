/** What the reviewer's pages ask of the server. */
import { api, ok, type Schemas } from '../api/client.ts';
import type { Detail } from '../accrual/api.ts';

export type Approval = Schemas['ApprovalOut'];
export type Comment = Schemas['CommentIn'];

const of = (id: string) => ({ path: { application_id: id } });

export function claimNext(): Promise<Detail> {
  return ok(api.POST('/api/v1/accrual/review/next'));
}

export function claim(id: string): Promise<Detail> {
  return ok(api.POST('/api/v1/accrual/applications/{application_id}/claim', { params: of(id) }));
}

export function release(id: string): Promise<Detail> {
  return ok(api.POST('/api/v1/accrual/applications/{application_id}/release', { params: of(id) }));
}

export function decide(id: string, body: Schemas['DecisionsIn']): Promise<Schemas['DecidedOut']> {
  const params = of(id);
  return ok(api.POST('/api/v1/accrual/applications/{application_id}/decisions', { params, body }));
}

export function requestCorrections(
  id: string,
  reason: string,
  comments: Comment[],
): Promise<Detail> {
  const body = { reason, comments };
  return ok(
    api.POST('/api/v1/accrual/applications/{application_id}/return', { params: of(id), body }),
  );
}

export function reject(id: string, reason: string): Promise<Detail> {
  const body = { reason };
  return ok(
    api.POST('/api/v1/accrual/applications/{application_id}/reject', { params: of(id), body }),
  );
}

export function previewApproval(id: string): Promise<Approval> {
  return ok(
    api.POST('/api/v1/accrual/applications/{application_id}/approve/preview', { params: of(id) }),
  );
}

export type Once = { 'Idempotency-Key': string };

/** `mileage` is the total the reviewer saw: another one by now is refused. */
export function approve(id: string, mileage: number, headers: Once): Promise<Approval> {
  const params = { ...of(id), header: headers };
  const body = { mileage };
  return ok(api.POST('/api/v1/accrual/applications/{application_id}/approve', { params, body }));
}

export function revoke(id: string, reason: string, headers: Once): Promise<Detail> {
  const params = { ...of(id), header: headers };
  const body = { reason };
  return ok(api.POST('/api/v1/accrual/applications/{application_id}/revoke', { params, body }));
}
