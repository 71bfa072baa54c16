"""What comes back after a settlement: paid at once or in parts, until nothing is left (G-049)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements import moves
from services.grants.agreements.models import Agreement
from services.grants.agreements.service import (
    agency_agreement,
    readable_agreement,
    tell_institution,
)
from services.grants.errors import REFUND_DAY, RefundMismatch
from services.grants.programmes.service import note
from services.grants.settlement.models import RefundPayment
from services.grants.settlement.service import last_run
from shared.clock import seoul_day
from shared.problems import Invalid, StateConflict
from shared.tokens import Claims


@dataclass(frozen=True, slots=True)
class Refund:
    """What the final settlement says is due, and what came of it so far, in won."""

    due_won: int
    payments: Sequence[RefundPayment]

    @property
    def returned_won(self) -> int:
        return sum(payment.won for payment in self.payments)

    @property
    def left_won(self) -> int:
        return self.due_won - self.returned_won


async def refund_of(session: AsyncSession, agreement_id: UUID, caller: Claims) -> Refund:
    """For either side. Raises `StateConflict` before the settlement is final."""
    return await _refund(session, await readable_agreement(session, agreement_id, caller))


async def record_refund(
    session: AsyncSession,
    agreement_id: UUID,
    caller: Claims,
    *,
    returned_won: int,
    reference: str,
    paid_on: date | None,
    now: datetime,
) -> Agreement:
    """Money came back: all that is due or a part of it, never more. With the last won the year is
    closed; where nothing is due, 0 won say so. Raises `RefundMismatch`, or `Invalid` for a day to
    come.

    The agreement's row is the turnstile: two payments at once are counted one after the other.
    """
    agreement = await agency_agreement(session, agreement_id, caller)
    target = moves.move(agreement.state, "refund")
    day = paid_on or seoul_day(now)
    if day > seoul_day(now):
        raise Invalid(errors=[REFUND_DAY.at("/paid_on", field="paid_on", day=str(day))])
    before = await _refund(session, agreement)
    left = before.left_won - returned_won
    if left < 0 or (returned_won == 0 and left > 0):
        raise RefundMismatch(due=before.left_won, returned=returned_won)
    payment = RefundPayment(
        agreement_id=agreement.id,
        seq=len(before.payments) + 1,
        won=returned_won,
        paid_on=day,
        reference=reference,
        recorded_by=caller.sub,
        recorded_at=now,
    )
    session.add(payment)
    closed = left == 0
    note(
        session,
        "agreement",
        agreement.id,
        "refund",
        caller,
        moved=(agreement.state, target) if closed else (None, None),
        reason=f"{reference} ({returned_won:,}원)",
    )
    if closed:
        agreement.state = target
    await tell_institution(session, agreement, "refund_recorded", won=returned_won, left=left)
    await session.flush()
    await session.refresh(agreement)
    return agreement


async def _refund(session: AsyncSession, agreement: Agreement) -> Refund:
    if agreement.state not in ("final", "refunded"):
        raise StateConflict(state=moves.NAMES[agreement.state])
    due = (await last_run(session, agreement)).result["statement"]["return_won"]
    query = select(RefundPayment).where(RefundPayment.agreement_id == agreement.id)
    return Refund(due, (await session.scalars(query.order_by(RefundPayment.seq))).all())
