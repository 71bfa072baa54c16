"""A proposal's tables out to a workbook, and back: everything in it, or nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.errors import SHEET_FINDINGS_CUT, SheetRefused
from services.grants.programmes.models import Programme
from services.grants.programmes.rules import RuleSet
from services.grants.programmes.service import rules_of
from services.grants.proposals.document import check, shaped
from services.grants.proposals.elsewhere import commitments_of
from services.grants.proposals.models import Proposal
from services.grants.proposals.service import own_proposal, save_document
from services.grants.proposals.sheets.export import workbook
from services.grants.proposals.sheets.reading import Read, read_workbook
from shared.problems import Finding, Invalid

MAX_FINDINGS = 1_000


@dataclass(frozen=True, slots=True)
class Imported:
    """The rows of each sheet, and what the rules say of the whole document with them in it."""

    rows: Mapping[str, int]
    findings: tuple[Finding, ...]


async def exported(
    session: AsyncSession, proposal_id: UUID, institution_id: UUID
) -> tuple[Proposal, bytes]:
    """The workbook of a draft. Raises `Invalid` for one that no form has the shape of."""
    proposal, rules = await _own(session, proposal_id, institution_id)
    _document, wrong = shaped(rules, proposal.document)
    if wrong:
        raise Invalid(errors=wrong)
    book = await asyncio.to_thread(workbook, rules, proposal.title, proposal.document)
    return proposal, book


async def previewed(
    session: AsyncSession, proposal_id: UUID, institution_id: UUID, data: bytes
) -> Imported:
    """What `imported` would answer. Changes nothing."""
    _made, judged = await _judged(session, proposal_id, institution_id, data)
    return judged


async def imported(
    session: AsyncSession, proposal_id: UUID, institution_id: UUID, data: bytes, seen_version: int
) -> tuple[Proposal, Imported]:
    """Put every table of the workbook into the draft. Raises `SheetRefused` with every cell that
    cannot be used; what the rules remark is answered, as for any draft."""
    made, judged = await _judged(session, proposal_id, institution_id, data)
    before = await own_proposal(session, proposal_id, institution_id)
    proposal = await save_document(
        session,
        proposal_id,
        institution_id,
        seen_version=seen_version,
        title=before.title,
        document=made.document,
    )
    return proposal, judged


async def _judged(
    session: AsyncSession, proposal_id: UUID, institution_id: UUID, data: bytes
) -> tuple[Read, Imported]:
    proposal, rules = await _own(session, proposal_id, institution_id)
    made = await asyncio.to_thread(read_workbook, rules, data, proposal.document)
    _document, wrong = shaped(rules, made.document)
    places = [made.placed(finding) for finding in wrong]
    unusable = [finding for finding in places if "cell" in finding.params]
    errors = [finding for finding in (*made.findings, *unusable) if finding.is_error]
    if errors:
        raise SheetRefused(errors=_cut([*made.findings, *unusable]))
    known = await commitments_of(session, proposal, made.document)
    findings = [made.placed(found) for found in check(rules, made.document, known).findings]
    return made, Imported(made.rows, tuple(_cut([*made.findings, *findings])))


async def _own(
    session: AsyncSession, proposal_id: UUID, institution_id: UUID
) -> tuple[Proposal, RuleSet]:
    proposal = await own_proposal(session, proposal_id, institution_id)
    programme = await session.get_one(Programme, proposal.programme_id)
    return proposal, await rules_of(session, programme)


def _cut(findings: Sequence[Finding]) -> list[Finding]:
    left = len(findings) - MAX_FINDINGS
    if left <= 0:
        return list(findings)
    return [*findings[:MAX_FINDINGS], SHEET_FINDINGS_CUT.at("", left=left)]
