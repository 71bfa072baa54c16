"""The worker's part: lines become rows of applications, and every line gets its result.

All of a batch lands in one transaction: a process that dies leaves a batch as it was pushed, and
the next attempt starts over. Progress is written beside it, so that the partner sees it grow.
Submitting follows in a transaction for each application, because a submission locks the year's
counter and nobody else should wait for a whole batch. Memory: one application's rows.
"""

import asyncio
import gc
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import IO, Any
from uuid import UUID

import orjson
from sqlalchemy import any_, delete, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications import checks
from services.accrual.applications import service as applications
from services.accrual.applications.bulk import NULL, copy_lines, text_field
from services.accrual.applications.columns import COLUMNS
from services.accrual.applications.models import Application, ApplicationFile
from services.accrual.applications.rows import RawRow, raw_rows
from services.accrual.applications.rules import Checked, check_rows
from services.accrual.criteria.rules import FieldRule, Posted, assess
from services.accrual.criteria.service import field_rule
from services.accrual.intake.errors import EXTERNAL_ID_REUSED, ROW_HELD_BACK, ROW_MALFORMED
from services.accrual.intake.lines import (
    Index,
    Line,
    Malformed,
    index_lines,
    pieces,
    read_piece,
)
from services.accrual.intake.models import (
    IntakeApplication,
    IntakeBatch,
    IntakeChunk,
    IntakeFile,
    IntakeRow,
)
from services.accrual.intake.submitting import claims_of, submit_all
from shared.clock import seoul_day, utc_now
from shared.db import Sessions
from shared.problems import Finding

LIVE_STATES = ("draft", "submitted", "in_review", "returned", "approved", "posted")
_ROW_COLUMNS = (
    "batch_id",
    "institution_id",
    "test_mode",
    "line",
    "external_id",
    "digest",
    "status",
    "application_id",
    "number",
    "findings",
)


@dataclass(slots=True)
class _Landing:
    """A batch under way."""

    sessions: Sessions
    session: AsyncSession
    batch: IntakeBatch
    rule: FieldRule
    now: datetime
    owner: str
    counts: dict[str, int] = field(
        default_factory=lambda: {"accepted": 0, "unchanged": 0, "rejected": 0}
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """Lines that will be one application, read and, where it needs no database, checked."""

    lines: Sequence[Line]
    malformed: Sequence[Malformed]
    raw: list[RawRow]
    checked: Checked | None


async def process(sessions: Sessions, batch_id: UUID, *, max_rows: int) -> None:
    """Land a batch, submit its applications if wanted, and tell the partner. Repeatable."""
    async with sessions() as session:
        state = await session.scalar(select(IntakeBatch.state).where(IntakeBatch.id == batch_id))
    if state == "queued":
        with tempfile.TemporaryFile() as file:
            await _fetch(sessions, batch_id, file)
            with _rare_collections():
                async with sessions.begin() as session:
                    await _land(sessions, session, batch_id, file, max_rows=max_rows)
    if state in ("queued", "submitting"):
        await submit_all(sessions, batch_id, max_rows=max_rows)


_COLLECTIONS = gc.get_threshold()


@contextmanager
def _rare_collections() -> Iterator[None]:
    """A piece is a hundred thousand objects without a cycle among them: to look through them over
    and over is a sixth of the work. The first of two landings at once to end restores the usual
    thresholds, which costs the other some time and nothing else."""
    gc.set_threshold(100_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*_COLLECTIONS)


async def _fetch(sessions: Sessions, batch_id: UUID, file: IO[bytes]) -> None:
    async with sessions() as session:
        query = (
            select(IntakeChunk.body)
            .where(IntakeChunk.batch_id == batch_id)
            .order_by(IntakeChunk.seq)
            .execution_options(yield_per=8)
        )
        async for body in await session.stream_scalars(query):
            file.write(zlib.decompress(body))


async def _land(
    sessions: Sessions,
    session: AsyncSession,
    batch_id: UUID,
    file: IO[bytes],
    *,
    max_rows: int,
) -> None:
    batch = await session.get_one(IntakeBatch, batch_id)
    now = utc_now()
    owner = f"{batch.id}\t{batch.institution_id}\t{batch.test_mode}"
    rule = field_rule(batch.field, seoul_day(now))
    landing = _Landing(sessions, session, batch, rule, now, owner)
    index = await asyncio.to_thread(index_lines, file, by_contract=rule.basis == "contract")
    # One piece is read and checked while the one before it is written: the database works in
    # another process, and so need not wait for us, nor we for it. Never more than two are there.
    async with asyncio.TaskGroup() as group:
        ahead: asyncio.Task[_Piece] | None = None
        for positions in chain(pieces(index, max_rows), (None,)):
            piece = await ahead if ahead else None
            if positions is not None:
                reading = asyncio.to_thread(_prepared, landing, file, index, positions)
                ahead = group.create_task(reading)
            if piece is not None:
                await _land_piece(landing, piece)
                await _show_progress(landing)
    await session.execute(delete(IntakeChunk).where(IntakeChunk.batch_id == batch_id))
    await session.execute(
        update(IntakeBatch)
        .where(IntakeBatch.id == batch_id)
        .values(state="submitting", done=batch.total, **landing.counts)
    )


async def _show_progress(landing: _Landing) -> None:
    """In a transaction of its own; the landing one holds no lock on the batch's row until its
    end that this would wait for."""
    done = sum(landing.counts.values())
    async with landing.sessions.begin() as session:
        await session.execute(
            update(IntakeBatch)
            .where(IntakeBatch.id == landing.batch.id)
            .values(done=done, **landing.counts)
        )


def _prepared(landing: _Landing, file: IO[bytes], index: Index, positions: Sequence[int]) -> _Piece:
    """The part that needs no database. Contracts do: what earlier applications posted for them."""
    columns = COLUMNS[landing.rule.code]
    lines, malformed = read_piece(
        file, index, positions, frozenset(column.key for column in columns)
    )
    raw = _raw(landing, lines)
    checked = _check(landing, raw, {}) if landing.rule.basis == "company" and raw else None
    return _Piece(lines, malformed, raw, checked)


def _check(
    landing: _Landing, raw: Sequence[RawRow], posted: Mapping[tuple[str, str], Posted]
) -> Checked:
    today = seoul_day(landing.now)
    return check_rows(landing.rule, raw, today=today, posted=posted, max_rows=len(raw))


def _raw(landing: _Landing, lines: Iterable[Line]) -> list[RawRow]:
    return raw_rows(COLUMNS[landing.rule.code], ((line.number, line.cells) for line in lines))


async def _land_piece(landing: _Landing, piece: _Piece) -> None:
    """One application's worth of lines: those that pass become its rows."""
    results = []
    for one in piece.malformed:
        finding = ROW_MALFORMED.at(
            f"/rows/{one.number}", row=one.number, line=one.number, reason=one.reason
        )
        results.append(_result(landing, one.number, one.external_id, None, [finding]))
    fresh, known = await _without_known(landing, piece.lines)
    results += known
    if fresh:
        results += await _land_fresh(landing, piece, fresh)
    await copy_lines(landing.session, "intake_row", _ROW_COLUMNS, results)


async def _land_fresh(landing: _Landing, piece: _Piece, fresh: Mapping[int, Line]) -> list[str]:
    """Check lines not received before, and make an application of the good ones."""
    owner = Application(
        institution_id=landing.batch.institution_id, test_mode=landing.batch.test_mode
    )
    all_new = len(fresh) == len(piece.lines)
    raw = piece.raw if all_new else _raw(landing, fresh.values())
    posted = await checks.posted_contracts(landing.session, owner, raw, landing.rule)
    checked = piece.checked if all_new else None
    if checked is None:
        checked = await asyncio.to_thread(_check, landing, raw, posted)
    wrong = _findings_by_row(checked)
    for finding in await checks.claimed_by_others(landing.session, owner, checked.rows):
        wrong.setdefault(finding.row or 0, []).append(finding)
    good = tuple(row for row in checked.rows if row.number not in wrong)
    assessment = checked.assessment
    if len(good) < len(checked.rows):
        claims = ((row.brn, row.contract, row.quantity) for row in good)
        assessment = assess(landing.rule, claims, posted)
    landed = Checked(good, (), assessment, checked.names)
    made = str(await _create_application(landing, landed, fresh)) if good else None
    numbers = {row.number: position for position, row in enumerate(good, 1)}
    results = []
    for number, line in fresh.items():
        position, digest = numbers.get(number), line.digest
        if position is not None:
            results.append(_result(landing, number, line.external_id, digest, None, made, position))
        else:
            found = wrong.get(number) or [ROW_HELD_BACK.at(f"/rows/{number}", row=number)]
            results.append(_result(landing, number, line.external_id, digest, found))
    return results


def _findings_by_row(checked: Checked) -> dict[int, list[Finding]]:
    """The findings of rows that did not pass, by row number."""
    passed = {row.number for row in checked.rows}
    found: dict[int, list[Finding]] = {}
    for finding in checked.findings:
        if finding.row is not None and finding.row not in passed:
            found.setdefault(finding.row, []).append(finding)
    return found


async def _without_known(
    landing: _Landing, lines: Sequence[Line]
) -> tuple[dict[int, Line], list[str]]:
    """The lines not received before, by number, and the results of the others."""
    ids = [line.external_id for line in lines]
    known = await _known(landing, ids)
    if not known and len(set(ids)) == len(ids):
        return {line.number: line for line in lines}, []
    ended = [row.external_id for row in known.values() if row.state not in LIVE_STATES]
    if ended:  # cancelled, rejected, discarded: the partner may push these again
        await landing.session.execute(
            update(IntakeRow)
            .where(
                IntakeRow.institution_id == landing.batch.institution_id,
                IntakeRow.test_mode == landing.batch.test_mode,
                IntakeRow.status == "accepted",
                IntakeRow.external_id == any_(_array(ended)),
            )
            .values(status="superseded")
        )
    seen: dict[str, tuple[bytes, str | None, int]] = {
        name: (bytes(row.digest), str(row.application_id), row.number)
        for name, row in known.items()
        if row.state in LIVE_STATES
    }
    fresh: dict[int, Line] = {}
    results = []
    for line in lines:
        content = line.digest
        before, made, number = seen.setdefault(line.external_id, (content, None, line.number))
        if made is None and number == line.number:
            fresh[line.number] = line
        elif before == content:
            row = number if made else None
            results.append(
                _result(landing, line.number, line.external_id, content, None, made, row,
                        status="unchanged")
            )  # fmt: skip
        else:
            finding = EXTERNAL_ID_REUSED.at(
                f"/rows/{line.number}", row=line.number, external_id=line.external_id
            )
            results.append(_result(landing, line.number, line.external_id, content, [finding]))
    return fresh, results


async def _known(landing: _Landing, external_ids: Sequence[str]) -> dict[str, Any]:
    """Rows accepted before under these ids, with the state of their applications."""
    found = await landing.session.execute(
        select(
            IntakeRow.external_id,
            IntakeRow.digest,
            IntakeRow.application_id,
            IntakeRow.number,
            Application.state,
        )
        .outerjoin(Application, Application.id == IntakeRow.application_id)
        .where(
            IntakeRow.institution_id == landing.batch.institution_id,
            IntakeRow.test_mode == landing.batch.test_mode,
            IntakeRow.status == "accepted",
            IntakeRow.external_id == any_(_array(external_ids)),
        )
    )
    return {str(row.external_id): row for row in found}


def _array(texts: Sequence[str]) -> Any:
    """Texts as an SQL array: sent as one parameter, since one for each takes longer than the
    search; and an array, for which the index is used whatever the statistics say."""
    items = select(func.jsonb_array_elements_text(literal(texts, JSONB)))
    return func.array(items.scalar_subquery())


async def _create_application(
    landing: _Landing, landed: Checked, lines: Mapping[int, Line]
) -> UUID:
    """A draft with these rows, their totals, and the batch's evidence."""
    session, batch = landing.session, landing.batch
    claims = claims_of(batch)
    application = await applications.create_draft(
        session,
        claims,
        institution_id=batch.institution_id,
        field=batch.field,
        memo=batch.external_id,
        source="partner",
    )
    owner = str(application.id)
    await copy_lines(
        session,
        "application_row",
        ("application_id", "number", "external_id", "cells"),
        (_row(owner, position, lines[row.number]) for position, row in enumerate(landed.rows, 1)),
    )
    await checks.store_summary(session, application, landed)
    application.row_count = len(landed.rows)
    application.version += 1
    await _attach_evidence(session, batch, application.id)
    session.add(IntakeApplication(batch_id=batch.id, application_id=application.id))
    await session.flush()
    return application.id


def _row(application_id: str, number: int, line: Line) -> str:
    """A line of `application_row`. What no JSONB holds is rare: it is looked for in the result."""
    cells = line.text
    if "\\u0000" in cells:
        cells = orjson.dumps(applications.stored(line.cells)).decode()
    return f"{application_id}\t{number}\t{text_field(line.external_id)}\t{text_field(cells)}\n"


async def _attach_evidence(session: AsyncSession, batch: IntakeBatch, application_id: UUID) -> None:
    """The same bytes for every application of the batch; each has a row of its own."""
    files = await session.scalars(
        select(IntakeFile)
        .where(IntakeFile.id.in_([UUID(one) for one in batch.evidence]))
        .with_for_update(read=True)  # none is purged while it is being attached
    )
    copied = ("kind", "name", "media_type", "size", "sha256", "key", "uploaded_by")
    records = [
        {"application_id": application_id, **{name: getattr(file, name) for name in copied}}
        for file in files
    ]
    if records:
        await session.execute(insert(ApplicationFile), records)


def _result(
    landing: _Landing,
    line: int,
    external_id: str | None,
    content: bytes | None,
    findings: Sequence[Finding] | None,
    application_id: str | None = None,
    number: int | None = None,
    *,
    status: str | None = None,
) -> str:
    """A line of `intake_row`; without findings the row was accepted."""
    status = status or ("accepted" if findings is None else "rejected")
    landing.counts[status] += 1
    told = NULL
    if findings is not None:
        items = [{**one.to_dict("ko"), "message_en": one.message("en")} for one in findings]
        told = text_field(orjson.dumps(items).decode())
    known = NULL if external_id is None else text_field(external_id)
    digest = NULL if content is None else rf"\\x{content.hex()}"
    row = NULL if number is None else number
    return (
        f"{landing.owner}\t{line}\t{known}\t{digest}\t{status}"
        f"\t{application_id or NULL}\t{row}\t{told}\n"
    )
