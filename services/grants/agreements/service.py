"""From a designated proposal to an agreement, and the plan that expenses are held against."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements import moves
from services.grants.agreements.models import (
    Agreement,
    AgreementChange,
    PlanVersion,
    StageEvaluation,
    project_numbers,
)
from services.grants.agreements.planning import budget_of, planned
from services.grants.agreements.rules import (
    Difference,
    ProjectYear,
    Version,
    continuation_findings,
    difference,
    year_finding,
)
from services.grants.expenses.rules import (
    CHANGES,
    Party,
    Plan,
    change_findings,
)
from services.grants.letters import tell
from services.grants.programmes.models import Programme
from services.grants.programmes.rules import Period, RuleSet
from services.grants.programmes.service import note, parsed, rule_set_body
from services.grants.proposals.document import read_part
from services.grants.proposals.models import Proposal, Submission
from services.grants.proposals.moves import move
from services.grants.proposals.rules import Totals, totals
from shared.db import next_number
from shared.paging import PageRequest, paginate
from shared.problems import Invalid, NotFound, PermissionDenied, StateConflict
from shared.tokens import Claims


async def agree(
    session: AsyncSession, proposal_id: UUID, agency_id: UUID, caller: Claims, agreed_on: date
) -> Agreement:
    """Draft the agreement of a designated proposal, with its last submission as the plan.

    It is concluded once the documents of the call's set are there (G-056).
    """
    proposal = await session.get(Proposal, proposal_id, with_for_update=True)
    programme = await session.get(Programme, proposal.programme_id) if proposal else None
    if proposal is None or programme is None or programme.agency_id != agency_id:
        raise NotFound
    move(proposal.state, "agree")  # made with the conclusion; refused here already
    query = select(Submission).where(
        Submission.proposal_id == proposal.id, Submission.seq == proposal.submissions
    )
    submission = (await session.scalars(query)).one()
    budget = budget_of(submission.document)
    drafted = select(Agreement.id).where(
        Agreement.proposal_id == proposal.id,
        Agreement.year_start == budget.year.start,
        Agreement.state != "cancelled",
    )
    if await session.scalar(drafted) is not None:
        raise StateConflict(state=moves.NAMES["draft"])
    agreement = Agreement(
        proposal_id=proposal.id,
        programme_id=programme.id,
        agency_id=agency_id,
        institution_id=proposal.institution_id,
        institution_name=proposal.institution_name,
        title=proposal.title,
        state="draft",
        agreed_on=agreed_on,
        year_start=budget.year.start,
        year_end=budget.year.end,
    )
    if proposal.continues_id is not None:
        await take_on_year(session, agreement, proposal)
    session.add(agreement)
    await session.flush()
    session.add(
        PlanVersion(
            agreement_id=agreement.id,
            version=1,
            document=submission.document,
            reason="협약",
            approved_by=caller.sub,
        )
    )
    note(session, "agreement", agreement.id, "create", caller, moved=(None, "draft"))
    await session.flush()
    await session.refresh(agreement)
    await tell_institution(session, agreement, "agreement_prepared")
    return agreement


async def tell_institution(
    session: AsyncSession, agreement: Agreement, kind: str, *people: str | None, **params: Any
) -> None:
    """A letter to the institution that spends."""
    of, title = agreement.institution_id, agreement.title
    await tell(session, kind, of, people=people, title=title, **params)


async def tell_agency(
    session: AsyncSession, agreement: Agreement, kind: str, **params: Any
) -> None:
    """A letter to the agency, which is told whose agreement it is about."""
    name, title = agreement.institution_name, agreement.title
    await tell(session, kind, agreement.agency_id, institution=name, title=title, **params)


async def take_on_year(session: AsyncSession, agreement: Agreement, proposal: Proposal) -> None:
    """Make it a further year of its project. Raises `Invalid` while it may not begin (G-001)."""
    assert proposal.continues_id is not None
    before = await session.get_one(Agreement, proposal.continues_id, with_for_update={"read": True})
    rules = await rules_of_agreement(session, before)
    found = list(continuation_findings(rules, await year_of(session, before)))
    if not found:
        period = Period(agreement.year_start, agreement.year_end)
        wrong = year_finding(rules, before.year_no + 1, period)
        found += [wrong] if wrong is not None else []
    if found:
        raise Invalid(errors=found)
    agreement.year_no, agreement.project_no = before.year_no + 1, before.project_no


async def year_of(session: AsyncSession, agreement: Agreement) -> ProjectYear:
    """A year of a project as the rules want it."""
    query = select(StageEvaluation.outcome).where(StageEvaluation.agreement_id == agreement.id)
    stage: Any = await session.scalar(query)
    concluded = agreement.state not in moves.NOT_CONCLUDED
    return ProjectYear(agreement.year_no, concluded, agreement.stopped_on, stage)


async def project_number(session: AsyncSession, agreement: Agreement) -> str:
    """The next number of a project (사업번호)."""
    number = await session.scalar(select(project_numbers.next_value()))
    return f"{agreement.year_start:%Y}-{number:05}"


async def readable_agreement(
    session: AsyncSession, agreement_id: UUID, caller: Claims
) -> Agreement:
    """An agreement of the caller's institution, on either side; another's is not found."""
    agreement = await session.get(Agreement, agreement_id)
    if agreement is None or caller.institution_id not in (
        str(agreement.institution_id),
        str(agreement.agency_id),
    ):
        raise NotFound
    return agreement


async def own_agreement(
    session: AsyncSession, agreement_id: UUID, institution_id: UUID
) -> Agreement:
    """An agreement of the institution that spends."""
    agreement = await session.get(Agreement, agreement_id)
    if agreement is None or agreement.institution_id != institution_id:
        raise NotFound
    return agreement


async def agency_agreement(session: AsyncSession, agreement_id: UUID, caller: Claims) -> Agreement:
    """An agreement of the caller's agency, locked for the change."""
    agreement = await session.get(Agreement, agreement_id, with_for_update=True)
    if agreement is None or caller.institution_id != str(agreement.agency_id):
        raise NotFound
    return agreement


async def list_agreements(
    session: AsyncSession, institution_id: UUID, page: PageRequest
) -> tuple[Sequence[Agreement], str | None, int]:
    """Agreements an institution has, as the one that spends or as the agency."""
    query = select(Agreement).where(
        (Agreement.institution_id == institution_id) | (Agreement.agency_id == institution_id)
    )
    return await paginate(session, query, keys=[Agreement.id], page=page)


async def record_change(
    session: AsyncSession,
    agreement_id: UUID,
    caller: Claims,
    *,
    kind: str,
    body: Mapping[str, Any],
    reason: str,
) -> AgreementChange:
    """Add a change to the year's plan, by whoever may (G-033). Raises `Invalid` with every finding.

    The agreement's row is the turnstile: changes are judged against all earlier ones.
    """
    await readable_agreement(session, agreement_id, caller)
    agreement = await session.get_one(Agreement, agreement_id, with_for_update=True)
    party: Party = "agency" if caller.institution_id == str(agreement.agency_id) else "institution"
    form, recorders = CHANGES[kind]
    if party not in recorders:
        raise PermissionDenied
    if agreement.state in (*moves.NOT_CONCLUDED, "final", "refunded"):
        raise StateConflict(state=moves.NAMES[agreement.state])
    change: Any = read_part(form, body, "/body")
    plan = await plan_in_force(session, agreement)
    found = [
        replace(finding, pointer=f"/body{finding.pointer}")
        for finding in change_findings(plan, kind, change, party)
    ]
    if found:
        raise Invalid(errors=found)
    row = AgreementChange(
        agreement_id=agreement_id,
        seq=await next_number(
            session, AgreementChange.seq, AgreementChange.agreement_id == agreement_id
        ),
        kind=kind,
        body=dict(body),
        reason=reason,
        party=party,
        recorded_by=caller.sub,
    )
    session.add(row)
    note(session, "agreement", agreement_id, f"change_{kind}", caller, reason=reason)
    await session.flush()
    await session.refresh(row)
    return row


async def changes_of(session: AsyncSession, agreement: Agreement) -> Sequence[AgreementChange]:
    query = select(AgreementChange).where(AgreementChange.agreement_id == agreement.id)
    return (await session.scalars(query.order_by(AgreementChange.seq))).all()


async def plan_in_force(session: AsyncSession, agreement: Agreement) -> Plan:
    """The agreed plan with every version and change so far, as the expense rules want it."""
    changes = [(one.seq, one.kind, one.body) for one in await changes_of(session, agreement)]
    return await plan_with(session, agreement, agreement.plan_version, changes)


async def plan_with(
    session: AsyncSession,
    agreement: Agreement,
    version: int,
    changes: Sequence[tuple[int, str, Mapping[str, Any]]],
) -> Plan:
    """The plan as it was with a version of it, and with some changes (number, kind and body)."""
    versions = [
        [found.document, found.effective_on, found.after_seq]
        for found in await plan_versions(session, agreement)
        if found.version <= version
    ]
    rules = await rules_text(session, agreement)
    plan = planned(rules, orjson.dumps(versions), agreement.agreed_on, orjson.dumps(changes))
    return replace(plan, stopped_on=agreement.stopped_on) if agreement.stopped_on else plan


async def plan_version(session: AsyncSession, agreement: Agreement, version: int) -> PlanVersion:
    """A version of the plan as it was agreed on. Raises `NotFound`."""
    query = select(PlanVersion).where(
        PlanVersion.agreement_id == agreement.id, PlanVersion.version == version
    )
    found = (await session.scalars(query)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def plan_versions(session: AsyncSession, agreement: Agreement) -> Sequence[PlanVersion]:
    query = select(PlanVersion).where(PlanVersion.agreement_id == agreement.id)
    return (await session.scalars(query.order_by(PlanVersion.version).limit(500))).all()


async def version_totals(session: AsyncSession, agreement: Agreement, version: int) -> Totals:
    """What the budget of a version adds up to."""
    found = await plan_version(session, agreement, version)
    return totals(await rules_of_agreement(session, agreement), budget_of(found.document))


async def differences(
    session: AsyncSession, agreement: Agreement, before: int, after: int
) -> Difference:
    """What differs between two versions of the plan. Raises `NotFound`."""
    rules = await rules_of_agreement(session, agreement)
    old, new = [
        Version(found.document, totals(rules, budget_of(found.document)))
        for found in [await plan_version(session, agreement, number) for number in (before, after)]
    ]
    return difference(old, new)


async def rules_of_agreement(session: AsyncSession, agreement: Agreement) -> RuleSet:
    return parsed(await rules_text(session, agreement))


async def rules_text(session: AsyncSession, agreement: Agreement) -> str:
    """The rule set the agreement was made under, as it was published."""
    programme = await session.get_one(Programme, agreement.programme_id)
    assert programme.rule_set_code is not None  # only hosted calls come to an agreement
    assert programme.rule_set_version is not None
    return await rule_set_body(session, programme.rule_set_code, programme.rule_set_version)
