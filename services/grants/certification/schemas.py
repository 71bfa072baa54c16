"""JSON of the certification."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.grants.certification.certificates import Certified
from services.grants.evaluation.schemas import FileOut
from services.grants.proposals.schemas import ProposalOut
from shared.schemas import Body, Day, FindingOut, Schema

Line = Annotated[str, Field(min_length=1, max_length=200)]
Code = Annotated[str, Field(min_length=1, max_length=40)]


class ApplicationIn(Body):
    """Texts and affirmations by the codes of the call's rules."""

    statements: Annotated[
        dict[Code, Annotated[str, Field(max_length=20_000)]], Field(max_length=30)
    ] = Field(default_factory=dict)
    promises: Annotated[dict[Code, bool], Field(max_length=30)] = Field(default_factory=dict)


class ApplicationOut(ProposalOut):
    """`findings`: what stands against submitting it as it is."""

    document: dict[str, Any]
    files: list[FileOut]
    findings: list[FindingOut]


class MileageOut(BaseModel):
    """What accrual said of the closing day; `findings` is empty for whoever may be certified."""

    on: date
    mileage_points: int
    mileage_fields: int
    findings: list[FindingOut]


class DecisionIn(Body):
    application_id: UUID
    recommended: bool
    reason: Annotated[str, Field(min_length=1, max_length=4000)]


class CouncilIn(Body):
    """A meeting of the steering council, which decides on every scored application."""

    held_on: date
    members: Annotated[list[Line], Field(min_length=1, max_length=100)]
    minutes: Annotated[str, Field(min_length=1, max_length=20_000)]
    decisions: Annotated[list[DecisionIn], Field(min_length=1, max_length=500)]


class CouncilOut(Schema):
    id: UUID
    programme_id: UUID
    held_on: date
    members: list[str]
    minutes: str
    decisions: list[dict[str, Any]]
    recorded_at: datetime


class ApprovalIn(Body):
    """`approval`: the authority's own reference, such as the number of its letter."""

    application_ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]
    approval: Line
    valid_from: Day


class RevokeIn(Body):
    reason: Annotated[str, Field(min_length=2, max_length=2000)]


class CertificationOut(Schema):
    id: UUID
    number: str
    status: str
    institution_id: UUID
    institution_name: str
    brn: str | None
    authority: str
    approval: str
    valid_from: date
    valid_until: date
    issued_at: datetime
    revoked_on: date | None
    revoke_reason: str | None

    @classmethod
    def of(cls, found: Certified, on: date) -> "CertificationOut":
        one, ended = found.certificate, found.revocation
        names = cls.model_fields.keys() - {"status", "revoked_on", "revoke_reason"}
        return cls(
            **{name: getattr(one, name) for name in names},
            status=found.status(on),
            revoked_on=ended.revoked_on if ended else None,
            revoke_reason=ended.reason if ended else None,
        )


class CertificationsOut(BaseModel):
    items: list[CertificationOut]


class PublicCertificateOut(BaseModel):
    """What anybody may know: who holds a certificate, since when, and whether it still stands."""

    number: str
    status: str
    institution_name: str
    authority: str
    valid_from: date
    valid_until: date
    revoked_on: date | None

    @classmethod
    def of(cls, found: Certified, on: date) -> "PublicCertificateOut":
        one, ended = found.certificate, found.revocation
        return cls(
            number=one.number,
            status=found.status(on),
            institution_name=one.institution_name,
            authority=one.authority,
            valid_from=one.valid_from,
            valid_until=one.valid_until,
            revoked_on=ended.revoked_on if ended else None,
        )


class CertifiedOut(BaseModel):
    """For the accrual service: whether an institution is certified on a day, and by what."""

    institution_id: UUID
    on: date
    certified: bool
    number: str | None
    valid_until: date | None
