/**
 * The API. `ok(api.GET('/api/v1/…', { params }))` gives the answer's data or throws a
 * `ProblemError`; `answer(…)` gives its ETag too. Tokens, languages and renewals are seen to here.
 */
import createClient from 'openapi-fetch';
import { session } from '../session/session.svelte.ts';
import { language } from '../text/text.svelte.ts';
import { OFFLINE, own, problemOf } from './problem.ts';
import type { components, paths } from './schema.d.ts';

export type Schemas = components['schemas'];

/** Asks as whoever is logged in. Answers are good ones; everything else is a `ProblemError`. */
export async function authorised(request: Request): Promise<Response> {
  const again = request.clone();
  let response = await sent(request, await session.accessToken());
  if (response.status === 401 && session.status === 'member' && !session.errand) {
    // The token was revoked before its time: what the account may do has changed.
    await session.extend();
    response = await sent(again, await session.accessToken());
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function sent(request: Request, token: string | null): Promise<Response> {
  request.headers.set('Accept-Language', language.current);
  if (token !== null) request.headers.set('Authorization', `Bearer ${token}`);
  try {
    return await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw own(OFFLINE);
  }
}

export const api = createClient<paths>({ fetch: authorised });

export interface Answer<Data> {
  data: Data;
  /** What an edit sends back as `If-Match`. */
  etag: string;
}

interface Fetched<Data> {
  data?: Data;
  response: Response;
}

export async function ok<Data>(call: Promise<Fetched<Data>>): Promise<Data> {
  return (await call).data as Data;
}

export async function answer<Data>(call: Promise<Fetched<Data>>): Promise<Answer<Data>> {
  const { data, response } = await call;
  return { data: data as Data, etag: response.headers.get('ETag') ?? '' };
}

/** `headers: ifMatch(etag)`: the edit is refused with 412 if somebody was faster. */
export function ifMatch(etag: string | number): { 'If-Match': string } {
  return { 'If-Match': typeof etag === 'number' ? `"${etag}"` : etag };
}

/**
 * One intent of the user, which acts once however often it is sent. Kept over failures and
 * repeated presses; `done()` ends it, and the next press is another one.
 */
export class Intent {
  #key: string | null = null;

  get headers(): { 'Idempotency-Key': string } {
    this.#key ??= randomKey();
    return { 'Idempotency-Key': this.#key };
  }

  done(): void {
    this.#key = null;
  }
}

function randomKey(): string {
  // `crypto.randomUUID` exists on secure origins only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
