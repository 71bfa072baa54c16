"""Devices that logged in before: a cookie only we can make, for one login id.

Somebody guessing from elsewhere slows himself down, and everyone who is unknown to the account; a
device with this mark is none of them. The mark opens nothing.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode

from services.auth.vault import Vault

_NONCE_LENGTH = 22


def mark(vault: Vault, login_id: str) -> str:
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_macs(vault, login_id, nonce)[0]}"


def known(vault: Vault, login_id: str, shown: str | None) -> str | None:
    """The place (see `Throttle`) of a device whose mark we made for this login id, else None."""
    nonce, _, mac = (shown or "").partition(".")
    if len(nonce) != _NONCE_LENGTH or not mac.isascii() or not nonce.isascii():
        return None
    genuine = any(hmac.compare_digest(ours, mac) for ours in _macs(vault, login_id, nonce))
    return f"device:{nonce}" if genuine else None


def _macs(vault: Vault, login_id: str, nonce: str) -> list[str]:
    macs = vault.macs("device", login_id.encode("utf-8", "surrogatepass"), nonce.encode())
    return [urlsafe_b64encode(mac).decode().rstrip("=") for mac in macs]
