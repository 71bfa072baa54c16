"""Many expenses from one sheet: checked whole, entered whole or not at all."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements.service import own_agreement, plan_in_force
from services.grants.errors import ITEM_UNKNOWN, SHEET_FINDINGS_CUT, VAT_EXCEEDS, SheetRefused
from services.grants.expenses.models import ExpenseRow, ExpenseVersion
from services.grants.expenses.rules import Checker, Expense, Plan
from services.grants.expenses.service import as_document, next_expense, plan_to_check, spending_year
from services.grants.expenses.sheets.columns import COLUMNS
from services.grants.expenses.sheets.rows import INPUT_SHEET, Sheet, open_grids, read_sheet
from services.grants.expenses.sheets.template import template
from services.grants.expenses.typed import expenses_of, typed
from services.grants.programmes.rules import Funds
from services.grants.programmes.service import note
from shared.problems import Finding, Invalid, Lang
from shared.sheets.annotation import Page, annotate
from shared.sheets.workbooks import Grid
from shared.tokens import Claims

MAX_FINDINGS = 1_000
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Import:
    """What a sheet comes to: its rows get the numbers `first` to `last`; findings are remarks."""

    rows: int
    first: int
    last: int
    won: Funds
    findings: tuple[Finding, ...]


async def sheet_to_fill_in(
    session: AsyncSession, agreement_id: UUID, institution_id: UUID
) -> bytes:
    agreement = await own_agreement(session, agreement_id, institution_id)
    rules = (await plan_in_force(session, agreement)).rules
    return await asyncio.to_thread(template, rules)


async def preview_sheet(
    session: AsyncSession, agreement_id: UUID, institution_id: UUID, data: bytes
) -> Import:
    """What `import_sheet` would answer. Changes nothing. Raises `SheetRefused`, `FileUnusable`."""
    agreement = await own_agreement(session, agreement_id, institution_id)
    plan = await plan_to_check(session, agreement)
    sheet = await asyncio.to_thread(read_sheet, plan.rules, data)
    return await _judged(session, agreement_id, plan, sheet)


async def annotated_sheet(
    session: AsyncSession, agreement_id: UUID, institution_id: UUID, data: bytes, lang: Lang
) -> bytes:
    """The uploaded file with every finding marked in its cell. Raises `FileUnusable`."""
    agreement = await own_agreement(session, agreement_id, institution_id)
    plan = await plan_to_check(session, agreement)
    sheet = await asyncio.to_thread(read_sheet, plan.rules, data)
    found, expenses = _examined(plan, sheet)
    if not any(finding.is_error for finding in found):
        found += await _remarks(session, agreement_id, plan, expenses)

    def grid() -> Grid:
        return next(grid for grid in open_grids(data) if grid.name == sheet.name)

    titles = {column.key: column.ko for column in COLUMNS}
    page = Page(sheet.name or INPUT_SHEET, sheet.places, titles, grid)
    return await asyncio.to_thread(annotate, data, page, found, lang=lang)


async def import_sheet(
    session: AsyncSession, agreement_id: UUID, institution_id: UUID, data: bytes, caller: Claims
) -> Import:
    """Enter every row of a faultless sheet. Raises `SheetRefused` with every finding otherwise."""
    agreement = await own_agreement(session, agreement_id, institution_id)
    rules = (await plan_in_force(session, agreement)).rules
    sheet = await asyncio.to_thread(read_sheet, rules, data)  # before the row is locked
    agreement = await spending_year(session, agreement_id, institution_id)
    judged = await _judged(session, agreement_id, await plan_to_check(session, agreement), sheet)
    entries = list(sheet.rows.values())
    for start in range(0, len(entries), _AT_ONCE):
        rows = [
            {
                **entry,
                "agreement_id": agreement_id,
                "number": judged.first + start + place,
                "created_by": caller.sub,
            }
            for place, entry in enumerate(entries[start : start + _AT_ONCE])
        ]
        ids = await session.scalars(
            insert(ExpenseRow).returning(ExpenseRow.id, sort_by_parameter_order=True), rows
        )
        versions = [
            {
                "expense_id": expense_id,
                "version": 1,
                "document": as_document(entry),
                "changed_by": caller.sub,
            }
            for expense_id, entry in zip(ids, entries[start:], strict=False)
        ]
        await session.execute(insert(ExpenseVersion), versions)
    note(session, "agreement", agreement_id, "import", caller, reason=f"{len(entries)} rows")
    return judged


async def _judged(session: AsyncSession, agreement_id: UUID, plan: Plan, sheet: Sheet) -> Import:
    """The sheet against the call and what is entered already. Raises `SheetRefused`."""
    found, expenses = _examined(plan, sheet)
    if any(finding.is_error for finding in found):
        raise SheetRefused(errors=_bounded(found))
    found += await _remarks(session, agreement_id, plan, expenses)
    first = await next_expense(session, agreement_id)
    won = sum((Funds.single(e.fund, e.amount_won) for e in expenses), Funds())
    last = first + len(expenses) - 1
    return Import(len(expenses), first, last, won, tuple(_bounded(found)))


def _examined(plan: Plan, sheet: Sheet) -> tuple[list[Finding], list[Expense]]:
    """Everything that is wrong with the sheet itself, and the lines that can be read."""
    found, expenses = list(sheet.findings), list[Expense]()
    broken = {finding.row for finding in found if finding.is_error}
    whole = not any(finding.is_error and finding.pointer == "/columns" for finding in found)
    for number, entry in sheet.rows.items() if whole else ():
        if number not in broken:
            expense = _typed(plan, number, entry, found)
            if expense is not None:
                expenses.append(expense)
    return found, expenses


async def _remarks(
    session: AsyncSession, agreement_id: UUID, plan: Plan, expenses: Sequence[Expense]
) -> list[Finding]:
    """What the rules say of the sheet's expenses beside those entered already, by line."""
    others = await expenses_of(session, plan.rules, agreement_id)
    verdict = await asyncio.to_thread(Checker(plan, "plan").check, [*others, *expenses])
    mine = {expense.id for expense in expenses}
    return [
        replace(breach.finding(f"/rows/{breach.expense.id}"), row=int(breach.expense.id))
        for breach in verdict.breaches
        if breach.expense.id in mine
    ]


def _typed(
    plan: Plan, number: int, entry: Mapping[str, Any], found: list[Finding]
) -> Expense | None:
    """A line as an expense; what the call cannot read of it is found at its row."""
    at = f"/rows/{number}"
    if entry["kind"] not in plan.rules.item_of:
        found.append(ITEM_UNKNOWN.at(f"{at}/kind", row=number, item="-", kind=entry["kind"]))
        return None
    if entry["vat_won"] > entry["amount_won"]:
        found.append(VAT_EXCEEDS.at(f"{at}/vat_won", row=number, field="vat_won"))
        return None
    try:
        return typed(plan.rules, str(number), entry)
    except Invalid as unreadable:
        for finding in unreadable.errors:
            place = finding.pointer.removeprefix("/details")
            found.append(replace(finding, pointer=f"{at}{place}", row=number))
        return None


def _bounded(findings: list[Finding]) -> list[Finding]:
    """At most so many findings, errors first; how many were left out is said."""
    ordered = sorted(findings, key=lambda found: not found.is_error)
    if len(ordered) <= MAX_FINDINGS:
        return ordered
    left = len(ordered) - MAX_FINDINGS
    return [*ordered[:MAX_FINDINGS], SHEET_FINDINGS_CUT.at("/rows", left=left)]
