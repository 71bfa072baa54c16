"""Starting, refreshing and ending login sessions; revoking access tokens before they expire."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.audit.service import Actor, record
from services.auth.sessions import rules
from services.auth.sessions.models import LoginSession, Revocation
from services.auth.sessions.rules import Family, Verdict
from services.auth.vault import Vault
from shared.problems import NotFound
from shared.tokens import REVOKED_FOR_EVER


@dataclass(frozen=True, slots=True)
class Lifetimes:
    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True)
class Refreshed:
    """`token` is set when the verdict lets the session go on."""

    verdict: Verdict
    session: LoginSession | None = None
    token: str | None = None


def first_token(vault: Vault, family_id: UUID, secret: bytes) -> str:
    """The refresh token of a session that has just begun."""
    return _token(vault, family_id, secret, 1)


async def refresh(
    session: AsyncSession,
    vault: Vault,
    token: str,
    *,
    client_id: str,
    now: datetime,
    lifetimes: Lifetimes,
    actor: Actor,
) -> Refreshed:
    """Judge a shown refresh token and do what follows. Never raises for a bad token, because a
    detected reuse has to be committed: the caller refuses afterwards.

    The row is locked, so two tabs take turns: the first rotates, the second gets the same token.
    """
    shown = rules.parse(token)
    if shown is None:
        return Refreshed(Verdict.UNKNOWN)
    family = await session.get(LoginSession, shown.family_id, with_for_update=True)
    if family is None or family.client_id != client_id:
        return Refreshed(Verdict.UNKNOWN)
    if not _is_genuine(vault, family, shown):
        return Refreshed(Verdict.UNKNOWN)
    verdict = rules.judge(_state(family, lifetimes), shown.generation, now)
    if verdict is Verdict.ROTATE:
        family.generation += 1
        family.rotated_at = now
    elif verdict is Verdict.REUSE:
        record(
            session,
            actor.known_as(family.account_id),
            "session.reuse_detected",
            object_type="session",
            object_id=family.id,
        )
        await end(session, [family.id], reason="reuse", now=now)
    if verdict in {Verdict.ROTATE, Verdict.REPEAT}:
        return Refreshed(
            verdict, family, _token(vault, family.id, family.secret, family.generation)
        )
    return Refreshed(verdict, family)


async def end(
    session: AsyncSession, session_ids: Sequence[UUID], *, reason: str, now: datetime
) -> list[UUID]:
    """End sessions: their refresh tokens at once, their access tokens within seconds. Returns
    the accounts of those that were still live."""
    statement = (
        update(LoginSession)
        .where(LoginSession.id.in_(session_ids), LoginSession.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason)
        .returning(LoginSession.id, LoginSession.account_id)
    )
    ended = (await session.execute(statement)).all()
    await revoke(session, {f"sid:{row.id}": REVOKED_FOR_EVER for row in ended})
    return [row.account_id for row in ended]


async def end_all(session: AsyncSession, account_id: UUID, *, reason: str, now: datetime) -> None:
    """End every session of an account. Its access tokens are the caller's to revoke, by a new
    permission version."""
    await session.execute(
        update(LoginSession)
        .where(LoginSession.account_id == account_id, LoginSession.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason)
    )


MAX_LISTED = 100


async def live_sessions(
    session: AsyncSession, account_id: UUID, *, now: datetime, lifetimes: Lifetimes
) -> Sequence[LoginSession]:
    """The sessions that can still be refreshed, last used first."""
    query = (
        select(LoginSession)
        .where(
            LoginSession.account_id == account_id,
            LoginSession.ended_at.is_(None),
            LoginSession.expires_at > now,
            LoginSession.rotated_at > now - lifetimes.idle,
        )
        .order_by(LoginSession.rotated_at.desc())
        .limit(MAX_LISTED)
    )
    return (await session.scalars(query)).all()


async def end_own(
    session: AsyncSession, account_id: UUID, session_id: UUID, *, actor: Actor, now: datetime
) -> None:
    """End one's own session; raises `NotFound` for anybody else's."""
    family = await session.get(LoginSession, session_id)
    if family is None or family.account_id != account_id:
        raise NotFound
    record(session, actor, "session.ended", object_type="session", object_id=session_id)
    await end(session, [session_id], reason="owner", now=now)


async def end_others(
    session: AsyncSession, account_id: UUID, current: UUID | None, *, actor: Actor, now: datetime
) -> None:
    """End every session of an account but the current one."""
    others = select(LoginSession.id).where(
        LoginSession.account_id == account_id,
        LoginSession.ended_at.is_(None),
        LoginSession.id != current if current is not None else true(),
    )
    ids = (await session.scalars(others)).all()
    record(session, actor, "session.others_ended", object_type="account", object_id=account_id)
    await end(session, ids, reason="owner", now=now)


async def purge(session: AsyncSession, *, sessions_before: datetime, feed_before: datetime) -> None:
    """Forget sessions long over, and revocations of tokens that have all expired."""
    await session.execute(delete(LoginSession).where(LoginSession.expires_at < sessions_before))
    await session.execute(delete(Revocation).where(Revocation.created_at < feed_before))


async def shown_family(session: AsyncSession, vault: Vault, token: str) -> LoginSession | None:
    """The live session a genuine refresh token, of whatever generation, belongs to."""
    shown = rules.parse(token)
    family = await session.get(LoginSession, shown.family_id) if shown is not None else None
    if shown is None or family is None:
        return None
    return family if _is_genuine(vault, family, shown) else None


async def revoke(session: AsyncSession, min_pv: Mapping[str, int]) -> None:
    """Refuse tokens of these subjects below a permission version, everywhere within seconds.

    The lock makes numbers come in the order of commits: without it a reader could see number 7,
    ask for what comes after it, and never see number 6 that committed a moment later. Call it
    last in a transaction: whoever holds it must not wait for a row that another caller holds.
    """
    if not min_pv:
        return
    await session.flush()
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('revocation'))"))
    rows = [{"subject": subject, "min_pv": least} for subject, least in min_pv.items()]
    await session.execute(insert(Revocation), rows)


async def revoked_after(session: AsyncSession, after: int) -> dict[str, Any]:
    """`{"min_pv": {subject: version}, "last": number}`: what was revoked after a number.

    A number we never gave comes from before a restored database: then everything is told again.
    """
    given = await session.scalar(text("SELECT last_value FROM revocation_id_seq"))
    start = after if given is not None and after <= given else 0
    query = select(Revocation).where(Revocation.id > start).order_by(Revocation.id)
    min_pv: dict[str, int] = {}
    last = start
    for row in await session.scalars(query):
        min_pv[row.subject] = max(row.min_pv, min_pv.get(row.subject, 0))
        last = row.id
    return {"min_pv": min_pv, "last": last}


def _state(family: LoginSession, lifetimes: Lifetimes) -> Family:
    return Family(
        generation=family.generation,
        rotated_at=family.rotated_at,
        idle_from=family.rotated_at + lifetimes.idle,
        expires_at=family.expires_at,
        ended=family.ended_at is not None,
    )


def _is_genuine(vault: Vault, family: LoginSession, shown: rules.ShownToken) -> bool:
    macs = _macs(vault, family.id, family.secret, shown.generation)
    return any(hmac.compare_digest(mac, shown.mac) for mac in macs)


def _macs(vault: Vault, family_id: UUID, secret: bytes, generation: int) -> list[str]:
    macs = vault.macs("refresh-token", family_id.bytes, generation.to_bytes(4, "big"), secret)
    return [urlsafe_b64encode(mac).decode().rstrip("=") for mac in macs]


def _token(vault: Vault, family_id: UUID, secret: bytes, generation: int) -> str:
    return rules.write(family_id, generation, _macs(vault, family_id, secret, generation)[0])
