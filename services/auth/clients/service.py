"""Recognising clients by their secret, and keeping the services' own credentials."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.audit.service import SYSTEM, record
from services.auth.clients.models import Client, ClientSecret
from services.auth.clients.rules import SERVICE_CLIENTS, ClientKind
from services.auth.errors import ClientUnknown

OVERLAP_OF_SERVICES = timedelta(hours=1)  # old processes go on with the old secret
LAST_USED_PRECISION = timedelta(minutes=5)


def digest_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


async def recognise(session: AsyncSession, client_id: str, secret: str, *, now: datetime) -> Client:
    """The client with this secret. Raises `ClientUnknown`, whatever is wrong.

    Found by the secret's digest, so there is nothing to compare and nothing to time.
    """
    row = (
        await session.execute(
            select(Client, ClientSecret)
            .join(ClientSecret, ClientSecret.client_id == Client.id)
            .where(
                Client.id == client_id,
                Client.enabled,
                ClientSecret.digest == digest_of(secret),
                or_(ClientSecret.expires_at.is_(None), ClientSecret.expires_at > now),
            )
        )
    ).one_or_none()
    if row is None:
        raise ClientUnknown
    client, found = row
    if found.last_used_at is None or now - found.last_used_at > LAST_USED_PRECISION:
        found.last_used_at = now  # coarse, so that busy clients do not write at every token
    return client


async def ensure_services(
    session: AsyncSession, secrets: Mapping[str, str], *, now: datetime
) -> None:
    """Make every service of the table a client with the secret the environment gives it. A former
    secret stays good for an hour. Safe to run again."""
    for name in SERVICE_CLIENTS:
        secret = secrets.get(name)
        if secret is None:
            continue
        row = {"id": name, "kind": ClientKind.SERVICE, "name": name}
        await session.execute(insert(Client).values(row).on_conflict_do_nothing())
        digest = digest_of(secret)
        former = await session.execute(
            update(ClientSecret)
            .where(
                ClientSecret.client_id == name,
                ClientSecret.digest != digest,
                ClientSecret.expires_at.is_(None),
            )
            .values(expires_at=now + OVERLAP_OF_SERVICES)
            .returning(ClientSecret.id)
        )
        if former.first() is not None:
            record(session, SYSTEM, "client.secret_renewed", object_type="client", object_id=name)
        current = {"client_id": name, "digest": digest, "hint": digest.hex()[:8]}
        await session.execute(
            insert(ClientSecret)
            .values(current)
            .on_conflict_do_update(
                index_elements=["client_id", "digest"], set_={"expires_at": None}
            )
        )
