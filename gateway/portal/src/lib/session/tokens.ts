/** The OAuth 2 endpoints of auth. The refresh token lives in a cookie no script can read. */
import type { components } from '../api/schema.d.ts';
import { language } from '../text/text.svelte.ts';
import { OFFLINE, own, problemOf } from '../api/problem.ts';

export type Token = components['schemas']['TokenOut'];

const CLIENT = 'portal';

export interface Credentials {
  username: string;
  password: string;
  otp?: string;
  passkey?: string;
}

export function byPassword(credentials: Credentials): Promise<Token> {
  return asked({ grant_type: 'password', refresh_in: 'cookie', ...credentials });
}

export function byPasskey(passkey: string): Promise<Token> {
  return asked({ grant_type: 'urn:sanhak-mileage:passkey', refresh_in: 'cookie', passkey });
}

export function refreshed(): Promise<Token> {
  return asked({ grant_type: 'refresh_token' });
}

/** Ends the session of the cookie; whether there was one does not matter, that it is over does. */
export async function revoked(): Promise<void> {
  const answer = await posted('/api/v1/auth/token/revoke', {});
  if (!answer.ok) throw await problemOf(answer);
}

async function asked(form: Record<string, string>): Promise<Token> {
  const answer = await posted('/api/v1/auth/token', form);
  if (!answer.ok) throw await problemOf(answer);
  return (await answer.json()) as Token;
}

async function posted(path: string, form: Record<string, string>): Promise<Response> {
  try {
    return await fetch(path, {
      method: 'POST',
      body: new URLSearchParams({ client_id: CLIENT, ...form }),
      headers: {
        'Accept-Language': language.current,
        // Only a script of an allowed origin can add it: the cookie is taken with it alone.
        'X-Requested-With': 'portal',
      },
    });
  } catch {
    throw own(OFFLINE);
  }
}
