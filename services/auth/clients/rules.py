"""Pure rules about clients: which service may ask for which token.

The one place to look when a call between services is refused: caller -> target -> scopes.
"""

from enum import StrEnum

SERVICE_CLIENTS: dict[str, dict[str, frozenset[str]]] = {
    "auth": {},
    "accrual": {
        "auth": frozenset({"institutions:resolve", "revocations:read"}),
        "grants": frozenset({"grants:read"}),
    },
    "exchange": {
        "accrual": frozenset({"ledger:transfer"}),
        "auth": frozenset({"institutions:resolve", "revocations:read"}),
    },
    "grants": {
        "auth": frozenset({"institutions:resolve", "revocations:read"}),
        "accrual": frozenset({"ledger:transfer", "ledger:read", "accrual:read"}),
        "exchange": frozenset({"exchange:read"}),
    },
    "gateway": {"auth": frozenset({"revocations:read"})},
}


class ClientKind(StrEnum):
    SERVICE = "service"
    PARTNER = "partner"


def narrowed(asked: str | None, allowed: frozenset[str]) -> frozenset[str] | None:
    """The scopes to grant: what was asked, or everything; None if more was asked than allowed."""
    wanted = frozenset((asked or "").split())
    if not wanted:
        return allowed or None
    return wanted if wanted <= allowed else None
