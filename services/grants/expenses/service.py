"""Spending under an agreement: checked before, entered with its evidence, metered on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    String,
    Uuid,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements.models import Agreement
from services.grants.agreements.moves import NAMES as YEARS
from services.grants.agreements.service import own_agreement, plan_in_force, readable_agreement
from services.grants.expenses.models import EvidenceRow, ExpenseRow, ExpenseVersion
from services.grants.expenses.moves import EDITABLE, NAMES, move
from services.grants.expenses.rules import (
    Evidence,
    ExpenseCheck,
    Plan,
    check_expense,
    spending_meters,
)
from services.grants.expenses.typed import expenses_of, of_row, typed, used_earlier
from services.grants.programmes.models import Event
from services.grants.programmes.rules import months_between
from services.grants.programmes.service import note
from services.grants.proposals.rules import Meter
from shared.db import next_number
from shared.paging import PageRequest, paginate
from shared.problems import NotFound, Stale, StateConflict
from shared.tokens import Claims

NEW = "new"


async def plan_to_check(session: AsyncSession, agreement: Agreement) -> Plan:
    """The plan in force, knowing which documents another project used first."""
    plan = await plan_in_force(session, agreement)
    return replace(plan, used_earlier=await used_earlier(session, plan.rules, agreement.id))


async def pre_check(
    session: AsyncSession,
    agreement_id: UUID,
    institution_id: UUID,
    values: Mapping[str, Any],
    evidence: Sequence[Mapping[str, Any]],
) -> ExpenseCheck:
    """What the settlement rules would say of money not spent yet. Changes nothing."""
    agreement = await own_agreement(session, agreement_id, institution_id)
    plan = await plan_to_check(session, agreement)
    papers = tuple(Evidence(**document) for document in evidence)
    expense = replace(typed(plan.rules, NEW, values), evidence=papers)
    return check_expense(
        plan, expense, await expenses_of(session, plan.rules, agreement_id), "plan"
    )


async def spending_year(
    session: AsyncSession, agreement_id: UUID, institution_id: UUID
) -> Agreement:
    """The institution's agreement, locked and still being spent: the turnstile of numbers."""
    await own_agreement(session, agreement_id, institution_id)
    agreement = await session.get_one(Agreement, agreement_id, with_for_update=True)
    if agreement.state != "active":
        raise StateConflict(state=YEARS[agreement.state])
    return agreement


async def add_expense(
    session: AsyncSession,
    agreement_id: UUID,
    institution_id: UUID,
    values: Mapping[str, Any],
    caller: Claims,
) -> ExpenseRow:
    """Enter an expense. Numbers count up without a gap: the agreement's row is the turnstile."""
    agreement = await spending_year(session, agreement_id, institution_id)
    plan = await plan_in_force(session, agreement)
    # Refuses what the rules cannot read; what they object to is entered and shown.
    check_expense(plan, typed(plan.rules, NEW, values), (), "entry")
    number = await next_expense(session, agreement_id)
    row = ExpenseRow(agreement_id=agreement_id, number=number, created_by=caller.sub, **values)
    session.add(row)
    await session.flush()
    keep_version(session, row.id, 1, values, caller)
    note(session, "expense", row.id, "register", caller, moved=(None, "registered"))
    await session.refresh(row)
    return row


async def next_expense(session: AsyncSession, agreement_id: UUID) -> int:
    """The number of the next expense; an agreement held by `spending_year` gives it out once."""
    return await next_number(session, ExpenseRow.number, ExpenseRow.agreement_id == agreement_id)


async def edit_expense(
    session: AsyncSession,
    expense_id: UUID,
    seen_version: int,
    values: Mapping[str, Any],
    caller: Claims,
) -> ExpenseRow:
    """Change an entry while the year is spent, or one the agency sent back. Raises `Stale`."""
    row, agreement = await own_expense(session, expense_id, caller)
    if row.version != seen_version:
        raise Stale
    if row.state not in EDITABLE or (row.state == "registered" and agreement.state != "active"):
        raise StateConflict(state=NAMES[row.state])
    plan = await plan_in_force(session, agreement)
    check_expense(plan, typed(plan.rules, NEW, values), (), "entry")
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1
    keep_version(session, row.id, row.version, values, caller)
    note(session, "expense", row.id, "edit", caller)
    await session.flush()
    await session.refresh(row)
    return row


async def act_on_expense(
    session: AsyncSession, expense_id: UUID, caller: Claims, action: str
) -> ExpenseRow:
    """The institution's own moves: `cancel` an entry made in error, `supply` what was asked for."""
    row, agreement = await own_expense(session, expense_id, caller)
    if action == "cancel" and agreement.state != "active":
        raise StateConflict(state=YEARS[agreement.state])
    moved = (row.state, move(row.state, action))
    note(session, "expense", row.id, action, caller, moved=moved)
    row.state = moved[1]
    await session.flush()
    await session.refresh(row)
    return row


async def move_all(
    session: AsyncSession,
    agreement_id: UUID,
    caller: Claims,
    action: str,
    target: ColumnElement[str] | str,
    *which: ColumnElement[bool],
    reason: str | None = None,
) -> None:
    """Move many expenses of a year at once; those whose state changes get the note a single move
    leaves (`note`)."""
    moved = (
        update(ExpenseRow)
        .where(ExpenseRow.agreement_id == agreement_id, ExpenseRow.state != target, *which)
        .values(state=target)
        .returning(
            ExpenseRow.id,
            literal_column("old.state", String).label("from_state"),
            literal_column("new.state", String).label("to_state"),
        )
        .cte("moved")
    )
    noted = select(
        literal("expense"),
        moved.c.id,
        literal(action),
        moved.c.from_state,
        moved.c.to_state,
        literal(caller.sub),
        literal(UUID(caller.institution_id) if caller.institution_id else None, Uuid),
        literal(reason, String),
    )
    columns = "subject_kind subject_id action from_state to_state actor_id"
    await session.execute(
        insert(Event).from_select(
            [*columns.split(), "actor_institution_id", "reason"], noted.order_by(moved.c.id)
        ),
        execution_options={"synchronize_session": False},
    )


async def expense_moves(session: AsyncSession, expense_id: UUID, caller: Claims) -> Sequence[Event]:
    """What happened to an expense, for the institution and for the agency."""
    row = await readable_expense(session, expense_id, caller)
    query = select(Event).where(Event.subject_id == row.id).order_by(Event.id).limit(1000)
    return (await session.scalars(query)).all()


async def expense_detail(
    session: AsyncSession, expense_id: UUID, caller: Claims
) -> tuple[ExpenseRow, Sequence[EvidenceRow], ExpenseCheck, int | None]:
    """An expense with its documents, judged among the others of its year, and its project month."""
    row = await readable_expense(session, expense_id, caller)
    agreement = await session.get_one(Agreement, row.agreement_id)
    documents = (
        await session.scalars(
            select(EvidenceRow).where(EvidenceRow.expense_id == row.id).order_by(EvidenceRow.id)
        )
    ).all()
    plan = await plan_to_check(session, agreement)
    others = [
        other
        for other in await expenses_of(session, plan.rules, agreement.id)
        if other.id != str(row.id)
    ]
    check = check_expense(plan, of_row(plan.rules, row, documents), others, "entry")
    return row, documents, check, project_month(plan, row.paid_on or row.obligated_on)


def project_month(plan: Plan, day: date | None) -> int | None:
    """Which month of the project year a day lies in, counted from 1; None outside of it."""
    if day is None or day not in plan.year:
        return None
    return months_between(plan.year.start, day)


async def expense_history(
    session: AsyncSession, expense_id: UUID, caller: Claims
) -> Sequence[ExpenseVersion]:
    row = await readable_expense(session, expense_id, caller)
    query = select(ExpenseVersion).where(ExpenseVersion.expense_id == row.id)
    return (await session.scalars(query.order_by(ExpenseVersion.version).limit(500))).all()


async def list_expenses(
    session: AsyncSession,
    agreement_id: UUID,
    caller: Claims,
    page: PageRequest,
    state: str | None = None,
) -> tuple[Sequence[ExpenseRow], str | None, int]:
    agreement = await readable_agreement(session, agreement_id, caller)
    query = select(ExpenseRow).where(ExpenseRow.agreement_id == agreement.id)
    if state is not None:
        query = query.where(ExpenseRow.state == state)
    return await paginate(session, query, keys=[ExpenseRow.number], page=page)


async def meters(session: AsyncSession, agreement_id: UUID, caller: Claims) -> tuple[Meter, ...]:
    """How far the year's spending has used its caps and its items."""
    agreement = await readable_agreement(session, agreement_id, caller)
    plan = await plan_in_force(session, agreement)
    return spending_meters(plan, await expenses_of(session, plan.rules, agreement.id))


async def locked_expense(
    session: AsyncSession, expense_id: UUID, caller: Claims
) -> tuple[ExpenseRow, Agreement]:
    """An expense of the caller's institution, on either side, and its agreement, locked for a
    change. The agreement comes first, shared, as everywhere: whoever moves the whole year (a run,
    the end of a settlement) holds it for itself, and what we decide by does not change."""
    if caller.institution_id is None:
        raise NotFound
    ours = UUID(caller.institution_id)
    query = (
        select(Agreement)
        .join(ExpenseRow, ExpenseRow.agreement_id == Agreement.id)
        .where(
            ExpenseRow.id == expense_id,
            or_(Agreement.institution_id == ours, Agreement.agency_id == ours),
        )
        .with_for_update(read=True, of=Agreement)
    )
    agreement = (await session.scalars(query)).one_or_none()
    if agreement is None:
        raise NotFound
    return await session.get_one(ExpenseRow, expense_id, with_for_update=True), agreement


async def own_expense(
    session: AsyncSession, expense_id: UUID, caller: Claims
) -> tuple[ExpenseRow, Agreement]:
    """The same for the institution that spends."""
    row, agreement = await locked_expense(session, expense_id, caller)
    if caller.institution_id != str(agreement.institution_id):
        raise NotFound
    return row, agreement


async def readable_expense(session: AsyncSession, expense_id: UUID, caller: Claims) -> ExpenseRow:
    row = await session.get(ExpenseRow, expense_id)
    if row is None:
        raise NotFound
    await readable_agreement(session, row.agreement_id, caller)
    return row


def keep_version(
    session: AsyncSession, expense_id: UUID, version: int, values: Mapping[str, Any], caller: Claims
) -> None:
    """Keep what an expense says from now on."""
    session.add(
        ExpenseVersion(
            expense_id=expense_id,
            version=version,
            document=as_document(values),
            changed_by=caller.sub,
        )
    )


def as_document(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was entered, as JSON."""
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in values.items()
    }
