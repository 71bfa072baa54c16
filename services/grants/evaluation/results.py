"""What an applicant is told of its own proposal, and why (결과 통보).

A notice is composed once, from what was kept at the ranking, and never again: total, items with
their calculation, the reviewers' comments without names. It says nothing of any other applicant.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants import letters
from services.grants.evaluation.models import (
    PreReview,
    Result,
    ResultNotice,
    Sheet,
    notice_numbers,
)
from services.grants.programmes.models import Programme
from services.grants.programmes.rules import Judged
from services.grants.programmes.service import judging_rules
from services.grants.proposals.models import Proposal
from services.grants.proposals.service import submitter
from shared.clock import seoul_day
from shared.problems import NotFound
from shared.tokens import Claims

DECISIONS: Final[Mapping[str, str]] = {
    "ineligible": "사전검토 부적격",
    "preferred": "우선협상대상 선정",
    "reserve": "예비 선정",
    "rejected": "미선정",
    "designated": "주관기관 지정",
    "recommended": "인증 추천",
    "certified": "우수기관 인증",
}
"""Decisions an applicant gets a notice of."""


async def issue(
    session: AsyncSession,
    proposal: Proposal,
    decision: str,
    reason: str,
    caller: Claims,
    now: datetime,
) -> ResultNotice:
    """Tell the applicant of a decision, with its reason."""
    programme = await session.get_one(Programme, proposal.programme_id)
    rules = await judging_rules(session, programme)
    number = await session.scalar(select(notice_numbers.next_value()))
    told = select(func.count()).where(ResultNotice.proposal_id == proposal.id)
    body = {
        "decision": decision,
        "decision_name": DECISIONS[decision],
        "reason": reason,
        "decided_on": seoul_day(now).isoformat(),
        "agency_name": programme.agency_name,
        "programme_name": programme.name,
        "title": proposal.title,
        "institution_name": proposal.institution_name,
        "pre_review": await _points(session, rules, proposal),
        "evaluation": await _evaluation(session, rules, proposal),
    }
    notice = ResultNotice(
        proposal_id=proposal.id,
        seq=(await session.scalar(told) or 0) + 1,
        number=f"R{seoul_day(now):%y}-{number:06}",
        decision=decision,
        body=body,
        issued_at=now,
        issued_by=caller.sub,
    )
    session.add(notice)
    await session.flush()
    await letters.tell(
        session,
        "result",
        proposal.institution_id,
        people=[await submitter(session, proposal)],
        title=proposal.title,
        programme=programme.name,
        decision=DECISIONS[decision],
    )
    return notice


async def notices(
    session: AsyncSession, proposal_id: UUID, caller: Claims
) -> Sequence[ResultNotice]:
    """The notices of a proposal, for its applicant and its agency; others do not find it."""
    await readable_proposal(session, proposal_id, caller)
    query = select(ResultNotice).where(ResultNotice.proposal_id == proposal_id)
    return (await session.scalars(query.order_by(ResultNotice.seq))).all()


async def notice(
    session: AsyncSession, proposal_id: UUID, seq: int, caller: Claims
) -> ResultNotice:
    for one in await notices(session, proposal_id, caller):
        if one.seq == seq:
            return one
    raise NotFound


async def readable_proposal(session: AsyncSession, proposal_id: UUID, caller: Claims) -> Proposal:
    """A proposal for its applicant and its agency, drafts for the applicant alone."""
    proposal = await session.get(Proposal, proposal_id)
    if proposal is None:
        raise NotFound
    if caller.institution_id == str(proposal.institution_id):
        return proposal
    programme = await session.get_one(Programme, proposal.programme_id)
    if caller.institution_id != str(programme.agency_id) or not proposal.submissions:
        raise NotFound
    return proposal


async def _points(
    session: AsyncSession, rules: Judged, proposal: Proposal
) -> list[dict[str, Any]] | None:
    """The pre-review, point by point, where it ended the matter."""
    found = await session.get(PreReview, proposal.id)
    if found is None or found.eligible:
        return None
    names = {point.code: point.name.ko for point in rules.evaluation.pre_review}
    return [
        {"name": names.get(code, code), "holds": one["holds"], "remark": one["remark"]}
        for code, one in found.checks.items()
    ]


async def _evaluation(
    session: AsyncSession, rules: Judged, proposal: Proposal
) -> dict[str, Any] | None:
    result = await session.get(Result, proposal.id)
    if result is None:
        return None
    kept = result.outcome
    sheet = rules.evaluation
    return {
        "total": kept["total"],
        "shown": kept["shown"],
        "passes": kept["passes"],
        "passing_score": None if sheet.passing_score is None else str(sheet.passing_score),
        "rank": kept["rank"] if sheet.shows_rank else None,
        "sections": kept["sections"],
        "items": kept["items"],
        "bonus": kept["bonus"],
        "bonus_shown": kept["bonus_shown"],
        "comments": await _comments(session, proposal, kept["counted"])
        if sheet.shows_comments
        else [],
    }


async def _comments(session: AsyncSession, proposal: Proposal, counted: Sequence[str]) -> list[str]:
    """What the reviewers wrote, in an order that tells nothing of who wrote what."""
    query = select(Sheet.comment).where(
        Sheet.proposal_id == proposal.id,
        Sheet.reviewer_id.in_([UUID(reviewer) for reviewer in counted]),
        Sheet.comment != "",
    )
    return sorted((await session.scalars(query)).all())
