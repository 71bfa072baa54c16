"""Proof that orders and ledger agree: every promise is asked after, every difference named.

A run walks the orders that changed since they were last compared, and all that are still open. An
order in the middle of a promise is passed over; so is one that moves while it is looked at. What
remains is a difference nobody's timing explains: an error in the log, a note of `/readyz`, and a
row in the operator's queue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange.clients import Ledger
from services.exchange.listings.models import Slot
from services.exchange.orders import rules
from services.exchange.orders.models import Movement, Order, Reconciliation
from services.exchange.orders.rules import Settlement
from shared.db import Sessions

log = structlog.get_logger()

BATCH = 200
MAX_DIFFERENCES = 100
OVERLAP = timedelta(minutes=10)  # compared again, since commits do not come in order of time
KEPT = timedelta(days=30)

# What the ledger should say of a hold, by where the order stands.
HOLD_STATES = {
    Settlement.HELD: "pending",
    Settlement.DISPUTED: "pending",
    Settlement.RELEASED: "voided",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One disagreement: what we hold to be so, and what the ledger says."""

    order_id: UUID
    what: str
    ours: str
    ledger: str

    def to_json(self) -> dict[str, str]:
        return {
            "order_id": str(self.order_id),
            "what": self.what,
            "ours": self.ours,
            "ledger": self.ledger,
        }


async def reconcile(sessions: Sessions, ledger: Ledger, *, now: datetime) -> Reconciliation:
    """Compare, store the report and return it. Raises when the ledger does not answer: a report
    is of all or it is none."""
    async with sessions() as session:
        last = await newest(session)
    differences = await _slots_without_order(sessions)
    checked = 0
    after: UUID | None = None
    while True:
        batch = await _batch(sessions, after=after, last=last)
        for order, movements in batch:
            found = await _compare(ledger, order, movements)
            if found and await _unmoved(sessions, order):
                differences += found
        checked += len(batch)
        if len(batch) < BATCH:
            break
        after = batch[-1][0].id
    return await _store(sessions, started_at=now, checked=checked, differences=differences)


async def summary(session: AsyncSession) -> dict[str, Any]:
    """What `/readyz` tells of the newest report; `agrees` is null before the first one.

    A note and no check: a difference in one order is the same for every replica, and taking all of
    them out of service would stop the other orders without mending that one. It is logged as an
    error, and stands in the operator's queue until it is mended.
    """
    report = await newest(session)
    if report is None:
        return {"agrees": None, "differences": 0, "finished_at": None}
    count = len(report.differences)
    at = report.finished_at.isoformat(timespec="seconds")
    return {"agrees": not count, "differences": count, "finished_at": at}


async def newest(session: AsyncSession) -> Reconciliation | None:
    query = select(Reconciliation).order_by(Reconciliation.id.desc()).limit(1)
    found: Reconciliation | None = await session.scalar(query)
    return found


async def _batch(
    sessions: Sessions, *, after: UUID | None, last: Reconciliation | None
) -> list[tuple[Order, Sequence[Movement]]]:
    """Orders with mileage and no open promise: the unfinished ones, and those changed lately.

    What differed last time is looked at again, since it may have been mended at the ledger.
    """
    open_promise = exists().where(Movement.order_id == Order.id, Movement.state == "intended")
    query = select(Order).where(Order.mileage > 0, ~open_promise)
    if last is not None:
        unfinished = Order.settlement.in_([Settlement.HELD, Settlement.DISPUTED])
        changed = Order.updated_at > last.started_at - OVERLAP
        named = [UUID(item["order_id"]) for item in last.differences]
        query = query.where(unfinished | changed | Order.id.in_(named))
    if after is not None:
        query = query.where(Order.id > after)
    async with sessions() as session:
        orders = (await session.scalars(query.order_by(Order.id).limit(BATCH))).all()
        movements = await session.scalars(
            select(Movement)
            .where(Movement.order_id.in_([order.id for order in orders]))
            .order_by(Movement.created_at)
        )
        by_order: dict[UUID, list[Movement]] = {order.id: [] for order in orders}
        for movement in movements:
            by_order[movement.order_id].append(movement)
    return [(order, by_order[order.id]) for order in orders]


async def _compare(ledger: Ledger, order: Order, movements: Sequence[Movement]) -> list[Difference]:
    found: list[Difference] = []

    def differ(what: str, ours: object, theirs: object) -> None:
        if ours != theirs:
            found.append(Difference(order.id, what, str(ours), str(theirs)))

    holds = [movement for movement in movements if movement.kind == "hold"]
    posted = [movement for movement in movements if movement.kind == "post"]
    differ("number of holds", 1, len(holds))
    if holds:
        theirs = await ledger.transfer(holds[0].id)
        if holds[0].state == "done":
            differ("hold amount", holds[0].amount, _amount(theirs))
            differ("hold state", _hold_state(order, bool(posted)), _state(theirs))
        else:  # refused or given up: nothing of it may live
            differ("hold state", True, _state(theirs) in {None, "voided"})
    charged = order.mileage_charged if order.settlement in _POSTED else 0
    differ("posted by us", charged, sum(m.amount for m in posted if m.state == "done"))
    for movement in posted:
        differ("posted amount", movement.amount, _amount(await ledger.transfer(movement.id)))
    back = [m for m in movements if m.kind == "reversal" and m.state == "done"]
    differ("refunded by us", order.mileage_refunded, sum(m.amount for m in back))
    for movement in back:
        differ("reversed amount", movement.amount, _amount(await ledger.transfer(movement.id)))
    return found


_POSTED = frozenset({Settlement.SETTLED, Settlement.REFUNDING, Settlement.REFUNDED})


def _hold_state(order: Order, posted: bool) -> str:
    if order.settlement in _POSTED:
        return "posted" if posted else "voided"  # a fee too small for mileage voids its hold
    return HOLD_STATES[Settlement(order.settlement)]


def _amount(transfer: Mapping[str, Any] | None) -> int | None:
    return None if transfer is None else int(transfer["amount"])


def _state(transfer: Mapping[str, Any] | None) -> str | None:
    return None if transfer is None else str(transfer["state"])


async def _unmoved(sessions: Sessions, order: Order) -> bool:
    """Whether the order is still as it was read, so that the difference is no matter of timing."""
    async with sessions() as session:
        version = await session.scalar(select(Order.version).where(Order.id == order.id))
    return version == order.version


async def _slots_without_order(sessions: Sessions) -> list[Difference]:
    """Slots and live orders keep each other: neither exists without the other."""
    live = [str(use) for use in rules.LIVE]
    lost = (
        select(Slot.order_id)
        .outerjoin(Order, Order.id == Slot.order_id)
        .where(Order.id.is_(None) | Order.use.not_in(live))
        .limit(MAX_DIFFERENCES)
    )
    missing = (
        select(Order.id)
        .outerjoin(Slot, Slot.order_id == Order.id)
        .where(Slot.order_id.is_(None), Order.use.in_(live), Order.starts_at.is_not(None))
        .limit(MAX_DIFFERENCES)
    )
    async with sessions() as session:
        return [
            Difference(order_id, "slot", ours, "")
            for query, ours in ((lost, "kept without a live order"), (missing, "missing"))
            for order_id in await session.scalars(query)
        ]


async def _store(
    sessions: Sessions, *, started_at: datetime, checked: int, differences: Sequence[Difference]
) -> Reconciliation:
    report = Reconciliation(
        started_at=started_at,
        finished_at=func.clock_timestamp(),
        checked=checked,
        differences=[each.to_json() for each in differences[:MAX_DIFFERENCES]],
    )
    async with sessions.begin() as session:
        await session.execute(
            delete(Reconciliation).where(Reconciliation.started_at < started_at - KEPT)
        )
        session.add(report)
        await session.flush()
        await session.refresh(report)
    write = log.error if differences else log.info
    write("orders_reconciled", checked=checked, differences=len(differences))
    return report
