"""A software authenticator, written from the WebAuthn standard: it makes keys and signs with them
as a phone or a security key does, and it can be told to misbehave."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.conftest import ISSUER

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Authenticator:
    """One passkey. `count` None: it does not count, as those of key rings."""

    def __init__(self, *, origin: str = ISSUER, count: int | None = 0) -> None:
        self.origin = origin
        self.count = count
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.user_handle = b""
        self.verifies_user = True

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.create(options)` answers, with attestation `none`."""
        self.user_handle = raw(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        credential = bytes(16) + len(self.id).to_bytes(2) + self.id + cbor2.dumps(cose)
        data = self._data(options["rp"]["id"], ATTESTED) + credential
        attestation = {"fmt": "none", "attStmt": {}, "authData": data}
        return self._credential(
            clientDataJSON=b64(self._client_data("webauthn.create", options)),
            attestationObject=b64(cbor2.dumps(attestation)),
        )

    def get(self, options: dict[str, Any]) -> str:
        """What `navigator.credentials.get(options)` answers, as JSON."""
        if self.count is not None:
            self.count += 1
        data = self._data(options["rpId"])
        client_data = self._client_data("webauthn.get", options)
        signed = data + hashlib.sha256(client_data).digest()
        answer = self._credential(
            clientDataJSON=b64(client_data),
            authenticatorData=b64(data),
            signature=b64(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
            userHandle=b64(self.user_handle),
        )
        return json.dumps(answer)

    def _client_data(self, kind: str, options: dict[str, Any]) -> bytes:
        challenge = options["challenge"]
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _data(self, domain: str, flags: int = 0) -> bytes:
        flags |= USER_PRESENT | (USER_VERIFIED if self.verifies_user else 0)
        return (
            hashlib.sha256(domain.encode()).digest()
            + bytes([flags])
            + (self.count or 0).to_bytes(4)
        )

    def _credential(self, **response: str) -> dict[str, Any]:
        shown = b64(self.id)
        return {"id": shown, "rawId": shown, "type": "public-key", "response": response}
