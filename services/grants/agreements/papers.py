"""The documents of an agreement: handed in by the institution, accepted or sent back by the agency
(G-056)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements import moves
from services.grants.agreements.models import Agreement, AgreementDocument
from services.grants.agreements.rules import (
    PAPERS_FULL,
    ChecklistLine,
    Paper,
    checklist,
    conclusion_findings,
    unknown_finding,
)
from services.grants.agreements.service import (
    own_agreement,
    readable_agreement,
    rules_of_agreement,
    tell_institution,
    version_totals,
)
from services.grants.files import delete_file, keep
from services.grants.programmes.service import note
from shared.files import Files
from shared.problems import Finding, Invalid, NotFound, StateConflict
from shared.tokens import Claims

NAMES = {"submitted": "확인 전", "accepted": "확인", "returned": "보완요청"}
_TAKEN_IN = ("draft", "active")
MOST = 500
"""Files an agreement takes in; the checklist looks at all of them."""


@dataclass(frozen=True, slots=True)
class DocumentSet:
    """The call's set, what was handed in, and what still stands against the conclusion."""

    lines: tuple[ChecklistLine, ...]
    findings: tuple[Finding, ...]
    papers: Sequence[AgreementDocument]


async def document_set(session: AsyncSession, agreement_id: UUID, caller: Claims) -> DocumentSet:
    agreement = await readable_agreement(session, agreement_id, caller)
    return await set_of(session, agreement)


async def hand_in(
    session: AsyncSession,
    files: Files,
    agreement_id: UUID,
    institution_id: UUID,
    caller: Claims,
    *,
    code: str,
    name: str,
    chunks: AsyncIterator[bytes],
) -> AgreementDocument:
    """Add a file as one of the documents. Raises `Invalid` for one the call does not know."""
    await own_agreement(session, agreement_id, institution_id)
    # The agreement's row is the turnstile of what it has; documents refer to it meanwhile.
    agreement = await session.get_one(Agreement, agreement_id, with_for_update={"key_share": True})
    if agreement.state not in _TAKEN_IN:
        raise StateConflict(state=moves.NAMES[agreement.state])
    have = select(func.count()).select_from(AgreementDocument)
    of_it = AgreementDocument.agreement_id == agreement.id
    if (await session.scalar(have.where(of_it)) or 0) >= MOST:
        raise Invalid(errors=[PAPERS_FULL.at("/file", field="file", most=MOST)])
    unknown = unknown_finding(await rules_of_agreement(session, agreement), code)
    if unknown is not None:
        raise Invalid(errors=[unknown])
    stored = await files.put(f"agreements/{agreement.id}/{uuid4()}", name, chunks)
    paper = AgreementDocument(
        agreement_id=agreement.id,
        code=code,
        submitted_by=caller.sub,
    )
    await keep(session, files, paper, stored)
    note(session, "agreement", agreement.id, "hand_in", caller, reason=f"{code} {stored.sha256}")
    return paper


async def readable_paper(
    session: AsyncSession, document_id: UUID, caller: Claims
) -> AgreementDocument:
    """A document of an agreement of the caller's institution, on either side."""
    paper = await session.get(AgreementDocument, document_id)
    if paper is None:
        raise NotFound
    await readable_agreement(session, paper.agreement_id, caller)
    return paper


async def take_back(
    session: AsyncSession, document_id: UUID, institution_id: UUID, caller: Claims
) -> None:
    """Take back what the agency has not looked at; that it was there stays in the history."""
    paper, agreement = await _open_paper(session, document_id)
    if agreement.institution_id != institution_id:
        raise NotFound
    if paper.state != "submitted":
        raise StateConflict(state=NAMES[paper.state])
    reason = f"{paper.code} {paper.sha256}"
    note(session, "agreement", agreement.id, "take_back", caller, reason=reason)
    await session.delete(paper)
    await delete_file(session, paper.file_key)


async def decide_paper(
    session: AsyncSession,
    document_id: UUID,
    caller: Claims,
    outcome: Literal["accepted", "returned"],
    reason: str | None,
    now: datetime,
) -> AgreementDocument:
    """The agency accepts a document, or sends it back with the reason."""
    paper, agreement = await _open_paper(session, document_id)
    if caller.institution_id != str(agreement.agency_id):
        raise NotFound
    if agreement.state not in _TAKEN_IN:
        raise StateConflict(state=moves.NAMES[agreement.state])
    if paper.state != "submitted":
        raise StateConflict(state=NAMES[paper.state])
    paper.state, paper.reason = outcome, reason
    paper.decided_by, paper.decided_at = caller.sub, now
    words = f"{paper.code} {reason}" if reason else paper.code
    note(session, "agreement", agreement.id, f"paper_{outcome}", caller, reason=words)
    if outcome == "returned":
        kind = "agreement_paper_returned"
        await tell_institution(session, agreement, kind, paper.submitted_by)
    await session.flush()
    return paper


async def _open_paper(
    session: AsyncSession, document_id: UUID
) -> tuple[AgreementDocument, Agreement]:
    """A document and its agreement, locked in this order: the agreement, shared, then the paper."""
    agreement_id = await session.scalar(
        select(AgreementDocument.agreement_id).where(AgreementDocument.id == document_id)
    )
    if agreement_id is None:
        raise NotFound
    agreement = await session.get_one(Agreement, agreement_id, with_for_update={"read": True})
    paper = await session.get(AgreementDocument, document_id, with_for_update=True)
    if paper is None:  # taken back meanwhile
        raise NotFound
    return paper, agreement


async def set_of(session: AsyncSession, agreement: Agreement) -> DocumentSet:
    """What was handed in against the call's set."""
    query = select(AgreementDocument).where(AgreementDocument.agreement_id == agreement.id)
    papers = (await session.scalars(query.order_by(AgreementDocument.id))).all()
    totals = await version_totals(session, agreement, agreement.plan_version)
    rules = totals.rules
    lines = checklist(
        rules,
        totals,
        [Paper(paper.code, paper.state) for paper in papers],
    )
    return DocumentSet(lines, tuple(conclusion_findings(rules, lines)), papers)
