"""Webhooks told from forgeries, as Standard Webhooks 1.0 signs them."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

TOLERANCE_SECONDS = 300


class SignatureError(Exception):
    """The message is not from the platform, was changed, or is too old to be taken."""


def verify(
    secrets: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float | None = None,
) -> dict[str, Any]:
    """The event of a request, once its signature is right.

    `body` is what was received, byte for byte. Give both secrets while one replaces the other.
    Whoever is called may see a message twice: remember its `webhook-id`. Raises `SignatureError`.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message, sent = given["webhook-id"], given["webhook-timestamp"]
        signatures = given["webhook-signature"].encode().split()
        age = abs((time.time() if now is None else now) - int(sent))
    except (KeyError, ValueError) as error:
        raise SignatureError("no signature") from error
    if age > TOLERANCE_SECONDS:
        raise SignatureError("too old, or from the future")
    signed = f"{message}.{sent}.".encode() + body
    known = [secrets] if isinstance(secrets, str) else secrets
    right = [_signature(secret, signed) for secret in known]
    if not any(hmac.compare_digest(one, other) for one in right for other in signatures):
        raise SignatureError("the signature does not match")
    event: dict[str, Any] = json.loads(body)
    return event


def _signature(secret: str, signed: bytes) -> bytes:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
