"""What auditors decide beside the rules, and what the institution objects to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements import moves
from services.grants.agreements.models import Agreement
from services.grants.agreements.service import readable_agreement, tell_agency, tell_institution
from services.grants.errors import DecisionClosed, OneCannotConfirm
from services.grants.expenses.models import ExpenseRow
from services.grants.expenses.moves import move
from services.grants.expenses.service import locked_expense, own_expense, readable_expense
from services.grants.programmes.service import note
from services.grants.settlement.models import Decision, Objection
from services.grants.settlement.rules import REVIEW_INVALID
from shared.problems import Invalid, NotFound, StateConflict
from shared.tokens import Claims


async def decide(
    session: AsyncSession, expense_id: UUID, caller: Claims, values: Mapping[str, Any]
) -> Decision:
    """Propose a decision on an expense of an unsettled year. A waiver waits for a second person;
    asking for a supplement sends the expense back at once. Raises `Invalid` for more won than were
    spent."""
    row, agreement = await _expense_of_agency(session, expense_id, caller)
    if (values.get("won") or 0) > row.amount_won:
        raise Invalid(errors=[REVIEW_INVALID.at("/won", field="won")])
    decision = Decision(expense_id=row.id, proposed_by=caller.sub, **values)
    session.add(decision)
    moved: tuple[str | None, str | None] = (None, None)
    if values["kind"] == "ask":
        target = move(row.state, "return")
        moved = (row.state, target)
        row.state = target
        author = row.created_by
        await tell_institution(session, agreement, "supplement_asked", author, number=row.number)
    action = f"decide_{values['kind']}"
    note(session, "expense", row.id, action, caller, moved=moved, reason=values["reason"])
    await session.flush()
    await session.refresh(decision)
    return decision


async def confirm(
    session: AsyncSession, decision_id: UUID, caller: Claims, now: datetime
) -> Decision:
    """The second pair of eyes. Raises `OneCannotConfirm` for the proposer."""
    decision = await _open_decision(session, decision_id, caller)
    if decision.proposed_by == caller.sub:
        raise OneCannotConfirm
    decision.confirmed_by, decision.confirmed_at = caller.sub, now
    note(session, "expense", decision.expense_id, "confirm_decision", caller)
    await session.flush()
    return decision


async def withdraw(
    session: AsyncSession, decision_id: UUID, caller: Claims, now: datetime
) -> Decision:
    decision = await _open_decision(session, decision_id, caller)
    decision.withdrawn_at = now
    note(session, "expense", decision.expense_id, "withdraw_decision", caller)
    await session.flush()
    return decision


async def decisions(session: AsyncSession, expense_id: UUID, caller: Claims) -> Sequence[Decision]:
    row = await readable_expense(session, expense_id, caller)
    query = select(Decision).where(Decision.expense_id == row.id).order_by(Decision.id)
    return (await session.scalars(query)).all()


async def object_to(
    session: AsyncSession, expense_id: UUID, caller: Claims, text: str
) -> Objection:
    """이의신청, while objections are open."""
    row, agreement = await own_expense(session, expense_id, caller)
    if agreement.state != "objection":
        raise StateConflict(state=moves.NAMES[agreement.state])
    moved = (row.state, move(row.state, "object"))
    row.state = moved[1]
    objection = Objection(expense_id=row.id, text=text, made_by=caller.sub)
    session.add(objection)
    note(session, "expense", row.id, "object", caller, moved=moved, reason=text)
    await tell_agency(session, agreement, "objection_made", number=row.number)
    await session.flush()
    await session.refresh(objection)
    return objection


async def answer_objection(
    session: AsyncSession,
    objection_id: UUID,
    caller: Claims,
    *,
    outcome: str,
    answer: str,
    now: datetime,
) -> Objection:
    of = select(Objection.expense_id).where(Objection.id == objection_id)
    row, agreement = await _expense_of_agency(session, await session.scalar(of), caller)
    objection = await session.get_one(Objection, objection_id, with_for_update=True)
    if objection.outcome is not None:
        raise DecisionClosed
    objection.outcome, objection.answer = outcome, answer
    objection.answered_by, objection.answered_at = caller.sub, now
    note(session, "expense", objection.expense_id, "answer_objection", caller, reason=answer)
    author = objection.made_by
    await tell_institution(session, agreement, "objection_answered", author, number=row.number)
    await session.flush()
    return objection


async def objections(
    session: AsyncSession, agreement_id: UUID, caller: Claims
) -> Sequence[Objection]:
    agreement = await readable_agreement(session, agreement_id, caller)
    query = (
        select(Objection)
        .join(ExpenseRow, ExpenseRow.id == Objection.expense_id)
        .where(ExpenseRow.agreement_id == agreement.id)
        .order_by(Objection.id)
        .limit(1000)
    )
    return (await session.scalars(query)).all()


async def _expense_of_agency(
    session: AsyncSession, expense_id: UUID | None, caller: Claims
) -> tuple[ExpenseRow, Agreement]:
    """An expense of an unsettled year of the caller's agency, locked with its agreement."""
    if expense_id is None:  # of an objection or a decision that is not there
        raise NotFound
    row, agreement = await locked_expense(session, expense_id, caller)
    if caller.institution_id != str(agreement.agency_id):
        raise NotFound
    if agreement.state not in ("under_settlement", "objection"):
        raise StateConflict(state=moves.NAMES[agreement.state])
    return row, agreement


async def _open_decision(session: AsyncSession, decision_id: UUID, caller: Claims) -> Decision:
    of = select(Decision.expense_id).where(Decision.id == decision_id)
    await _expense_of_agency(session, await session.scalar(of), caller)
    decision = await session.get_one(Decision, decision_id, with_for_update=True)
    if decision.withdrawn_at is not None or decision.confirmed_by is not None:
        raise DecisionClosed
    return decision
