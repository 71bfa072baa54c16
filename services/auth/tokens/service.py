"""Use cases of tokens: logging in, refreshing, ending a session, tokens for clients.

Logging in takes several short transactions and holds no lock while it hashes: a reserved attempt
must stay counted although the login is refused, and refusing rolls a transaction back.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import rules as account_rules
from services.auth.accounts.models import Account, FieldPermission
from services.auth.accounts.passwords import Passwords
from services.auth.accounts.rules import PASSWORD_CHANGE, Role, Status
from services.auth.accounts.throttle import Throttle
from services.auth.audit.service import Actor, record
from services.auth.clients import service as clients_service
from services.auth.clients.models import Client
from services.auth.clients.rules import SERVICE_CLIENTS, ClientKind, narrowed
from services.auth.errors import (
    AccountDisabled,
    ClientUnknown,
    LoginFailed,
    OAuthProblem,
    RefreshRefused,
    ScopeNotAllowed,
)
from services.auth.institutions import rules as institution_rules
from services.auth.institutions.models import Institution
from services.auth.sessions import service as sessions_service
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


@dataclass(frozen=True, slots=True)
class Login:
    """A typed id and password. `device` is the cookie of a device that logged in before."""

    login_id: str
    password: str
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """`device` is a new device cookie to set, if the device had none."""

    access_token: str
    expires_in: int
    scope: str
    pwd_change: bool = False
    refresh_token: str | None = None
    device: str | None = None


async def log_in(issuer: Issuer, login: Login, *, actor: Actor, now: datetime) -> Issued:
    """A session for an id and a password, or `LoginFailed`, `AccountDisabled`, `LoginThrottled`,
    `LoginBusy`. An id that does not exist costs the same time and leaves the same traces."""
    login_id = account_rules.login_id_of(login.login_id[:100])
    device = _known_device(issuer.vault, login_id, login.device)
    place = Throttle(
        issuer.vault,
        login_id,
        device or account_rules.place_of(actor.address),
        known_device=device is not None,
    )
    await place.reserve(issuer.sessions, now=now)
    async with issuer.sessions() as session:
        account = await session.scalar(select(Account).where(Account.login_id == login_id))
    stored = account.password if account is not None else None
    verified = await issuer.passwords.verify(login.password, stored)
    if account is None or not verified.ok:
        await _record_refusal(issuer, account, actor)
        raise LoginFailed
    rehashed = await issuer.passwords.hash(login.password) if verified.outdated else None
    async with issuer.sessions.begin() as session:
        await place.forgive(session)
        current, institution = await _locked(session, account.id)
        if current.password != stored:  # changed while we hashed: this one is the old one
            raise LoginFailed
        _refuse_disabled(current, institution)
        current.password = rehashed or current.password
        current.last_login_at = now
        record(
            session,
            actor.known_as(current.id, institution.id),
            "session.started",
            object_type="account",
            object_id=current.id,
        )
        issued = await _start(issuer, session, current, institution, actor=actor, now=now)
    return replace(issued, device=None if device else _new_device(issuer.vault, login_id))


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
        if outcome.session is not None and outcome.token is not None:
            account = await session.get_one(Account, outcome.session.account_id)
            institution = await session.get_one(Institution, account.institution_id)
            if _is_open(account, institution) and not account.must_change_password:
                issued = await _user_token(
                    issuer, session, account, institution, outcome.session.id, now=now
                )
                issued = replace(issued, refresh_token=outcome.token)
    if issued is None:
        raise RefreshRefused
    return issued


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


@dataclass(frozen=True, slots=True)
class ClientLogin:
    """A client asking for a token of its own. `acting_for` is whom it does its work for."""

    client_id: str
    secret: str
    audience: str | None
    scope: str | None
    acting_for: str | None


async def client_token(
    issuer: Issuer, login: ClientLogin, *, actor: Actor, now: datetime
) -> Issued:
    """A token for a service or a partner; raises `ClientUnknown`, `ScopeNotAllowed` or
    `OAuthProblem`."""
    async with issuer.sessions.begin() as session:
        client = await clients_service.recognise(session, login.client_id, login.secret, now=now)
        if client.kind == ClientKind.SERVICE:
            claims = _service_claims(client, login)
            lifetime = rules.SERVICE_LIFETIME
            if login.acting_for is not None:
                await _refuse_unknown_subject(session, login.acting_for)
                claims["act"] = {"sub": login.acting_for}
        else:
            claims = await _partner_claims(session, client, login, actor)
            lifetime = rules.PARTNER_LIFETIME
    claims |= {"iss": issuer.name, "sub": client.id, "client_id": client.id, "pv": client.pv}
    token = await issuer.keys.sign(claims, lifetime=lifetime, now=now)
    return Issued(token, int(lifetime.total_seconds()), str(claims["scope"]))


def _service_claims(client: Client, login: ClientLogin) -> dict[str, Any]:
    targets = SERVICE_CLIENTS.get(client.id, {})
    scopes = narrowed(login.scope, targets.get(login.audience or "", frozenset()))
    if scopes is None:
        raise ScopeNotAllowed
    return {"aud": login.audience, "scope": " ".join(sorted(scopes)), "role": "service"}


async def _partner_claims(
    session: AsyncSession, client: Client, login: ClientLogin, actor: Actor
) -> dict[str, Any]:
    if login.audience not in (None, AUDIENCE) or login.acting_for is not None:
        raise ScopeNotAllowed
    scopes = narrowed(login.scope, frozenset(client.scopes))
    if scopes is None:
        raise ScopeNotAllowed
    if client.addresses and not _within(actor.address, client.addresses):
        raise ClientUnknown
    institution = await session.get_one(Institution, client.institution_id)
    if institution.status == institution_rules.Status.SUSPENDED:
        raise ClientUnknown
    claims: dict[str, Any] = {
        "aud": AUDIENCE,
        "scope": " ".join(sorted(scopes)),
        "role": "partner",
        "institution_id": str(institution.id),
        "institution_kind": institution.kind,
    }
    return claims | ({"test_mode": True} if client.test_mode else {})


def _within(address: str | None, networks: Sequence[str]) -> bool:
    return address is not None and any(
        ip_address(address) in ip_network(network) for network in networks
    )


async def _refuse_unknown_subject(session: AsyncSession, subject: str) -> None:
    """Disabled accounts pass: what they began while they were open still has to be finished."""
    try:
        found = await session.get(Account, UUID(subject)) is not None
    except ValueError:
        found = await session.get(Client, subject) is not None
    if not found:
        raise OAuthProblem(reason="acting_for")


async def _start(
    issuer: Issuer,
    session: AsyncSession,
    account: Account,
    institution: Institution,
    *,
    actor: Actor,
    now: datetime,
) -> Issued:
    """A session; or, while the password has to be changed, a token for that alone (M-002)."""
    if account.must_change_password:
        return await _user_token(issuer, session, account, institution, None, now=now)
    family, refresh_token = await sessions_service.start(
        session,
        issuer.vault,
        account_id=account.id,
        client_id=rules.PORTAL,
        actor=actor,
        now=now,
        lifetimes=issuer.lifetimes,
    )
    issued = await _user_token(issuer, session, account, institution, family.id, now=now)
    return replace(issued, refresh_token=refresh_token)


async def _user_token(
    issuer: Issuer,
    session: AsyncSession,
    account: Account,
    institution: Institution,
    session_id: UUID | None,
    *,
    now: datetime,
) -> Issued:
    forced = account.must_change_password
    role = Role(account.role)
    scopes = (PASSWORD_CHANGE,) if forced else account_rules.scopes_of(role, lead=account.is_lead)
    claims = rules.user_claims(
        account_id=account.id,
        session_id=session_id,
        scopes=scopes,
        role=role,
        institution_id=institution.id,
        institution_kind=institution.kind,
        fields=await _fields(session, account),
        pv=account.pv,
        client_id=rules.PORTAL,
        methods=["pwd"],
        pwd_change=forced,
    )
    lifetime = rules.PASSWORD_CHANGE_LIFETIME if forced else rules.USER_LIFETIME
    token = await issuer.keys.sign(
        claims | {"iss": issuer.name, "aud": AUDIENCE}, lifetime=lifetime, now=now
    )
    return Issued(token, int(lifetime.total_seconds()), " ".join(scopes), pwd_change=forced)


async def _fields(session: AsyncSession, account: Account) -> list[str] | None:
    """A sub-account's accrual fields; None for accounts that are not limited."""
    if account.role != Role.SUB_ACCOUNT:
        return None
    query = select(FieldPermission).where(FieldPermission.account_id == account.id)
    rows = (await session.scalars(query)).all()
    return account_rules.allowed_fields((row.field, row.enabled) for row in rows)


async def _locked(session: AsyncSession, account_id: UUID) -> tuple[Account, Institution]:
    account = await session.get_one(Account, account_id, with_for_update=True)
    return account, await session.get_one(Institution, account.institution_id)


def _is_open(account: Account, institution: Institution) -> bool:
    suspended = institution.status == institution_rules.Status.SUSPENDED
    return account.status == Status.ACTIVE and not suspended


def _refuse_disabled(account: Account, institution: Institution) -> None:
    if account.status == Status.REMOVED:
        raise LoginFailed
    if not _is_open(account, institution):
        raise AccountDisabled


async def _record_refusal(issuer: Issuer, account: Account | None, actor: Actor) -> None:
    """One row whether or not the account exists; what was typed as an id may be a password."""
    async with issuer.sessions.begin() as session:
        record(
            session,
            actor,
            "login.refused",
            object_type="account",
            object_id=account.id if account is not None else "unknown",
            institution_id=account.institution_id if account is not None else None,
        )


# --- devices that logged in before ------------------------------------------------------------

_NONCE_LENGTH = 22


def _new_device(vault: Vault, login_id: str) -> str:
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_device_mac(vault, login_id, nonce)}"


def _known_device(vault: Vault, login_id: str, device: str | None) -> str | None:
    """A place of its own for a device whose cookie we made for this login id, else None."""
    nonce, _, mac = (device or "").partition(".")
    if len(nonce) != _NONCE_LENGTH or not mac.isascii() or not nonce.isascii():
        return None
    genuine = hmac.compare_digest(_device_mac(vault, login_id, nonce), mac)
    return f"device:{nonce}" if genuine else None


def _device_mac(vault: Vault, login_id: str, nonce: str) -> str:
    mac = vault.mac("device", login_id.encode(), nonce.encode())
    return urlsafe_b64encode(mac).decode().rstrip("=")
