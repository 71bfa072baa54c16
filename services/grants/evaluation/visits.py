"""Site visits (현장조사): planned where needed, recorded with findings and files (G-055)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.evaluation.errors import VISIT_MEMBER_CONFLICT, VISIT_NOT_YET, NoVisits
from services.grants.evaluation.models import SiteVisit
from services.grants.evaluation.rules import panel_findings, panel_pay, shared_bodies
from services.grants.evaluation.service import candidate_of, managed_rules
from services.grants.programmes.models import Programme
from services.grants.programmes.rules import Judged
from services.grants.programmes.service import note
from services.grants.proposals.models import Proposal
from services.grants.proposals.moves import NAMES
from services.grants.proposals.service import received_version
from shared.clock import seoul_day
from shared.problems import Finding, Invalid, NotFound, StateConflict
from shared.tokens import Claims

VISIT_NAMES: Mapping[str, str] = {"planned": "예정", "held": "완료", "cancelled": "취소"}


@dataclass(frozen=True, slots=True)
class DayPay:
    """What a member of the visiting panel is paid for a day, by the visits of that day."""

    on_day: date
    member: str
    visits: int
    won: int


async def plan(
    session: AsyncSession,
    proposal_id: UUID,
    agency_id: UUID,
    caller: Claims,
    values: Mapping[str, Any],
) -> SiteVisit:
    """Plan a visit to an eligible applicant.

    Raises `NoVisits` where the call has none, `Invalid` for too many members, or one of the
    applicant's own institutions.
    """
    proposal, submission = await received_version(session, proposal_id, agency_id)
    await session.refresh(proposal, with_for_update={"read": True})
    if proposal.state != "eligible":
        raise StateConflict(state=NAMES[proposal.state])
    rules = await managed_rules(session, proposal.programme_id, agency_id)
    panel = _panel(rules)
    found = list(panel_findings(rules, panel, len(values["members"])))
    candidate = candidate_of(rules, proposal, submission.document)
    for place, member in enumerate(values["members"]):
        if shared := shared_bodies(candidate, member["institutions"]):
            at = f"/members/{place}/institutions"
            found.append(_conflict(at, member["name"], shared))
    if found:
        raise Invalid(errors=found)
    visit = SiteVisit(proposal_id=proposal.id, planned_by=caller.sub, **values)
    session.add(visit)
    note(session, "proposal", proposal.id, "plan_visit", caller, reason=str(values["on_day"]))
    await session.flush()
    await session.refresh(visit)
    return visit


async def record(
    session: AsyncSession,
    visit_id: UUID,
    agency_id: UUID,
    caller: Claims,
    findings: str,
    now: datetime,
) -> SiteVisit:
    """What was found. Raises `Invalid` (VISIT_NOT_YET) before the day."""
    visit = await _planned(session, visit_id, agency_id)
    if seoul_day(now) < visit.on_day:
        raise Invalid(errors=[VISIT_NOT_YET.at("", on_day=visit.on_day.isoformat())])
    visit.state, visit.findings = "held", findings
    visit.closed_by, visit.closed_at = caller.sub, now
    note(session, "proposal", visit.proposal_id, "record_visit", caller)
    await session.flush()
    return visit


async def cancel(
    session: AsyncSession,
    visit_id: UUID,
    agency_id: UUID,
    caller: Claims,
    reason: str,
    now: datetime,
) -> SiteVisit:
    visit = await _planned(session, visit_id, agency_id)
    visit.state, visit.cancel_reason = "cancelled", reason
    visit.closed_by, visit.closed_at = caller.sub, now
    note(session, "proposal", visit.proposal_id, "cancel_visit", caller, reason=reason)
    await session.flush()
    return visit


async def visits_of(session: AsyncSession, proposal_ids: Sequence[UUID]) -> Sequence[SiteVisit]:
    query = select(SiteVisit).where(SiteVisit.proposal_id.in_(proposal_ids))
    return (await session.scalars(query.order_by(SiteVisit.on_day, SiteVisit.id))).all()


async def programme_visits(
    session: AsyncSession, programme_id: UUID, agency_id: UUID
) -> tuple[Sequence[SiteVisit], Sequence[DayPay]]:
    """All visits of a call, and what its members are paid for each day (G-031)."""
    rules = await managed_rules(session, programme_id, agency_id)
    panel = _panel(rules)
    query = (
        select(SiteVisit)
        .join(Proposal, Proposal.id == SiteVisit.proposal_id)
        .where(Proposal.programme_id == programme_id)
        .order_by(SiteVisit.on_day, SiteVisit.id)
        .limit(1000)
    )
    visits = (await session.scalars(query)).all()
    days = Counter(
        (visit.on_day, member["name"])
        for visit in visits
        if visit.state != "cancelled"
        for member in visit.members
    )
    pay = [
        DayPay(day, name, count, panel_pay(rules, panel, projects_a_day=count))
        for (day, name), count in sorted(days.items())
    ]
    return visits, pay


async def managed_visit(
    session: AsyncSession, visit_id: UUID, agency_id: UUID, *, lock: bool = False
) -> SiteVisit:
    """A visit to an applicant of the agency's own call; another's is not found."""
    query = (
        select(SiteVisit)
        .join(Proposal, Proposal.id == SiteVisit.proposal_id)
        .join(Programme, Programme.id == Proposal.programme_id)
        .where(SiteVisit.id == visit_id, Programme.agency_id == agency_id)
    )
    if lock:
        query = query.with_for_update(of=SiteVisit)
    found = (await session.scalars(query)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def _planned(session: AsyncSession, visit_id: UUID, agency_id: UUID) -> SiteVisit:
    visit = await managed_visit(session, visit_id, agency_id, lock=True)
    if visit.state != "planned":
        raise StateConflict(state=VISIT_NAMES[visit.state])
    return visit


def _panel(rules: Judged) -> str:
    if rules.evaluation.visit_panel is None:
        raise NoVisits
    return rules.evaluation.visit_panel


def _conflict(at: str, member: str, shared: frozenset[str]) -> Finding:
    return VISIT_MEMBER_CONFLICT.at(at, member=member, institutions=", ".join(sorted(shared)))
