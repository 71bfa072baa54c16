"""Making people's access tokens: what a process needs for it, and what comes out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.auth.accounts import rules as account_rules
from services.auth.accounts.authenticators import RelyingParty
from services.auth.accounts.holders import Holder
from services.auth.accounts.passwords import Passwords
from services.auth.accounts.rules import PASSWORD_CHANGE, SECOND_FACTOR_ENROL
from services.auth.sessions.service import Lifetimes
from services.auth.tokens import rules
from services.auth.tokens.keys import SigningKeys
from services.auth.vault import Vault
from shared.db import Database, Sessions
from shared.tokens import AUDIENCE


@dataclass(frozen=True, slots=True)
class Issuer:
    """What issuing tokens needs of the process; `name` is the `iss` claim."""

    name: str
    database: Database
    vault: Vault
    passwords: Passwords
    keys: SigningKeys
    lifetimes: Lifetimes
    party: RelyingParty
    operator_second_factor: bool

    @property
    def sessions(self) -> Sessions:
        return self.database.sessions


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


def errand(issuer: Issuer, holder: Holder) -> str | None:
    """The one thing that has to be done before anything else: changing the password (M-002), or
    registering the second factor this installation demands of operators."""
    if holder.must_change_password:
        return PASSWORD_CHANGE
    decides = holder.role in account_rules.OPERATING_ROLES
    if issuer.operator_second_factor and decides and not holder.has_second_factor:
        return SECOND_FACTOR_ENROL
    return None


async def session_token(
    issuer: Issuer,
    holder: Holder,
    methods: Sequence[str],
    session_id: UUID,
    refresh_token: str,
    *,
    ends_at: datetime,
    now: datetime,
) -> Issued:
    """A token for all that its holder may do, as part of a session. `ends_at`: when that is over
    unless it is refreshed."""
    scopes = account_rules.scopes_of(holder.role, lead=holder.lead)
    issued = await _token(issuer, holder, scopes, methods, session_id, now=now)
    left = max(0, int((ends_at - now).total_seconds()))
    return replace(issued, refresh_token=refresh_token, session_expires_in=left)


async def errand_token(
    issuer: Issuer, holder: Holder, methods: Sequence[str], scope: str, *, now: datetime
) -> Issued:
    """A token without a session: it opens one thing only, and not for long."""
    return await _token(issuer, holder, [scope], methods, None, now=now)


async def _token(
    issuer: Issuer,
    holder: Holder,
    scopes: Sequence[str],
    methods: Sequence[str],
    session_id: UUID | None,
    *,
    now: datetime,
) -> Issued:
    pwd_change = session_id is None and PASSWORD_CHANGE in scopes
    claims = rules.user_claims(
        account_id=holder.id,
        session_id=session_id,
        scopes=scopes,
        role=holder.role,
        institution_id=holder.institution_id,
        institution_kind=holder.institution_kind,
        fields=holder.fields,
        pv=holder.pv,
        client_id=rules.PORTAL,
        methods=methods,
        pwd_change=pwd_change,
    )
    lifetime = rules.USER_LIFETIME if session_id is not None else rules.ERRAND_LIFETIME
    token = await issuer.keys.sign(
        claims | {"iss": issuer.name, "aud": AUDIENCE}, lifetime=lifetime, now=now
    )
    return Issued(token, int(lifetime.total_seconds()), " ".join(scopes), pwd_change=pwd_change)
