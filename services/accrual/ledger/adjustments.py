"""Corrections by hand: one operator proposes with a reason, another approves or refuses.

Nothing is ever changed: an approved adjustment is a transfer like any other, from or to issuance,
and what was proposed and decided stays. Whoever proposed may refuse too, which takes it back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID, uuid5

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.ledger import errors, rules, service
from services.accrual.ledger.models import Adjustment, AdjustmentDecision
from services.accrual.ledger.rules import ISSUANCE, Kind, NewTransfer
from shared.logs import trace_id
from shared.paging import PageRequest, paginate
from shared.problems import Invalid, StateConflict
from shared.tokens import Claims

State = Literal["proposed", "approved", "refused"]
TITLE: Final = "원장 조정"
_NAMES: Final = {"approved": "승인", "refused": "반려"}


@dataclass(frozen=True, slots=True)
class Proposal:
    adjustment: Adjustment
    decision: AdjustmentDecision | None

    @property
    def state(self) -> str:
        return "proposed" if self.decision is None else self.decision.decision


async def propose(
    session: AsyncSession,
    claims: Claims,
    *,
    institution_id: UUID,
    amount: int,
    field: str | None,
    reason: str,
    now: datetime,
) -> Proposal:
    """Raises `Invalid` for a system account. Whether there are enough points is seen when it is
    approved, since they may come and go until then."""
    if rules.is_system(institution_id):
        raise Invalid(errors=[errors.SYSTEM_ACCOUNT.at("/institution_id", field="institution_id")])
    adjustment = Adjustment(
        institution_id=institution_id,
        amount=amount,
        field=field,
        reason=reason,
        proposed_by=claims.sub,
        proposed_at=now,
        trace_id=trace_id.get(),
    )
    session.add(adjustment)
    await session.flush()
    return Proposal(adjustment, None)


async def approve(
    session: AsyncSession, claims: Claims, adjustment_id: UUID, *, now: datetime
) -> Proposal:
    """Post it. Raises `AdjustmentNotFound`, `FourEyes`, `StateConflict`, `Insufficient`."""
    adjustment = (await find(session, adjustment_id)).adjustment
    if adjustment.proposed_by == claims.sub:
        raise errors.FourEyes
    transfer = _transfer(adjustment, approved_by=claims.sub)
    decision = await _decide(
        session, claims, adjustment, "approved", note=None, transfer_id=transfer.id, now=now
    )
    await service.post_transfers(session, [transfer])
    return Proposal(adjustment, decision)


async def refuse(
    session: AsyncSession, claims: Claims, adjustment_id: UUID, *, note: str, now: datetime
) -> Proposal:
    """Raises `AdjustmentNotFound`, `StateConflict`."""
    adjustment = (await find(session, adjustment_id)).adjustment
    decision = await _decide(
        session, claims, adjustment, "refused", note=note, transfer_id=None, now=now
    )
    return Proposal(adjustment, decision)


async def find(session: AsyncSession, adjustment_id: UUID) -> Proposal:
    row = (await session.execute(_proposals().where(Adjustment.id == adjustment_id))).one_or_none()
    if row is None:
        raise errors.AdjustmentNotFound
    return Proposal(*row)


async def proposals(
    session: AsyncSession,
    page: PageRequest,
    *,
    state: State | None = None,
    institution_id: UUID | None = None,
) -> tuple[Sequence[Proposal], str | None, int]:
    """The newest first; the next cursor; how many there are."""
    query = _proposals()
    if state == "proposed":
        query = query.where(AdjustmentDecision.adjustment_id.is_(None))
    elif state is not None:
        query = query.where(AdjustmentDecision.decision == state)
    if institution_id is not None:
        query = query.where(Adjustment.institution_id == institution_id)
    rows, cursor, total = await paginate(session, query, keys=[Adjustment.id], page=page)
    return [Proposal(*row) for row in rows], cursor, total


async def _decide(
    session: AsyncSession, claims: Claims, adjustment: Adjustment, decision: str, **more: Any
) -> AdjustmentDecision:
    """The first decision is the only one: two at once meet at the primary key."""
    now = more.pop("now")
    fresh = await session.scalar(
        insert(AdjustmentDecision)
        .values(
            adjustment_id=adjustment.id,
            decision=decision,
            decided_by=claims.sub,
            decided_at=now,
            trace_id=trace_id.get(),
            **more,
        )
        .on_conflict_do_nothing()
        .returning(AdjustmentDecision.adjustment_id)
    )
    found = await session.get_one(AdjustmentDecision, adjustment.id)
    if fresh is None:
        raise StateConflict(state=_NAMES[found.decision])
    return found


def _transfer(adjustment: Adjustment, *, approved_by: str) -> NewTransfer:
    gives = adjustment.amount > 0
    return NewTransfer(
        id=uuid5(adjustment.id, "approved"),
        kind=Kind.ADJUSTMENT,
        debit_account=ISSUANCE if gives else adjustment.institution_id,
        credit_account=adjustment.institution_id if gives else ISSUANCE,
        amount=abs(adjustment.amount),
        field=adjustment.field,
        title=TITLE,
        reference=f"adjustment:{adjustment.id}",
        metadata={
            "reason": adjustment.reason,
            "proposed_by": adjustment.proposed_by,
            "approved_by": approved_by,
        },
    )


def _proposals() -> Select[Adjustment, AdjustmentDecision]:
    return select(Adjustment, AdjustmentDecision).outerjoin(
        AdjustmentDecision, AdjustmentDecision.adjustment_id == Adjustment.id
    )
