"""JSON of the evaluation."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from shared.schemas import Body, FindingOut, Schema

Name = Annotated[str, Field(min_length=1, max_length=200)]
Code = Annotated[str, Field(min_length=1, max_length=40)]


class ReviewerIn(Body):
    """`institutions` are all a reviewer belongs to, by name as proposals write them."""

    reviewer_id: UUID
    name: Annotated[str, Field(min_length=1, max_length=100)]
    institutions: Annotated[list[Name], Field(max_length=20)] = Field(default_factory=list)


class AssignIn(Body):
    reviewers: Annotated[list[ReviewerIn], Field(min_length=1, max_length=50)]


class RecordIn(Body):
    on: date
    proven: bool


class FactsIn(Body):
    """`bonus_decided`: the committee's bonus where the call's matrix says nothing (three schools or
    more), with its reason. A call without a regional bonus needs no region."""

    lead_region: Code | None = None
    partner_regions: Annotated[list[Code], Field(max_length=10)] = Field(default_factory=list)
    records: Annotated[
        dict[Code, Annotated[list[RecordIn], Field(max_length=200)]], Field(max_length=20)
    ]
    bonus_decided: Annotated[int | None, Field(ge=0, le=1000)] = None
    bonus_reason: Annotated[str | None, Field(min_length=1, max_length=2000)] = None

    @model_validator(mode="after")
    def _decision_has_a_reason(self) -> "FactsIn":
        if (self.bonus_decided is None) != (self.bonus_reason is None):
            raise ValueError("bonus_decided and bonus_reason go together")
        return self


class FactsOut(Schema):
    lead_region: str | None
    partner_regions: list[str]
    records: dict[str, list[dict[str, Any]]]
    numbers: dict[str, int]
    bonus_decided: int | None
    bonus_reason: str | None
    verified_at: datetime


class CalculatedOut(BaseModel):
    """Points that follow from verified facts, with the calculation as text."""

    score: int | None
    shown: str


class ScoreItemOut(BaseModel):
    """A line of the sheet; a quantitative one is scored by calculation, not by the reviewer:
    `calculated`, once the agency verified the facts."""

    section: str
    code: str
    name: str
    scores: list[int]
    quantitative: bool
    calculated: CalculatedOut | None = None


class SheetOut(Schema):
    proposal_id: UUID
    reviewer_id: UUID
    reviewer_name: str
    state: str
    version: int
    scores: dict[str, int | None]
    comment: str
    conflict_reason: str | None
    cleared_at: datetime | None
    submitted_at: datetime | None


class VisitFindingOut(BaseModel):
    on_day: date
    findings: str


class AssignmentOut(BaseModel):
    """A proposal given to a reviewer, with what to judge and how, and what site visits found."""

    programme_id: UUID
    title: str
    institution_name: str
    sheet: SheetOut
    items: list[ScoreItemOut]
    document: dict[str, Any] | None
    visits: list[VisitFindingOut]


class ScoresIn(Body):
    scores: Annotated[dict[Code, Annotated[int, Field(ge=0, le=1_000)]], Field(max_length=50)]
    comment: Annotated[str, Field(max_length=10_000)] = ""


class ConflictIn(Body):
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class ScoredOut(BaseModel):
    """A quantitative item with its calculation as text."""

    item: str
    score: int | None
    shown: str


class SectionScoreOut(BaseModel):
    code: str
    name: str
    points: str
    shown: str
    at_most: int


class ItemScoreOut(BaseModel):
    """An item with its points: a calculation as text, or the exact mean over reviewers."""

    code: str
    section: str
    name: str
    quantitative: bool
    points: str
    shown: str
    at_most: int


class OutcomeOut(BaseModel):
    """A place in the ranking; `total` is the exact fraction, `shown` what people read. `counted`
    are the reviewers in the means, `trimmed` the highest and lowest left out."""

    proposal_id: UUID
    institution_name: str
    rank: int
    tied: bool
    total: str
    shown: str
    quantitative: list[ScoredOut]
    qualitative: str
    bonus: int
    bonus_shown: str
    passes: bool
    sections: list[SectionScoreOut]
    items: list[ItemScoreOut]
    counted: list[str]
    trimmed: list[str]
    findings: list[FindingOut]


class RankingOut(BaseModel):
    """`blocking` is what keeps the ranking from being made final."""

    items: list[OutcomeOut]
    blocking: list[FindingOut]


class FinaliseIn(Body):
    """`order` is the committee's, of proposals that nothing else tells apart, with its reason."""

    order: Annotated[list[UUID], Field(max_length=500)] = Field(default_factory=list)
    reason: Annotated[str | None, Field(min_length=1, max_length=2000)] = None

    @model_validator(mode="after")
    def _order_has_a_reason(self) -> "FinaliseIn":
        if self.order and self.reason is None:
            raise ValueError("reason is required with an order of the committee")
        return self


class PointIn(Body):
    """One point of the pre-review: whether it holds, and what there is to say."""

    holds: bool
    remark: Annotated[str, Field(max_length=2000)] = ""


class PreReviewIn(Body):
    """사전검토 결과, point by point. An ineligible proposal needs its reason."""

    eligible: bool
    checks: Annotated[dict[Code, PointIn], Field(max_length=30)] = Field(default_factory=dict)
    reason: Annotated[str, Field(max_length=4000)] = ""

    @model_validator(mode="after")
    def _refusal_has_a_reason(self) -> "PreReviewIn":
        if not self.eligible and not self.reason:
            raise ValueError("reason is required when the proposal is not eligible")
        return self


class DecisionIn(Body):
    action: Literal["prefer", "reserve", "reject", "negotiate", "designate"]
    reason: Annotated[str, Field(min_length=1, max_length=4000)]


class PointOut(BaseModel):
    code: str
    name: str
    citation: str


class PreReviewOut(BaseModel):
    """What there is to look at: the call's points, and what the check says of the version that
    counts. `checks` is the finding, once there is one."""

    proposal_id: UUID
    state: str
    points: list[PointOut]
    findings: list[FindingOut]
    eligible: bool | None
    checks: dict[str, Any] | None


class CompletionIn(Body):
    items: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=1000)]],
        Field(min_length=1, max_length=30),
    ]
    due_at: AwareDatetime


class AnswerIn(Body):
    """`corrected`: the document as it is saved now becomes the version that counts."""

    text: Annotated[str, Field(min_length=1, max_length=10_000)]
    corrected: bool = False


class CompletionOut(Schema):
    id: UUID
    seq: int
    state: str
    items: list[str]
    due_at: datetime
    asked_at: datetime
    answer: str | None
    submission_seq: int | None
    answered_at: datetime | None
    close_reason: str | None


class ReasonIn(Body):
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class MemberIn(Body):
    name: Annotated[str, Field(min_length=1, max_length=100)]
    institutions: Annotated[list[Name], Field(max_length=20)] = Field(default_factory=list)


class VisitIn(Body):
    on_day: date
    place: Name
    purpose: Annotated[str, Field(min_length=1, max_length=4000)]
    members: Annotated[list[MemberIn], Field(min_length=1, max_length=50)]


class VisitRecordIn(Body):
    findings: Annotated[str, Field(min_length=1, max_length=20_000)]


class VisitOut(Schema):
    """A visit as the agency sees it."""

    id: UUID
    proposal_id: UUID
    state: str
    on_day: date
    place: str
    purpose: str
    members: list[dict[str, Any]]
    findings: str | None
    cancel_reason: str | None
    closed_at: datetime | None


class AnnouncedVisitOut(Schema):
    """A visit as the applicant sees it: when and where, not who found what."""

    id: UUID
    state: str
    on_day: date
    place: str
    purpose: str


class DayPayOut(Schema):
    """What a member is paid for a day by the call's table, in won."""

    on_day: date
    member: str
    visits: int
    won: int


class VisitsOut(Schema):
    items: list[VisitOut]
    pay: list[DayPayOut]


class FileOut(Schema):
    id: UUID
    kind: str
    completion_id: UUID | None
    visit_id: UUID | None
    file_name: str
    media_type: str
    size: int
    sha256: str
    created_at: datetime


class NoticeOut(Schema):
    """결과 통보: what an applicant was told of its own proposal, word for word."""

    seq: int
    number: str
    decision: str
    body: dict[str, Any]
    issued_at: datetime


class AuditOut(Schema):
    """Who did or saw what, for the agency."""

    action: str
    actor_id: str
    actor_institution_id: UUID | None
    from_state: str | None
    to_state: str | None
    reason: str | None
    at: datetime
