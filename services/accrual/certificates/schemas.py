"""Certificates on the wire. Points are whole numbers, days are Korean calendar days."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from services.accrual.ledger.schemas import ProofOut
from shared.schemas import Body, Schema

Line = Annotated[str, StringConstraints(min_length=1, max_length=60)]
State = Literal["genuine", "expired", "revoked"]


class IssueIn(Body):
    as_of: Annotated[date, Field(description="기준일. 그날이 끝난 때의 마일리지를 확인합니다.")]
    purpose: Annotated[Line | None, Field(description="용도")] = None
    recipient: Annotated[Line | None, Field(description="제출처")] = None


class RevokeIn(Body):
    reason: Annotated[str, StringConstraints(min_length=2, max_length=500)]


class PartOut(Schema):
    """Points of an accrual field; `field` null: spending, transfers and adjustments."""

    field: str | None
    name: str
    points: int


class LedgerOut(Schema):
    """The state of the ledger account the certificate rests on: how many entries it had, and the
    hash of the last one, in hex. `checkpoint`: the newest signed state of the account; null in
    certificates older than its first checkpoint."""

    version: int
    head: str
    checkpoint: ProofOut | None = None


class CertificateOut(Schema):
    """`verification_number` and `second_key` are what a recipient needs to verify the paper."""

    id: UUID
    number: str
    verification_number: str
    second_key: str
    state: State
    institution_id: UUID
    institution_name: str
    brn: str | None
    purpose: str | None
    recipient: str | None
    as_of: date
    by_field: list[PartOut]
    balance: int
    ledger: LedgerOut
    issued_at: AwareDatetime
    valid_until: date
    reissue_of: UUID | None
    revoked_at: AwareDatetime | None
    revoke_reason: str | None
    file_sha256: str
    file_size: int


class EventOut(Schema):
    at: AwareDatetime
    by: str
    role: str
    action: str


class VerificationOut(Schema):
    """What anyone who knows both numbers may learn; names are masked.

    `altered`: the file sent is not the one issued; the figures are those of the issued one. The
    figures of a revoked certificate are withheld.
    """

    result: Literal["genuine", "expired", "revoked", "altered"]
    number: str
    institution_name: str
    brn: str | None
    as_of: date
    issued_on: date
    valid_until: date
    revoked_on: date | None
    by_field: list[PartOut] | None
    balance: int | None
    file_sha256: str
