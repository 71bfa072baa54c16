"""Whole sheets and pasted cells into a draft.

A sheet is taken whole or not at all (M-014); what is pasted lands in the grid as typed rows do,
right or wrong.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications import access
from services.accrual.applications.annotation import annotate
from services.accrual.applications.bounds import bounded
from services.accrual.applications.cells import Value
from services.accrual.applications.checks import Verdict, posted_contracts
from services.accrual.applications.columns import COLUMNS, Column
from services.accrual.applications.models import Application
from services.accrual.applications.rules import Checked, check_rows
from services.accrual.applications.service import add_rows
from services.accrual.applications.workbook import Sheet, read_pasted, read_sheet
from services.accrual.criteria.service import field_rule
from services.accrual.errors import SheetInvalid
from shared.clock import seoul_day
from shared.problems import Finding, Lang
from shared.tokens import Claims


@dataclass(frozen=True, slots=True)
class CheckedSheet:
    """A sheet as read and judged, before anything is saved."""

    sheet: Sheet
    checked: Checked

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (*self.sheet.findings, *self.checked.findings)


async def judge_sheet(
    session: AsyncSession,
    claims: Claims,
    application_id: UUID,
    data: bytes,
    *,
    now: datetime,
    max_rows: int,
) -> tuple[Application, CheckedSheet]:
    """Read and check an uploaded file; saves nothing, locks nothing. Raises `FileUnusable`."""
    application = await access.find(session, claims, application_id)
    columns = COLUMNS[application.field]
    today = application.applied_on or seoul_day(now)
    rule = field_rule(application.field, today)
    sheet = await asyncio.to_thread(read_sheet, data, columns, max_rows=max_rows)
    posted = await posted_contracts(session, application, sheet.rows, rule)
    checked = await asyncio.to_thread(
        check_rows,
        rule,
        sheet.rows,
        today=today,
        posted=posted,
        absent=sheet.absent,
        max_rows=max_rows,
    )
    return application, CheckedSheet(sheet, checked)


async def import_sheet(
    session: AsyncSession,
    claims: Claims,
    application_id: UUID,
    data: bytes,
    *,
    replace: bool,
    seen: int,
    now: datetime,
    max_rows: int,
) -> tuple[Application, Verdict, tuple[Finding, ...]]:
    """Take all rows of a faultless sheet. Raises `SheetInvalid` with every finding otherwise.

    Also returns what was found while reading, such as columns that were not used.
    """
    application, judged = await judge_sheet(
        session, claims, application_id, data, now=now, max_rows=max_rows
    )
    if any(finding.is_error for finding in judged.findings):
        raise SheetInvalid(errors=bounded(judged.findings), total=len(judged.findings))
    columns = COLUMNS[application.field]
    application, verdict = await add_rows(
        session,
        claims,
        application_id,
        [_shown(columns, row.values) for row in judged.checked.rows],
        replace=replace,
        seen=seen,
        now=now,
        max_rows=max_rows,
    )
    return application, verdict, judged.sheet.findings


async def annotated(
    session: AsyncSession,
    claims: Claims,
    application_id: UUID,
    data: bytes,
    *,
    now: datetime,
    max_rows: int,
    lang: Lang,
) -> bytes:
    """The uploaded file with every finding marked in its cell (M-014). Saves nothing."""
    application, judged = await judge_sheet(
        session, claims, application_id, data, now=now, max_rows=max_rows
    )
    return await asyncio.to_thread(
        annotate, data, COLUMNS[application.field], judged.findings, lang=lang
    )


async def paste(
    session: AsyncSession,
    claims: Claims,
    application_id: UUID,
    text: str,
    *,
    replace: bool,
    seen: int,
    now: datetime,
    max_rows: int,
) -> tuple[Application, Verdict, tuple[Finding, ...]]:
    """Rows copied out of a sheet, with or without its header row, in the template's order."""
    application = await access.find(session, claims, application_id)
    columns = COLUMNS[application.field]
    sheet = await asyncio.to_thread(read_pasted, text, columns, max_rows=max_rows)
    keys = [column.key for column in columns]
    application, verdict = await add_rows(
        session,
        claims,
        application_id,
        [dict(zip(keys, row.cells, strict=True)) for row in sheet.rows],
        replace=replace,
        seen=seen,
        now=now,
        max_rows=max_rows,
    )
    return application, verdict, sheet.findings


def _shown(columns: Sequence[Column], values: Mapping[str, Value]) -> dict[str, Any]:
    """Values as a person would have typed them: dates as YYYYMMDD, choices in their words."""
    words = {
        column.key: {choice.code: choice.ko for choice in column.choices} for column in columns
    }

    def shown(key: str, value: Value) -> Any:
        if isinstance(value, date):
            return f"{value:%Y%m%d}"
        return words[key].get(value, value) if isinstance(value, str) else value

    return {key: shown(key, value) for key, value in values.items()}
