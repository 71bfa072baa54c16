"""Who is calling and from where, for the routes of this service."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from services.auth.accounts.rules import (
    ADMINISTER_ACCOUNTS,
    MANAGE_ACCOUNTS,
    OWN_ACCOUNT,
    PASSWORD_CHANGE,
    SECOND_FACTOR_ENROL,
    id_in,
)
from services.auth.accounts.staff import Manager
from services.auth.audit.service import Actor
from services.auth.origin import address_of
from services.auth.runtime import AuthRuntime
from shared.caller import Caller, requires
from shared.problems import PermissionDenied
from shared.tokens import Claims


async def _runtime(request: Request) -> AuthRuntime:
    runtime: AuthRuntime = request.app.state.runtime
    return runtime


Runtime = Annotated[AuthRuntime, Depends(_runtime)]


async def _stranger(request: Request, runtime: Runtime) -> Actor:
    return Actor(
        address=address_of(request, runtime.settings.proxies),
        user_agent=(request.headers.get("user-agent") or "")[:200] or None,
    )


Stranger = Annotated[Actor, Depends(_stranger)]
"""Somebody we do not know yet: only where the request comes from."""


def actor_of(claims: Claims, stranger: Actor) -> Actor:
    return Actor(
        sub=claims.sub,
        client_id=claims.client_id,
        institution_id=UUID(claims.institution_id) if claims.institution_id else None,
        address=stranger.address,
        user_agent=stranger.user_agent,
    )


async def _calling_actor(caller: Caller, stranger: Stranger) -> Actor:
    return actor_of(caller, stranger)


CallingActor = Annotated[Actor, Depends(_calling_actor)]
PasswordOwner = Annotated[Claims, Depends(requires(PASSWORD_CHANGE))]
Self = Annotated[Claims, Depends(requires(OWN_ACCOUNT))]
FactorOwner = Annotated[Claims, Depends(requires(OWN_ACCOUNT, SECOND_FACTOR_ENROL))]
Operator = Annotated[Claims, Depends(requires(ADMINISTER_ACCOUNTS))]
Officer = Annotated[Claims, Depends(requires("grants:manage"))]
ManagerClaims = Annotated[Claims, Depends(requires(MANAGE_ACCOUNTS, ADMINISTER_ACCOUNTS))]


def account_id_of(claims: Claims) -> UUID:
    """The caller's account. Tokens of clients stand for no account."""
    account_id = id_in(claims.sub)
    if account_id is None:
        raise PermissionDenied
    return account_id


def enrols_only(claims: Claims) -> bool:
    """Whether this token is for registering a first second factor, and for nothing else."""
    return OWN_ACCOUNT not in claims.scope


async def _managing(claims: ManagerClaims, stranger: Stranger) -> Manager:
    return Manager(
        actor=actor_of(claims, stranger),
        account_id=account_id_of(claims),
        sees_all=ADMINISTER_ACCOUNTS in claims.scope,
    )


Managing = Annotated[Manager, Depends(_managing)]
"""A lead, who manages the accounts under him, or the operator, who manages all."""
