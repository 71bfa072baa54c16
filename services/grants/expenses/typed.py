"""Expenses from their rows to what the rules look at."""

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.expenses.models import EvidenceRow, ExpenseRow
from services.grants.expenses.rules import Evidence, Expense
from services.grants.programmes.rules import RuleSet
from services.grants.proposals.document import read_part

_AT_ONCE = 2_000
_COLUMNS = ("kind", "fund", "amount_won", "obligated_on", "paid_on")


def typed(rules: RuleSet, expense_id: str, values: Mapping[str, Any]) -> Expense:
    """An expense as entered. Raises `Invalid` naming every part that cannot be read.

    What the stated purpose says in words (외 3건) counts as stated.
    """
    plain = {
        name: value.isoformat() if isinstance(value, date) else value
        for name in _COLUMNS
        if (value := values[name]) is not None
    }
    expense = read_part(Expense, {**values["details"], **plain, "id": expense_id}, "/details")
    said = facts_said(rules, values["purpose"])
    return replace(expense, facts=expense.facts | said) if said - expense.facts else expense


def facts_said(rules: RuleSet, purpose: str) -> frozenset[str]:
    """The facts of a call that a stated purpose gives away."""
    return frozenset(
        fact.code
        for fact in rules.spending.facts
        if fact.words is not None and _pattern(fact.words).search(purpose)
    )


@lru_cache(maxsize=256)
def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(words)


def of_row(rules: RuleSet, row: ExpenseRow, documents: Iterable[EvidenceRow]) -> Expense:
    """A stored expense with its documents."""
    values = {
        "kind": row.kind,
        "fund": row.fund,
        "amount_won": row.amount_won,
        "obligated_on": row.obligated_on,
        "paid_on": row.paid_on,
        "purpose": row.purpose,
        "details": row.details,
    }
    evidence = tuple(
        Evidence(paper.kind, paper.amount_won, paper.number, paper.sha256, paper.used_at)
        for paper in documents
    )
    return replace(typed(rules, str(row.id), values), evidence=evidence)


async def expenses_of(session: AsyncSession, rules: RuleSet, agreement_id: UUID) -> list[Expense]:
    """All expenses of an agreement that were not cancelled, with their evidence, by number."""
    return [expense async for expense in _stored(session, rules, agreement_id)]


async def _stored(
    session: AsyncSession, rules: RuleSet, agreement_id: UUID
) -> AsyncIterator[Expense]:
    last = 0
    while True:
        query = (
            select(ExpenseRow)
            .where(
                ExpenseRow.agreement_id == agreement_id,
                ExpenseRow.number > last,
                ExpenseRow.state != "cancelled",
            )
            .order_by(ExpenseRow.number)
            .limit(_AT_ONCE)
        )
        rows: Sequence[ExpenseRow] = (await session.scalars(query)).all()
        papers: dict[UUID, list[EvidenceRow]] = {}
        of_these = select(EvidenceRow).where(EvidenceRow.expense_id.in_([row.id for row in rows]))
        for paper in await session.scalars(of_these.order_by(EvidenceRow.id)):
            papers.setdefault(paper.expense_id, []).append(paper)
        for row in rows:
            yield of_row(rules, row, papers.get(row.id, ()))
        if len(rows) < _AT_ONCE:
            return
        last = rows[-1].number


async def used_earlier(session: AsyncSession, rules: RuleSet, agreement_id: UUID) -> frozenset[str]:
    """Marks of this agreement's proving documents that another agreement had entered first.

    A file is a file. Numbers are shorter than the country is large (a card's approval number has
    eight digits, a serial may be 1), so across projects the stated amounts must agree as well. The
    order of entry decides, since ids are made in it.
    """
    proving = [sort.code for sort in rules.spending.evidence_kinds if sort.proves]
    papers = (
        select(EvidenceRow, ExpenseRow.agreement_id)
        .join(ExpenseRow, ExpenseRow.id == EvidenceRow.expense_id)
        .where(EvidenceRow.kind.in_(proving), ExpenseRow.state != "cancelled")
    )
    own, other = papers.subquery("own"), papers.subquery("other")
    mine, theirs = own.c.amount_won, other.c.amount_won
    agree = or_(mine == theirs, mine.is_(None), theirs.is_(None))
    found: set[str] = set()
    for column, same in (("number", agree), ("sha256", true())):
        query = (
            select(own.c[column])
            .join(other, own.c[column] == other.c[column])
            .where(
                own.c.agreement_id == agreement_id,
                other.c.agreement_id != agreement_id,
                other.c.id < own.c.id,
                same,
            )
            .distinct()
        )
        found.update(mark for mark in await session.scalars(query) if mark)
    return frozenset(found)
