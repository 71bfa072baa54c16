"""Bodies and answers of the orders."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field

from services.exchange.listings.rules import MAX_QUANTITY, Kind, Unit, UseMode
from services.exchange.orders.rules import Settlement, Use
from services.exchange.parties import Party
from shared.schemas import Body, Schema

MAX_POINTS = 2**53 - 1  # what every JSON reader keeps exactly


class OrderIn(Body):
    """A wish. Direct use names a slot; commissioned work, samples and uses name a quantity."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "listing_id": "01990000-0000-7000-8000-000000000001",
                "starts_at": "2027-03-02T09:00:00+09:00",
                "ends_at": "2027-03-02T12:00:00+09:00",
                "quantity": None,
                "mileage": 750,
                "expected_fee_won": 2_500_000,
                "note": "시료 전처리가 필요합니다.",
            }
        }
    )

    listing_id: UUID
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    quantity: int | None = Field(default=None, ge=1, le=MAX_QUANTITY)
    mileage: int = Field(default=0, ge=0, le=MAX_POINTS, description="사용할 마일리지(점)")
    expected_fee_won: int | None = Field(
        default=None,
        ge=1,
        le=10**13,
        description="견적에서 본 사용료. 그 사이 바뀌었으면 409 PRICE_CHANGED",
    )
    note: str | None = Field(default=None, max_length=2_000)


class QuoteOut(Schema):
    """What the request would cost. `mileage_max` is the end of the slider (M-041)."""

    listing_id: UUID
    listing_title: str
    seller_name: str
    unit: Unit
    unit_price_won: int
    rate_card_version: int
    quantity: int
    fee_won: int
    mileage_cap: int
    mileage_available: int
    mileage_max: int
    mileage: int
    discount_won: int
    cash_won: int
    starts_at: datetime | None
    ends_at: datetime | None
    answer_due: datetime
    free_cancel_until: datetime | None
    late_fee_percent: int
    no_show_fee_percent: int


class CancelTerms(Schema):
    """What the buyer gets if it cancels now; null when it no longer can."""

    fee_won: int
    mileage_returned: int
    free_until: datetime | None


class OrderOut(Schema):
    """`cash_due_won`, `mileage_charged` follow the final charge once there is one.

    `actions` are the moves the caller could make now.
    """

    id: UUID
    number: int
    listing_id: UUID
    listing_title: str
    kind: Kind
    use_mode: UseMode
    seller_id: UUID
    seller_name: str
    buyer_id: UUID
    buyer_name: str
    unit: Unit
    unit_price_won: int
    rate_card_version: int
    quantity: int
    proposed_quantity: int | None
    actual_quantity: int | None
    fee_won: int
    mileage: int
    charged_won: int | None
    mileage_charged: int | None
    cash_due_won: int
    paid_won: int
    mileage_refunded: int
    cash_refunded_won: int
    starts_at: datetime | None
    ends_at: datetime | None
    use: Use
    settlement: Settlement
    lapse_at: datetime | None
    settle_after: datetime | None
    late_fee_percent: int
    no_show_fee_percent: int
    cancel: CancelTerms | None
    note: str | None
    created_at: datetime
    updated_at: datetime
    version: int
    actions: list[str]


class EventOut(Schema):
    action: str
    party: Party
    actor: str | None
    reason: str | None
    detail: dict[str, Any]
    use: Use
    settlement: Settlement
    at: datetime


class PaymentOut(Schema):
    id: UUID
    direction: Literal["received", "returned"]
    amount_won: int
    method: Literal["transfer", "card", "other"]
    paid_on: date
    reference: str
    file_id: UUID | None
    recorded_at: datetime


class FileOut(Schema):
    id: UUID
    name: str
    media_type: str
    size: int
    sha256: str
    party: Party
    created_at: datetime


class OrderDetail(OrderOut):
    """One order with the terms it was made under, its history, payments and files."""

    terms: str
    history: list[EventOut]
    payments: list[PaymentOut]
    files: list[FileOut]


class ReasonIn(Body):
    reason: str = Field(min_length=1, max_length=1_000)


class NoShowIn(Body):
    waive: bool = Field(default=False, description="미이용 수수료를 받지 않습니다")


class QuantityIn(Body):
    quantity: int = Field(ge=1, le=MAX_QUANTITY)
    reason: str = Field(min_length=1, max_length=1_000)


class ConsentIn(Body):
    consent: bool


class CompleteIn(Body):
    actual_quantity: int = Field(ge=0, le=MAX_QUANTITY, description="실제 이용 수량")
    note: str | None = Field(default=None, max_length=2_000)


class PaymentIn(Body):
    direction: Literal["received", "returned"] = "received"
    amount_won: int = Field(ge=1, le=10**13)
    method: Literal["transfer", "card", "other"]
    paid_on: date
    reference: str = Field(min_length=1, max_length=100, description="입금·승인 번호")
    file_id: UUID | None = Field(default=None, description="먼저 올린 증빙 파일")


class ResolveIn(Body):
    charged_won: int = Field(ge=0, le=10**13, description="분쟁 해결로 확정한 사용료")
    reason: str = Field(min_length=1, max_length=1_000)


class RefundIn(Body):
    mileage: int = Field(default=0, ge=0, le=MAX_POINTS)
    cash_won: int = Field(default=0, ge=0, le=10**13)
    reason: str = Field(min_length=1, max_length=1_000)


class MessageIn(Body):
    body: str = Field(min_length=1, max_length=5_000)


class MessageOut(Schema):
    id: UUID
    party: Party
    body: str
    at: datetime


class ReceiptOut(Schema):
    """Amounts in won, VAT included; `supply_won` + `vat_won` = `cash_won`."""

    number: str
    wording: str
    settled_at: datetime
    as_of: datetime
    starts_at: datetime | None
    ends_at: datetime | None
    listing_title: str
    seller_id: UUID
    seller_name: str
    buyer_id: UUID
    buyer_name: str
    buyer_brn: str | None
    unit: Unit
    unit_price_won: int
    quantity: int
    fee_won: int
    mileage: int
    discount_won: int
    cash_won: int
    supply_won: int
    vat_won: int
    mileage_refunded: int
    cash_refunded_won: int
    payments: list[PaymentOut]


class ClaimRowOut(Schema):
    number: int
    cells: dict[str, str]


class AccrualClaimOut(Schema):
    """`rows` go as they are into `POST /api/v1/accrual/applications/{id}/rows`."""

    field: Literal["EQUIPMENT"]
    net_cash_won: int
    rows: list[ClaimRowOut]


class Sums(Schema):
    """`fee_won`, `mileage` and `cash_won` of settled orders, net of refunds."""

    orders: int
    settled: int
    fee_won: int
    mileage: int
    cash_won: int


class KindSums(Sums):
    kind: Kind


class SellerSums(Sums):
    seller_id: UUID
    seller_name: str


class StatisticsOut(Schema):
    total: Sums
    by_use: dict[Use, int]
    by_settlement: dict[Settlement, int]
    by_kind: list[KindSums]
    sellers: list[SellerSums]


class AttentionOut(Schema):
    why: Literal[
        "ledger_differs", "disputed", "ledger_silent", "never_completed", "overpaid", "unpaid"
    ]
    order: OrderOut


class DifferenceOut(Schema):
    order_id: UUID
    what: str
    ours: str
    ledger: str


class ReconciliationOut(Schema):
    started_at: datetime
    finished_at: datetime
    checked: int
    differences: list[DifferenceOut]
