"""JSON of a project's years."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from services.grants.agreements.schemas import AgreementOut, ReasonIn, named
from services.grants.agreements.years import Year
from services.grants.proposals.carry_over import CarryOver, Part
from services.grants.proposals.schemas import ProposalOut
from shared.problems import Lang
from shared.schemas import FindingOut, Schema


class StageIn(ReasonIn):
    """단계평가 결과. `score` is a decimal in text, as the committee fixed it."""

    outcome: Literal["passed", "failed"]
    score: Annotated[str, Field(pattern=r"^\d{1,4}(\.\d{1,4})?$")] | None = None


class StopIn(ReasonIn):
    stopped_on: date


class StageOut(Schema):
    outcome: str
    score: str | None
    reason: str
    decided_at: datetime


class YearOut(BaseModel):
    """`next_findings`: what stands against the year after this one; empty when it may begin."""

    agreement: AgreementOut
    stage_evaluation: StageOut | None
    next_findings: list[FindingOut]

    @classmethod
    def of(cls, year: Year, lang: Lang) -> "YearOut":
        return cls(
            agreement=AgreementOut.model_validate(year.agreement),
            stage_evaluation=StageOut.model_validate(year.stage) if year.stage else None,
            next_findings=[
                FindingOut.model_validate(found.to_dict(lang)) for found in year.next_findings
            ],
        )


class PartOut(BaseModel):
    """A part of the document, and how many entries it has."""

    pointer: str
    name: str
    count: int

    @classmethod
    def of(cls, part: Part, lang: Lang) -> "PartOut":
        return cls(pointer=part.pointer, name=named(part.name, lang), count=part.count)


class CarryOverOut(BaseModel):
    """이월한 내용과 새로 작성할 내용."""

    document: dict[str, Any]
    carried: list[PartOut]
    left_out: list[PartOut]

    @classmethod
    def of(cls, made: CarryOver, lang: Lang) -> "CarryOverOut":
        return cls(
            document=made.document,
            carried=[PartOut.of(part, lang) for part in made.carried],
            left_out=[PartOut.of(part, lang) for part in made.left_out],
        )


class NextYearOut(BaseModel):
    proposal: ProposalOut
    carry_over: CarryOverOut
