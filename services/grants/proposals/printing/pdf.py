"""A proposal as a PDF: the draft, marked as one, or any submitted version with its receipt."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.programmes.models import Programme
from services.grants.programmes.rules import RuleSet
from services.grants.programmes.service import rules_of
from services.grants.proposals.attachments import attached
from services.grants.proposals.document import shaped
from services.grants.proposals.models import Proposal, Submission
from services.grants.proposals.printing.pages import blocks, composed, glyph_findings
from services.grants.proposals.rules.form import entry
from services.grants.proposals.service import own_proposal, received_version
from shared.clock import SEOUL
from shared.problems import Invalid, NotFound
from shared.typeset import Template, legible_json

_template = Template(Path(__file__).parent / "proposal.typ")


@dataclass(frozen=True, slots=True)
class _Version:
    """What is printed: the draft, or a submitted version."""

    proposal: Proposal
    programme: Programme
    rules: RuleSet
    document: Mapping[str, Any]
    attachments: Sequence[Mapping[str, Any]]
    submission: Submission | None

    @property
    def at(self) -> datetime:
        return self.submission.submitted_at if self.submission else self.proposal.updated_at

    @property
    def status(self) -> str:
        if self.submission is None:
            return f"초안 {self.proposal.version}판 · {self.at.astimezone(SEOUL):%Y-%m-%d %H:%M}"
        return (
            f"접수번호 {self.submission.receipt_number} · "
            f"{self.at.astimezone(SEOUL):%Y-%m-%d %H:%M:%S} 제출 · {self.submission.sha256[:16]}"
        )


async def draft_pdf(session: AsyncSession, proposal_id: UUID, institution_id: UUID) -> bytes:
    """What is written so far. Raises `Invalid` for a document that is not of the form's shape, or
    has characters that no font of ours can draw."""
    proposal = await own_proposal(session, proposal_id, institution_id)
    files = [
        {"document": row.document, "file_name": row.file_name}
        for row in await attached(session, proposal)
    ]
    return await _pdf(await _version(session, proposal, proposal.document, files, None))


async def submitted_pdf(
    session: AsyncSession, proposal_id: UUID, institution_id: UUID, seq: int
) -> bytes:
    """A version as it was submitted, for the applicant."""
    proposal = await own_proposal(session, proposal_id, institution_id)
    query = select(Submission).where(Submission.proposal_id == proposal.id, Submission.seq == seq)
    submission = (await session.scalars(query)).one_or_none()
    if submission is None:
        raise NotFound
    return await _pdf(await _of(session, proposal, submission))


async def received_pdf(session: AsyncSession, proposal_id: UUID, agency_id: UUID) -> bytes:
    """The version that counts, for the agency."""
    proposal, submission = await received_version(session, proposal_id, agency_id)
    return await _pdf(await _of(session, proposal, submission))


async def _of(session: AsyncSession, proposal: Proposal, submission: Submission) -> _Version:
    return await _version(
        session, proposal, submission.document, submission.attachments, submission
    )


async def _version(
    session: AsyncSession,
    proposal: Proposal,
    document: Mapping[str, Any],
    files: Sequence[Mapping[str, Any]],
    submission: Submission | None,
) -> _Version:
    programme = await session.get_one(Programme, proposal.programme_id)
    rules = await rules_of(session, programme)
    return _Version(proposal, programme, rules, document, files, submission)


async def _pdf(version: _Version) -> bytes:
    page = await asyncio.to_thread(page_of, version)
    return await asyncio.to_thread(
        _template.pdf, {"page": legible_json(page)}, timestamp=version.at
    )


def page_of(version: _Version) -> dict[str, Any]:
    """The inputs of the template. Raises `Invalid`."""
    raw = composed(dict(version.document))
    title = composed(version.proposal.title)
    document, wrong = shaped(version.rules, raw)
    missing = [*glyph_findings(title, "/title"), *glyph_findings(raw)]
    if document is None or missing:
        raise Invalid(errors=[*wrong, *missing])
    sections = document.sections
    return {
        "draft": version.submission is None,
        "status": version.status,
        "title": version.rules.form.title.ko,
        "programme": version.programme.name,
        "agency": version.programme.agency_name,
        "institution": version.proposal.institution_name,
        "project": title,
        "declaration": "사업 추진계획에 따라 사업을 성실히 수행하고자 사업계획서를 제출합니다.",
        "dated": f"{version.at.astimezone(SEOUL):%Y년 %m월 %d일}",
        "principal": entry(sections, "principal", "name") or "",
        "head": entry(sections, "lead", "head") or "",
        "blocks": blocks(version.rules, document, version.attachments),
    }
