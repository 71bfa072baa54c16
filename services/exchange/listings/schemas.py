"""Bodies and answers of the listings."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from services.exchange.listings.rules import (
    MAX_PRICE_WON,
    MAX_QUANTITY,
    Kind,
    Status,
    Unit,
    UseMode,
)
from shared.schemas import Body, Schema

ClockTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Percent = Annotated[int, Field(ge=0, le=100)]
Won = Annotated[int, Field(ge=1, le=MAX_PRICE_WON)]
Quantity = Annotated[int, Field(ge=1, le=MAX_QUANTITY)]


class HoursIO(Body):
    """Opening hours of a day, Korean time; `24:00` is the end of the day."""

    opens: ClockTime
    closes: ClockTime


class WeekdayIO(HoursIO):
    weekday: int = Field(ge=0, le=6, description="0 = 월요일 … 6 = 일요일")


class ExceptionIO(Body):
    """A day that differs from the week; no hours: closed."""

    day: date
    hours: list[HoursIO] = Field(max_length=8)
    reason: str | None = Field(default=None, max_length=200)


class CalendarIO(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "weekly": [{"weekday": 0, "opens": "09:00", "closes": "18:00"}],
                "exceptions": [{"day": "2027-03-01", "hours": [], "reason": "삼일절"}],
            }
        }
    )

    weekly: list[WeekdayIO] = Field(default_factory=list, max_length=56)
    exceptions: list[ExceptionIO] = Field(default_factory=list, max_length=400)


class CancellationIO(Body):
    """Free until so many hours before the start; then a share of the fee is owed."""

    free_until_hours: int = Field(ge=0, le=24 * 90)
    late_fee_percent: Percent
    no_show_fee_percent: Percent

    @model_validator(mode="after")
    def _not_using_costs_no_less_than_cancelling(self) -> Self:
        if self.no_show_fee_percent < self.late_fee_percent:
            raise ValueError("no_show_fee_percent must not be below late_fee_percent")
        return self


class ListingIn(Body):
    kind: Kind
    use_mode: UseMode
    unit: Unit
    title: Line
    description: str = Field(max_length=10_000)
    maker: str | None = Field(default=None, max_length=100)
    model: str | None = Field(default=None, max_length=100)
    location: Line
    zeus_number: str | None = Field(default=None, pattern=r"^[0-9A-Z][0-9A-Z-]{3,39}$")
    nfec_number: str | None = Field(
        default=None, pattern=r"^NFEC-\d{4}-\d{2}-\d{6}$", examples=["NFEC-2021-03-268412"]
    )
    price_won: Won = Field(description="단위당 사용료(원, 부가세 포함)")
    min_quantity: Quantity = 1
    max_quantity: Quantity = 100
    terms: str = Field(max_length=10_000)
    cancellation: CancellationIO
    training_required: bool = False
    training_note: str | None = Field(default=None, max_length=2_000)
    lead_time_hours: int = Field(default=24, ge=0, le=24 * 90)
    answer_within_hours: int = Field(default=72, ge=1, le=24 * 14)
    calendar: CalendarIO = Field(default_factory=CalendarIO)

    @model_validator(mode="after")
    def _quantities_in_order(self) -> Self:
        if self.min_quantity > self.max_quantity:
            raise ValueError("min_quantity must not be above max_quantity")
        return self


class PhotoOut(Schema):
    id: UUID
    name: str
    media_type: str
    size: int


class CancellationOut(Schema):
    free_until_hours: int
    late_fee_percent: int
    no_show_fee_percent: int


class ListingSummary(Schema):
    """A listing as it stands in a list."""

    id: UUID
    number: int
    seller_id: UUID
    seller_name: str
    kind: Kind
    use_mode: UseMode
    unit: Unit
    title: str
    location: str
    price_won: int
    training_required: bool
    answer_within_hours: int
    status: Status
    listed_at: datetime | None


class ListingOut(ListingSummary):
    """`mileage_max_per_unit` is the cap of M-041 on the fee of one unit."""

    description: str
    maker: str | None
    model: str | None
    zeus_number: str | None
    nfec_number: str | None
    rate_card_version: int
    min_quantity: int
    max_quantity: int
    mileage_max_per_unit: int
    terms: str
    cancellation: CancellationOut
    training_note: str | None
    lead_time_hours: int
    calendar: CalendarIO
    suspended_reason: str | None
    photos: list[PhotoOut]
    version: int


class RateCardOut(Schema):
    version: int
    price_won: int
    set_at: datetime


class RateCards(Schema):
    items: list[RateCardOut]


class ReasonIn(Body):
    reason: str = Field(min_length=1, max_length=1_000)


class PeriodOut(Schema):
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class AvailabilityOut(Schema):
    """Open time nobody has booked, and what is booked (by whom stays private)."""

    free: list[PeriodOut]
    booked: list[PeriodOut]


class AccessIn(Body):
    note: str | None = Field(default=None, max_length=1_000)


class AccessDecisionIn(Body):
    decision: Literal["grant", "revoke"]
    valid_until: date | None = None


class AccessOut(Schema):
    id: UUID
    listing_id: UUID
    buyer_id: UUID
    buyer_name: str
    state: Literal["requested", "granted", "revoked"]
    note: str | None
    valid_until: date | None
    requested_at: datetime
    decided_at: datetime | None
