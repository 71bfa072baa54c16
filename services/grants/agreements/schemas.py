"""JSON of the agreements."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.grants.agreements.amendments import AmendmentCheck, Seen
from services.grants.agreements.papers import DocumentSet
from services.grants.agreements.rules import Difference, ItemDecision
from services.grants.programmes.rules import Text
from shared.problems import Lang
from shared.schemas import Body, Day, FindingOut, Schema

Change = Literal[
    "person",
    "study",
    "internal_change",
    "approved_change",
    "reallocation",
    "trip",
    "trait",
    "carry_over",
]


class AgreeIn(Body):
    agreed_on: Day


class ConcludeIn(Body):
    """`agreed_on`: the day it was signed, where it is another than the one foreseen."""

    agreed_on: Day | None = None


class ReasonIn(Body):
    reason: Annotated[str, Field(min_length=1, max_length=4000)]


class CancelIn(ReasonIn):
    """`keep_designation`: false takes the designation back too."""

    keep_designation: bool = True


class ChangeIn(Body):
    """A change of the plan. `body` depends on `kind`; decimals as text, days as YYYY-MM-DD."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "kind": "reallocation",
                "body": {
                    "source": "books",
                    "target": "meeting",
                    "fund": "grant",
                    "won": 500_000,
                },
                "reason": "교육위원회 횟수 증가",
            }
        }
    )

    kind: Change
    body: dict[str, Any]
    reason: Annotated[str, Field(min_length=1, max_length=4000)]


class ChangeOut(Schema):
    seq: int
    kind: str
    body: dict[str, Any]
    reason: str
    party: str
    recorded_by: str
    recorded_at: datetime


class AgreementOut(Schema):
    id: UUID
    proposal_id: UUID
    programme_id: UUID
    agency_id: UUID
    institution_id: UUID
    institution_name: str
    title: str
    state: str
    agreed_on: date
    year_start: date
    year_end: date
    plan_version: int
    concluded_at: datetime | None
    year_no: int
    project_no: str | None
    stopped_on: date | None
    stop_reason: str | None


class DocumentOut(Schema):
    """A file handed in as one of the documents of the agreement."""

    id: UUID
    code: str
    state: str
    file_name: str
    media_type: str
    size: int
    sha256: str
    submitted_at: datetime
    reason: str | None
    decided_at: datetime | None


class ChecklistLineOut(BaseModel):
    code: str
    name: str
    copies: int
    due: bool
    state: str
    waiting: int
    accepted: int
    returned: int


class DocumentSetOut(BaseModel):
    """협약 서류: what the call asks for, what is there, and what stands against the conclusion."""

    ready: bool
    checklist: list[ChecklistLineOut]
    findings: list[FindingOut]
    items: list[DocumentOut]

    @classmethod
    def of(cls, found: DocumentSet, lang: Lang) -> "DocumentSetOut":
        return cls(
            ready=not found.findings,
            checklist=[
                ChecklistLineOut(
                    code=line.document.code,
                    name=named(line.document.name, lang),
                    copies=line.document.copies,
                    due=line.due,
                    state=line.state,
                    waiting=line.waiting,
                    accepted=line.accepted,
                    returned=line.returned,
                )
                for line in found.lines
            ],
            findings=[FindingOut.model_validate(item.to_dict(lang)) for item in found.findings],
            items=[DocumentOut.model_validate(paper) for paper in found.papers],
        )


class PlanVersionOut(Schema):
    """A version of the plan without its document."""

    version: int
    reason: str
    approved_by: str
    approved_at: datetime
    effective_on: date | None
    amendment_id: UUID | None


class PlanVersionDetail(PlanVersionOut):
    document: dict[str, Any]


class FieldDifferenceOut(Schema):
    pointer: str
    before: Any
    after: Any


class WonOut(Schema):
    grant: int
    cash: int
    in_kind: int
    total: int


class ItemDifferenceOut(BaseModel):
    """Won of a budget item by source of funds, before and after; `total` is the whole budget."""

    item: str
    name: str
    before: WonOut
    after: WonOut
    change_won: int


class LineDifferenceOut(Schema):
    what: str
    item: str
    kind: str
    fund: str
    label: str
    before_won: int | None
    after_won: int | None
    fields: list[FieldDifferenceOut]


class PersonDifferenceOut(Schema):
    what: str
    ref: str
    name: str
    fields: list[FieldDifferenceOut]


class DifferenceOut(BaseModel):
    """두 계획 버전의 차이. `left_out` counts fields beyond those listed."""

    items: list[ItemDifferenceOut]
    lines: list[LineDifferenceOut]
    people: list[PersonDifferenceOut]
    fields: list[FieldDifferenceOut]
    left_out: int

    @classmethod
    def of(cls, found: Difference, lang: Lang) -> "DifferenceOut":
        return cls(
            items=[
                ItemDifferenceOut(
                    item=item.item,
                    name=named(item.name, lang),
                    before=WonOut.model_validate(item.before),
                    after=WonOut.model_validate(item.after),
                    change_won=item.change_won,
                )
                for item in found.items
            ],
            lines=[LineDifferenceOut.model_validate(line) for line in found.lines],
            people=[PersonDifferenceOut.model_validate(person) for person in found.people],
            fields=[FieldDifferenceOut.model_validate(field) for field in found.fields],
            left_out=found.left_out,
        )


class AmendmentPreviewIn(Body):
    """변경하려는 계획 전체(`document`)와 적용일."""

    document: dict[str, Any]
    effective_on: date


class AmendmentIn(AmendmentPreviewIn):
    """The whole plan as it should be, why, and from which day."""

    reason: Annotated[str, Field(min_length=1, max_length=4000)]


class ApprovalIn(ReasonIn):
    """`effective_on`: the day it takes effect, where it is another than asked for."""

    effective_on: date | None = None


class ItemDecisionOut(BaseModel):
    """A budget item the amendment touches. `decision`: `approval` by the agency, `internal` by the
    institution itself, or `never`."""

    item: str
    name: str
    before: WonOut
    after: WonOut
    decision: str

    @classmethod
    def of(cls, found: ItemDecision, lang: Lang) -> "ItemDecisionOut":
        return cls(
            item=found.item,
            name=named(found.name, lang),
            before=WonOut.model_validate(found.before),
            after=WonOut.model_validate(found.after),
            decision=found.decision,
        )


class AmendmentCheckOut(BaseModel):
    """`ok` means that it could be requested, and approved, as it stands."""

    ok: bool
    findings: list[FindingOut]
    decisions: list[ItemDecisionOut]
    difference: DifferenceOut | None

    @classmethod
    def of(cls, found: AmendmentCheck, lang: Lang) -> "AmendmentCheckOut":
        return cls(
            ok=not found.errors,
            findings=[FindingOut.model_validate(item.to_dict(lang)) for item in found.findings],
            decisions=[ItemDecisionOut.of(item, lang) for item in found.decisions],
            difference=DifferenceOut.of(found.difference, lang) if found.difference else None,
        )


class AmendmentOut(Schema):
    id: UUID
    agreement_id: UUID
    seq: int
    state: str
    version: int
    reason: str
    effective_on: date
    file_name: str | None
    sha256: str | None
    requested_at: datetime | None
    decided_at: datetime | None
    decision_reason: str | None
    plan_version: int | None

    @classmethod
    def of(cls, seen: Seen) -> "AmendmentOut":
        """The request with the words this reader may see."""
        names = ("reason", "file_name", "sha256")
        words = {name: getattr(seen.text, name) for name in names}
        if seen.amendment.plan_version is None:  # the agency approves with a day of its own
            words["effective_on"] = seen.text.effective_on
        return cls.model_validate(seen.amendment).model_copy(update=words)


class AmendmentDetail(BaseModel):
    amendment: AmendmentOut
    document: dict[str, Any]
    check: AmendmentCheckOut


def named(name: Text, lang: Lang) -> str:
    return name.ko if lang == "ko" else name.en
