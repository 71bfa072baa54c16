"""Pure rules of tokens: which key signs, how long tokens live, what their claims say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

USER_LIFETIME = timedelta(minutes=10)
SERVICE_LIFETIME = timedelta(minutes=5)
PARTNER_LIFETIME = timedelta(minutes=15)
ERRAND_LIFETIME = timedelta(minutes=5)  # of tokens for one thing only
LONGEST_LIFETIME = PARTNER_LIFETIME

PUBLISHED_BEFORE_USE = timedelta(hours=24)
KEPT_AFTER_USE = LONGEST_LIFETIME + timedelta(hours=1)

PASSKEY_GRANT = "urn:sanhak-mileage:passkey"  # an extension grant is named by a URI (RFC 6749, 4.5)
PORTAL = "portal"  # the one client people log in with: first-party and public


@dataclass(frozen=True, slots=True)
class KeyTimes:
    kid: str
    active_from: datetime


def signing_kid(keys: Sequence[KeyTimes], now: datetime) -> str | None:
    """The key that signs at `now`: the youngest whose time has come."""
    active = [key for key in keys if key.active_from <= now]
    return max(active, key=lambda key: key.active_from).kid if active else None


def outlived(keys: Sequence[KeyTimes], now: datetime) -> list[str]:
    """Keys no valid token can be signed with any more: their successor has signed for longer
    than any token lives."""
    ordered = sorted(keys, key=lambda key: key.active_from)
    return [
        key.kid
        for key, successor in pairwise(ordered)
        if successor.active_from + KEPT_AFTER_USE < now
    ]


def user_claims(
    *,
    account_id: UUID,
    session_id: UUID | None,
    scopes: Sequence[str],
    role: str,
    institution_id: UUID,
    institution_kind: str,
    fields: Sequence[str] | None,
    pv: int,
    client_id: str,
    methods: Sequence[str],
    pwd_change: bool,
) -> dict[str, Any]:
    """What a user's token says about the user: no personal data."""
    claims: dict[str, Any] = {
        "sub": str(account_id),
        "client_id": client_id,
        "scope": " ".join(scopes),
        "role": role,
        "institution_id": str(institution_id),
        "institution_kind": institution_kind,
        "pv": pv,
        "amr": list(methods),
    }
    if session_id is not None:
        claims["sid"] = str(session_id)
    if fields is not None:
        claims["fields"] = list(fields)
    if pwd_change:
        claims["pwd_change"] = True
    return claims
