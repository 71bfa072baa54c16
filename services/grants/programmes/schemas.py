"""JSON of the programmes."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, HttpUrl, model_validator

from shared.schemas import Body, Schema, Version

Rate = Annotated[str, Field(pattern=r"^\d{1,6}(\.\d{1,4})?$", examples=["0.1"])]


class BonusRule(Body):
    """What mileage buys (M-050): points for every step of mileage, up to a maximum.

    `deducts=false`: points are given without spending mileage. `certified_only`: for certified
    companies alone. `spares_certified`: these keep their mileage where others spend it.
    """

    points_per_step: Rate
    mileage_per_step: Annotated[int, Field(gt=0, le=10_000_000)]
    max_points: Rate
    unit: Literal["점", "%p"] = "점"
    deducts: bool = True
    certified_only: bool = False
    spares_certified: bool = False


class ProgrammeIn(Body):
    kind: Literal["hosted", "external", "certification"]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    ministry_name: Annotated[str, Field(min_length=1, max_length=200)]
    agency_name: Annotated[str, Field(min_length=1, max_length=200)]
    description: Annotated[str, Field(max_length=10_000)] = ""
    target: Literal["university", "company", "both"]
    benefit: Literal[
        "grant", "bonus", "rate", "guarantee_fee", "exam_fee", "certification", "other"
    ]
    url: HttpUrl | None = None
    opens_at: AwareDatetime
    closes_at: AwareDatetime
    rolling: bool = Field(
        default=False,
        description="상시 접수: 마감 전에도 사전검토를 시작할 수 있습니다(hosted 사업만).",
    )
    rule_set_code: str | None = None
    rule_set_version: Version | None = None
    bonus_rule: BonusRule | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "ProgrammeIn":
        if self.opens_at >= self.closes_at:
            raise ValueError("opens_at must lie before closes_at")
        if (self.kind != "external") != (self.rule_set_code is not None) or (
            (self.rule_set_code is None) != (self.rule_set_version is None)
        ):
            raise ValueError("a call run here, and only it, names a rule set and its version")
        if self.rolling and self.kind != "hosted":
            raise ValueError("only a call for proposals can be rolling")
        return self


class ProgrammeOut(Schema):
    id: UUID
    kind: str
    state: str
    version: int
    agency_id: UUID
    agency_name: str
    ministry_name: str
    name: str
    description: str
    target: str
    benefit: str
    url: str | None
    opens_at: datetime
    closes_at: datetime
    rolling: bool
    rule_set_code: str | None
    rule_set_version: int | None
    bonus_rule: dict[str, Any] | None
    published_at: datetime | None


class RuleSetOut(Schema):
    code: str
    version: int
    sha256: str
    created_at: datetime


class BonusRuleOut(Schema):
    """For the accrual service: the rule as it stands now, to be kept with the request, and the
    agency whose officers decide about it."""

    programme_id: UUID
    agency_id: UUID
    name: str
    opens_at: datetime
    closes_at: datetime
    published: bool
    bonus_rule: dict[str, Any] | None
