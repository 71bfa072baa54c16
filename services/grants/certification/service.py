"""Applying for the certification, and what its steps beyond the evaluation decide (M-061).

An application is a proposal to a call of the kind `certification`: pre-review, reviewers, sheets,
ranking and notices are those of every call.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from importlib.resources import files as resources
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.certification.errors import ATTACHMENT_UNKNOWN, TOO_EARLY
from services.grants.certification.rules import (
    Application,
    application_findings,
    kind_findings,
    mileage_findings,
)
from services.grants.clients import InstitutionRecord, PostedMileage
from services.grants.errors import LATE, NOT_OPEN
from services.grants.evaluation.models import ReviewFile, VerifiedFacts
from services.grants.programmes.models import Programme
from services.grants.programmes.rules import CertificationRules
from services.grants.programmes.service import (
    add_rule_set,
    certification_rules,
    note,
    published_programme,
)
from services.grants.proposals.document import read_part
from services.grants.proposals.models import Proposal, Submission
from services.grants.proposals.moves import NAMES, WRITABLE, move
from services.grants.proposals.service import (
    create_proposal,
    freeze,
    received_version,
    writable_proposal,
)
from shared.clock import SEOUL, seoul_day
from shared.paging import PageRequest, paginate
from shared.problems import Finding, Invalid, NotFound, StateConflict
from shared.tokens import Claims


async def load_shipped_rules(session: AsyncSession) -> None:
    """Add the rules that come with the release; what is there stays as it was published."""
    for file in (resources("services.grants.certification") / "data").iterdir():
        await add_rule_set(session, file.read_text(encoding="utf-8"), actor="release")


async def begin(
    session: AsyncSession, programme_id: UUID, institution: InstitutionRecord, caller: Claims
) -> Proposal:
    """Begin an application. Raises `Invalid` (NOT_ELIGIBLE_UNIVERSITY) or `ProposalExists`."""
    programme = await published_programme(session, programme_id)
    rules = await certification_rules(session, programme)
    if found := list(kind_findings(rules, institution.kind)):
        raise Invalid(errors=found)
    return await create_proposal(
        session,
        programme_id,
        title=programme.name,
        institution_id=institution.id,
        institution_name=institution.name,
        caller=caller,
        kind="certification",
    )


async def applications(
    session: AsyncSession, institution_id: UUID, page: PageRequest
) -> tuple[Sequence[Proposal], str | None, int]:
    query = (
        select(Proposal)
        .join(Programme, Programme.id == Proposal.programme_id)
        .where(Proposal.institution_id == institution_id, Programme.kind == "certification")
    )
    return await paginate(session, query, keys=[Proposal.id], page=page)


async def own_application(
    session: AsyncSession, application_id: UUID, institution_id: UUID, *, lock: bool = False
) -> tuple[Proposal, Programme, CertificationRules]:
    """The applicant's own application; another's, and a proposal to another call, is not found."""
    proposal = (
        await writable_proposal(session, application_id, institution_id)
        if lock
        else await session.get(Proposal, application_id)
    )
    if proposal is None or proposal.institution_id != institution_id:
        raise NotFound
    programme = await session.get_one(Programme, proposal.programme_id)
    return proposal, programme, await certification_rules(session, programme)


async def findings_of(
    session: AsyncSession,
    rules: CertificationRules,
    proposal: Proposal,
    document: Mapping[str, Any],
) -> list[Finding]:
    """Everything there is to say about an application as it is written."""
    try:
        given = read_part(Application, document, "")
    except Invalid as unreadable:
        return list(unreadable.errors)
    query = select(ReviewFile.kind).where(ReviewFile.proposal_id == proposal.id)
    attached: Collection[str] = set((await session.scalars(query)).all())
    return list(application_findings(rules, given, attached))


async def attachable(
    session: AsyncSession, application_id: UUID, institution_id: UUID, kind: str
) -> Proposal:
    """The application that takes a document of this kind now. Raises `Invalid`, `StateConflict`."""
    proposal, _programme, rules = await own_application(
        session, application_id, institution_id, lock=True
    )
    known = [paper.code for paper in rules.attachments]
    if kind not in known:
        at = ATTACHMENT_UNKNOWN.at("/kind", field="kind", known=", ".join(known))
        raise Invalid(errors=[at])
    if proposal.state not in WRITABLE:
        raise StateConflict(state=NAMES[proposal.state])
    return proposal


async def submit(
    session: AsyncSession,
    application_id: UUID,
    institution_id: UUID,
    caller: Claims,
    *,
    arrived_at: datetime,
) -> tuple[Proposal, Submission]:
    """Freeze a version and give a receipt. Raises `Invalid` with every finding, LATE among them."""
    proposal, programme, rules = await own_application(
        session, application_id, institution_id, lock=True
    )
    target = move(proposal.state, "submit")
    found = await findings_of(session, rules, proposal, proposal.document)
    errors = [*_timing(programme, arrived_at), *(one for one in found if one.is_error)]
    if errors:
        raise Invalid(errors=errors)
    submission = await freeze(session, proposal, caller, found, arrived_at)
    note(session, "proposal", proposal.id, "submit", caller, moved=(proposal.state, target))
    proposal.state = target
    await session.flush()
    return proposal, submission


async def to_be_tested(
    session: AsyncSession, application_id: UUID, agency_id: UUID, now: datetime
) -> tuple[UUID, Programme]:
    """Whose mileage is to be asked for, and of which call. Raises `Invalid` (BEFORE_CLOSING).

    Accrual answers for the whole closing day; asked again, a later answer replaces an earlier one.
    """
    proposal, _submission = await received_version(session, application_id, agency_id)
    programme = await session.get_one(Programme, proposal.programme_id)
    await certification_rules(session, programme)
    closes_on = seoul_day(programme.closes_at)
    if now < programme.closes_at:
        raise Invalid(errors=[TOO_EARLY.at("", closes_on=closes_on.isoformat())])
    return proposal.institution_id, programme


async def keep_mileage(
    session: AsyncSession,
    application_id: UUID,
    agency_id: UUID,
    caller: Claims,
    posted: PostedMileage,
) -> tuple[VerifiedFacts, list[Finding]]:
    """Keep what accrual said of the closing day among the facts that are scored, and say whether
    it is enough."""
    proposal, _submission = await received_version(session, application_id, agency_id)
    await session.refresh(proposal, with_for_update={"read": True})
    if proposal.state != "pre_review":
        raise StateConflict(state=NAMES[proposal.state])
    programme = await session.get_one(Programme, proposal.programme_id)
    rules = await certification_rules(session, programme)
    numbers = {
        "mileage_points": posted.points,
        "mileage_fields": sum(points > 0 for points in posted.by_field.values()),
    }
    said = {"numbers": numbers, "verified_by": caller.sub, "verified_at": func.now()}
    await session.execute(
        insert(VerifiedFacts)
        .values(proposal_id=proposal.id, partner_regions=[], records={}, **said)
        .on_conflict_do_update(index_elements=[VerifiedFacts.proposal_id], set_=said)
    )
    note(
        session,
        "proposal",
        proposal.id,
        "test_mileage",
        caller,
        reason=f"{posted.on.isoformat()}: {posted.points:,}점",
    )
    facts = await session.get_one(VerifiedFacts, proposal.id, populate_existing=True)
    return facts, list(mileage_findings(rules, posted.points, posted.on))


def _timing(programme: Programme, arrived_at: datetime) -> list[Finding]:
    """Whether an application is received now, by the published dates alone."""
    if arrived_at < programme.opens_at:
        opens = programme.opens_at.astimezone(SEOUL)
        return [NOT_OPEN.at("", opens_at=f"{opens:%Y-%m-%d %H:%M}")]
    if arrived_at > programme.closes_at:
        closes = programme.closes_at.astimezone(SEOUL)
        return [LATE.at("", closes_at=f"{closes:%Y-%m-%d %H:%M}")]
    return []
