"""Tokens for clients: our services, narrowed to one target, and partner systems."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import rules as account_rules
from services.auth.accounts.models import Account
from services.auth.audit.service import Actor, record
from services.auth.clients import service as clients_service
from services.auth.clients.models import Client
from services.auth.clients.rules import SERVICE_CLIENTS, ClientKind, narrowed, within
from services.auth.errors import ClientUnknown, OAuthProblem, ScopeNotAllowed
from services.auth.institutions import rules as institution_rules
from services.auth.institutions.models import Institution
from services.auth.tokens import rules
from services.auth.tokens.issuing import Issued, Issuer
from shared.tokens import AUDIENCE


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
    try:
        return await _client_token(issuer, login, actor=actor, now=now)
    except ClientUnknown:
        async with issuer.sessions.begin() as session:
            client = await session.get(Client, login.client_id)
            record(
                session,
                actor,
                "client.refused",
                object_type="client",
                object_id=client.id if client is not None else "unknown",
                institution_id=client.institution_id if client is not None else None,
            )
        raise


async def _client_token(
    issuer: Issuer, login: ClientLogin, *, actor: Actor, now: datetime
) -> Issued:
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
            record(
                session,
                replace(actor, client_id=client.id).known_as(client.id, client.institution_id),
                "client.token_issued",
                object_type="client",
                object_id=client.id,
            )
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
    if client.addresses and not within(actor.address, client.addresses):
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


async def _refuse_unknown_subject(session: AsyncSession, subject: str) -> None:
    """Disabled accounts pass: what they began while they were open still has to be finished."""
    account_id = account_rules.id_in(subject)
    if account_id is not None:
        found: object = await session.get(Account, account_id)
    else:
        found = await session.get(Client, subject)
    if found is None:
        raise OAuthProblem(reason="acting_for")
