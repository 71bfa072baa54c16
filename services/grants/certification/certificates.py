"""From the ranking to a certificate: the council recommends, the authority approves (M-061)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.certification.errors import (
    COUNCIL_INCOMPLETE,
    COUNCIL_NOT_PASSING,
    COUNCIL_UNKNOWN,
    NOT_RECOMMENDED,
    CertificateNotFound,
)
from services.grants.certification.models import (
    CouncilResolution,
    ExcellenceCertificate,
    ExcellenceRevocation,
    excellence_numbers,
)
from services.grants.certification.rules import Status, certificate_number, last_day, status
from services.grants.clients import InstitutionRecord
from services.grants.errors import OneCannotConfirm
from services.grants.evaluation import results
from services.grants.evaluation.models import Result
from services.grants.programmes.models import Programme
from services.grants.programmes.service import certification_rules, managed_programme, note
from services.grants.proposals.models import Proposal
from services.grants.proposals.moves import move
from shared.clock import seoul_day
from shared.paging import PageRequest, paginate
from shared.problems import Finding, Invalid, StateConflict
from shared.tokens import Claims


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate, and its revocation if there is one."""

    certificate: ExcellenceCertificate
    revocation: ExcellenceRevocation | None

    def status(self, on: date) -> Status:
        one = self.certificate
        revoked_on = self.revocation.revoked_on if self.revocation else None
        return status(one.valid_from, one.valid_until, revoked_on, on)


async def resolve(
    session: AsyncSession,
    programme_id: UUID,
    agency_id: UUID,
    caller: Claims,
    values: Mapping[str, Any],
    now: datetime,
) -> CouncilResolution:
    """Record a meeting of the council, which decides on every scored application.

    Raises `Invalid` naming those left out, unknown, or recommended without passing.
    """
    programme = await managed_programme(session, programme_id, agency_id)
    await certification_rules(session, programme)
    scored = await _in_state(session, programme_id, "scored")
    decisions = {one["application_id"]: one for one in values["decisions"]}
    if found := await _council_findings(session, scored, decisions):
        raise Invalid(errors=found)
    for proposal in scored:
        decided = decisions[proposal.id]
        action = "recommend" if decided["recommended"] else "reject"
        await _step(session, proposal, action, decided["reason"], caller, now)
    kept = [{**one, "application_id": str(one["application_id"])} for one in decisions.values()]
    resolution = CouncilResolution(
        programme_id=programme_id,
        recorded_by=caller.sub,
        recorded_at=now,
        **{**values, "decisions": kept},
    )
    session.add(resolution)
    note(session, "programme", programme_id, "record_council", caller)
    await session.flush()
    return resolution


async def holders(
    session: AsyncSession, programme_id: UUID, agency_id: UUID, application_ids: Sequence[UUID]
) -> Sequence[UUID]:
    """Whose applications these are, to be looked up before anything is locked."""
    await managed_programme(session, programme_id, agency_id)
    query = select(Proposal.institution_id).where(
        Proposal.programme_id == programme_id, Proposal.id.in_(application_ids)
    )
    return (await session.scalars(query)).all()


async def _recommended(
    session: AsyncSession, programme_id: UUID, application_ids: Sequence[UUID]
) -> Sequence[Proposal]:
    """The recommended applications with these ids. Raises `Invalid` (NOT_RECOMMENDED)."""
    known = {one.id: one for one in await _in_state(session, programme_id, "recommended")}
    if missing := [one for one in application_ids if one not in known]:
        raise Invalid(
            errors=[NOT_RECOMMENDED.at("/application_ids", application=str(one)) for one in missing]
        )
    return [known[one] for one in dict.fromkeys(application_ids)]


async def approve(
    session: AsyncSession,
    programme_id: UUID,
    agency_id: UUID,
    caller: Claims,
    *,
    institutions: Mapping[UUID, InstitutionRecord],
    application_ids: Sequence[UUID],
    approval: str,
    valid_from: date,
    now: datetime,
) -> list[ExcellenceCertificate]:
    """The authority approved: give every recommended application named its certificate.

    `institutions` are the applicants as the registry knows them. Whoever recorded the council
    cannot enter the approval. Raises `Invalid`, `OneCannotConfirm`.
    """
    programme = await managed_programme(session, programme_id, agency_id)
    rules = await certification_rules(session, programme)
    proposals = await _recommended(session, programme_id, application_ids)
    query = select(CouncilResolution.recorded_by).where(
        CouncilResolution.programme_id == programme_id
    )
    if caller.sub in (await session.scalars(query)).all():
        raise OneCannotConfirm
    made = []
    for proposal in proposals:
        await _step(session, proposal, "certify", approval, caller, now)
        number: int = await session.scalar(excellence_numbers.next_value()) or 0
        certificate = ExcellenceCertificate(
            number=certificate_number(rules, valid_from.year, number),
            proposal_id=proposal.id,
            programme_id=programme_id,
            institution_id=proposal.institution_id,
            institution_name=institutions[proposal.institution_id].name,
            brn=institutions[proposal.institution_id].brn,
            authority=rules.authority.ko,
            approval=approval,
            valid_from=valid_from,
            valid_until=last_day(valid_from, rules.validity.years),
            issued_at=now,
            issued_by=caller.sub,
        )
        session.add(certificate)
        made.append(certificate)
    await session.flush()
    return made


async def revoke(
    session: AsyncSession, certificate_id: UUID, caller: Claims, reason: str, now: datetime
) -> Certified:
    """End a certificate before its time. Raises `CertificateNotFound`, `StateConflict`."""
    found = await readable(session, certificate_id, caller)
    programme = await session.get_one(Programme, found.certificate.programme_id)
    if caller.institution_id != str(programme.agency_id):
        raise CertificateNotFound
    fresh = await session.scalar(
        insert(ExcellenceRevocation)
        .values(
            certificate_id=certificate_id,
            revoked_on=seoul_day(now),
            reason=reason,
            revoked_by=caller.sub,
            revoked_at=now,
        )
        .on_conflict_do_nothing()
        .returning(ExcellenceRevocation.certificate_id)
    )
    if fresh is None:
        raise StateConflict(state="취소")
    proposal_id = found.certificate.proposal_id
    note(session, "proposal", proposal_id, "revoke_certificate", caller, reason=reason)
    return await readable(session, certificate_id, caller)


async def readable(session: AsyncSession, certificate_id: UUID, caller: Claims) -> Certified:
    """A certificate for its holder and for the agency; others do not find it."""
    query = _certified().where(ExcellenceCertificate.id == certificate_id)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise CertificateNotFound
    programme = await session.get_one(Programme, row[0].programme_id)
    if caller.institution_id not in (str(row[0].institution_id), str(programme.agency_id)):
        raise CertificateNotFound
    return Certified(row[0], row[1])


async def certificates(
    session: AsyncSession, institution_id: UUID, page: PageRequest
) -> tuple[Sequence[Certified], str | None, int]:
    """Certificates an institution holds, or has given as the agency; the newest first."""
    query = (
        _certified()
        .join(Programme, Programme.id == ExcellenceCertificate.programme_id)
        .where(
            (ExcellenceCertificate.institution_id == institution_id)
            | (Programme.agency_id == institution_id)
        )
    )
    rows, cursor, total = await paginate(session, query, keys=[ExcellenceCertificate.id], page=page)
    return [Certified(row[0], row[1]) for row in rows], cursor, total


async def certified_list(
    session: AsyncSession, on: date, page: PageRequest, words: str | None
) -> tuple[Sequence[Certified], str | None, int]:
    """Who is certified on a day: the public list."""
    query = _certified().where(*_valid(on))
    if words:
        query = query.where(
            ExcellenceCertificate.institution_name.icontains(words, autoescape=True)
        )
    rows, cursor, total = await paginate(session, query, keys=[ExcellenceCertificate.id], page=page)
    return [Certified(row[0], row[1]) for row in rows], cursor, total


async def verify(session: AsyncSession, number: str) -> Certified:
    """A certificate by its number, for anybody: it is public who holds one."""
    query = _certified().where(ExcellenceCertificate.number == number.strip().upper())
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise CertificateNotFound
    return Certified(row[0], row[1])


async def certified_on(session: AsyncSession, institution_id: UUID, on: date) -> Certified | None:
    """The certificate by which an institution is certified on a day: the one good for longest."""
    query = (
        _certified()
        .where(ExcellenceCertificate.institution_id == institution_id, *_valid(on))
        .order_by(ExcellenceCertificate.valid_until.desc(), ExcellenceCertificate.id)
        .limit(1)
    )
    row = (await session.execute(query)).one_or_none()
    return Certified(row[0], row[1]) if row else None


def _certified() -> Select[*tuple[Any, ...]]:
    return select(ExcellenceCertificate, ExcellenceRevocation).outerjoin(
        ExcellenceRevocation, ExcellenceRevocation.certificate_id == ExcellenceCertificate.id
    )


def _valid(on: date) -> tuple[Any, ...]:
    return (
        ExcellenceCertificate.valid_from <= on,
        ExcellenceCertificate.valid_until >= on,
        ExcellenceRevocation.revoked_on.is_(None) | (ExcellenceRevocation.revoked_on > on),
    )


async def _in_state(session: AsyncSession, programme_id: UUID, state: str) -> Sequence[Proposal]:
    query = select(Proposal).where(Proposal.programme_id == programme_id, Proposal.state == state)
    return (await session.scalars(query.order_by(Proposal.id).with_for_update())).all()


async def _council_findings(
    session: AsyncSession, scored: Sequence[Proposal], decisions: Mapping[UUID, Any]
) -> list[Finding]:
    known = {proposal.id for proposal in scored}
    found = [
        COUNCIL_UNKNOWN.at("/decisions", application=str(one))
        for one in decisions
        if one not in known
    ]
    for proposal in scored:
        if proposal.id not in decisions:
            found.append(COUNCIL_INCOMPLETE.at("/decisions", institution=proposal.institution_name))
        elif decisions[proposal.id]["recommended"]:
            result = await session.get_one(Result, proposal.id)
            if not result.outcome["passes"]:
                found.append(
                    COUNCIL_NOT_PASSING.at("/decisions", institution=proposal.institution_name)
                )
    return found


async def _step(
    session: AsyncSession,
    proposal: Proposal,
    action: str,
    reason: str,
    caller: Claims,
    now: datetime,
) -> None:
    """Move an application and tell its applicant."""
    target = move(proposal.state, action)
    moved = (proposal.state, target)
    note(session, "proposal", proposal.id, action, caller, moved=moved, reason=reason)
    proposal.state = target
    proposal.version += 1
    await results.issue(session, proposal, target, reason, caller, now)
