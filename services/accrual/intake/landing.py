"""The worker's part: lines become rows of applications, and every line gets its result.

All of a batch lands in one transaction: a process that dies leaves a batch as it was pushed, and
the next attempt starts over. Progress is written beside it, so that the partner sees it grow.
Submitting follows in a transaction for each application, because a submission locks the year's
counter and nobody else should wait for a whole batch. Memory: one application's rows.
"""

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any
from uuid import UUID

import orjson
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications import checks, submission
from services.accrual.applications import service as applications
from services.accrual.applications.bulk import copy_rows
from services.accrual.applications.columns import COLUMNS
from services.accrual.applications.models import Application, ApplicationFile
from services.accrual.applications.rows import raw_rows
from services.accrual.applications.rules import Checked, check_rows
from services.accrual.criteria.rules import FieldRule, assess
from services.accrual.criteria.service import field_rule
from services.accrual.intake.errors import EXTERNAL_ID_REUSED, ROW_HELD_BACK, ROW_MALFORMED
from services.accrual.intake.lines import (
    Index,
    Line,
    Malformed,
    digest,
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
from services.accrual.webhooks import service as webhooks
from shared.clock import seoul_day, utc_now
from shared.db import Sessions
from shared.problems import Finding, Problem
from shared.tokens import Claims

LIVE_STATES = ("draft", "submitted", "in_review", "returned", "approved", "posted")
_ROW_COLUMNS = (
    "batch_id",
    "line",
    "institution_id",
    "test_mode",
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
    counts: dict[str, int] = field(
        default_factory=lambda: {"accepted": 0, "unchanged": 0, "rejected": 0}
    )


async def process(sessions: Sessions, batch_id: UUID, *, max_rows: int) -> None:
    """Land a batch, submit its applications if wanted, and tell the partner. Repeatable."""
    async with sessions() as session:
        state = await session.scalar(select(IntakeBatch.state).where(IntakeBatch.id == batch_id))
    if state == "queued":
        with tempfile.TemporaryFile() as file:
            await _fetch(sessions, batch_id, file)
            async with sessions.begin() as session:
                await _land(sessions, session, batch_id, file, max_rows=max_rows)
    if state in ("queued", "submitting"):
        await _submit_all(sessions, batch_id, max_rows=max_rows)


async def _fetch(sessions: Sessions, batch_id: UUID, file: IO[bytes]) -> None:
    async with sessions() as session:
        query = (
            select(IntakeChunk.body)
            .where(IntakeChunk.batch_id == batch_id)
            .order_by(IntakeChunk.seq)
            .execution_options(yield_per=8)
        )
        async for body in await session.stream_scalars(query):
            file.write(body)


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
    landing = _Landing(sessions, session, batch, field_rule(batch.field, seoul_day(now)), now)
    columns = frozenset(column.key for column in COLUMNS[batch.field])
    index: Index = await asyncio.to_thread(index_lines, file, columns)
    await _reject_malformed(landing, index.malformed)
    for piece in pieces(index, max_rows):
        lines = await asyncio.to_thread(read_piece, file, index, piece, columns)
        await _land_piece(landing, lines)
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


async def _reject_malformed(landing: _Landing, malformed: Sequence[Malformed]) -> None:
    results = []
    for one in malformed:
        finding = ROW_MALFORMED.at(f"/{one.number - 1}", line=one.number, reason=one.reason)
        results.append(_result(landing, one.number, one.external_id, None, [finding]))
    await _write_results(landing, results)


async def _land_piece(landing: _Landing, lines: Sequence[Line]) -> None:
    """One application's worth of lines: those that pass become its rows."""
    fresh, results = await _without_known(landing, lines)
    raw = raw_rows(COLUMNS[landing.rule.code], ((n, line.cells) for n, line in fresh.items()))
    if raw:
        owner = Application(
            institution_id=landing.batch.institution_id, test_mode=landing.batch.test_mode
        )
        posted = await checks.posted_contracts(landing.session, owner, raw, landing.rule)
        checked = await asyncio.to_thread(
            check_rows,
            landing.rule,
            raw,
            today=seoul_day(landing.now),
            posted=posted,
            max_rows=len(raw),
        )
        wrong = _findings_by_row(checked)
        for finding in await checks.claimed_by_others(landing.session, owner, raw, checked.rows):
            wrong.setdefault(finding.row or 0, []).append(finding)
        good = tuple(row for row in checked.rows if row.number not in wrong)
        claims = ((row.brn, row.contract, row.quantity) for row in good)
        landed = Checked(good, (), assess(landing.rule, claims, posted), checked.names)
        application_id = await _create_application(landing, landed, fresh) if good else None
        numbers = {row.number: position for position, row in enumerate(good, 1)}
        for number, line in fresh.items():
            if number in numbers:
                results.append(
                    _result(landing, number, line.external_id, digest(line.cells), None,
                            application_id, numbers[number])
                )  # fmt: skip
            else:
                found = wrong.get(number) or [ROW_HELD_BACK.at(f"/{number - 1}", row=number)]
                results.append(
                    _result(landing, number, line.external_id, digest(line.cells), found)
                )
    await _write_results(landing, results)


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
) -> tuple[dict[int, Line], list[tuple[Any, ...]]]:
    """The lines not received before, by number, and the results of the others."""
    known = await _known(landing, [line.external_id for line in lines])
    ended = [row.external_id for row in known.values() if row.state not in LIVE_STATES]
    if ended:  # cancelled, rejected, discarded: the partner may push these again
        await landing.session.execute(
            update(IntakeRow)
            .where(
                IntakeRow.institution_id == landing.batch.institution_id,
                IntakeRow.test_mode == landing.batch.test_mode,
                IntakeRow.status == "accepted",
                IntakeRow.external_id.in_(ended),
            )
            .values(status="superseded")
        )
    seen = {
        name: (bytes(row.digest), row.application_id, row.number)
        for name, row in known.items()
        if row.state in LIVE_STATES
    }
    fresh: dict[int, Line] = {}
    results = []
    for line in lines:
        content = digest(line.cells)
        before = seen.setdefault(line.external_id, (content, None, line.number))
        if before[1] is None and before[2] == line.number:
            fresh[line.number] = line
        elif before[0] == content:
            results.append(
                _result(landing, line.number, line.external_id, content, None, before[1],
                        before[2] if before[1] else None, status="unchanged")
            )  # fmt: skip
        else:
            finding = EXTERNAL_ID_REUSED.at(
                f"/{line.number - 1}", row=line.number, external_id=line.external_id
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
            IntakeRow.external_id.in_(external_ids),
        )
    )
    return {str(row.external_id): row for row in found}


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
        memo=f"{batch.external_id}",
        source="partner",
    )
    await copy_rows(
        session,
        "application_row",
        ("application_id", "number", "external_id", "cells"),
        (
            (
                application.id,
                position,
                lines[row.number].external_id,
                orjson.dumps(applications.stored(lines[row.number].cells)).decode(),
            )
            for position, row in enumerate(landed.rows, 1)
        ),
    )
    await checks.store_summary(session, application, landed)
    application.row_count = len(landed.rows)
    application.version += 1
    await _attach_evidence(session, batch, application.id)
    session.add(IntakeApplication(batch_id=batch.id, application_id=application.id))
    await session.flush()
    return application.id


async def _attach_evidence(session: AsyncSession, batch: IntakeBatch, application_id: UUID) -> None:
    """The same bytes for every application of the batch; each has a row of its own."""
    files = await session.scalars(
        select(IntakeFile).where(IntakeFile.id.in_([UUID(one) for one in batch.evidence]))
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
    application_id: UUID | None = None,
    number: int | None = None,
    *,
    status: str | None = None,
) -> tuple[Any, ...]:
    status = status or ("accepted" if findings is None else "rejected")
    landing.counts[status] += 1
    told = None
    if findings is not None:
        told = orjson.dumps(
            [{**one.to_dict("ko"), "message_en": one.message("en")} for one in findings]
        ).decode()
    batch = landing.batch
    return (batch.id, line, batch.institution_id, batch.test_mode, external_id, content, status,
            application_id, number, told)  # fmt: skip


async def _write_results(landing: _Landing, results: Sequence[tuple[Any, ...]]) -> None:
    if results:
        await copy_rows(landing.session, "intake_row", _ROW_COLUMNS, results)


async def _submit_all(sessions: Sessions, batch_id: UUID, *, max_rows: int) -> None:
    async with sessions() as session:
        batch = await session.get(IntakeBatch, batch_id)
        drafts = await session.scalars(
            select(IntakeApplication.application_id)
            .where(IntakeApplication.batch_id == batch_id, IntakeApplication.outcome == "draft")
            .order_by(IntakeApplication.application_id)
        )
        waiting = drafts.all()
    if batch is None:
        return
    for application_id in waiting if batch.submit else ():
        await _submit(sessions, batch, application_id, max_rows=max_rows)
    async with sessions.begin() as session:
        await session.execute(
            update(IntakeBatch)
            .where(IntakeBatch.id == batch_id)
            .values(state="finished", finished_at=utc_now())
        )
        await webhooks.emit(
            session,
            institution_id=batch.institution_id,
            event="intake.finished",
            data={
                "batch_id": str(batch.id),
                "external_id": batch.external_id,
                "total": batch.total,
                "accepted": batch.accepted,
                "unchanged": batch.unchanged,
                "rejected": batch.rejected,
            },
            test_mode=batch.test_mode,
        )


async def _submit(
    sessions: Sessions, batch: IntakeBatch, application_id: UUID, *, max_rows: int
) -> None:
    """Submit one application of the batch; why it cannot be is kept for the partner."""
    outcome, findings = "submitted", []
    try:
        async with sessions.begin() as session:
            await submission.submit(
                session, claims_of(batch), application_id, now=utc_now(), max_rows=max_rows
            )
            await _keep_outcome(session, batch.id, application_id, outcome, [])
        return
    except Problem as problem:
        outcome = "refused"
        findings = [finding.to_dict("ko") for finding in problem.errors if finding.is_error] or [
            {"pointer": "", "code": problem.code, "message": problem.title(), "level": "error"}
        ]
    async with sessions.begin() as session:
        await _keep_outcome(session, batch.id, application_id, outcome, findings[:100])


async def _keep_outcome(
    session: AsyncSession,
    batch_id: UUID,
    application_id: UUID,
    outcome: str,
    findings: Sequence[Mapping[str, Any]],
) -> None:
    await session.execute(
        update(IntakeApplication)
        .where(
            IntakeApplication.batch_id == batch_id,
            IntakeApplication.application_id == application_id,
        )
        .values(outcome=outcome, findings=list(findings))
    )


def claims_of(batch: IntakeBatch) -> Claims:
    """The partner, as it was let in when it pushed the batch; for the trace and the scoping."""
    return Claims(
        sub=batch.client_id,
        client_id=batch.client_id,
        scope=frozenset({"accrual:push"}),
        role="partner",
        institution_id=str(batch.institution_id),
        institution_kind=batch.institution_kind,
        test_mode=batch.test_mode,
        exp=0,
        iat=0,
        jti="",
    )
