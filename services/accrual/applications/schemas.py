"""Bodies and answers of the applications API."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.accrual.applications.bounds import bounded
from services.accrual.applications.checks import Verdict
from services.accrual.applications.listing import Detail
from services.accrual.applications.models import Application, ApplicationRow, Claim
from services.accrual.applications.moves import EDITABLE, MOVES, NAMES
from services.accrual.applications.privacy import masked
from services.accrual.applications.submission import Submission
from services.accrual.criteria.schemas import FieldCode
from services.accrual.criteria.service import versions
from shared.problems import Finding, Lang
from shared.schemas import Body, FindingOut, Schema

State = Literal[
    "draft",
    "submitted",
    "in_review",
    "returned",
    "approved",
    "posted",
    "rejected",
    "cancelled",
    "revoked",
]
CellIn = str | int | float | bool | None
CellsIn = Annotated[dict[str, CellIn], Field(max_length=40)]
RowNumber = Annotated[int, Field(ge=1, le=1_000_000)]


class DraftIn(Body):
    model_config = ConfigDict(
        json_schema_extra={"example": {"field": "PRACTICE", "memo": "2026학년도 하계 현장실습"}}
    )

    field: FieldCode
    memo: str = Field(default="", max_length=2000)
    institution_id: UUID | None = Field(
        default=None, description="운영기관이 대신 입력할 때의 적립기관"
    )


class DraftPatch(Body):
    memo: str = Field(max_length=2000)


class RowIn(Body):
    """`cells` by column key, as typed; a row keeps its number in the applicant's grid."""

    number: RowNumber
    cells: CellsIn


class RowsIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "rows": [
                    {
                        "number": 1,
                        "cells": {
                            "brn": "1048203590",
                            "company_name": "대한상공회의소",
                            "trainee_name": "홍길동",
                            "department": "경제학과",
                            "admission_year": "2023",
                            "practice_type": "표준",
                            "hours": "320",
                            "start_date": "20260601",
                            "end_date": "20260831",
                            "allowance_won": "4500000",
                        },
                    }
                ]
            }
        }
    )

    rows: list[RowIn] = Field(max_length=100_000)


class RowsPatch(Body):
    """Autosave: rows to set (new or changed) and row numbers to delete."""

    set: list[RowIn] = Field(default_factory=list, max_length=5_000)
    delete: list[RowNumber] = Field(default_factory=list, max_length=100_000)


class CarryOverIn(Body):
    """Which companies' rows to carry over; null for all."""

    brns: list[Annotated[str, Field(max_length=10)]] | None = Field(default=None, max_length=5_000)


class CarriedOut(Schema):
    """A row as it would be carried over, and the application it was last seen in."""

    cells: dict[str, Any]
    number: str
    applied_on: date


class CancelIn(Body):
    reason: str | None = Field(default=None, max_length=2000)


class ContractOut(Schema):
    """The points of one contract: f(earlier deposits + these) − points already posted (M-031)."""

    contract: str
    quantity: int
    earlier: int
    points: int


class CompanyOut(Schema):
    """One line of the summary (M-016)."""

    brn: str
    name: str
    row_count: int
    quantity: int
    mileage: int
    contracts: list[ContractOut]


class RegisteredCompanyOut(CompanyOut):
    """With the name in the registry, once it was asked: 입력기업명 (상세기업명) (M-008)."""

    registered_name: str | None
    institution_id: UUID | None


NOT_APPLIED_YET: dict[Lang, str] = {
    "ko": "명단을 저장했습니다. 아직 신청되지 않았습니다. "
    "[2단계 - 마일리지 적립 신청하기]에서 신청을 마치세요.",
    "en": "The rows are saved, and not applied for yet. Submit them in step 2.",
}


class CheckOut(BaseModel):
    """What the checks say now: the summary, the findings, and whether it could be submitted.

    There are `finding_count` findings. At most 1,000 are told, errors first, and one more
    (MORE_FINDINGS) says how many are left.
    """

    ready: bool
    row_count: int
    company_count: int
    mileage: int
    companies: list[CompanyOut]
    finding_count: int
    findings: list[FindingOut]

    @staticmethod
    def parts(verdict: Verdict, lang: Lang, found: Sequence[Finding] = ()) -> dict[str, Any]:
        """`found`: what was noticed while reading a sheet, before its rows were checked."""
        assessment, names = verdict.checked.assessment, verdict.checked.names
        findings = (*found, *verdict.findings)
        return {
            "ready": verdict.is_valid,
            "row_count": len(verdict.raw),
            "company_count": len(assessment.companies),
            "mileage": assessment.total,
            "companies": [
                CompanyOut(
                    brn=company.brn,
                    name=names[company.brn],
                    row_count=company.rows,
                    quantity=company.quantity,
                    mileage=company.points,
                    contracts=[ContractOut.model_validate(line) for line in company.contracts],
                )
                for company in assessment.companies
            ],
            "finding_count": len(findings),
            "findings": [finding_out(finding, lang) for finding in bounded(findings)],
        }


class SavedOut(CheckOut):
    """The answer of a save: the new version (also the ETag) and what the checks say.

    Saving is not applying, and `message` says so (M-010).
    """

    version: int
    message: str

    @classmethod
    def of(
        cls,
        application: Application,
        verdict: Verdict,
        lang: Lang,
        found: Sequence[Finding] = (),
    ) -> Self:
        return cls(
            version=application.version,
            message=NOT_APPLIED_YET[lang],
            **cls.parts(verdict, lang, found),
        )


class SubmissionOut(CheckOut):
    """The same body for the preview and the submission; the preview has no number yet."""

    id: UUID
    number: str | None
    state: State
    applied_on: date
    criteria_version: str

    @classmethod
    def of(cls, made: Submission, lang: Lang) -> Self:
        application = made.application
        return cls.model_validate(
            {
                "id": application.id,
                "number": application.number,
                "state": application.state,
                "applied_on": made.applied_on,
                "criteria_version": made.verdict.rule.version,
                **cls.parts(made.verdict, lang),
            }
        )


class ListItemOut(Schema):
    """One line of the list (M-017)."""

    id: UUID
    number: str | None
    applied_on: date | None
    institution_id: UUID
    institution_name: str | None
    field: str
    field_name: str
    company_count: int
    row_count: int
    mileage: int
    state: State
    state_name: str
    letter_file_id: UUID | None
    cancellable: bool
    claimed_by: str | None
    source: Literal["portal", "partner"]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, application: Application, letter: UUID | None) -> Self:
        return cls.model_validate(
            {
                **_columns(application, cls),
                "field_name": field_name(application.field),
                "state_name": NAMES[application.state],
                "letter_file_id": letter,
                "cancellable": (application.state, "cancel") in MOVES,
            }
        )


class FileOut(Schema):
    id: UUID
    kind: str
    name: str
    media_type: str
    size: int
    sha256: str
    uploaded_at: datetime


class CommentOut(Schema):
    """What the reviewer asks for, bound to a cell, a row, or the whole application."""

    id: UUID
    row: int | None
    field: str | None
    text: str
    at: datetime
    resolved_at: datetime | None


class DetailOut(Schema):
    id: UUID
    version: int
    number: str | None
    applied_on: date | None
    submitted_at: datetime | None
    institution_id: UUID
    institution_name: str | None
    field: str
    field_name: str
    memo: str
    state: State
    state_name: str
    actions: list[str]
    editable: bool
    reason: str | None
    claimed_by: str | None
    approved_at: datetime | None
    posted_at: datetime | None
    source: Literal["portal", "partner"]
    test_mode: bool
    on_behalf: bool
    criteria_version: str | None
    row_count: int
    company_count: int
    mileage: int
    companies: list[RegisteredCompanyOut]
    files: list[FileOut]
    comments: list[CommentOut]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, detail: Detail) -> Self:
        application = detail.application
        return cls.model_validate(
            {
                **_columns(application, cls),
                "field_name": field_name(application.field),
                "state_name": NAMES[application.state],
                "actions": [action for state, action in MOVES if state == application.state],
                "editable": application.state in EDITABLE,
                "companies": [
                    RegisteredCompanyOut.model_validate(item) for item in detail.companies
                ],
                "files": [FileOut.model_validate(item) for item in detail.files],
                "comments": [CommentOut.model_validate(item) for item in detail.comments],
            }
        )


class RowOut(BaseModel):
    """A row as entered. `status`: `entered` (not submitted yet), `accepted` or `rejected`."""

    number: int
    cells: dict[str, Any]
    status: Literal["entered", "accepted", "rejected"]
    rejected_reason: str | None
    quantity: int | None
    external_id: str | None

    @classmethod
    def of(cls, row: ApplicationRow, claim: Claim | None, *, full: bool) -> Self:
        rejected = claim is not None and claim.rejected_reason is not None
        return cls(
            number=row.number,
            cells=dict(row.cells) if full else masked(row.cells),
            status="rejected" if rejected else "accepted" if claim else "entered",
            rejected_reason=claim.rejected_reason if claim else None,
            quantity=claim.quantity if claim else None,
            external_id=row.external_id,
        )


class RowsOut(BaseModel):
    """`masked` tells whether personal data is masked; `purpose` opens it and is recorded."""

    items: list[RowOut]
    next_cursor: str | None
    total: int
    masked: bool


class EventOut(Schema):
    """One move, or one view of personal data."""

    id: UUID
    at: datetime
    by: str
    role: str
    acting_for: str | None
    trace_id: str
    action: str
    from_state: State | None
    to_state: State | None
    details: dict[str, Any]


class ColumnChoiceOut(Schema):
    code: str
    ko: str
    en: str


class ColumnOut(Schema):
    """A column of a field's sheet, for those who build a grid. `aliases` are other headers it is
    known by in sheets and in what is pasted with a header row."""

    key: str
    ko: str
    en: str
    type: Literal["text", "brn", "date", "year", "hours", "won", "choice"]
    example: str
    hint: str
    required: bool
    aliases: list[str]
    choices: list[ColumnChoiceOut]


def finding_out(finding: Finding, lang: Lang) -> FindingOut:
    return FindingOut.model_validate(finding.to_dict(lang))


def field_name(code: str) -> str:
    """The Korean name of a field, by the newest criteria."""
    rule = versions()[-1].fields.get(code)
    return rule.ko if rule else code


def _columns(application: Application, model: type[BaseModel]) -> dict[str, Any]:
    columns = Application.__table__.columns
    return {name: getattr(application, name) for name in model.model_fields if name in columns}
