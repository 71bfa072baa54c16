/** Passkeys (WebAuthn): the browser's part between a challenge and its answer. */
import { api, ok } from '../api/client.ts';

export class PasskeyCancelled extends Error {}

export const supported =
  typeof PublicKeyCredential !== 'undefined' &&
  'parseRequestOptionsFromJSON' in PublicKeyCredential;

/** What `/token` takes as `passkey`. Throws `PasskeyCancelled` when the person does not confirm. */
export async function shown(use: 'sign_in' | 'second_factor'): Promise<string> {
  const options = await ok(api.POST('/api/v1/auth/passkeys/challenge', { body: { use } }));
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
    options as unknown as PublicKeyCredentialRequestOptionsJSON,
  );
  return JSON.stringify(await confirmed(() => navigator.credentials.get({ publicKey })));
}

/** What `POST /passkeys` takes as `credential`. */
export async function made(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
    options as unknown as PublicKeyCredentialCreationOptionsJSON,
  );
  return await confirmed(() => navigator.credentials.create({ publicKey }));
}

async function confirmed(ask: () => Promise<Credential | null>): Promise<Record<string, unknown>> {
  let credential: Credential | null;
  try {
    credential = await ask();
  } catch (error) {
    if (error instanceof DOMException) throw new PasskeyCancelled(error.name);
    throw error;
  }
  if (!(credential instanceof PublicKeyCredential)) throw new PasskeyCancelled('none');
  return credential.toJSON() as unknown as Record<string, unknown>;
}
