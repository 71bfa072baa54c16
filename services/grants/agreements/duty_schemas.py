"""JSON of a year's duties, and of the certificates."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.grants.agreements.duties import YearDuties
from services.grants.agreements.models import CompletionCertificate, DutyEvidence, DutyRecord
from services.grants.agreements.rules import STUDENT, DutyCount, Standing, masked
from services.grants.agreements.schemas import named
from shared.problems import Lang
from shared.schemas import Body, FindingOut, Schema


class RecordBodyIn(Body):
    """`body`: the fields that the call's rule set gives this kind of record."""

    body: dict[str, Any]


class RecordIn(RecordBodyIn):
    kind: Annotated[str, Field(min_length=1, max_length=40)]


class EvidenceFileOut(Schema):
    id: UUID
    file_name: str
    media_type: str
    size: int
    sha256: str


class RecordOut(Schema):
    id: UUID
    kind: str
    version: int
    body: dict[str, Any]
    created_at: datetime
    state: str
    decided_at: datetime | None
    return_reason: str | None


class RecordDetail(RecordOut):
    evidence: list[EvidenceFileOut]

    @classmethod
    def of(cls, row: DutyRecord, files: Sequence[DutyEvidence], *, full: bool) -> "RecordDetail":
        """A record with its files; on lists the name of a student is masked."""
        shown = RecordOut.model_validate(row).model_dump()
        if row.kind == STUDENT and not full:
            shown["body"] = row.body | {"name": masked(str(row.body["name"]))}
        return cls(**shown, evidence=[EvidenceFileOut.model_validate(file) for file in files])


class DutyOut(BaseModel):
    """A counter: what was counted, what the call requires, what the plan had promised."""

    code: str
    name: str
    rule: str
    citation: str
    counted: int
    required: int | None
    planned: int | None
    missing: int
    records: list[str]

    @classmethod
    def of(cls, count: DutyCount, lang: Lang) -> "DutyOut":
        counter = count.tally.counter
        return cls(
            code=counter.code,
            name=named(counter.name, lang),
            rule=counter.rule,
            citation=counter.citation,
            counted=count.tally.value,
            required=count.required,
            planned=count.planned,
            missing=count.missing,
            records=list(count.tally.counted),
        )


class DutiesOut(BaseModel):
    """당해연도 의무 이행 현황. `met`: nothing the call requires is missing."""

    met: bool
    items: list[DutyOut]
    findings: list[FindingOut]

    @classmethod
    def of(cls, found: YearDuties, lang: Lang) -> "DutiesOut":
        return cls(
            met=not any(count.missing for count in found.counts),
            items=[DutyOut.of(count, lang) for count in found.counts],
            findings=[FindingOut.model_validate(item.to_dict(lang)) for item in found.findings],
        )


class StandingOut(BaseModel):
    """A student against the conditions of the certificate; the name is masked."""

    student: str
    name: str
    earned: bool
    counts: Mapping[str, int]
    findings: list[FindingOut]

    @classmethod
    def of(cls, found: Standing, lang: Lang) -> "StandingOut":
        return cls(
            student=found.ref,
            name=masked(found.name),
            earned=found.earned,
            counts=found.counts,
            findings=[FindingOut.model_validate(item.to_dict(lang)) for item in found.findings],
        )


class CertificateIn(Body):
    """`student`: the reference the student is registered under."""

    student: Annotated[str, Field(min_length=1, max_length=500)]


class CertificateOut(BaseModel):
    """수료증. The name is masked; the page has it in full."""

    id: UUID
    number: str
    student: str
    name: str
    facts: dict[str, Any]
    issued_at: datetime
    revoked_at: datetime | None
    revoke_reason: str | None

    @classmethod
    def of(cls, found: CompletionCertificate) -> "CertificateOut":
        return cls(
            id=found.id,
            number=found.number,
            student=found.student_ref,
            name=masked(found.student_name),
            facts=found.facts,
            issued_at=found.issued_at,
            revoked_at=found.revoked_at,
            revoke_reason=found.revoke_reason,
        )
