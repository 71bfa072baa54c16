"""Token introspection (RFC 7662): for steps that must not wait for the revocation snapshot."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts.models import Account
from services.auth.accounts.rules import Status, id_in
from services.auth.clients.models import Client
from services.auth.clients.rules import ClientKind
from services.auth.institutions.models import Institution
from services.auth.institutions.rules import Status as InstitutionStatus
from services.auth.sessions.models import LoginSession
from shared.problems import Unauthenticated
from shared.tokens import Claims, TokenVerifier

INACTIVE: dict[str, Any] = {"active": False}


async def introspect(
    session: AsyncSession,
    verifier: TokenVerifier,
    token: str,
    *,
    asked_by: Client,
    now: datetime,
) -> dict[str, Any]:
    """Whether an access token is good at this moment, by the database and not by a snapshot.

    A partner is told about its own tokens only, our services about any.
    """
    try:
        claims = await verifier.verify(token)
    except Unauthenticated:
        return INACTIVE
    own = asked_by.kind == ClientKind.SERVICE or claims.client_id == asked_by.id
    if not own or not await _is_live(session, claims, now):
        return INACTIVE
    return {
        "active": True,
        "sub": claims.sub,
        "client_id": claims.client_id,
        "scope": " ".join(sorted(claims.scope)),
        "exp": claims.exp,
        "iat": claims.iat,
        "token_type": "Bearer",
    }


async def _is_live(session: AsyncSession, claims: Claims, now: datetime) -> bool:
    account_id = id_in(claims.sub)
    if account_id is None:
        client = await session.get(Client, claims.sub)
        return client is not None and client.enabled and claims.pv >= client.pv
    account = await session.get(Account, account_id)
    if account is None or account.status != Status.ACTIVE or claims.pv < account.pv:
        return False
    institution = await session.get_one(Institution, account.institution_id)
    if institution.status == InstitutionStatus.SUSPENDED:
        return False
    session_id = id_in(claims.sid)
    if session_id is None:
        return True
    login = await session.get(LoginSession, session_id)
    return login is not None and login.ended_at is None and login.expires_at > now
