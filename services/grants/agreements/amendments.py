"""Amending the plan (협약변경, G-033): requested by the institution, decided by the agency.

An approved request becomes the next version of the plan; nothing is ever rewritten.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements import moves
from services.grants.agreements.models import (
    Agreement,
    AgreementChange,
    Amendment,
    AmendmentRequest,
    PlanVersion,
)
from services.grants.agreements.rules import (
    DECISION_PAPER_MISSING,
    Difference,
    ItemDecision,
    Version,
    amendment_findings,
    decisions,
    difference,
    money_of,
)
from services.grants.agreements.service import (
    own_agreement,
    plan_in_force,
    plan_version,
    readable_agreement,
    tell_agency,
    tell_institution,
    version_totals,
)
from services.grants.errors import AmendmentOpen, AmendmentOutdated
from services.grants.expenses.models import ExpenseRow
from services.grants.files import delete_file
from services.grants.programmes.service import note
from services.grants.proposals.document import Document, check, read_part
from shared.db import next_number
from shared.files import Files
from shared.problems import Finding, Invalid, NotFound, Stale, StateConflict
from shared.tokens import Claims

_EDITABLE = ("draft", "returned")
_PAPER = ("file_key", "file_name", "media_type", "sha256")


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as one side reads it. The institution reads what it is writing; the agency what
    was sent to it last, also while that is being mended."""

    amendment: Amendment
    text: Amendment | AmendmentRequest


@dataclass(frozen=True, slots=True)
class AmendmentCheck:
    """What is to be said of a proposed plan; the comparison as soon as its budget can be read."""

    findings: tuple[Finding, ...]
    decisions: tuple[ItemDecision, ...] = ()
    difference: Difference | None = None

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.is_error)


async def preview(
    session: AsyncSession,
    agreement_id: UUID,
    institution_id: UUID,
    document: Mapping[str, Any],
    effective_on: date,
) -> AmendmentCheck:
    """What a request would be told now. Changes nothing."""
    agreement = await own_agreement(session, agreement_id, institution_id)
    return await _check(session, agreement, document, effective_on)


async def begin(
    session: AsyncSession,
    agreement_id: UUID,
    institution_id: UUID,
    caller: Claims,
    values: Mapping[str, Any],
) -> Amendment:
    """Begin a request, right or wrong; it is checked when it is sent. One is open at a time."""
    await own_agreement(session, agreement_id, institution_id)
    agreement = await session.get_one(Agreement, agreement_id, with_for_update=True)
    _refuse_unless_active(agreement)
    seq = await next_number(session, Amendment.seq, Amendment.agreement_id == agreement.id)
    amendment = Amendment(agreement_id=agreement.id, seq=seq, created_by=caller.sub, **values)
    session.add(amendment)
    try:
        await session.flush()
    except IntegrityError as error:
        if "uq_amendment_open" in str(error.orig):
            raise AmendmentOpen from error
        raise
    note(session, "amendment", amendment.id, "create", caller, moved=(None, "draft"))
    await session.flush()
    await session.refresh(amendment)
    return amendment


async def edit(
    session: AsyncSession,
    amendment_id: UUID,
    institution_id: UUID,
    seen_version: int,
    values: Mapping[str, Any],
) -> Amendment:
    amendment, _agreement = await _own(session, amendment_id, institution_id)
    if amendment.version != seen_version:
        raise Stale
    _refuse_unless_editable(amendment)
    for name, value in values.items():
        setattr(amendment, name, value)
    amendment.version += 1
    await session.flush()
    await session.refresh(amendment)
    return amendment


async def attach_paper(
    session: AsyncSession,
    files: Files,
    amendment_id: UUID,
    institution_id: UUID,
    caller: Claims,
    *,
    name: str,
    chunks: AsyncIterator[bytes],
) -> Amendment:
    """The paper by which the institution decided the change; a new one takes the place of the old,
    whose digest stays in the history."""
    amendment, agreement = await _own(session, amendment_id, institution_id)
    _refuse_unless_editable(amendment)
    old = amendment.file_key
    sent = select(AmendmentRequest.id).where(
        AmendmentRequest.amendment_id == amendment.id, AmendmentRequest.file_key == old
    )
    stored = await files.put(f"agreements/{agreement.id}/{uuid4()}", name, chunks)
    amendment.file_key, amendment.file_name = stored.key, stored.name
    amendment.media_type, amendment.sha256 = stored.media_type, stored.sha256
    amendment.version += 1
    note(session, "amendment", amendment.id, "attach", caller, reason=stored.sha256)
    await session.flush()
    await session.refresh(amendment)
    if old is not None and await session.scalar(sent) is None:  # what was sent is kept
        await delete_file(session, old)
    return amendment


async def request(
    session: AsyncSession, amendment_id: UUID, institution_id: UUID, caller: Claims, now: datetime
) -> Amendment:
    """Send the request to the agency. Raises `Invalid` with every finding."""
    amendment, agreement = await _own(session, amendment_id, institution_id)
    moves.move_amendment(amendment.state, "request")
    _refuse_unless_active(agreement)
    errors = (await _check(session, agreement, amendment.document, amendment.effective_on)).errors
    if not _has_paper(amendment):
        errors += (DECISION_PAPER_MISSING.at("/file", field="file"),)
    if errors:
        raise Invalid(errors=errors)
    amendment.base_version = agreement.plan_version
    amendment.base_seq = await _last_seq(session, agreement)
    amendment.requested_at = now
    names = ("document", "reason", "effective_on", *_PAPER)
    session.add(
        AmendmentRequest(
            amendment_id=amendment.id,
            seq=await next_number(
                session, AmendmentRequest.seq, AmendmentRequest.amendment_id == amendment.id
            ),
            requested_by=caller.sub,
            requested_at=now,
            **{name: getattr(amendment, name) for name in names},
        )
    )
    await tell_agency(session, agreement, "amendment_requested")
    return await _move(session, amendment, "request", caller)


async def withdraw(
    session: AsyncSession, amendment_id: UUID, institution_id: UUID, caller: Claims
) -> Amendment:
    amendment, _agreement = await _own(session, amendment_id, institution_id)
    return await _move(session, amendment, "withdraw", caller)


async def decide(
    session: AsyncSession,
    amendment_id: UUID,
    caller: Claims,
    action: str,
    reason: str,
    now: datetime,
) -> Amendment:
    """The agency rejects a request, or sends it back, with the reason."""
    amendment, agreement = await _of_agency(session, amendment_id, caller)
    amendment.decided_by, amendment.decided_at = caller.sub, now
    amendment.decision_reason = reason
    decided = await _move(session, amendment, action, caller, reason)
    kind = f"amendment_{decided.state}"
    await tell_institution(session, agreement, kind, amendment.created_by)
    return decided


async def approve(
    session: AsyncSession,
    amendment_id: UUID,
    caller: Claims,
    *,
    reason: str,
    effective_on: date | None,
    now: datetime,
) -> Amendment:
    """Make the request the next version of the plan (G-033).

    The agency may let it take effect on another day than asked for. All is checked once more;
    raises `Invalid`, or `AmendmentOutdated` when the plan changed since the request.
    """
    amendment, agreement = await _of_agency(session, amendment_id, caller)
    moves.move_amendment(amendment.state, "approve")
    _refuse_unless_active(agreement)
    seq = await _last_seq(session, agreement)
    if (amendment.base_version, amendment.base_seq) != (agreement.plan_version, seq):
        raise AmendmentOutdated
    day = effective_on or amendment.effective_on
    errors = (await _check(session, agreement, amendment.document, day)).errors
    if errors:
        raise Invalid(errors=errors)
    version = agreement.plan_version + 1
    session.add(
        PlanVersion(
            agreement_id=agreement.id,
            version=version,
            document=amendment.document,
            reason=amendment.reason,
            approved_by=caller.sub,
            effective_on=day,
            after_seq=seq,
            amendment_id=amendment.id,
        )
    )
    note(session, "agreement", agreement.id, "amend", caller, reason=amendment.reason)
    agreement.plan_version = amendment.plan_version = version
    amendment.effective_on = day
    amendment.decided_by, amendment.decided_at = caller.sub, now
    amendment.decision_reason = reason
    await tell_institution(
        session, agreement, "amendment_approved", amendment.created_by, day=str(day)
    )
    return await _move(session, amendment, "approve", caller, reason)


async def amendments_of(session: AsyncSession, agreement_id: UUID, caller: Claims) -> list[Seen]:
    """The requests of an agreement; what is still being written is the institution's alone."""
    agreement = await readable_agreement(session, agreement_id, caller)
    query = select(Amendment).where(Amendment.agreement_id == agreement.id)
    query = query.order_by(Amendment.seq).limit(500)
    if caller.institution_id != str(agreement.agency_id):
        return [Seen(one, one) for one in await session.scalars(query)]
    sent = query.where(Amendment.requested_at.is_not(None))
    found = (await session.scalars(sent)).all()
    texts = await _sent(session, [one.id for one in found])
    return [Seen(one, texts.get(one.id, one)) for one in found]


async def readable_amendment(
    session: AsyncSession, amendment_id: UUID, caller: Claims
) -> tuple[Seen, Agreement]:
    """A request for either side; the agency does not find one that was never sent."""
    amendment = await session.get(Amendment, amendment_id)
    if amendment is None:
        raise NotFound
    agreement = await readable_agreement(session, amendment.agreement_id, caller)
    of_agency = caller.institution_id == str(agreement.agency_id)
    if not of_agency:
        return Seen(amendment, amendment), agreement
    if amendment.requested_at is None:
        raise NotFound
    texts = await _sent(session, [amendment.id])
    return Seen(amendment, texts.get(amendment.id, amendment)), agreement


async def amendment_detail(
    session: AsyncSession, amendment_id: UUID, caller: Claims
) -> tuple[Seen, AmendmentCheck]:
    """A request with what the rules say of it now, against the plan in force.

    Once approved, it is compared with the version it replaced.
    """
    seen, agreement = await readable_amendment(session, amendment_id, caller)
    amendment = seen.amendment
    if amendment.plan_version is None:
        return seen, await _check(session, agreement, seen.text.document, seen.text.effective_on)
    before, after = [
        Version(found.document, await version_totals(session, agreement, found.version))
        for found in [
            await plan_version(session, agreement, number)
            for number in (amendment.plan_version - 1, amendment.plan_version)
        ]
    ]
    made = decisions(before.totals, after.totals)
    return seen, AmendmentCheck((), made, difference(before, after))


async def _sent(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, AmendmentRequest]:
    """What was sent last of each request."""
    query = (
        select(AmendmentRequest)
        .where(AmendmentRequest.amendment_id.in_(ids))
        .order_by(AmendmentRequest.amendment_id, AmendmentRequest.seq.desc())
        .ext(distinct_on(AmendmentRequest.amendment_id))
    )
    return {one.amendment_id: one for one in await session.scalars(query)}


async def _check(
    session: AsyncSession,
    agreement: Agreement,
    document: Mapping[str, Any],
    effective_on: date,
) -> AmendmentCheck:
    plan = await plan_in_force(session, agreement)
    checked = check(plan.rules, document)
    # Reminders about the form were given with the proposal; here the money and the pledge count.
    found = tuple(
        replace(finding, pointer=f"/document{finding.pointer}")
        for finding in checked.findings
        if finding.is_error or finding.pointer.startswith(("/budget", "/pledge"))
    )
    if checked.totals is None:
        return AmendmentCheck(found)
    budget = read_part(Document, document, "/document").budget
    assert budget is not None  # its totals were made
    current = await plan_version(session, agreement, agreement.plan_version)
    before = Version(current.document, await version_totals(session, agreement, current.version))
    differs = difference(before, Version(document, checked.totals))
    about = amendment_findings(
        plan,
        budget,
        checked.totals,
        effective_on=effective_on,
        not_before=max(day for day in (plan.year.start, current.effective_on) if day),
        spent=await _spent(session, agreement),
        differs=not differs.is_empty,
    )
    return AmendmentCheck((*found, *about), decisions(money_of(plan), checked.totals), differs)


async def _spent(session: AsyncSession, agreement: Agreement) -> dict[str, int]:
    """Won entered by use of money, without what was cancelled."""
    query = (
        select(ExpenseRow.kind, func.sum(ExpenseRow.amount_won))
        .where(ExpenseRow.agreement_id == agreement.id, ExpenseRow.state != "cancelled")
        .group_by(ExpenseRow.kind)
    )
    return {kind: int(won) for kind, won in await session.execute(query)}


async def _last_seq(session: AsyncSession, agreement: Agreement) -> int:
    query = select(func.max(AgreementChange.seq)).where(
        AgreementChange.agreement_id == agreement.id
    )
    return await session.scalar(query) or 0


async def _own(
    session: AsyncSession, amendment_id: UUID, institution_id: UUID
) -> tuple[Amendment, Agreement]:
    """The institution's request, locked; its agreement first, as everywhere."""
    return await _locked(session, amendment_id, institution_id, "institution_id")


async def _of_agency(
    session: AsyncSession, amendment_id: UUID, caller: Claims
) -> tuple[Amendment, Agreement]:
    """A request the caller's agency received, locked; another's is not found."""
    if caller.institution_id is None:
        raise NotFound
    found = await _locked(session, amendment_id, UUID(caller.institution_id), "agency_id")
    if found[0].requested_at is None:
        raise NotFound
    return found


async def _locked(
    session: AsyncSession, amendment_id: UUID, institution_id: UUID, side: str
) -> tuple[Amendment, Agreement]:
    query = (
        select(Agreement)
        .join(Amendment, Amendment.agreement_id == Agreement.id)
        .where(Amendment.id == amendment_id, getattr(Agreement, side) == institution_id)
        .with_for_update(of=Agreement)
    )
    agreement = (await session.scalars(query)).one_or_none()
    if agreement is None:
        raise NotFound
    return await session.get_one(Amendment, amendment_id, with_for_update=True), agreement


async def _move(
    session: AsyncSession,
    amendment: Amendment,
    action: str,
    caller: Claims,
    reason: str | None = None,
) -> Amendment:
    target = moves.move_amendment(amendment.state, action)
    moved = (amendment.state, target)
    note(session, "amendment", amendment.id, action, caller, moved=moved, reason=reason)
    amendment.state = target
    amendment.version += 1
    await session.flush()
    await session.refresh(amendment)
    return amendment


def _has_paper(amendment: Amendment) -> bool:
    return all(getattr(amendment, name) is not None for name in _PAPER)


def _refuse_unless_active(agreement: Agreement) -> None:
    """Only a year that is being spent is amended; what is settled stays as it is."""
    if agreement.state != "active":
        raise StateConflict(state=moves.NAMES[agreement.state])


def _refuse_unless_editable(amendment: Amendment) -> None:
    if amendment.state not in _EDITABLE:
        raise StateConflict(state=moves.AMENDMENT_NAMES[amendment.state])
