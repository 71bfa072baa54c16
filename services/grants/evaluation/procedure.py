"""The agency's procedure from receipt to designation, one step at a time (G-055)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.certification.rules import mileage_findings
from services.grants.evaluation import results
from services.grants.evaluation.errors import (
    MILEAGE_UNTESTED,
    NOT_PASSING,
    PRE_REVIEW_POINT_FAILED,
    PRE_REVIEW_POINT_MISSING,
    PRE_REVIEW_POINT_UNKNOWN,
    AwardsFull,
    ReceiptOpen,
)
from services.grants.evaluation.models import PreReview, Result, VerifiedFacts
from services.grants.programmes.models import Event, Programme
from services.grants.programmes.rules import ReviewPoint, RuleSet
from services.grants.programmes.service import judging_rules, note
from services.grants.proposals.document import check
from services.grants.proposals.elsewhere import commitments_of
from services.grants.proposals.models import Proposal
from services.grants.proposals.moves import NAMES, move
from services.grants.proposals.service import received_version
from shared.clock import SEOUL, seoul_day
from shared.problems import Finding, Invalid, StateConflict
from shared.tokens import Claims

IN_FLIGHT: Final = timedelta(minutes=1)
"""How long a request that arrived by the deadline may take to be put on record."""

SELECTED: Final = ("preferred", "negotiation", "designated", "agreed")


async def take_step(
    session: AsyncSession,
    proposal_id: UUID,
    agency_id: UUID,
    caller: Claims,
    action: str,
    reason: str | None,
) -> Proposal:
    """A step of the agency's procedure, with the reason the applicant reads (G-055)."""
    proposal, _submission = await received_version(session, proposal_id, agency_id)
    await session.refresh(proposal, with_for_update=True)
    if action == "find_eligible" and proposal.continues_id is not None:
        raise StateConflict(state="계속 연차")  # taken on by the agreements, never ranked
    target = move(proposal.state, action)
    note(
        session,
        "proposal",
        proposal.id,
        action,
        caller,
        moved=(proposal.state, target),
        reason=reason,
    )
    proposal.state = target
    proposal.version += 1
    await session.flush()
    return proposal


async def begin_pre_review(
    session: AsyncSession, proposal_id: UUID, agency_id: UUID, caller: Claims, now: datetime
) -> Proposal:
    """Begin to look at a proposal; from now on the applicant submits no other version.

    So it waits for the deadline (G-004): until then the last version counts. Raises `ReceiptOpen`.
    A rolling call has nothing to wait for, nor has a continuing year, which no deadline binds.
    """
    proposal, _submission = await received_version(session, proposal_id, agency_id)
    programme = await session.get_one(Programme, proposal.programme_id)
    waits = not programme.rolling and proposal.continues_id is None
    if waits and now <= programme.closes_at + IN_FLIGHT:
        raise ReceiptOpen(closes_at=f"{programme.closes_at.astimezone(SEOUL):%Y-%m-%d %H:%M}")
    return await take_step(session, proposal_id, agency_id, caller, "begin_pre_review", None)


@dataclass(frozen=True, slots=True)
class Aid:
    """What the secretary looks at: the call's points, and what the check of the received version
    says, missing documents among it (G-005)."""

    proposal: Proposal
    points: Sequence[ReviewPoint]
    findings: Sequence[Finding]
    decided: PreReview | None


async def pre_review(session: AsyncSession, proposal_id: UUID, agency_id: UUID) -> Aid:
    proposal, submission = await received_version(session, proposal_id, agency_id)
    programme = await session.get_one(Programme, proposal.programme_id)
    rules = await judging_rules(session, programme)
    found: Sequence[Finding] = ()
    if isinstance(rules, RuleSet):
        # Of the people in the version received: the draft may name others by now.
        elsewhere = await commitments_of(session, proposal, submission.document)
        found = check(rules, submission.document, elsewhere).findings
    decided = await session.get(PreReview, proposal.id)
    return Aid(proposal, rules.evaluation.pre_review, found, decided)


async def finish_pre_review(
    session: AsyncSession,
    proposal_id: UUID,
    agency_id: UUID,
    caller: Claims,
    *,
    eligible: bool,
    checks: Mapping[str, Mapping[str, Any]],
    reason: str | None,
    now: datetime,
) -> Proposal:
    """Eligible when every point of the call holds; otherwise the applicant is told why.

    Raises `Invalid` for a point not looked at, and for an eligible proposal that fails one.
    """
    aid = await pre_review(session, proposal_id, agency_id)
    found = _point_findings(aid.points, checks, eligible=eligible)
    if eligible:
        found += await _mileage_untested(session, aid.proposal)
    if found:
        raise Invalid(errors=found)
    action = "find_eligible" if eligible else "find_ineligible"
    proposal = await take_step(session, proposal_id, agency_id, caller, action, reason)
    session.add(
        PreReview(
            proposal_id=proposal.id,
            eligible=eligible,
            checks={code: dict(one) for code, one in checks.items()},
            reason=reason,
            decided_by=caller.sub,
            decided_at=now,
        )
    )
    if not eligible:
        await results.issue(session, proposal, "ineligible", reason or "", caller, now)
    await session.flush()
    return proposal


async def decide(
    session: AsyncSession,
    proposal_id: UUID,
    agency_id: UUID,
    caller: Claims,
    action: str,
    reason: str,
    now: datetime,
) -> Proposal:
    """A decision on a scored proposal; the applicant gets a notice of it with the reason.

    Raises `Invalid` (NOT_PASSING) or `AwardsFull` for a proposal that cannot be preferred.
    """
    received, _submission = await received_version(session, proposal_id, agency_id)
    programme = await session.get_one(Programme, received.programme_id)
    if programme.kind != "hosted":  # a certification is resolved by its council
        raise StateConflict(state=NAMES[received.state])
    if action == "prefer":
        await _refuse_to_prefer(session, proposal_id, agency_id)
    proposal = await take_step(session, proposal_id, agency_id, caller, action, reason)
    if proposal.state in results.DECISIONS:
        await results.issue(session, proposal, proposal.state, reason, caller, now)
    await session.flush()
    return proposal


async def audit(session: AsyncSession, proposal_id: UUID, agency_id: UUID) -> Sequence[Event]:
    """Who did and saw what about a proposal, for the agency alone."""
    await received_version(session, proposal_id, agency_id)
    query = select(Event).where(Event.subject_id == proposal_id).order_by(Event.id).limit(1000)
    return (await session.scalars(query)).all()


async def _refuse_to_prefer(session: AsyncSession, proposal_id: UUID, agency_id: UUID) -> None:
    proposal, _submission = await received_version(session, proposal_id, agency_id)
    # The call's row is the turnstile: two officers cannot both give the last award.
    programme = await session.get_one(Programme, proposal.programme_id, with_for_update=True)
    result = await session.get(Result, proposal.id)
    if result is not None and not result.outcome["passes"]:
        raise Invalid(errors=[NOT_PASSING.at("/action", field="action")])
    rules = await judging_rules(session, programme)
    chosen = await session.scalar(
        select(func.count())
        .select_from(Proposal)
        .where(
            Proposal.programme_id == programme.id,
            Proposal.state.in_(SELECTED),
            Proposal.continues_id.is_(None),
        )
    )
    if isinstance(rules, RuleSet) and (chosen or 0) >= rules.call.awards:
        raise AwardsFull(awards=rules.call.awards)


async def _mileage_untested(session: AsyncSession, proposal: Proposal) -> list[Finding]:
    """A certification's applicant is eligible by the mileage posted by the closing day (M-061)."""
    programme = await session.get_one(Programme, proposal.programme_id)
    rules = await judging_rules(session, programme)
    if isinstance(rules, RuleSet):
        return []
    facts = await session.get(VerifiedFacts, proposal.id)
    if facts is None or "mileage_points" not in facts.numbers:
        return [MILEAGE_UNTESTED.at("/eligible", field="eligible")]
    on = seoul_day(programme.closes_at)
    return list(mileage_findings(rules, facts.numbers["mileage_points"], on))


def _point_findings(
    points: Sequence[ReviewPoint], checks: Mapping[str, Mapping[str, Any]], *, eligible: bool
) -> list[Finding]:
    known = {point.code for point in points}
    found = [
        PRE_REVIEW_POINT_UNKNOWN.at(f"/checks/{code}", point=code)
        for code in checks
        if code not in known
    ]
    for point in points:
        names: dict[str, Any] = {"name_ko": point.name.ko, "name_en": point.name.en}
        if point.code not in checks:
            found.append(PRE_REVIEW_POINT_MISSING.at(f"/checks/{point.code}", **names))
        elif eligible and not checks[point.code]["holds"]:
            found.append(PRE_REVIEW_POINT_FAILED.at(f"/checks/{point.code}", **names))
    return found
