"""The ledger on the wire. Points are whole numbers; instants are UTC."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from services.accrual.ledger.rules import MAX_AMOUNT, MAX_BATCH
from shared.schemas import Body, Schema

Points = Annotated[int, Field(strict=True, gt=0, le=MAX_AMOUNT)]
HoldState = Literal["pending", "posted", "voided", "expired"]
Text200 = Annotated[str, StringConstraints(max_length=200)]
KindName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{1,39}$")]


class MoveIn(Body):
    """Points from one institution to another. The id is the caller's, chosen before the call."""

    id: UUID
    institution_id: UUID
    to_institution_id: UUID
    amount: Points
    kind: KindName
    reference: Text200 | None = None
    title: Text200 | None = None
    origin_id: UUID | None = None


class HoldIn(MoveIn):
    expires_at: AwareDatetime | None = None


class TransfersIn(Body):
    transfers: Annotated[list[MoveIn], Field(min_length=1, max_length=MAX_BATCH)]


class TransfersOut(Schema):
    posted: int
    replayed: int


class PostIn(Body):
    id: UUID
    amount: Points


class VoidIn(Body):
    id: UUID


class ReversalIn(Body):
    """`amount` null: all of the original."""

    id: UUID
    transfer_id: UUID
    amount: Points | None = None
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class TransferOut(Schema):
    """A transfer as it stands. `state` of a hold is what became of it, `posted` how much of it was
    posted; accounts and amount are null for a hold that was voided before it arrived."""

    id: UUID
    state: HoldState
    kind: str
    institution_id: UUID | None
    to_institution_id: UUID | None
    amount: int | None
    pending_id: UUID | None
    reverses_id: UUID | None
    ended_by: UUID | None
    posted: int | None
    reversed: int
    reference: str | None
    effective_at: AwareDatetime
    recorded_at: AwareDatetime
    expires_at: AwareDatetime | None


class BalanceOut(Schema):
    institution_id: UUID
    balance: int
    held: int
    available: int


class FieldBalanceOut(Schema):
    """Points earned in an accrual field; null: spending and what else belongs to no field."""

    field: str | None
    points: int


class BrokenOut(Schema):
    """The first row that does not fit."""

    check: str
    account_id: UUID | None
    version: int | None
    transfer_id: UUID | None
    recorded_at: AwareDatetime


class ReportOut(Schema):
    """What recomputing every digest, chain, balance and pair of entries found."""

    ok: bool
    accounts: int
    entries: int
    transfers: int
    points_issued: int
    broken: BrokenOut | None


class AccountOut(Schema):
    """`balance`, `held` and `available` are null for a sub-account limited to some fields."""

    institution_id: UUID
    balance: int | None
    held: int | None
    available: int | None
    as_of: AwareDatetime | None
    by_field: list[FieldBalanceOut]


class EntryOut(Schema):
    """One line of a statement: `amount` positive 적립, negative 인출; `balance` 잔여 after it.

    `balance` is null for a sub-account limited to some fields.
    """

    number: int
    recorded_at: AwareDatetime
    effective_at: AwareDatetime
    kind: str
    field: str | None
    title: str | None
    amount: int
    balance: int | None
    counterparty_id: UUID | None
    origin_id: UUID | None
    reference: str | None
    reason: str | None
    transfer_id: UUID
    reverses_id: UUID | None


class CheckpointOut(Schema):
    """`signature` (Ed25519, base64) covers `payload` byte for byte. `payload` is JSON: the root of
    the Merkle tree of the accounts that moved, and the SHA-256 of the payload before."""

    number: int
    at: AwareDatetime
    payload: str
    signature: str
    public_key: str


class ProofOut(Schema):
    """An account's place in a signed checkpoint: `head` after `version` entries, and the hashes
    from its leaf, the one at `index`, up to the root that `payload` names."""

    number: int
    payload: str
    signature: str
    public_key: str
    version: int
    head: str
    index: int
    path: list[str]
