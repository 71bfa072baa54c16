/** What the pages of certificates ask of the server. */
import { api, ok, type Schemas } from '../api/client.ts';

export type Certificate = Schemas['CertificateOut'];

export const CERTIFICATES = '/api/v1/accrual/certificates';

/** Where whoever holds the paper looks it up. */
export function hrefOfVerification(certificate: Certificate): string {
  return `/verify/${certificate.verification_number}`;
}

type Key = { 'Idempotency-Key': string };

export function issue(body: Schemas['IssueIn'], headers: Key): Promise<Certificate> {
  return ok(api.POST('/api/v1/accrual/certificates', { body, headers }));
}

export function reissue(id: string, headers: Key): Promise<Certificate> {
  const params = { path: { certificate_id: id } };
  return ok(api.POST('/api/v1/accrual/certificates/{certificate_id}/reissue', { params, headers }));
}
