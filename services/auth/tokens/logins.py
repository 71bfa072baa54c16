"""Logging in: by an id and a password, or by a passkey alone.

A login by password is two statements with the hash between them, each a transaction of its own:
one counts the attempt and reads the account, one writes everything a login leaves behind. Nothing
is locked while it hashes, and a reserved attempt stays counted although the login is refused. What
the first one read still holds in the second, or it changes nothing: the account has the same `pv`,
and a second factor if it had one.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth import devices
from services.auth.accounts import holders, passkeys, second_factor, temporary
from services.auth.accounts import rules as account_rules
from services.auth.accounts.holders import Holder, holder_of
from services.auth.accounts.models import Account
from services.auth.accounts.rules import PASSWORD_CHANGE, PasskeyUse, Status
from services.auth.accounts.throttle import RESERVING, Throttle
from services.auth.audit.service import Actor, record
from services.auth.errors import (
    AccountDisabled,
    LoginFailed,
    PasskeyRefused,
    SecondFactorRequired,
    SecondFactorWrong,
)
from services.auth.sessions import service as sessions_service
from services.auth.tokens import rules
from services.auth.tokens.issuing import Issued, Issuer, errand, errand_token, session_token
from shared.logs import trace_id

_RESERVE_AND_FIND = f"""
{RESERVING}
SELECT reserved.until, reserved.counted, {holders.COLUMNS}
FROM reserved
LEFT JOIN account ON account.login_id = %(login_id)s
LEFT JOIN institution ON institution.id = account.institution_id
"""  # noqa: S608  # our own words

# The account is locked first and its counters afterwards, as everywhere.
_ENTER = """
WITH entered AS (
    UPDATE account
    SET last_login_at = %(now)s, updated_at = %(now)s, password = coalesce(%(rehashed)s, password)
    FROM institution
    WHERE account.id = %(id)s AND account.pv = %(pv)s AND account.status = 'active'
    AND (account.totp_confirmed_at IS NOT NULL OR account.passkeys > 0) = %(has_factor)s
    AND institution.id = account.institution_id AND institution.status <> 'suspended'
    RETURNING account.id, account.institution_id
), forgiven AS (
    DELETE FROM login_throttle USING (
        SELECT one.key FROM entered, login_throttle AS one
        WHERE one.key IN (%(here)s, %(everywhere)s) ORDER BY one.key DESC FOR UPDATE OF one
    ) AS mine
    WHERE login_throttle.key = mine.key
), noted AS (
    INSERT INTO audit_event (
        action, actor, client_id, institution_id, object_type, object_id,
        address, user_agent, trace_id, after
    )
    SELECT 'session.started', id, %(actor_client)s, institution_id, 'account', id,
        %(address)s, %(user_agent)s, %(trace_id)s, CAST(%(after)s AS jsonb)
    FROM entered
), started AS (
    INSERT INTO login_session (
        account_id, client_id, methods, secret, generation,
        started_at, rotated_at, expires_at, address, user_agent
    )
    SELECT id, %(client)s, %(methods)s, CAST(%(secret)s AS bytea), 1,
        %(now)s, %(now)s, %(expires_at)s, %(address)s, %(user_agent)s
    FROM entered WHERE CAST(%(secret)s AS bytea) IS NOT NULL
    RETURNING id
)
SELECT entered.id, started.id AS session_id FROM entered LEFT JOIN started ON true
"""


@dataclass(frozen=True, slots=True)
class Login:
    """A typed id and password. `code` or `passkey` is the second factor, `device` the cookie of a
    device that logged in before."""

    login_id: str
    password: str
    code: str | None = None
    passkey: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a person showed: `methods` (RFC 8176); `place` counted the attempt at the password,
    which was a `temporary` one, or is to be kept as `rehashed`. No place: there was no password."""

    methods: Sequence[str]
    place: Throttle | None = None
    temporary: bool = False
    rehashed: str | None = None


async def log_in(issuer: Issuer, login: Login, *, actor: Actor, now: datetime) -> Issued:
    """A session for an id and a password. Raises `LoginFailed`, `AccountDisabled`,
    `SecondFactorRequired`, `SecondFactorWrong`, `PasskeyRefused`, `LoginThrottled` or `LoginBusy`.

    An id that does not exist costs the same time and leaves the same traces as one that does.
    """
    issuer.passwords.refuse_crowd()  # before the attempt is counted: nobody guessed anything
    login_id = account_rules.login_id_of(login.login_id[:100])
    device = devices.known(issuer.vault, login_id, login.device)
    place = Throttle(
        issuer.vault,
        login_id,
        device or account_rules.place_of(actor.address),
        known_device=device is not None,
    )
    holder = await _reserve_and_find(issuer, login_id, place, now=now)
    verified = await issuer.passwords.verify(login.password, holder.password if holder else None)
    by_temporary = not verified.ok and await _by_temporary(
        issuer, holder, login.password, actor, now=now
    )
    if holder is None or not (verified.ok or by_temporary):
        raise LoginFailed
    rehashed = await issuer.passwords.hash(login.password) if verified.outdated else None
    methods = ["pwd"]
    if holder.has_second_factor and not by_temporary:
        methods.append(await _second_factor(issuer, holder, login, actor, now=now))
    shown = Shown(methods, place, by_temporary, rehashed)
    issued = await _enter(issuer, holder, shown, actor=actor, now=now)
    return replace(issued, device=None if device else devices.mark(issuer.vault, login_id))


async def log_in_by_passkey(issuer: Issuer, answer: str, *, actor: Actor, now: datetime) -> Issued:
    """A session for a passkey alone, whose device verified its user: two factors in one. There is
    nothing to guess, so nobody has to wait. Raises `PasskeyRefused` or `AccountDisabled`."""
    account_id = await passkeys.recognise(
        issuer.sessions, issuer.party, answer, PasskeyUse.SIGN_IN, actor=actor, now=now
    )
    async with issuer.sessions.begin() as session:
        if account_id is None:
            _record_refusal(session, None, actor)
        else:
            holder = await holders.find(session, account_id)
    if account_id is None:
        raise PasskeyRefused
    return await _enter(issuer, holder, Shown(["pop", "mfa"]), actor=actor, now=now)


async def _reserve_and_find(
    issuer: Issuer, login_id: str, place: Throttle, *, now: datetime
) -> Holder | None:
    """Count an attempt, and read the account there may be. Raises `LoginThrottled`."""
    asked = place.reserving(now) | {"login_id": login_id}
    row = await issuer.database.ask(_RESERVE_AND_FIND, asked)
    assert row is not None  # one, whoever there is
    place.check(row, now=now)
    return holder_of(row) if row["id"] is not None else None


async def _enter(
    issuer: Issuer, holder: Holder, shown: Shown, *, actor: Actor, now: datetime
) -> Issued:
    """A session; or a token for the one thing that has to be done first. Raises what
    `_read_anew` does."""
    while True:
        only = PASSWORD_CHANGE if shown.temporary else errand(issuer, holder)
        secret = secrets.token_bytes(32) if only is None else None
        entered, session_id = await _write(issuer, holder, shown, secret, actor=actor, now=now)
        if entered:
            break
        holder = await _read_anew(issuer, holder, shown, actor)
    if only is not None:
        return await errand_token(issuer, holder, shown.methods, only, now=now)
    assert session_id is not None  # whoever gives a secret gets a session
    assert secret is not None
    token = sessions_service.first_token(issuer.vault, session_id, secret)
    ends_at = now + min(issuer.lifetimes.idle, issuer.lifetimes.absolute)
    return await session_token(
        issuer, holder, shown.methods, session_id, token, ends_at=ends_at, now=now
    )


async def _write(
    issuer: Issuer,
    holder: Holder,
    shown: Shown,
    secret: bytes | None,
    *,
    actor: Actor,
    now: datetime,
) -> tuple[bool, UUID | None]:
    """Whether the login is written down, and the session it began if there is a `secret` for its
    tokens. False: the account is no longer as it was read, or shut."""
    keys = shown.place.keys if shown.place else {"here": None, "everywhere": None}
    values = keys | {
        "id": holder.id,
        "pv": holder.pv,
        "has_factor": holder.has_second_factor,
        "now": now,
        "rehashed": shown.rehashed,
        "methods": " ".join(shown.methods),
        "after": orjson.dumps({"methods": shown.methods}).decode(),
        "client": rules.PORTAL,
        "secret": secret,
        "expires_at": now + issuer.lifetimes.absolute,
        "actor_client": actor.client_id,
        "address": actor.address,
        "user_agent": actor.user_agent,
        "trace_id": trace_id.get(),
    }
    row = await issuer.database.ask(_ENTER, values)
    return row is not None, row["session_id"] if row is not None else None


async def _read_anew(issuer: Issuer, holder: Holder, shown: Shown, actor: Actor) -> Holder:
    """The account was changed since it was read, or it is shut. Raises `LoginFailed`,
    `AccountDisabled` or `SecondFactorRequired` unless it can still be entered with what was shown.
    """
    async with issuer.sessions.begin() as session:
        current = await holders.find(session, holder.id)
        if not current.is_open:
            _record_refusal(session, current, actor)
    if shown.place is not None and current.password != holder.password:
        raise LoginFailed  # changed while we hashed: this one is the old one
    if not current.is_open:
        raise LoginFailed if current.status is Status.REMOVED else AccountDisabled
    if current.has_second_factor and not shown.temporary and shown.methods == ["pwd"]:
        raise SecondFactorRequired  # it was added while we hashed
    return current


async def _by_temporary(
    issuer: Issuer, holder: Holder | None, password: str, actor: Actor, *, now: datetime
) -> bool:
    """Whether it was a temporary password after all; if not, a refusal is put on record. Does the
    same for accounts that do not exist."""
    async with issuer.sessions.begin() as session:
        account_id = holder.id if holder is not None else None
        if await temporary.use(session, issuer.vault, account_id, password, now=now):
            return True
        _record_refusal(session, holder, actor)
    return False


def _record_refusal(session: AsyncSession, holder: Holder | None, actor: Actor) -> None:
    """What was typed as an id may be a password: it is not put on record."""
    record(
        session,
        actor,
        "login.refused",
        object_type="account",
        object_id=holder.id if holder is not None else "unknown",
        institution_id=holder.institution_id if holder is not None else None,
    )


async def _second_factor(
    issuer: Issuer, holder: Holder, login: Login, actor: Actor, *, now: datetime
) -> str:
    """Which one it was (RFC 8176). The reserved attempt stays counted in either case: asking
    without a code must not give back guesses at the code."""
    if login.passkey:
        use = PasskeyUse.SECOND_FACTOR
        if await passkeys.recognise(
            issuer.sessions, issuer.party, login.passkey, use, of=holder.id, actor=actor, now=now
        ):
            return "pop"
    elif not login.code:
        raise SecondFactorRequired
    async with issuer.sessions.begin() as session:
        locked = await session.get_one(Account, holder.id, with_for_update=True)
        code = login.code
        if code and await second_factor.fits(session, issuer.vault, locked, code, now=now):
            return "otp"
        _record_refusal(session, holder, actor)
    raise PasskeyRefused if login.passkey else SecondFactorWrong
