"""Signing keys: kept in the database, read again every second, rotated with overlap."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt import PyJWK
from jwt.algorithms import ECAlgorithm
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.audit.service import SYSTEM, record
from services.auth.sessions.service import revoke
from services.auth.tokens import rules
from services.auth.tokens.models import SigningKey
from services.auth.tokens.rules import KeyTimes
from services.auth.vault import Vault
from shared.clock import utc_now
from shared.db import Sessions
from shared.tokens import ALGORITHM, REVOKED_FOR_EVER

REREAD_SECONDS = 1.0  # a process signs with a withdrawn key for no longer than this


class NoSigningKey(Exception):  # noqa: N818  # a state, told by its name
    """The database holds no key yet: `bootstrap` makes the first one."""


@dataclass(frozen=True, slots=True)
class _Pair:
    times: KeyTimes
    public: PyJWK
    document: Mapping[str, Any]
    private: ec.EllipticCurvePrivateKey


class SigningKeys:
    """Signs tokens, and is the source of public keys for verifying our own."""

    def __init__(self, sessions: Callable[[], Sessions], vault: Vault) -> None:
        self._sessions = sessions
        self._vault = vault
        self._pairs: dict[str, _Pair] = {}
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    async def sign(self, claims: Mapping[str, Any], *, lifetime: timedelta, now: datetime) -> str:
        """An access token (RFC 9068) with these claims; `iat`, `exp` and `jti` are added."""
        await self._read_if_old()
        kid = rules.signing_kid([pair.times for pair in self._pairs.values()], now)
        if kid is None:
            raise NoSigningKey
        issued = int(now.timestamp())
        payload = {
            **claims,
            "iat": issued,
            "exp": issued + int(lifetime.total_seconds()),
            "jti": uuid4().hex,
        }
        return jwt.encode(
            payload,
            self._pairs[kid].private,
            algorithm=ALGORITHM,
            headers={"kid": kid, "typ": "at+jwt"},
        )

    async def key(self, kid: str) -> PyJWK | None:
        await self._read_if_old()
        pair = self._pairs.get(kid)
        return pair.public if pair is not None else None

    async def jwks(self) -> list[Mapping[str, Any]]:
        """All public keys, the next one included."""
        await self._read_if_old()
        return [pair.document for pair in self._pairs.values()]

    def forget(self) -> None:
        """Read again at the next use."""
        self._read_at = float("-inf")

    async def _read_if_old(self) -> None:
        if time.monotonic() - self._read_at <= REREAD_SECONDS:
            return
        async with self._lock:
            if time.monotonic() - self._read_at <= REREAD_SECONDS:
                return
            async with self._sessions()() as session:
                rows = (await session.scalars(select(SigningKey))).all()
            self._pairs = {row.kid: self._pairs.get(row.kid) or self._pair(row) for row in rows}
            self._read_at = time.monotonic()

    def _pair(self, row: SigningKey) -> _Pair:
        private = serialization.load_der_private_key(self._vault.unseal(row.private), None)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        return _Pair(
            KeyTimes(row.kid, row.active_from), PyJWK.from_dict(row.public), row.public, private
        )


async def make_key(session: AsyncSession, vault: Vault, *, active_from: datetime) -> str:
    """Add a key pair; returns its id, the RFC 7638 thumbprint of the public key."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    members = {name: public[name] for name in ("crv", "kty", "x", "y")}
    kid = hashlib.sha256(orjson.dumps(members, option=orjson.OPT_SORT_KEYS)).hexdigest()[:43]
    sealed = vault.seal(
        private.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    document = {**members, "kid": kid, "use": "sig", "alg": ALGORITHM}
    session.add(SigningKey(kid=kid, public=document, private=sealed, active_from=active_from))
    record(session, SYSTEM, "signing_key.made", object_type="signing_key", object_id=kid)
    return kid


async def ensure_key(session: AsyncSession, vault: Vault) -> None:
    """The first key, once; two processes at once take turns."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('signing_key'))"))
    if await session.scalar(select(SigningKey.kid).limit(1)) is None:
        await make_key(session, vault, active_from=utc_now())


async def rotate(session: AsyncSession, vault: Vault, *, overlap: timedelta, now: datetime) -> str:
    """Publish the next key now, sign with it after `overlap`, and drop keys long out of use."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('signing_key'))"))
    rows = (await session.scalars(select(SigningKey))).all()
    dead = rules.outlived([KeyTimes(row.kid, row.active_from) for row in rows], now)
    await _drop(session, dead)
    return await make_key(session, vault, active_from=now + overlap)


async def replace_all(session: AsyncSession, vault: Vault, *, now: datetime) -> str:
    """A key leaked: sign with a new one at once, and let nothing that another one signed be
    believed any more, by anybody, within seconds: the feed of revocations names the keys. Sessions
    go on, since refresh tokens are not signed with these keys."""
    kid = await rotate(session, vault, overlap=timedelta(), now=now)
    others = (await session.scalars(select(SigningKey.kid).where(SigningKey.kid != kid))).all()
    await _drop(session, others)
    await revoke(session, {f"kid:{other}": REVOKED_FOR_EVER for other in others})
    return kid


async def _drop(session: AsyncSession, kids: Sequence[str]) -> None:
    await session.execute(delete(SigningKey).where(SigningKey.kid.in_(kids)))
    for kid in kids:
        record(session, SYSTEM, "signing_key.dropped", object_type="signing_key", object_id=kid)
