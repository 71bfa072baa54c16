"""Requests to use mileage, on the wire. Mileage is whole points, rates are decimal strings."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from services.accrual.utilisations.rules import MAX_MILEAGE
from shared.schemas import MAX_INT, Body, Schema

State = Literal["requested", "confirmed", "rejected", "withdrawn"]
Reason = Annotated[str, StringConstraints(min_length=2, max_length=500)]


class UtilisationIn(Body):
    programme_id: UUID
    mileage: Annotated[int, Field(strict=True, gt=0, le=MAX_MILEAGE, description="활용할 마일리지")]
    certificate_number: Annotated[
        str | None,
        StringConstraints(min_length=1, max_length=40),
        Field(description="우수기관 인증번호. 비우면 유효한 인증을 찾아 씁니다."),
    ] = None


class ConfirmIn(Body):
    steps_scored: Annotated[int, Field(strict=True, ge=0, le=MAX_INT, description="인정된 단계 수")]


class ReasonIn(Body):
    reason: Reason


class RuleOut(Schema):
    points_per_step: str
    mileage_per_step: int
    max_points: str
    unit: str
    deducts: bool
    certified_only: bool
    spares_certified: bool = False  # rules kept from before it existed do not say


class PreviewOut(Schema):
    """What a request with this mileage would buy, reserve, and leave available; `rule` as it holds
    for the caller, `certificate_number` by which it counts as certified, where that matters."""

    programme_name: str
    rule: RuleOut
    mileage: int
    steps: int
    points: str
    held: int
    available: int
    available_after: int
    certificate_number: str | None


class UtilisationOut(Schema):
    """`points` is what the steps asked for are worth, `points_scored` what was given."""

    id: UUID
    number: str
    state: State
    institution_id: UUID
    institution_name: str
    programme_id: UUID
    programme_name: str
    rule: RuleOut
    mileage: int
    steps: int
    points: str
    held: int
    certificate_number: str | None
    steps_scored: int | None
    points_scored: str | None
    deducted: int | None
    note: str | None
    requested_at: AwareDatetime
    decided_at: AwareDatetime | None


class EventOut(Schema):
    at: AwareDatetime
    by: str
    role: str
    action: str
    note: str | None
