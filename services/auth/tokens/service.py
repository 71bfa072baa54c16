"""Use cases of people's sessions: refreshing one's tokens, and ending it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import holders
from services.auth.accounts.models import Account
from services.auth.audit.service import Actor, record
from services.auth.errors import RefreshRefused
from services.auth.messages import rules as letters
from services.auth.messages import service as messages
from services.auth.sessions import service as sessions_service
from services.auth.sessions.rules import Verdict
from services.auth.tokens.issuing import Issued, Issuer, errand, session_token
from services.auth.vault import Vault


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
            family = outcome.session
            holder = await holders.find(session, family.account_id)
            if holder.is_open and errand(issuer, holder) is None:
                methods = family.methods.split()
                issued = await session_token(
                    issuer,
                    holder,
                    methods,
                    family.id,
                    outcome.token,
                    ends_at=min(family.rotated_at + issuer.lifetimes.idle, family.expires_at),
                    now=now,
                )
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
