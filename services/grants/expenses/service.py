"""Spending under an agreement: checked before, entered with its evidence, metered on the way."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements.models import Agreement
from services.grants.agreements.service import own_agreement, plan_in_force, readable_agreement
from services.grants.errors import DUPLICATE_EVIDENCE_FILE, EVIDENCE_KIND_UNKNOWN, RuleSetInvalid
from services.grants.expenses.models import EvidenceRow, ExpenseRow
from services.grants.expenses.rules import (
    Evidence,
    Expense,
    ExpenseCheck,
    Plan,
    check_expense,
    spending_meters,
)
from services.grants.programmes.reading import read
from services.grants.programmes.service import note
from services.grants.proposals.document import document_finding
from services.grants.proposals.rules import Meter
from shared.files import Files
from shared.paging import PageRequest, paginate
from shared.problems import Invalid, NotFound, StateConflict
from shared.tokens import Claims

MAX_EXPENSES = 100_000
NEW = "new"


async def pre_check(
    session: AsyncSession,
    agreement_id: UUID,
    institution_id: UUID,
    values: Mapping[str, Any],
    evidence: Sequence[Mapping[str, Any]],
) -> ExpenseCheck:
    """What the settlement rules would say of money not spent yet. Changes nothing."""
    agreement = await own_agreement(session, agreement_id, institution_id)
    plan = await plan_in_force(session, agreement)
    expense = replace(
        _expense(NEW, values), evidence=tuple(Evidence(**document) for document in evidence)
    )
    return check_expense(plan, expense, await expenses_of(session, agreement.id), "plan")


async def add_expense(
    session: AsyncSession,
    agreement_id: UUID,
    institution_id: UUID,
    values: Mapping[str, Any],
    caller: Claims,
) -> ExpenseRow:
    """Enter an expense. Numbers count up without a gap: the agreement's row is the turnstile."""
    await own_agreement(session, agreement_id, institution_id)
    agreement = await session.get_one(Agreement, agreement_id, with_for_update=True)
    if agreement.state != "active":
        raise StateConflict(state=agreement.state)
    plan = await plan_in_force(session, agreement)
    # Refuses what the rules cannot read; what they object to is entered and shown.
    check_expense(plan, _expense(NEW, values), (), "entry")
    last = await session.scalar(
        select(func.max(ExpenseRow.number)).where(ExpenseRow.agreement_id == agreement_id)
    )
    row = ExpenseRow(
        agreement_id=agreement_id, number=(last or 0) + 1, created_by=caller.sub, **values
    )
    session.add(row)
    await session.flush()
    note(session, "expense", row.id, "register", caller, moved=(None, "registered"))
    await session.refresh(row)
    return row


async def attach_evidence(
    session: AsyncSession,
    files: Files,
    expense_id: UUID,
    institution_id: UUID,
    caller: Claims,
    *,
    kind: str,
    amount_won: int | None,
    number: str | None,
    name: str,
    chunks: AsyncIterator[bytes],
) -> EvidenceRow:
    """Add a document. Raises `Invalid` for a file that may not be attached, or was used before."""
    row = await _own_expense(session, expense_id, institution_id)
    agreement = await session.get_one(Agreement, row.agreement_id)
    plan = await plan_in_force(session, agreement)
    if kind not in plan.rules.evidence_names:
        known = ", ".join(plan.rules.evidence_names)
        raise Invalid(errors=[EVIDENCE_KIND_UNKNOWN.at("/kind", field="kind", known=known)])
    stored = await files.put(f"evidence/{row.id}/{uuid4()}", name, chunks)
    used = select(EvidenceRow.expense_id).where(EvidenceRow.sha256 == stored.sha256).limit(1)
    if (await session.scalar(used)) is not None:
        await files.delete(stored.key)
        raise Invalid(errors=[DUPLICATE_EVIDENCE_FILE.at("/file", field="file", name=stored.name)])
    evidence = EvidenceRow(
        expense_id=row.id,
        kind=kind,
        amount_won=amount_won,
        number=number,
        file_key=stored.key,
        file_name=stored.name,
        media_type=stored.media_type,
        size=stored.size,
        sha256=stored.sha256,
        created_by=caller.sub,
    )
    session.add(evidence)
    await session.flush()
    await session.refresh(evidence)
    return evidence


async def expense_detail(
    session: AsyncSession, expense_id: UUID, caller: Claims
) -> tuple[ExpenseRow, Sequence[EvidenceRow], ExpenseCheck]:
    """An expense with its documents, judged among the others of its year."""
    row = await session.get(ExpenseRow, expense_id)
    if row is None:
        raise NotFound
    agreement = await readable_agreement(session, row.agreement_id, caller)
    documents = (
        await session.scalars(
            select(EvidenceRow).where(EvidenceRow.expense_id == row.id).order_by(EvidenceRow.id)
        )
    ).all()
    others = [
        other for other in await expenses_of(session, agreement.id) if other.id != str(row.id)
    ]
    plan = await plan_in_force(session, agreement)
    return row, documents, check_expense(plan, _of_row(row, documents), others, "entry")


async def list_expenses(
    session: AsyncSession, agreement_id: UUID, caller: Claims, page: PageRequest
) -> tuple[Sequence[ExpenseRow], str | None, int]:
    agreement = await readable_agreement(session, agreement_id, caller)
    query = select(ExpenseRow).where(ExpenseRow.agreement_id == agreement.id)
    return await paginate(session, query, keys=[ExpenseRow.number], page=page)


async def meters(session: AsyncSession, agreement_id: UUID, caller: Claims) -> tuple[Meter, ...]:
    """How far the year's spending has used its caps and its items."""
    agreement = await readable_agreement(session, agreement_id, caller)
    plan: Plan = await plan_in_force(session, agreement)
    return spending_meters(plan, await expenses_of(session, agreement.id))


async def expenses_of(session: AsyncSession, agreement_id: UUID) -> list[Expense]:
    """All expenses of an agreement with their evidence, as the rules want them."""
    rows = await session.scalars(
        select(ExpenseRow)
        .where(ExpenseRow.agreement_id == agreement_id)
        .order_by(ExpenseRow.number)
        .limit(MAX_EXPENSES)
    )
    documents: dict[UUID, list[EvidenceRow]] = {}
    query = (
        select(EvidenceRow)
        .join(ExpenseRow, ExpenseRow.id == EvidenceRow.expense_id)
        .where(ExpenseRow.agreement_id == agreement_id)
    )
    for document in await session.scalars(query):
        documents.setdefault(document.expense_id, []).append(document)
    return [_of_row(row, documents.get(row.id, ())) for row in rows]


async def _own_expense(session: AsyncSession, expense_id: UUID, institution_id: UUID) -> ExpenseRow:
    query = (
        select(ExpenseRow)
        .join(Agreement, Agreement.id == ExpenseRow.agreement_id)
        .where(ExpenseRow.id == expense_id, Agreement.institution_id == institution_id)
    )
    row = (await session.scalars(query)).one_or_none()
    if row is None:
        raise NotFound
    return row


def _of_row(row: ExpenseRow, documents: Sequence[EvidenceRow]) -> Expense:
    values = {
        "kind": row.kind,
        "fund": row.fund,
        "amount_won": row.amount_won,
        "obligated_on": row.obligated_on,
        "paid_on": row.paid_on,
        "details": row.details,
    }
    evidence = tuple(
        Evidence(document.kind, document.amount_won, document.number or document.sha256)
        for document in documents
    )
    return replace(_expense(str(row.id), values), evidence=evidence)


def _expense(expense_id: str, values: Mapping[str, Any]) -> Expense:
    """The typed expense. Raises `Invalid` naming every part that cannot be read."""
    columns = ("kind", "fund", "amount_won", "obligated_on", "paid_on")
    plain = {
        name: value.isoformat() if isinstance(value, date) else value
        for name in columns
        if (value := values[name]) is not None
    }
    try:
        return read(Expense, {**values["details"], **plain, "id": expense_id})
    except RuleSetInvalid as unreadable:
        raise Invalid(
            errors=[
                replace(document_finding(found), pointer=f"/details{found.pointer}")
                for found in unreadable.errors
            ]
        ) from None
