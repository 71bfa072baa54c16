"""What an order leaves behind on paper: the receipt, and the rows of an accrual claim (M-043)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange import errors
from services.exchange.listings.models import Institution
from services.exchange.listings.rules import Kind
from services.exchange.mileage import WON_PER_POINT
from services.exchange.orders import rules, service
from services.exchange.orders.models import Order, OrderEvent, Payment
from services.exchange.orders.rules import Action, Settlement, Use
from shared.clock import seoul_day

# Direct use and commissioned work are different fee accounts of a university (S1:598).
WORDING = {"direct": "장비·시설 직접 사용료", "commissioned": "시험·분석 의뢰 수수료"}
LATE_WORDING = {Use.CANCELLED: "취소 수수료", Use.NO_SHOW: "미이용 수수료"}
CLAIM_KINDS = frozenset({Kind.EQUIPMENT, Kind.ANALYSIS})


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was bought, what it cost, and how it was paid; amounts in won, VAT included.

    `as_of` is when the order last changed: a later refund is on it.
    """

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
    unit: str
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
    payments: Sequence[Payment]


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One deposit as a row of the EQUIPMENT sheet, cells as an applicant would type them."""

    number: int
    cells: dict[str, str]


async def receipt(session: AsyncSession, order: Order) -> Receipt:
    """Raises `OrderState` (409) before the order is settled."""
    if order.settlement not in {Settlement.SETTLED, Settlement.REFUNDING, Settlement.REFUNDED}:
        raise errors.OrderState(use=order.use, settlement=order.settlement, action="receipt")
    assert order.charged_won is not None
    assert order.mileage_charged is not None
    settled_at = await session.scalar(
        select(OrderEvent.at).where(
            OrderEvent.order_id == order.id, OrderEvent.action == Action.POST
        )
    )
    assert settled_at is not None
    buyer = await session.get(Institution, order.buyer_id)
    supply_won, vat_won = rules.supply_and_vat(order.cash_due_won)
    return Receipt(
        number=order.public_number,
        wording=LATE_WORDING.get(Use(order.use), WORDING[order.use_mode]),
        settled_at=settled_at,
        as_of=order.updated_at,
        starts_at=order.starts_at,
        ends_at=order.ends_at,
        listing_title=order.listing_title,
        seller_id=order.seller_id,
        seller_name=order.seller_name,
        buyer_id=order.buyer_id,
        buyer_name=order.buyer_name,
        buyer_brn=buyer.brn if buyer else None,
        unit=order.unit,
        unit_price_won=order.unit_price_won,
        quantity=order.actual_quantity or order.quantity,
        fee_won=order.charged_won,
        mileage=order.mileage_charged,
        discount_won=order.mileage_charged * WON_PER_POINT,
        cash_won=order.cash_due_won,
        supply_won=supply_won,
        vat_won=vat_won,
        mileage_refunded=order.mileage_refunded,
        cash_refunded_won=order.cash_refunded_won,
        payments=await service.payments(session, order.id),
    )


async def accrual_claim(session: AsyncSession, order: Order) -> list[ClaimRow]:
    """The rows of an EQUIPMENT claim for a settled order: cash only, since the mileage part was
    earned before (M-043), net of what was returned. Raises `NotAccruable`."""
    claimable = (
        order.settlement == Settlement.SETTLED
        and order.use == Use.COMPLETED
        and order.kind in CLAIM_KINDS
    )
    net_won = order.paid_won - order.cash_refunded_won
    if not claimable or net_won <= 0:
        raise errors.NotAccruable
    buyer = await session.get(Institution, order.buyer_id)
    deposits = _net_deposits(await service.payments(session, order.id), net_won)
    return [
        ClaimRow(number, _cells(order, buyer, paid_on, amount_won, net_won))
        for number, (paid_on, amount_won) in enumerate(deposits, start=1)
    ]


def _net_deposits(payments: Sequence[Payment], net_won: int) -> list[tuple[date, int]]:
    """The deposits, oldest first, as far as they were kept: what was returned came off the last."""
    kept = []
    left = net_won
    received = [payment for payment in payments if payment.direction == "received"]
    for payment in sorted(received, key=lambda each: (each.paid_on, each.id)):
        amount = min(payment.amount_won, left)
        if amount:
            kept.append((payment.paid_on, amount))
        left -= amount
    return kept


def _cells(
    order: Order, buyer: Institution | None, paid_on: date, amount_won: int, net_won: int
) -> dict[str, str]:
    supply_won, vat_won = rules.supply_and_vat(amount_won)
    return {
        "brn": (buyer.brn if buyer else None) or "",
        "company_name": order.buyer_name,
        "agreement_date": f"{seoul_day(order.created_at):%Y%m%d}",
        "contract_no": order.public_number,
        "usage_type": "공용장비",
        "title": order.listing_title,
        "contract_won": str(net_won),
        "supply_won": str(supply_won),
        "vat_won": str(vat_won),
        "deposit_date": f"{paid_on:%Y%m%d}",
        "deposit_won": str(amount_won),
        "note": f"거래소 이용, 마일리지 {order.mileage_charged}점 제외",
    }
