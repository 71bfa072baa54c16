"""Pure rules about clients: which service may ask for which token.

The one place to look when a call between services is refused: caller -> target -> scopes.
"""

from collections.abc import Sequence
from enum import StrEnum
from ipaddress import ip_address, ip_network

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
        "auth": frozenset({"institutions:resolve", "letters:send", "revocations:read"}),
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


# --- partner systems --------------------------------------------------------------------------

SECRET_PREFIX = "mlk_"  # noqa: S105  # tells scanners what they found
MAX_SECRETS = 2  # the current one and the one that is being replaced
OVERLAP_HOURS, LONGEST_OVERLAP_HOURS = 24, 720

PARTNER_SCOPES: dict[str, frozenset[str]] = {
    "university": frozenset({"accrual:push", "accrual:read", "ledger:read", "exchange:read"}),
    "iacf": frozenset({"accrual:push", "accrual:read", "ledger:read", "exchange:read"}),
    "company": frozenset({"ledger:read", "exchange:read"}),
    "agency": frozenset({"grants:read"}),
    "ministry": frozenset({"accrual:read", "ledger:read", "grants:read"}),
    "operator": frozenset(),
}
"""What a partner system may be given, by the kind of the institution it belongs to."""


def refused_scopes(kind: str, scopes: Sequence[str]) -> list[str]:
    return sorted(set(scopes) - PARTNER_SCOPES[kind])


def is_network(text: str) -> bool:
    """An address or a network in CIDR writing, without stray host bits."""
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def within(address: str | None, networks: Sequence[str]) -> bool:
    return address is not None and any(
        ip_address(address) in ip_network(network) for network in networks
    )
