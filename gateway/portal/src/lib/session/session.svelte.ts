/**
 * Who is logged in. The access token is in memory only; the refresh token is a cookie scripts
 * cannot read, so a reload asks for a new access token.
 *
 * Tabs share one cookie: one of them refreshes at a time (Web Locks), and tells the others.
 * Nobody is thrown off the page when a session ends: it is `locked`, and the same person
 * continues where he was after logging in again.
 */
import { own, ProblemError, SESSION_OVER } from '../api/problem.ts';
import { claimsOf, type Claims, type Scope } from './claims.ts';
import * as tokens from './tokens.ts';

/** A token with fewer seconds left is not sent any more. */
const SPARE_MS = 20_000;
/** The countdown is announced this long before the end. */
export const ANNOUNCED_MS = 120_000;
/** Set while there may be a session: a page of a stranger asks for none. */
const HINT = 'session';
const LOCK = 'sanhak-mileage-session';
const CHANNEL = 'sanhak-mileage-session';

type Status = 'starting' | 'guest' | 'member';

interface Held {
  token: string;
  usableUntil: number;
  endsAt: number | null;
}

type Told = { kind: 'token'; held: Held } | { kind: 'out' };

export class Session {
  status = $state<Status>('starting');
  claims = $state.raw<Claims | null>(null);
  /** The session is over, but its page is still there. */
  locked = $state(false);
  endsAt = $state<number | null>(null);
  /** Another number for another person: what is on the page is one person's alone. */
  generation = $state(0);

  #held: Held | null = null;
  #channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(CHANNEL);
  #forgotten: (() => void)[] = [];

  /** What has to be done before anything else opens. */
  errand = $derived<'password' | 'second-factor' | null>(errandOf(this.claims));

  constructor() {
    this.#channel?.addEventListener('message', (event: MessageEvent<Told>) => {
      if (event.data.kind === 'token') this.#hold(event.data.held);
      else if (this.status === 'member') this.#leave();
    });
  }

  /** Finds out whether a session goes on: once, when the page is loaded. */
  async start(): Promise<void> {
    if (this.status !== 'starting') return;
    if (localStorage.getItem(HINT) === null) {
      this.status = 'guest';
      return;
    }
    try {
      await this.extend();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      if (this.status === 'starting') this.status = 'guest';
    }
  }

  can(...scopes: Scope[]): boolean {
    const claims = this.claims;
    return claims !== null && scopes.some((scope) => claims.scopes.has(scope));
  }

  /** Whether the caller may touch this accrual field. */
  hasField(field: string): boolean {
    return this.claims !== null && (this.claims.fields?.includes(field) ?? true);
  }

  /** A token that is still good; null for strangers. Throws `SESSION_OVER` when there was one. */
  async accessToken(): Promise<string | null> {
    if (this.locked) throw own(SESSION_OVER, 401);
    if (this.status !== 'member') return null;
    if (this.#isUsable()) return this.#held?.token ?? null;
    await this.extend();
    return this.#held?.token ?? null;
  }

  async logIn(credentials: tokens.Credentials): Promise<void> {
    this.#begin(await tokens.byPassword(credentials));
  }

  async logInByPasskey(passkey: string): Promise<void> {
    this.#begin(await tokens.byPasskey(passkey));
  }

  async logOut(): Promise<void> {
    // An errand has no session, and what the cookie belongs to may be another tab's.
    // In its turn: an answer with a new token that comes afterwards would begin it again.
    if (this.claims?.sid) await exclusively(tokens.revoked);
    this.#tell({ kind: 'out' });
    this.#leave();
  }

  /** A new access token, and as much time again. */
  async extend(): Promise<void> {
    const before = this.#held;
    await exclusively(async () => {
      // Another tab was first, and has told what it got.
      if (this.#held !== before && this.#isUsable()) return;
      try {
        this.#begin(await tokens.refreshed());
      } catch (error) {
        if (error instanceof ProblemError && error.status === 400) this.lock();
        throw error;
      }
    });
  }

  /**
   * The session is over: nothing is asked any more until somebody logs in. The server ends what
   * nobody uses by itself. It is not told to: a tab that slept may not know yet that another one
   * goes on.
   */
  lock(): void {
    localStorage.removeItem(HINT);
    this.#held = null;
    this.endsAt = null;
    if (this.status === 'member') this.locked = true;
    else this.status = 'guest';
  }

  /** Called when the next person must not find what the last one saw. */
  onLeave(forget: () => void): void {
    this.#forgotten.push(forget);
  }

  #begin(token: tokens.Token): void {
    const now = Date.now();
    const held: Held = {
      token: token.access_token,
      usableUntil: now + token.expires_in * 1000,
      endsAt: token.session_expires_in === null ? null : now + token.session_expires_in * 1000,
    };
    this.#hold(held);
    if (held.endsAt !== null) this.#tell({ kind: 'token', held });
  }

  #hold(held: Held): void {
    const claims = claimsOf(held.token);
    if (this.claims !== null && this.claims.sub !== claims.sub) this.#forget();
    if (claims.sid !== null) localStorage.setItem(HINT, '1');
    this.#held = held;
    this.claims = claims;
    this.endsAt = held.endsAt;
    this.status = 'member';
    this.locked = false;
  }

  #leave(): void {
    this.lock();
    this.locked = false;
    this.claims = null;
    this.status = 'guest';
    this.#forget();
  }

  #forget(): void {
    this.generation += 1;
    for (const forget of this.#forgotten) forget();
  }

  #isUsable(): boolean {
    return this.#held !== null && this.#held.usableUntil - Date.now() > SPARE_MS;
  }

  #tell(told: Told): void {
    this.#channel?.postMessage(told);
  }
}

function errandOf(claims: Claims | null): 'password' | 'second-factor' | null {
  if (claims === null || claims.sid !== null) return null;
  if (claims.passwordChange) return 'password';
  return claims.scopes.has('second-factor:enrol') ? 'second-factor' : null;
}

/** One at a time over all tabs. Browsers know locks on secure origins only. */
async function exclusively(work: () => Promise<void>): Promise<void> {
  if (typeof navigator !== 'undefined' && 'locks' in navigator) {
    await navigator.locks.request(LOCK, work);
  } else {
    await work();
  }
}

export const session = new Session();
