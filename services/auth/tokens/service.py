"""Use cases of people's tokens: logging in, refreshing, ending a session.

Logging in takes several short transactions and holds no lock while it hashes: a reserved attempt
must stay counted although the login is refused, and refusing rolls a transaction back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth import devices
from services.auth.accounts import passkeys, second_factor, temporary
from services.auth.accounts import rules as account_rules
from services.auth.accounts.authenticators import RelyingParty
from services.auth.accounts.models import Account, FieldPermission
from services.auth.accounts.passwords import Passwords
from services.auth.accounts.rules import (
    PASSWORD_CHANGE,
    SECOND_FACTOR_ENROL,
    PasskeyUse,
    Role,
    Status,
)
from services.auth.accounts.throttle import Throttle
from services.auth.audit.service import Actor, record
from services.auth.errors import (
    AccountDisabled,
    LoginFailed,
    PasskeyRefused,
    RefreshRefused,
    SecondFactorRequired,
    SecondFactorWrong,
)
from services.auth.institutions import rules as institution_rules
from services.auth.institutions.models import Institution
from services.auth.messages import rules as letters
from services.auth.messages import service as messages
from services.auth.sessions import service as sessions_service
from services.auth.sessions.models import LoginSession
from services.auth.sessions.rules import Verdict
from services.auth.sessions.service import Lifetimes
from services.auth.tokens import rules
from services.auth.tokens.keys import SigningKeys
from services.auth.vault import Vault
from shared.db import Sessions
from shared.tokens import AUDIENCE


@dataclass(frozen=True, slots=True)
class Issuer:
    """What issuing tokens needs of the process; `name` is the `iss` claim."""

    name: str
    sessions: Sessions
    vault: Vault
    passwords: Passwords
    keys: SigningKeys
    lifetimes: Lifetimes
    party: RelyingParty
    operator_second_factor: bool


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
class Issued:
    """`session_expires_in`: seconds until the refresh token is worth nothing, unless it is used.
    `device` is a new device cookie to set, if the device had none."""

    access_token: str
    expires_in: int
    scope: str
    pwd_change: bool = False
    refresh_token: str | None = None
    session_expires_in: int | None = None
    device: str | None = None


async def log_in(issuer: Issuer, login: Login, *, actor: Actor, now: datetime) -> Issued:
    """A session for an id and a password. Raises `LoginFailed`, `AccountDisabled`,
    `SecondFactorRequired`, `SecondFactorWrong`, `PasskeyRefused`, `LoginThrottled` or `LoginBusy`.

    An id that does not exist costs the same time and leaves the same traces as one that does.
    """
    login_id = account_rules.login_id_of(login.login_id[:100])
    device = devices.known(issuer.vault, login_id, login.device)
    place = Throttle(
        issuer.vault,
        login_id,
        device or account_rules.place_of(actor.address),
        known_device=device is not None,
    )
    async with issuer.sessions.begin() as session:
        await place.reserve(session, now=now)
        account = await session.scalar(select(Account).where(Account.login_id == login_id))
    stored = account.password if account is not None else None
    verified = await issuer.passwords.verify(login.password, stored)
    by_temporary = not verified.ok and await _by_temporary(issuer, account, login, actor, now=now)
    if account is None or not (verified.ok or by_temporary):
        raise LoginFailed
    rehashed = await issuer.passwords.hash(login.password) if verified.outdated else None
    methods = ["pwd"]
    if account.has_second_factor and not by_temporary:
        methods.append(await _second_factor(issuer, account, login, actor, now=now))
    issued: Issued | None = None
    async with issuer.sessions.begin() as session:
        current, institution = await _locked(session, account.id)
        if current.password != stored:  # changed while we hashed: this one is the old one
            raise LoginFailed
        if _is_open(current, institution):
            await place.forgive(session)
            current.password = rehashed or current.password
            issued = await _start(
                issuer,
                session,
                current,
                institution,
                methods,
                forced=by_temporary,
                actor=actor,
                now=now,
            )
        else:
            _record_refusal(session, current, actor)
    if issued is None:
        raise LoginFailed if current.status == Status.REMOVED else AccountDisabled
    return replace(issued, device=None if device else devices.mark(issuer.vault, login_id))


async def log_in_by_passkey(issuer: Issuer, answer: str, *, actor: Actor, now: datetime) -> Issued:
    """A session for a passkey alone, whose device verified its user: two factors in one. There is
    nothing to guess, so nobody has to wait. Raises `PasskeyRefused` or `AccountDisabled`."""
    account_id = await passkeys.recognise(
        issuer.sessions, issuer.party, answer, PasskeyUse.SIGN_IN, actor=actor, now=now
    )
    issued: Issued | None = None
    async with issuer.sessions.begin() as session:
        if account_id is None:
            _record_refusal(session, None, actor)
        else:
            account, institution = await _locked(session, account_id)
            if _is_open(account, institution):
                issued = await _start(
                    issuer, session, account, institution, ["pop", "mfa"], actor=actor, now=now
                )
            else:
                _record_refusal(session, account, actor)
    if issued is None:
        raise PasskeyRefused if account_id is None else AccountDisabled
    return issued


async def _by_temporary(
    issuer: Issuer, account: Account | None, login: Login, actor: Actor, *, now: datetime
) -> bool:
    """Whether it was a temporary password after all; if not, a refusal is put on record. Does the
    same for accounts that do not exist."""
    async with issuer.sessions.begin() as session:
        account_id = account.id if account is not None else None
        if await temporary.use(session, issuer.vault, account_id, login.password, now=now):
            return True
        _record_refusal(session, account, actor)
    return False


def _record_refusal(session: AsyncSession, account: Account | None, actor: Actor) -> None:
    """What was typed as an id may be a password: it is not put on record."""
    record(
        session,
        actor,
        "login.refused",
        object_type="account",
        object_id=account.id if account is not None else "unknown",
        institution_id=account.institution_id if account is not None else None,
    )


async def _second_factor(
    issuer: Issuer, account: Account, login: Login, actor: Actor, *, now: datetime
) -> str:
    """Which one it was (RFC 8176). The reserved attempt stays counted in either case: asking
    without a code must not give back guesses at the code."""
    if login.passkey:
        use = PasskeyUse.SECOND_FACTOR
        if await passkeys.recognise(
            issuer.sessions, issuer.party, login.passkey, use, of=account.id, actor=actor, now=now
        ):
            return "pop"
    elif not login.code:
        raise SecondFactorRequired
    async with issuer.sessions.begin() as session:
        locked = await session.get_one(Account, account.id, with_for_update=True)
        code = login.code
        if code and await second_factor.fits(session, issuer.vault, locked, code, now=now):
            return "otp"
        _record_refusal(session, account, actor)
    raise PasskeyRefused if login.passkey else SecondFactorWrong


async def refresh(
    issuer: Issuer, refresh_token: str, *, client_id: str, actor: Actor, now: datetime
) -> Issued:
    """A new access token and the next refresh token; raises `RefreshRefused`.

    The account is read anew: what it may do today is what the new token says.
    """
    issued: Issued | None = None
    async with issuer.sessions.begin() as session:
        outcome = await sessions_service.refresh(
            session,
            issuer.vault,
            refresh_token,
            client_id=client_id,
            now=now,
            lifetimes=issuer.lifetimes,
            actor=actor,
        )
        if outcome.verdict is Verdict.REUSE and outcome.session is not None:
            await _tell_owner(session, issuer.vault, outcome.session.account_id)
        if outcome.session is not None and outcome.token is not None:
            account = await session.get_one(Account, outcome.session.account_id)
            institution = await session.get_one(Institution, account.institution_id)
            ready = not (account.must_change_password or _lacks_factor(issuer, account))
            if ready and _is_open(account, institution):
                scopes = account_rules.scopes_of(Role(account.role), lead=account.is_lead)
                family = outcome.session
                issued = await _user_token(
                    issuer,
                    session,
                    account,
                    institution,
                    scopes,
                    family.methods.split(),
                    family.id,
                    now=now,
                )
                issued = _of_session(issuer, issued, family, outcome.token, now=now)
    if issued is None:
        raise RefreshRefused
    return issued


async def _tell_owner(session: AsyncSession, vault: Vault, account_id: UUID) -> None:
    account = await session.get_one(Account, account_id)
    if account.email is not None:
        letter = letters.session_stolen_letter(account.email, login_id=account.login_id)
        await messages.queue(session, vault, letter)


async def log_out(issuer: Issuer, refresh_token: str, *, actor: Actor, now: datetime) -> None:
    """End the session a refresh token belongs to; a token that means nothing is fine (RFC 7009)."""
    async with issuer.sessions.begin() as session:
        family = await sessions_service.shown_family(session, issuer.vault, refresh_token)
        if family is None or family.ended_at is not None:
            return
        record(
            session,
            actor.known_as(family.account_id),
            "session.ended",
            object_type="session",
            object_id=family.id,
        )
        await sessions_service.end(session, [family.id], reason="logout", now=now)


async def _start(
    issuer: Issuer,
    session: AsyncSession,
    account: Account,
    institution: Institution,
    methods: Sequence[str],
    *,
    forced: bool = False,
    actor: Actor,
    now: datetime,
) -> Issued:
    """A session; or a token for the one thing that has to be done first: changing the password
    (M-002), or registering the second factor this installation demands of operators."""
    account.last_login_at = now
    record(
        session,
        actor.known_as(account.id, institution.id),
        "session.started",
        object_type="account",
        object_id=account.id,
        after={"methods": list(methods)},
    )
    only: tuple[str, ...] = ()
    if forced or account.must_change_password:
        only = (PASSWORD_CHANGE,)
    elif _lacks_factor(issuer, account):
        only = (SECOND_FACTOR_ENROL,)
    if only:
        return await _user_token(
            issuer, session, account, institution, only, methods, None, now=now
        )
    family, refresh_token = await sessions_service.start(
        session,
        issuer.vault,
        account_id=account.id,
        client_id=rules.PORTAL,
        methods=methods,
        actor=actor,
        now=now,
        lifetimes=issuer.lifetimes,
    )
    scopes = account_rules.scopes_of(Role(account.role), lead=account.is_lead)
    issued = await _user_token(
        issuer, session, account, institution, scopes, methods, family.id, now=now
    )
    return _of_session(issuer, issued, family, refresh_token, now=now)


def _of_session(
    issuer: Issuer, issued: Issued, family: LoginSession, refresh_token: str, *, now: datetime
) -> Issued:
    end = min(family.rotated_at + issuer.lifetimes.idle, family.expires_at)
    return replace(
        issued,
        refresh_token=refresh_token,
        session_expires_in=max(0, int((end - now).total_seconds())),
    )


async def _user_token(
    issuer: Issuer,
    session: AsyncSession,
    account: Account,
    institution: Institution,
    scopes: Sequence[str],
    methods: Sequence[str],
    session_id: UUID | None,
    *,
    now: datetime,
) -> Issued:
    """A token without a session opens one thing only, and not for long."""
    pwd_change = session_id is None and PASSWORD_CHANGE in scopes
    claims = rules.user_claims(
        account_id=account.id,
        session_id=session_id,
        scopes=scopes,
        role=Role(account.role),
        institution_id=institution.id,
        institution_kind=institution.kind,
        fields=await _fields(session, account),
        pv=account.pv,
        client_id=rules.PORTAL,
        methods=methods,
        pwd_change=pwd_change,
    )
    lifetime = rules.USER_LIFETIME if session_id is not None else rules.ERRAND_LIFETIME
    token = await issuer.keys.sign(
        claims | {"iss": issuer.name, "aud": AUDIENCE}, lifetime=lifetime, now=now
    )
    return Issued(token, int(lifetime.total_seconds()), " ".join(scopes), pwd_change=pwd_change)


async def _fields(session: AsyncSession, account: Account) -> list[str] | None:
    """A sub-account's accrual fields; None for accounts that are not limited."""
    if account.role != Role.SUB_ACCOUNT:
        return None
    query = select(FieldPermission).where(FieldPermission.account_id == account.id)
    rows = (await session.scalars(query)).all()
    return account_rules.allowed_fields((row.field, row.enabled) for row in rows)


async def _locked(session: AsyncSession, account_id: UUID) -> tuple[Account, Institution]:
    query = (
        select(Account, Institution)
        .join(Institution, Institution.id == Account.institution_id)
        .where(Account.id == account_id)
        .with_for_update(of=Account)
    )
    account, institution = (await session.execute(query)).one()
    return account, institution


def _lacks_factor(issuer: Issuer, account: Account) -> bool:
    decides = account.role in account_rules.OPERATING_ROLES
    return issuer.operator_second_factor and decides and not account.has_second_factor


def _is_open(account: Account, institution: Institution) -> bool:
    suspended = institution.status == institution_rules.Status.SUSPENDED
    return account.status == Status.ACTIVE and not suspended
