"""What the public pages show of the criteria."""

from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from services.accrual.criteria.rules import (
    Criteria,
    FieldRule,
    Linear,
    PerHead,
    Restriction,
    explain,
)
from services.accrual.errors import KINDS
from shared.schemas import Body, Schema

FieldCode = Literal[
    "PRACTICE",
    "CURRICULUM",
    "HIRING",
    "RESEARCH",
    "TECH_TRANSFER",
    "EQUIPMENT",
    "SCHOLARSHIP",
]
MAX_WON = 10**15 - 1


class EvidenceTypeOut(Schema):
    code: str
    ko: str
    en: str


class EvidenceOut(Schema):
    """One required document; any of the types fulfils it."""

    any_of: list[EvidenceTypeOut]
    ko: str
    en: str


class FormulaOut(BaseModel):
    """`won_per_point` (linear), `points` (per head), or base, exponent and factor (power)."""

    kind: Literal["linear", "power", "per_head"]
    won_per_point: int | None
    points_per_head: int | None
    base_won: int | None
    exponent: str | None
    points_at_base: int | None

    @classmethod
    def of(cls, rule: FieldRule) -> Self:
        formula = rule.formula
        linear = formula if isinstance(formula, Linear) else None
        head = formula if isinstance(formula, PerHead) else None
        power = None if isinstance(formula, Linear | PerHead) else formula
        return cls(
            kind="linear" if linear else "per_head" if head else "power",
            won_per_point=linear and linear.won_per_point,
            points_per_head=head and head.points,
            base_won=power and power.base_won,
            exponent=explain(rule, 0).exponent,
            points_at_base=power and power.points_at_base,
        )


class RestrictionOut(BaseModel):
    """What does not earn mileage in a field, and where the rule says so."""

    column: str
    code: str
    ko: str
    en: str
    citation: str

    @classmethod
    def of(cls, restriction: Restriction) -> Self:
        kind = KINDS[restriction.otherwise]
        return cls(
            column=restriction.column,
            code=kind.code,
            ko=kind.ko,
            en=kind.en,
            citation=restriction.citation,
        )


class FieldOut(BaseModel):
    """One of the seven fields (M-030)."""

    code: str
    ko: str
    en: str
    formula: FormulaOut
    basis: Literal["company", "contract"]
    quantity: Literal["amount_won", "people"]
    reference: str
    window_years: int
    evidence: list[EvidenceOut]
    restrictions: list[RestrictionOut]
    citation: str

    @classmethod
    def of(cls, rule: FieldRule) -> Self:
        return cls(
            code=rule.code,
            ko=rule.ko,
            en=rule.en,
            formula=FormulaOut.of(rule),
            basis=rule.basis,
            quantity="people" if rule.amount is None else "amount_won",
            reference=rule.reference,
            window_years=rule.window_years,
            evidence=[EvidenceOut.model_validate(item) for item in rule.evidence],
            restrictions=[RestrictionOut.of(item) for item in rule.restrictions],
            citation=rule.citation,
        )


class CriteriaOut(BaseModel):
    version: str
    valid_from: date
    accrues_from: date
    citation: str
    evidence_types: list[EvidenceTypeOut]
    fields: list[FieldOut]

    @classmethod
    def of(cls, criteria: Criteria) -> Self:
        return cls(
            version=criteria.version,
            valid_from=criteria.valid_from,
            accrues_from=criteria.accrues_from,
            citation=criteria.citation,
            evidence_types=[
                EvidenceTypeOut.model_validate(kind) for kind in criteria.evidence_types.values()
            ],
            fields=[FieldOut.of(rule) for rule in criteria.fields.values()],
        )


class CalculateIn(Body):
    """`people` for the field counted by heads (HIRING), `amount_won` for all others."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"field": "TECH_TRANSFER", "amount_won": 50_000_000}}
    )

    field: FieldCode
    amount_won: int | None = Field(default=None, ge=0, le=MAX_WON, strict=True)
    people: int | None = Field(default=None, ge=0, le=1_000_000, strict=True)
    on: date | None = Field(default=None, description="기준일(기본값: 오늘)")


class CalculationOut(Schema):
    """The points and the calculation, so that anyone can do it again by hand."""

    field: str
    quantity: int
    points: int
    unrounded: str
    formula_ko: str
    formula_en: str
    base_won: int | None
    exponent: str | None
    version: str
    citation: str
