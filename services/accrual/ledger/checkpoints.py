"""Signed checkpoints: once a day, the heads of all chains that moved, under one signature.

Chains alone do not stop whoever may rewrite the whole database: all hashes can be computed anew. A
checkpoint that left the house does, since its signature cannot. Each covers the accounts that
moved since the one before (a Merkle tree of account, version, head) and names the hash of that one;
so no account, and no checkpoint, can be left out later. Certificates carry the proof of their
account's place in it.
"""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.ledger import merkle
from services.accrual.ledger.models import Checkpoint, CheckpointHead

TYPE: Final = "sanhak-mileage.checkpoint/1"

# One statement sees one state of the accounts. Who is being moved meanwhile is in the next.
_HEADS = text(
    """
    INSERT INTO ledger_checkpoint_head (account_id, number, version, head)
    SELECT a.id, :number, a.version, a.head FROM account AS a
    WHERE a.version > coalesce((
        SELECT h.version FROM ledger_checkpoint_head AS h WHERE h.account_id = a.id
        ORDER BY h.number DESC LIMIT 1), 0)
    """
)
# A head signed for a version must be the hash of that entry, and versions go up.
_UNKEPT = text(
    """
    SELECT h.account_id, h.version, h.number, c.at
    FROM ledger_checkpoint_head AS h
    JOIN ledger_checkpoint AS c USING (number)
    LEFT JOIN entry AS e ON e.account_id = h.account_id AND e.version = h.version
    WHERE e.hash IS DISTINCT FROM h.head
    ORDER BY h.number, h.account_id LIMIT 1
    """
)


@dataclass(frozen=True, slots=True)
class Proof:
    """That an account stood at `head` after `version` entries, by checkpoint `number`.

    `payload` is the signed text, byte for byte; its `root` is what `leaf` and `path` lead to.
    Keys, signatures are base64, hashes hex.
    """

    number: int
    payload: str
    signature: str
    public_key: str
    version: int
    head: str
    index: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BrokenCheckpoint:
    number: int
    account_id: UUID | None
    version: int | None
    at: datetime


def signing_key(secret: bytes) -> Ed25519PrivateKey:
    """The service's own key. Another secret is another key; older checkpoints keep theirs."""
    seed = hmac.digest(secret, b"ledger checkpoints", "sha256")
    return Ed25519PrivateKey.from_private_bytes(seed)


def leaf_of(account_id: UUID, version: int, head: bytes) -> bytes:
    return merkle.leaf(account_id.bytes + version.to_bytes(8, "big") + head)


async def take(
    session: AsyncSession, key: Ed25519PrivateKey, *, now: datetime
) -> Checkpoint | None:
    """Sign what moved since the last one; None when nothing did."""
    await session.execute(text("LOCK TABLE ledger_checkpoint IN EXCLUSIVE MODE"))
    before = await latest(session)
    number = 1 if before is None else before.number + 1
    checkpoint = Checkpoint(number=number, at=now, payload="", signature=b"", public_key=b"")
    await session.execute(_HEADS, {"number": number})
    leaves = [leaf async for leaf in _leaves(session, number)]
    if not leaves:
        return None
    checkpoint.payload = orjson.dumps(
        {
            "type": TYPE,
            "number": number,
            "at": now.isoformat(timespec="seconds"),
            "accounts": len(leaves),
            "root": merkle.root(leaves).hex(),
            "previous": _hash(before),
        },
        option=orjson.OPT_SORT_KEYS,
    ).decode()
    checkpoint.signature = key.sign(checkpoint.payload.encode())
    checkpoint.public_key = key.public_key().public_bytes_raw()
    session.add(checkpoint)
    await session.flush()
    return checkpoint


async def latest(session: AsyncSession) -> Checkpoint | None:
    query = select(Checkpoint).order_by(Checkpoint.number.desc()).limit(1)
    return (await session.scalars(query)).one_or_none()


async def proof_of(session: AsyncSession, account_id: UUID) -> Proof | None:
    """The newest signed state of an account; None before its first checkpoint."""
    query = (
        select(Checkpoint, CheckpointHead)
        .join(CheckpointHead, CheckpointHead.number == Checkpoint.number)
        .where(CheckpointHead.account_id == account_id)
        .order_by(Checkpoint.number.desc())
        .limit(1)
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return None
    checkpoint, head = row
    leaves = [leaf async for leaf in _leaves(session, checkpoint.number)]
    index = leaves.index(leaf_of(account_id, head.version, head.head))
    return Proof(
        number=checkpoint.number,
        payload=checkpoint.payload,
        signature=base64.b64encode(checkpoint.signature).decode(),
        public_key=base64.b64encode(checkpoint.public_key).decode(),
        version=head.version,
        head=head.head.hex(),
        index=index,
        path=tuple(one.hex() for one in merkle.proof(leaves, index)),
    )


def proves(proof: Proof, account_id: UUID) -> bool:
    """What whoever holds a certificate can compute: the signature, and the way to the root."""
    payload = orjson.loads(proof.payload)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(proof.public_key))
    leaf = leaf_of(account_id, proof.version, bytes.fromhex(proof.head))
    path = [bytes.fromhex(one) for one in proof.path]
    try:
        public.verify(base64.b64decode(proof.signature), proof.payload.encode())
        root = merkle.root_of_proof(leaf, proof.index, payload["accounts"], path)
    except (InvalidSignature, ValueError):
        return False
    return bool(root.hex() == payload["root"])


async def first_broken(session: AsyncSession) -> BrokenCheckpoint | None:
    """The first checkpoint whose signature, tree or predecessor is wrong, or the first account
    that no longer is what was signed."""
    before: Checkpoint | None = None
    for checkpoint in await session.scalars(select(Checkpoint).order_by(Checkpoint.number)):
        leaves = [leaf async for leaf in _leaves(session, checkpoint.number)]
        if not _is_whole(checkpoint, before, leaves):
            return BrokenCheckpoint(checkpoint.number, None, None, checkpoint.at)
        before = checkpoint
    row = (await session.execute(_UNKEPT)).one_or_none()
    return BrokenCheckpoint(row.number, row.account_id, row.version, row.at) if row else None


def published(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "number": checkpoint.number,
        "at": checkpoint.at,
        "payload": checkpoint.payload,
        "signature": base64.b64encode(checkpoint.signature).decode(),
        "public_key": base64.b64encode(checkpoint.public_key).decode(),
    }


def for_certificate(proof: Proof | None) -> dict[str, Any] | None:
    return None if proof is None else {**asdict(proof), "path": list(proof.path)}


def _is_whole(checkpoint: Checkpoint, before: Checkpoint | None, leaves: Sequence[bytes]) -> bool:
    public = Ed25519PublicKey.from_public_bytes(checkpoint.public_key)
    try:
        public.verify(checkpoint.signature, checkpoint.payload.encode())
    except InvalidSignature:
        return False
    said = orjson.loads(checkpoint.payload)
    return (said["number"], said["previous"], said["accounts"], said["root"]) == (
        checkpoint.number,
        _hash(before),
        len(leaves),
        merkle.root(leaves).hex(),
    ) and checkpoint.number == (1 if before is None else before.number + 1)


def _hash(checkpoint: Checkpoint | None) -> str:
    return "" if checkpoint is None else hashlib.sha256(checkpoint.payload.encode()).hexdigest()


async def _leaves(session: AsyncSession, number: int) -> AsyncIterator[bytes]:
    query = (
        select(CheckpointHead.account_id, CheckpointHead.version, CheckpointHead.head)
        .where(CheckpointHead.number == number)
        .order_by(CheckpointHead.account_id)
    )
    for row in await session.execute(query):
        yield leaf_of(*row)
