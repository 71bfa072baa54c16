"""JSON of the evaluation."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

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
    lead_region: Code
    partner_regions: Annotated[list[Code], Field(max_length=10)] = Field(default_factory=list)
    records: Annotated[dict[Code, list[RecordIn]], Field(max_length=20)]


class FactsOut(Schema):
    lead_region: str
    partner_regions: list[str]
    records: dict[str, list[dict[str, Any]]]
    verified_at: datetime


class ScoreItemOut(BaseModel):
    """A line of the sheet; a quantitative one is scored by calculation, not by the reviewer."""

    section: str
    code: str
    name: str
    scores: list[int]
    quantitative: bool


class SheetOut(Schema):
    proposal_id: UUID
    reviewer_id: UUID
    reviewer_name: str
    state: str
    version: int
    scores: dict[str, int | None]
    comment: str
    conflict_reason: str | None
    submitted_at: datetime | None


class AssignmentOut(BaseModel):
    """A proposal given to a reviewer, with what to judge and how."""

    title: str
    institution_name: str
    sheet: SheetOut
    items: list[ScoreItemOut]
    document: dict[str, Any] | None


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


class OutcomeOut(BaseModel):
    """A place in the ranking; `total` is the exact fraction, `shown` what people read."""

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
    findings: list[FindingOut]


class RankingOut(BaseModel):
    items: list[OutcomeOut]


class PreReviewIn(Body):
    """사전검토 결과. An ineligible proposal needs its reason."""

    eligible: bool
    reason: Annotated[str, Field(max_length=4000)] = ""

    @model_validator(mode="after")
    def _refusal_has_a_reason(self) -> "PreReviewIn":
        if not self.eligible and not self.reason:
            raise ValueError("reason is required when the proposal is not eligible")
        return self


class DecisionIn(Body):
    action: Literal["prefer", "reserve", "reject", "negotiate", "designate"]
    reason: Annotated[str, Field(min_length=1, max_length=4000)]
