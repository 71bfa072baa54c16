"""Access tokens, verified: signature by published key, claims, and the revocation snapshot.

Used by every service and by the gateway, so it knows neither FastAPI nor a database. Tokens are
RFC 9068 JWTs signed by the auth service with ES256; everyone else holds public keys only.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jwt
import structlog
from jwt import PyJWK

from shared.problems import TokenExpired, TokenInvalid, TokenRevoked, UpstreamUnavailable

log = structlog.get_logger()

ALGORITHM = "ES256"
AUDIENCE = "mileage-api"  # of user and partner tokens; a service token names its one target
LEEWAY_SECONDS = 5
CACHE_SIZE = 20_000
REVOKED_FOR_EVER = 2**31 - 1  # a `min_pv` no token reaches


@dataclass(frozen=True, slots=True)
class Claims:
    """Who is calling, as the auth service signed it. No personal data.

    `pv` counts the changes of an account's permissions; `fields` are the accrual fields a
    sub-account may touch (None: every field); `act` is the subject a service acts for; `kid` is
    the key it was signed with.
    """

    sub: str
    client_id: str
    scope: frozenset[str]
    role: str
    exp: int
    iat: int
    jti: str
    sid: str | None = None
    institution_id: str | None = None
    institution_kind: str | None = None
    fields: frozenset[str] | None = None
    pv: int = 0
    act: str | None = None
    pwd_change: bool = False
    test_mode: bool = False
    kid: str = ""

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any], kid: str) -> "Claims":
        fields = payload.get("fields")
        return cls(
            sub=payload["sub"],
            client_id=payload["client_id"],
            scope=frozenset(payload.get("scope", "").split()),
            role=payload.get("role", ""),
            exp=payload["exp"],
            iat=payload["iat"],
            jti=payload["jti"],
            sid=payload.get("sid"),
            institution_id=payload.get("institution_id"),
            institution_kind=payload.get("institution_kind"),
            fields=None if fields is None else frozenset(fields),
            pv=payload.get("pv", 0),
            act=(payload.get("act") or {}).get("sub"),
            pwd_change=payload.get("pwd_change", False),
            test_mode=payload.get("test_mode", False),
            kid=kid,
        )


class KeySource(Protocol):
    async def key(self, kid: str) -> PyJWK | None:
        """The public key with this id, or None when the signer has none such."""


class JwksKeys:
    """Public keys fetched from the auth service: every 10 minutes, and when an unknown id shows
    up, but never more often than every 30 seconds, so that made-up ids cannot flood it."""

    REFRESH_SECONDS = 600.0
    UNKNOWN_KID_SECONDS = 30.0

    def __init__(self, fetch: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
        self._fetch = fetch
        self._keys: dict[str, PyJWK] = {}
        self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()

    def forget(self) -> None:
        """Fetch at the next use: the signer has other keys now."""
        self._fetched_at = float("-inf")

    async def key(self, kid: str) -> PyJWK | None:
        """Raises `UpstreamUnavailable` as long as no key was ever had: that is no fault of the
        token, and a client told otherwise would throw a good one away."""
        if time.monotonic() - self._fetched_at > self._patience(kid):
            async with self._lock:
                if time.monotonic() - self._fetched_at > self._patience(kid):
                    await self._refresh()
        if not self._keys:
            raise UpstreamUnavailable(service="auth", headers={"Retry-After": "2"})
        return self._keys.get(kid)

    def _patience(self, kid: str) -> float:
        if not self._keys:
            return 0.0  # never had a key: the auth service may just be starting
        return self.REFRESH_SECONDS if kid in self._keys else self.UNKNOWN_KID_SECONDS

    async def _refresh(self) -> None:
        try:
            document = await self._fetch()
        except Exception as error:  # noqa: BLE001  # any failure: go on with the keys we have
            log.warning("jwks_fetch_failed", error=repr(error))
        else:
            self._keys = {key["kid"]: PyJWK.from_dict(key) for key in document["keys"]}
        if self._keys:
            self._fetched_at = time.monotonic()


class Revocations:
    """Tokens refused before they expire, as `subject -> least permission version still good`.

    A subject is `sub:<account>`, `sid:<session>`, `client:<client>`, or `kid:<key>` for a signing
    key that leaked: whatever it signed is refused, also what was verified before. The snapshot is
    filled by polling the auth service (see `shared.http.Identity.running`).
    """

    def __init__(self) -> None:
        self._min_pv: dict[str, int] = {}
        self.version = 0

    def apply(self, entries: Mapping[str, int]) -> None:
        if entries:
            self._min_pv.update(entries)
            self.version += 1

    def refuses(self, claims: Claims) -> bool:
        least = self._min_pv.get
        return (
            claims.pv < least("sub:" + claims.sub, 0)
            or claims.pv < least("client:" + claims.client_id, 0)
            or (claims.sid is not None and "sid:" + claims.sid in self._min_pv)
            or "kid:" + claims.kid in self._min_pv
        )


class TokenVerifier:
    """Turns a bearer token into `Claims`, or raises `TokenInvalid`, `TokenExpired`, `TokenRevoked`.

    A verified token is remembered by its hash until it expires; revocation is checked every time.
    """

    def __init__(
        self,
        keys: KeySource,
        *,
        issuer: str,
        audiences: frozenset[str],
        revocations: Revocations | None = None,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audiences = audiences
        self.revocations = revocations or Revocations()
        self._verified: dict[bytes, Claims] = {}

    async def verify(self, token: str) -> Claims:
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        claims = self._verified.get(digest)
        if claims is None:
            claims = await self._decode(token)
            if len(self._verified) >= CACHE_SIZE:
                self._verified.clear()  # crude and rare: everyone pays one verification
            self._verified[digest] = claims
        if claims.exp + LEEWAY_SECONDS < time.time():
            self._verified.pop(digest, None)
            raise TokenExpired
        if self.revocations.refuses(claims):
            raise TokenRevoked
        return claims

    async def _decode(self, token: str) -> Claims:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ") != "at+jwt" or header.get("alg") != ALGORITHM:
                raise TokenInvalid
            kid = str(header.get("kid", ""))
            key = await self._keys.key(kid)
            if key is None:
                raise TokenInvalid
            payload = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audiences,
                leeway=LEEWAY_SECONDS,
                options={
                    "require": ["exp", "iat", "jti", "sub", "iss", "aud", "client_id"],
                    "verify_iat": False,  # a clock behind auth's must not shut everybody out
                },
            )
            return Claims.from_payload(payload, kid)
        except jwt.ExpiredSignatureError as error:
            raise TokenExpired from error
        except (jwt.InvalidTokenError, UnicodeError, KeyError, TypeError, ValueError) as error:
            raise TokenInvalid from error
