"""The two secrets this service holds, and everything that is computed with them."""

import hashlib
import hmac
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from services.auth.settings import Settings


class Vault:
    """`seal` and `unseal` are for what we must read again (signing keys, one-time-code seeds);
    `mac` is for what we only have to recognise; `pepper` goes in front of password hashing, so
    that a stolen database alone is not enough to guess passwords."""

    def __init__(self, *, peppers: Sequence[str], encryption_keys: Sequence[str]) -> None:
        self._peppers = {key_id(pepper): pepper.encode() for pepper in peppers}
        self.pepper_id = key_id(peppers[0])
        self._box = MultiFernet([Fernet(_box_key(key)) for key in encryption_keys])

    @classmethod
    def of(cls, settings: Settings) -> "Vault":
        return cls(peppers=settings.peppers, encryption_keys=settings.encryption_keys)

    def seal(self, plain: bytes) -> bytes:
        return self._box.encrypt(plain)

    def unseal(self, sealed: bytes) -> bytes:
        """Raises ValueError when no key of ours opens it."""
        try:
            return self._box.decrypt(sealed)
        except InvalidToken as error:
            raise ValueError("sealed with a key that is not among KEY_ENCRYPTION_KEY") from error

    def mac(self, purpose: str, *parts: bytes) -> bytes:
        """32 bytes nobody else can make; `purpose` keeps one use from standing in for another."""
        return self.macs(purpose, *parts)[0]

    def macs(self, purpose: str, *parts: bytes) -> list[bytes]:
        """The same made with each pepper we know, newest first: to recognise what was made
        before the pepper changed."""
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        subkeys = [
            hmac.digest(pepper, purpose.encode(), "sha256") for pepper in self._peppers.values()
        ]
        return [hmac.digest(subkey, message, "sha256") for subkey in subkeys]

    def pepper(self, password: str, pepper_id: str | None = None) -> str | None:
        """The password as it goes into the hash; None when that pepper is no longer known."""
        pepper = self._peppers.get(pepper_id or self.pepper_id)
        if pepper is None:
            return None
        return b64encode(
            hmac.digest(pepper, password.encode("utf-8", "surrogatepass"), "sha256")
        ).decode()


def _box_key(secret: str) -> bytes:
    """Any long random text serves as an encryption key."""
    return urlsafe_b64encode(hashlib.sha256(b"box:" + secret.encode()).digest())


def key_id(secret: str) -> str:
    """A short public name of a secret, to know which one a stored value was made with."""
    return hashlib.sha256(b"id:" + secret.encode()).hexdigest()[:8]
