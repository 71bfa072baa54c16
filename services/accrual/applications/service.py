"""Drafts: made, filled with rows, saved as one types, checked at every save, discarded.

Saving is not applying (M-010): rows of a draft may be wrong, and the answer says how. A sheet is
different: with one wrong cell nothing of it is saved (M-014).
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications import access, audit
from services.accrual.applications.bounds import bounded
from services.accrual.applications.bulk import copy_rows
from services.accrual.applications.checks import Verdict, judge, store_summary
from services.accrual.applications.columns import COLUMNS
from services.accrual.applications.errors import (
    COLUMN_KEY_UNKNOWN,
    ROW_TWICE,
    InstitutionUnfit,
)
from services.accrual.applications.models import Application, ApplicationFile, ApplicationRow
from services.accrual.applications.moves import EDITABLE, conflict
from services.accrual.clients import Registry
from services.accrual.errors import TOO_MANY_ROWS
from shared.caller import institution_of
from shared.clock import seoul_day
from shared.jobs import enqueue
from shared.problems import Invalid, Stale
from shared.sheets.cells import is_blank
from shared.tokens import Claims

APPLYING_KINDS = frozenset({"university", "iacf"})
MAX_KEPT_ROWS = 100_000
"""Rows a draft may hold, right or wrong; far fewer can be submitted (M-015)."""
MAX_SAFE_INTEGER = 2**53
NumberedCells = tuple[int, Mapping[str, Any]]


async def applying_institution(
    registry: Registry, claims: Claims, institution_id: UUID | None
) -> tuple[UUID, str | None]:
    """For whom the caller applies: for itself, or as the operator for the institution named.

    Raises `InstitutionUnfit` or `NotFound`.
    """
    if not access.is_operator(claims):
        own = institution_of(claims)
        if claims.institution_kind not in APPLYING_KINDS or institution_id not in {None, own}:
            raise InstitutionUnfit
        return own, None
    if institution_id is None:
        raise InstitutionUnfit
    found = await registry.institution(institution_id)
    if found.kind not in APPLYING_KINDS or found.status != "active":
        raise InstitutionUnfit
    return institution_id, found.name


async def create_draft(
    session: AsyncSession,
    claims: Claims,
    *,
    institution_id: UUID,
    field: str,
    memo: str,
    institution_name: str | None = None,
    source: Literal["portal", "partner"] = "portal",
) -> Application:
    """An empty application. Raises `FieldNotPermitted`."""
    access.check_field(claims, field)
    application = Application(
        institution_id=institution_id,
        institution_name=institution_name,
        field=field,
        memo=memo,
        source=source,
        test_mode=claims.test_mode,
        on_behalf=access.is_operator(claims),
        created_by=claims.sub,
        client_id=claims.client_id,
    )
    session.add(application)
    await session.flush()
    await session.refresh(application)
    audit.record(session, claims, application.id, "create", to_state="draft", field=field)
    return application


async def edit_draft(
    session: AsyncSession, claims: Claims, application_id: UUID, *, seen: int, memo: str
) -> Application:
    application = await _editable(session, claims, application_id, seen)
    application.memo = memo
    application.version += 1
    return application


async def discard_draft(session: AsyncSession, claims: Claims, application_id: UUID) -> None:
    """Forget a draft with its rows and files; only its trace stays. Raises `StateConflict`."""
    application = await access.find(session, claims, application_id, lock=True)
    if application.state != "draft":
        raise conflict(application.state)
    keys = await session.scalars(
        select(ApplicationFile.key).where(ApplicationFile.application_id == application_id)
    )
    for key in keys:
        await enqueue(session, "files.delete", key=key)
    await session.execute(delete(Application).where(Application.id == application_id))
    audit.record(session, claims, application_id, "discard", from_state="draft")


async def replace_rows(
    session: AsyncSession,
    claims: Claims,
    application_id: UUID,
    rows: Sequence[NumberedCells],
    *,
    seen: int,
    now: datetime,
    max_rows: int,
) -> tuple[Application, Verdict]:
    """Save exactly these rows, right or wrong, and say what is wrong with them."""
    application = await _editable(session, claims, application_id, seen)
    _check_shape(application.field, rows)
    await _write_all(session, application, rows)
    return application, await saved(session, application, now=now, max_rows=max_rows)


async def patch_rows(
    session: AsyncSession,
    claims: Claims,
    application_id: UUID,
    *,
    changed: Sequence[NumberedCells],
    deleted: Sequence[int],
    seen: int,
    now: datetime,
    max_rows: int,
) -> tuple[Application, Verdict]:
    """Autosave: set some rows, delete others, leave the rest."""
    application = await _editable(session, claims, application_id, seen)
    _check_shape(application.field, changed)
    filled = [(number, cells) for number, cells in changed if not _blank(cells)]
    gone = {*deleted, *(number for number, _ in changed)} - {number for number, _ in filled}
    if gone:
        await session.execute(
            delete(ApplicationRow).where(
                ApplicationRow.application_id == application_id, ApplicationRow.number.in_(gone)
            )
        )
    if filled:
        statement = upsert(ApplicationRow).values(
            [
                {"application_id": application_id, "number": number, "cells": stored(cells)}
                for number, cells in filled
            ]
        )
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=["application_id", "number"],
                set_={"cells": statement.excluded.cells},
            )
        )
    return application, await saved(session, application, now=now, max_rows=max_rows)


async def add_rows(
    session: AsyncSession,
    claims: Claims,
    application_id: UUID,
    rows: Sequence[Mapping[str, Any]],
    *,
    replace: bool,
    seen: int,
    now: datetime,
    max_rows: int,
) -> tuple[Application, Verdict]:
    """Rows from a sheet or the clipboard, after those already there or in their place."""
    application = await _editable(session, claims, application_id, seen)
    if replace:
        await _write_all(session, application, list(enumerate(rows, 1)))
    else:
        last = await session.scalar(
            select(func.max(ApplicationRow.number)).where(
                ApplicationRow.application_id == application_id
            )
        )
        await _copy(session, application_id, list(enumerate(rows, (last or 0) + 1)))
    return application, await saved(session, application, now=now, max_rows=max_rows)


async def saved(
    session: AsyncSession, application: Application, *, now: datetime, max_rows: int
) -> Verdict:
    """Check what lies there now, and keep the totals. Raises `Invalid` (TOO_MANY_ROWS)."""
    verdict = await judge(session, application, today=seoul_day(now), max_rows=max_rows)
    await store_summary(session, application, verdict.checked)
    if len(verdict.raw) > MAX_KEPT_ROWS:
        raise Invalid(errors=[TOO_MANY_ROWS.at("/rows", limit=MAX_KEPT_ROWS)])
    application.row_count = len(verdict.raw)
    application.version += 1
    return verdict


async def _editable(
    session: AsyncSession, claims: Claims, application_id: UUID, seen: int
) -> Application:
    """The locked application, if it may be edited and the editor saw its latest version.

    Raises `NotFound`, `FieldNotPermitted`, `StateConflict`, `Stale`.
    """
    application = await access.find(session, claims, application_id, lock=True)
    if application.state not in EDITABLE:
        raise conflict(application.state)
    if application.version != seen:
        raise Stale
    return application


def _check_shape(field: str, rows: Sequence[NumberedCells]) -> None:
    """Raises `Invalid` for a row number given twice or a cell of no column."""
    known = {column.key for column in COLUMNS[field]}
    seen: set[int] = set()
    findings = []
    for position, (number, cells) in enumerate(rows):
        if number in seen:
            findings.append(ROW_TWICE.at(f"/rows/{position}/number", row=number))
        seen.add(number)
        findings += [
            COLUMN_KEY_UNKNOWN.at(f"/rows/{position}/cells/{key}", row=number, field=key)
            for key in cells
            if key not in known
        ]
    if findings:
        raise Invalid(errors=bounded(findings), total=len(findings))


async def _write_all(
    session: AsyncSession, application: Application, rows: Sequence[NumberedCells]
) -> None:
    await session.execute(
        delete(ApplicationRow).where(ApplicationRow.application_id == application.id)
    )
    await _copy(session, application.id, rows)


async def _copy(session: AsyncSession, application_id: UUID, rows: Sequence[NumberedCells]) -> None:
    await copy_rows(
        session,
        "application_row",
        ("application_id", "number", "cells"),
        (
            (application_id, number, orjson.dumps(stored(cells)).decode())
            for number, cells in rows
            if not _blank(cells)
        ),
    )


def _blank(cells: Mapping[str, Any]) -> bool:
    return all(map(is_blank, cells.values()))


def stored(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Cells as JSON the database can hold, without changing what the checks will say of them."""
    return {key: _storable(cell) for key, cell in cells.items() if not is_blank(cell)}


def _storable(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell.replace("\x00", " ")  # no JSONB text holds it; the checks see a space as well
    if isinstance(cell, datetime):
        cell = cell.date()
    if isinstance(cell, date):
        return f"{cell:%Y%m%d}"
    if isinstance(cell, float) and not math.isfinite(cell):
        return str(cell)
    if isinstance(cell, int) and abs(cell) > MAX_SAFE_INTEGER:
        return str(cell)
    return cell
