"""Numbers over many orders: statistics, what needs a hand, and the rows of an export."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange.mileage import WON_PER_POINT
from services.exchange.orders import reconciliation
from services.exchange.orders.models import Movement, Order
from services.exchange.orders.rules import Settlement, Use
from services.exchange.parties import Party
from shared.clock import SEOUL
from shared.paging import PageRequest, paginate

SLOW_PROMISE = timedelta(minutes=10)
UNPAID_AFTER = timedelta(days=30)
OVERDUE_AFTER = timedelta(days=3)

_SETTLED = (Settlement.SETTLED, Settlement.REFUNDING, Settlement.REFUNDED)


@dataclass(frozen=True, slots=True)
class Period:
    """Korean calendar days, both included, by when an order was made; None: no bound."""

    first: date | None
    last: date | None

    def conditions(self) -> list[ColumnElement[bool]]:
        found = []
        if self.first is not None:
            found.append(Order.created_at >= datetime.combine(self.first, time(), SEOUL))
        if self.last is not None:
            # Not the midnight after it: there is none after the last day a date can hold.
            end = datetime.combine(self.last, time.max, SEOUL)
            found.append(Order.created_at <= end)
        return found


async def statistics(session: AsyncSession, period: Period) -> dict[str, Any]:
    """Orders, fees, mileage and cash: in total, by use, by kind, and the busiest sellers."""
    conditions = period.conditions()
    settled = Order.settlement.in_(_SETTLED)
    sums = (
        func.count().label("orders"),
        func.count().filter(settled).label("settled"),
        _sum(Order.charged_won, settled).label("fee_won"),
        _sum(Order.mileage_charged - Order.mileage_refunded, settled).label("mileage"),
        _sum(Order.paid_won - Order.cash_refunded_won, settled).label("cash_won"),
    )
    total = (await session.execute(select(*sums).where(*conditions))).mappings().one()
    by_use = await session.execute(
        select(Order.use, func.count()).where(*conditions).group_by(Order.use)
    )
    by_settlement = await session.execute(
        select(Order.settlement, func.count()).where(*conditions).group_by(Order.settlement)
    )
    by_kind = await session.execute(
        select(Order.kind, *sums).where(*conditions).group_by(Order.kind).order_by(Order.kind)
    )
    sellers = await session.execute(
        select(Order.seller_id, func.max(Order.seller_name).label("seller_name"), *sums)
        .where(*conditions)
        .group_by(Order.seller_id)
        .order_by(func.count().filter(settled).desc(), Order.seller_id)
        .limit(20)
    )
    return {
        "total": dict(total),
        "by_use": {row[0]: row[1] for row in by_use},
        "by_settlement": {row[0]: row[1] for row in by_settlement},
        "by_kind": [dict(row) for row in by_kind.mappings()],
        "sellers": [dict(row) for row in sellers.mappings()],
    }


async def attention(
    session: AsyncSession, page: PageRequest, *, now: datetime
) -> tuple[Sequence[Any], str | None, int]:
    """Orders a person must look at, as (order, why): those the ledger tells otherwise, disputes,
    promises the ledger does not answer, uses nobody completed, cash that never came or came too
    much."""
    report = await reconciliation.newest(session)
    differing = [UUID(each["order_id"]) for each in report.differences] if report else []
    slow = (
        select(Movement.order_id)
        .where(Movement.state == "intended", Movement.created_at < now - SLOW_PROMISE)
        .scalar_subquery()
    )
    closed = Order.charged_won.is_not(None)
    due = Order.charged_won - Order.mileage_charged * WON_PER_POINT
    reasons = {
        "ledger_differs": Order.id.in_(differing),
        "disputed": Order.settlement == Settlement.DISPUTED,
        "ledger_silent": Order.id.in_(slow),
        "never_completed": (Order.use == Use.IN_USE) & (Order.ends_at < now - OVERDUE_AFTER),
        "overpaid": closed & (Order.paid_won > due),
        "unpaid": closed
        & (Order.settlement == Settlement.HELD)
        & (Order.paid_won < due)
        & (Order.updated_at < now - UNPAID_AFTER),
    }
    why = case(*((condition, name) for name, condition in reasons.items()))
    query = select(Order, why.label("why")).where(or_(*reasons.values()))
    return await paginate(session, query, keys=[Order.id], page=page, descending=False)


def exported(*, party: Party, institution_id: UUID | None, period: Period) -> Select[Order]:
    """The orders of a ledger export, oldest first."""
    query = select(Order).where(*period.conditions())
    if party is Party.BUYER:
        query = query.where(Order.buyer_id == institution_id)
    elif party is Party.SELLER:
        query = query.where(Order.seller_id == institution_id)
    return query.order_by(Order.id)


def _sum(amount: SQLColumnExpression[Any], condition: ColumnElement[bool]) -> ColumnElement[int]:
    """A sum as an integer: PostgreSQL sums bigints as numeric, which JSON would show as text."""
    return func.coalesce(func.sum(amount).filter(condition), 0).cast(Order.number.type)
