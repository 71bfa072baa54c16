"""Partner systems: an OAuth client bound to one institution, with a secret shown once.

Leads keep the clients of their own institution, the operator those of all. Every change of what a
client may do raises its permission version, so that its older tokens are refused within seconds.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.audit.service import Actor, record
from services.auth.clients import rules
from services.auth.clients.models import Client, ClientSecret
from services.auth.clients.rules import ClientKind
from services.auth.clients.service import digest_of
from services.auth.errors import ADDRESS_INVALID, SCOPE_REFUSED, TooManySecrets
from services.auth.institutions.models import Institution
from services.auth.sessions import service as sessions_service
from shared.problems import Finding, Invalid, NotFound, Stale, StateConflict


@dataclass(frozen=True, slots=True)
class Keeper:
    """Who keeps clients: a lead of one institution, or the operator (`institution_id` None)."""

    actor: Actor
    institution_id: UUID | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a client is called and may do. No addresses: it may come from anywhere."""

    name: str
    scopes: Sequence[str]
    addresses: Sequence[str]


@dataclass(frozen=True, slots=True)
class NewSecret:
    """`secret` is known to nobody but the one it is shown to now."""

    secret: str
    row: ClientSecret


def listed(keeper: Keeper, institution_id: UUID | None) -> Select[Client]:
    query = select(Client).where(Client.kind == ClientKind.PARTNER)
    wanted = keeper.institution_id or institution_id
    return query.where(Client.institution_id == wanted) if wanted is not None else query


async def kept(
    session: AsyncSession, keeper: Keeper, client_id: str, *, seen: int | None = None
) -> Client:
    """A client this keeper may touch, locked when it will be changed. Raises `NotFound`, or
    `Stale` if it is not the version that was seen."""
    client = await session.get(Client, client_id, with_for_update=seen is not None)
    if client is None or client.kind != ClientKind.PARTNER:
        raise NotFound
    if keeper.institution_id is not None and client.institution_id != keeper.institution_id:
        raise NotFound
    if seen is not None and client.version != seen:
        raise Stale
    return client


async def secrets_of(session: AsyncSession, client_id: str) -> Sequence[ClientSecret]:
    query = select(ClientSecret).where(ClientSecret.client_id == client_id)
    return (await session.scalars(query.order_by(ClientSecret.created_at))).all()


async def register(
    session: AsyncSession,
    keeper: Keeper,
    institution_id: UUID,
    terms: Terms,
    *,
    test_mode: bool,
) -> tuple[Client, NewSecret]:
    """A new client with its first secret. A client in test mode stays in test mode: what it sends
    is checked and never counted."""
    institution = await session.get(Institution, keeper.institution_id or institution_id)
    if institution is None or institution_id != institution.id:
        raise NotFound
    _refuse_bad(institution.kind, terms)
    client = Client(
        id=f"p_{secrets.token_hex(8)}",
        kind=ClientKind.PARTNER,
        name=terms.name,
        institution_id=institution.id,
        scopes=sorted(set(terms.scopes)),
        addresses=list(terms.addresses),
        test_mode=test_mode,
        enabled=True,
        pv=1,
        version=1,
    )
    session.add(client)
    await session.flush()  # the secret needs the id
    secret = await _add_secret(session, client)
    _record(session, keeper.actor, client, "client.registered", None, _facts(client))
    return client, secret


async def change(
    session: AsyncSession, keeper: Keeper, client_id: str, terms: Terms, *, seen: int
) -> Client:
    client = await kept(session, keeper, client_id, seen=seen)
    institution = await session.get_one(Institution, client.institution_id)
    _refuse_bad(institution.kind, terms)
    before = _facts(client)
    client.name = terms.name
    client.scopes = sorted(set(terms.scopes))
    client.addresses = list(terms.addresses)
    client.version += 1
    _record(session, keeper.actor, client, "client.changed", before, _facts(client))
    await _outdate(session, client)
    return client


async def switch(
    session: AsyncSession, keeper: Keeper, client_id: str, *, on: bool, seen: int
) -> Client:
    """Disable a client, everywhere within seconds, or enable it again."""
    client = await kept(session, keeper, client_id, seen=seen)
    if client.enabled is on:
        raise StateConflict(state="enabled" if on else "disabled")
    client.enabled = on
    client.version += 1
    _record(session, keeper.actor, client, "client.enabled" if on else "client.disabled")
    await _outdate(session, client)
    return client


async def renew_secret(
    session: AsyncSession,
    keeper: Keeper,
    client_id: str,
    *,
    overlap: timedelta,
    now: datetime,
) -> NewSecret:
    """A new secret; the one in use goes on working for `overlap`, so that nothing stands still
    while the partner puts the new one in place."""
    client = await _locked(session, keeper, client_id)
    valid = await _valid_secrets(session, client.id, now)
    if len(valid) >= rules.MAX_SECRETS:
        raise TooManySecrets(most=rules.MAX_SECRETS)
    for row in valid:
        row.expires_at = min(row.expires_at or now + overlap, now + overlap)
    secret = await _add_secret(session, client)
    _record(session, keeper.actor, client, "client.secret_renewed")
    return secret


async def withdraw_secret(
    session: AsyncSession, keeper: Keeper, client_id: str, secret_id: UUID
) -> None:
    """Make a secret worthless at once, and the tokens it may have fetched within seconds."""
    client = await _locked(session, keeper, client_id)
    gone = await session.execute(
        delete(ClientSecret)
        .where(ClientSecret.id == secret_id, ClientSecret.client_id == client.id)
        .returning(ClientSecret.id)
    )
    if gone.first() is None:
        raise NotFound
    _record(session, keeper.actor, client, "client.secret_withdrawn")
    await _outdate(session, client)


async def _locked(session: AsyncSession, keeper: Keeper, client_id: str) -> Client:
    client = await kept(session, keeper, client_id)
    await session.refresh(client, with_for_update=True)
    return client


async def _valid_secrets(
    session: AsyncSession, client_id: str, now: datetime
) -> Sequence[ClientSecret]:
    query = select(ClientSecret).where(
        ClientSecret.client_id == client_id,
        or_(ClientSecret.expires_at.is_(None), ClientSecret.expires_at > now),
    )
    return (await session.scalars(query)).all()


async def _add_secret(session: AsyncSession, client: Client) -> NewSecret:
    mode = "test_" if client.test_mode else "live_"
    secret = rules.SECRET_PREFIX + mode + secrets.token_urlsafe(32)
    digest = digest_of(secret)
    row = ClientSecret(client_id=client.id, digest=digest, hint=secret[-4:])
    session.add(row)
    await session.flush()  # the answer shows its id
    return NewSecret(secret, row)


async def _outdate(session: AsyncSession, client: Client) -> None:
    client.pv += 1
    await sessions_service.revoke(session, {f"client:{client.id}": client.pv})


def _refuse_bad(kind: str, terms: Terms) -> None:
    findings: list[Finding] = [
        SCOPE_REFUSED.at("/scopes", field="scopes", scope=scope)
        for scope in rules.refused_scopes(kind, terms.scopes)
    ]
    findings += [
        ADDRESS_INVALID.at(f"/addresses/{place}", field="addresses", value=address)
        for place, address in enumerate(terms.addresses)
        if not rules.is_network(address)
    ]
    if findings:
        raise Invalid(errors=findings)


def _facts(client: Client) -> dict[str, object]:
    return {"name": client.name, "scopes": client.scopes, "addresses": client.addresses}


def _record(
    session: AsyncSession,
    actor: Actor,
    client: Client,
    action: str,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    record(
        session,
        actor,
        action,
        object_type="client",
        object_id=client.id,
        institution_id=client.institution_id,
        before=before,
        after=after,
    )
