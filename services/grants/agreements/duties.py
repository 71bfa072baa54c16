"""Records of what a year has done, with their evidence; how far its duties are (G-006, G-008)."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements import moves
from services.grants.agreements.models import Agreement, DutyEvidence, DutyRecord
from services.grants.agreements.rules import (
    STUDENT,
    DutyCount,
    Record,
    duty_counts,
    record_findings,
    unmet_findings,
)
from services.grants.agreements.rules.duties import STUDENT_TWICE
from services.grants.agreements.service import (
    own_agreement,
    plan_version,
    readable_agreement,
    rules_of_agreement,
    tell_institution,
)
from services.grants.agreements.years import years_of_project
from services.grants.files import keep
from services.grants.programmes.rules import RuleSet
from services.grants.programmes.service import note
from shared.files import Files
from shared.paging import PageRequest, paginate
from shared.problems import Finding, Invalid, NotFound, Stale, StateConflict
from shared.tokens import Claims

_CLOSED = (*moves.NOT_CONCLUDED, "final", "refunded")
MAX_RECORDS = 5_000


@dataclass(frozen=True, slots=True)
class YearDuties:
    counts: tuple[DutyCount, ...]
    findings: tuple[Finding, ...]


async def year_duties(session: AsyncSession, agreement_id: UUID, caller: Claims) -> YearDuties:
    """How far the year is, against the call's numbers and the plan's own."""
    agreement = await readable_agreement(session, agreement_id, caller)
    rules = await rules_of_agreement(session, agreement)
    plan = await plan_version(session, agreement, agreement.plan_version)
    records = await records_of(session, rules, [agreement])
    counts = duty_counts(rules, records, plan.document.get("targets") or {})
    return YearDuties(counts, tuple(unmet_findings(counts)))


async def records_of(
    session: AsyncSession, rules: RuleSet, agreements: Sequence[Agreement]
) -> list[Record]:
    """The records of some years as the rules look at them, in the order they were entered."""
    ids = [agreement.id for agreement in agreements]
    rows = await session.scalars(
        select(DutyRecord)
        .where(DutyRecord.agreement_id.in_(ids), DutyRecord.removed_at.is_(None))
        .order_by(DutyRecord.id)
        .limit(MAX_RECORDS * len(ids))
    )
    proven = set(
        await session.scalars(
            select(DutyEvidence.record_id)
            .join(DutyRecord, DutyRecord.id == DutyEvidence.record_id)
            .where(DutyRecord.agreement_id.in_(ids))
        )
    )
    free = {kind.code for kind in rules.call.records if not kind.evidence}
    return [
        Record(
            str(row.id),
            row.kind,
            row.body,
            row.kind in free or row.id in proven,
            row.state == "returned",
        )
        for row in rows
    ]


async def list_records(
    session: AsyncSession, agreement_id: UUID, caller: Claims, page: PageRequest, kind: str | None
) -> tuple[list[tuple[DutyRecord, list[DutyEvidence]]], str | None, int]:
    """Records of a year with their files, the latest first."""
    agreement = await readable_agreement(session, agreement_id, caller)
    query = select(DutyRecord).where(
        DutyRecord.agreement_id == agreement.id, DutyRecord.removed_at.is_(None)
    )
    if kind is not None:
        query = query.where(DutyRecord.kind == kind)
    rows, cursor, total = await paginate(session, query, keys=[DutyRecord.id], page=page)
    files: dict[UUID, list[DutyEvidence]] = defaultdict(list)
    of_these = select(DutyEvidence).where(DutyEvidence.record_id.in_([row.id for row in rows]))
    for file in await session.scalars(of_these.order_by(DutyEvidence.id)):
        files[file.record_id].append(file)
    return [(row, files[row.id]) for row in rows], cursor, total


async def read_record(
    session: AsyncSession, record_id: UUID, caller: Claims
) -> tuple[DutyRecord, Sequence[DutyEvidence]]:
    """A record in full, with its files, for either side; who looked is noted."""
    record = await session.get(DutyRecord, record_id)
    if record is None or record.removed_at is not None:
        raise NotFound
    await readable_agreement(session, record.agreement_id, caller)
    note(session, "duty_record", record.id, "read", caller)
    query = select(DutyEvidence).where(DutyEvidence.record_id == record.id)
    return record, (await session.scalars(query.order_by(DutyEvidence.id))).all()


async def add_record(
    session: AsyncSession,
    agreement_id: UUID,
    institution_id: UUID,
    caller: Claims,
    *,
    kind: str,
    body: Mapping[str, Any],
) -> DutyRecord:
    """Enter something that was done. Raises `Invalid` with every finding."""
    agreement = await _open_year(session, agreement_id, institution_id)
    found = await _findings(session, agreement, kind, body)
    if found:
        raise Invalid(errors=found)
    record = DutyRecord(
        agreement_id=agreement.id, kind=kind, body=dict(body), created_by=caller.sub
    )
    session.add(record)
    await _flush(session, body)
    note(session, "duty_record", record.id, "create", caller, reason=kind)
    await session.refresh(record)
    return record


async def edit_record(
    session: AsyncSession,
    record_id: UUID,
    institution_id: UUID,
    caller: Claims,
    seen_version: int,
    body: Mapping[str, Any],
) -> DutyRecord:
    record, agreement = await own_record(session, record_id, institution_id)
    if record.version != seen_version:
        raise Stale
    _change(record)
    found = await _findings(session, agreement, record.kind, body, beside=record.id)
    if found:
        raise Invalid(errors=found)
    record.body = dict(body)
    record.version += 1
    await _flush(session, body)
    note(session, "duty_record", record.id, "edit", caller)
    await session.refresh(record)
    return record


async def remove_record(
    session: AsyncSession, record_id: UUID, institution_id: UUID, caller: Claims, now: datetime
) -> None:
    """Take a record back; it counts no more."""
    record, _agreement = await own_record(session, record_id, institution_id)
    _change(record)
    record.removed_at = now
    note(session, "duty_record", record.id, "remove", caller)
    await session.flush()


async def prove(
    session: AsyncSession,
    files: Files,
    record_id: UUID,
    institution_id: UUID,
    caller: Claims,
    *,
    name: str,
    chunks: AsyncIterator[bytes],
) -> DutyEvidence:
    """Attach a file that proves a record."""
    record, _agreement = await own_record(session, record_id, institution_id)
    _change(record)
    stored = await files.put(f"duties/{record.id}/{uuid4()}", name, chunks)
    evidence = DutyEvidence(
        record_id=record.id,
        created_by=caller.sub,
    )
    await keep(session, files, evidence, stored)
    note(session, "duty_record", record.id, "attach", caller, reason=stored.sha256)
    return evidence


async def decide(
    session: AsyncSession,
    record_id: UUID,
    caller: Claims,
    action: str,
    reason: str | None,
    now: datetime,
) -> DutyRecord:
    """The agency confirms a record that is proven, or sends it back with the reason; then it counts
    no more until the institution has mended it. Raises `StateConflict`."""
    record, agreement = await _locked(session, record_id)
    if caller.institution_id != str(agreement.agency_id):
        raise NotFound
    if agreement.state in _CLOSED:
        raise StateConflict(state=moves.NAMES[agreement.state])
    moved = (record.state, moves.move_record(record.state, action))
    if action == "confirm" and not await _is_proven(session, record, agreement):
        raise StateConflict(state="증빙 없는 실적")
    record.state, record.return_reason = moved[1], reason
    record.decided_by, record.decided_at = caller.sub, now
    record.version += 1
    note(session, "duty_record", record.id, action, caller, moved=moved, reason=reason)
    if action == "return":
        await tell_institution(session, agreement, "record_returned", record.created_by)
    await session.flush()
    await session.refresh(record)
    return record


def _change(record: DutyRecord) -> None:
    """The institution changes a record, as a new version: what was sent back is looked at anew."""
    target = moves.move_record(record.state, "change")
    if target != record.state:
        record.state, record.version = target, record.version + 1
        record.decided_by = record.decided_at = record.return_reason = None


async def _is_proven(session: AsyncSession, record: DutyRecord, agreement: Agreement) -> bool:
    rules = await rules_of_agreement(session, agreement)
    if any(kind.code == record.kind and not kind.evidence for kind in rules.call.records):
        return True
    query = select(DutyEvidence.id).where(DutyEvidence.record_id == record.id)
    return await session.scalar(query.limit(1)) is not None


async def readable_evidence(
    session: AsyncSession, evidence_id: UUID, caller: Claims
) -> DutyEvidence:
    """A file of a record of the caller's institution, on either side."""
    evidence = await session.get(DutyEvidence, evidence_id)
    if evidence is None:
        raise NotFound
    record = await session.get_one(DutyRecord, evidence.record_id)
    await readable_agreement(session, record.agreement_id, caller)
    return evidence


async def own_record(
    session: AsyncSession, record_id: UUID, institution_id: UUID
) -> tuple[DutyRecord, Agreement]:
    """A record of the institution's own year that may still change, locked."""
    record, agreement = await _locked(session, record_id)
    if agreement.institution_id != institution_id:
        raise NotFound
    if agreement.state in _CLOSED:
        raise StateConflict(state=moves.NAMES[agreement.state])
    return record, agreement


async def _locked(session: AsyncSession, record_id: UUID) -> tuple[DutyRecord, Agreement]:
    """A record and its agreement, locked in this order: the agreement, shared, then the record."""
    query = (
        select(Agreement)
        .join(DutyRecord, DutyRecord.agreement_id == Agreement.id)
        .where(DutyRecord.id == record_id)
        .with_for_update(read=True, of=Agreement)
    )
    agreement = (await session.scalars(query)).one_or_none()
    record = await session.get(DutyRecord, record_id, with_for_update=True)
    if agreement is None or record is None or record.removed_at is not None:
        raise NotFound
    return record, agreement


async def _open_year(session: AsyncSession, agreement_id: UUID, institution_id: UUID) -> Agreement:
    """A year that takes records: concluded, and not settled for good."""
    await own_agreement(session, agreement_id, institution_id)
    agreement = await session.get_one(Agreement, agreement_id, with_for_update={"read": True})
    if agreement.state in _CLOSED:
        raise StateConflict(state=moves.NAMES[agreement.state])
    return agreement


async def _findings(
    session: AsyncSession,
    agreement: Agreement,
    kind: str,
    body: Mapping[str, Any],
    beside: UUID | None = None,
) -> list[Finding]:
    """What is wrong with a record among the others; students of earlier years are known too, and
    are registered anew each year."""
    rules = await rules_of_agreement(session, agreement)
    years = [agreement] if kind == STUDENT else await years_of_project(session, agreement)
    query = select(DutyRecord.body["ref"].astext).where(
        DutyRecord.agreement_id.in_([year.id for year in years]),
        DutyRecord.kind == STUDENT,
        DutyRecord.removed_at.is_(None),
        DutyRecord.id != (beside or UUID(int=0)),
    )
    students = frozenset(await session.scalars(query))
    return list(record_findings(rules, kind, body, students))


async def _flush(session: AsyncSession, body: Mapping[str, Any]) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        if "uq_duty_record_student" in str(error.orig):
            twice = STUDENT_TWICE.at("/body/ref", field="ref", ref=body["ref"])
            raise Invalid(errors=[twice]) from error
        raise
