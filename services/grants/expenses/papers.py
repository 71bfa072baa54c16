"""Documents of an expense: attached, read by both sides, taken back while it may change."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements.models import Agreement
from services.grants.agreements.service import plan_in_force
from services.grants.errors import DUPLICATE_EVIDENCE_FILE, EVIDENCE_KIND_UNKNOWN
from services.grants.expenses.models import EvidenceRow, ExpenseRow
from services.grants.expenses.moves import NAMES, SUPPLIED
from services.grants.expenses.service import own_expense, readable_expense
from services.grants.files import delete_file, keep
from services.grants.programmes.rules import RuleSet
from services.grants.programmes.service import note
from shared.files import Files
from shared.problems import Invalid, NotFound, StateConflict
from shared.tokens import Claims


async def attach_evidence(
    session: AsyncSession,
    files: Files,
    expense_id: UUID,
    caller: Claims,
    *,
    kind: str,
    amount_won: int | None,
    number: str | None,
    used_at: datetime | None,
    name: str,
    chunks: AsyncIterator[bytes],
) -> EvidenceRow:
    """Add a document. Raises `Invalid` for a file that may not be attached, or proved another
    expense before; what proves no amount (a contract, a travel rule) serves any number."""
    row, agreement = await own_expense(session, expense_id, caller)
    _refuse_unless_supplied(row, agreement)
    rules = (await plan_in_force(session, agreement)).rules
    if kind not in rules.evidence_names:
        known = ", ".join(rules.evidence_names)
        raise Invalid(errors=[EVIDENCE_KIND_UNKNOWN.at("/kind", field="kind", known=known)])
    stored = await files.put(f"evidence/{row.id}/{uuid4()}", name, chunks)
    if await _proves_another(session, rules, kind, stored.sha256, row):
        await files.delete(stored.key)
        raise Invalid(errors=[DUPLICATE_EVIDENCE_FILE.at("/file", field="file", name=stored.name)])
    evidence = EvidenceRow(
        expense_id=row.id,
        kind=kind,
        amount_won=amount_won,
        number=number,
        used_at=used_at,
        created_by=caller.sub,
    )
    await keep(session, files, evidence, stored)
    note(session, "expense", row.id, "attach", caller, reason=kind)
    return evidence


async def remove_evidence(session: AsyncSession, evidence_id: UUID, caller: Claims) -> None:
    """Take a document back, file and all; that it was there stays in the history."""
    paper = await session.get(EvidenceRow, evidence_id)
    if paper is None:
        raise NotFound
    row, agreement = await own_expense(session, paper.expense_id, caller)
    _refuse_unless_supplied(row, agreement)
    paper = await session.get(EvidenceRow, evidence_id, with_for_update=True)
    if paper is None:  # taken back meanwhile
        raise NotFound
    note(session, "expense", row.id, "detach", caller, reason=f"{paper.kind} {paper.sha256}")
    await session.delete(paper)
    await delete_file(session, paper.file_key)


async def readable_evidence(
    session: AsyncSession, evidence_id: UUID, caller: Claims
) -> EvidenceRow:
    """A document of an expense of the caller's institution, on either side."""
    paper = await session.get(EvidenceRow, evidence_id)
    if paper is None:
        raise NotFound
    await readable_expense(session, paper.expense_id, caller)
    return paper


def _refuse_unless_supplied(row: ExpenseRow, agreement: Agreement) -> None:
    """Documents come and go while the year is spent, and when the agency asks for them."""
    open_states = SUPPLIED if agreement.state != "active" else SUPPLIED | {"in_review"}
    if row.state not in open_states or agreement.state in ("final", "refunded"):
        raise StateConflict(state=NAMES[row.state])


async def _proves_another(
    session: AsyncSession, rules: RuleSet, kind: str, sha256: str, row: ExpenseRow
) -> bool:
    proving = [sort.code for sort in rules.spending.evidence_kinds if sort.proves]
    if kind not in proving:
        return False
    used = (
        select(EvidenceRow.id)
        .join(ExpenseRow, ExpenseRow.id == EvidenceRow.expense_id)
        .where(
            EvidenceRow.sha256 == sha256,
            EvidenceRow.kind.in_(proving),
            ExpenseRow.state != "cancelled",
        )
        .limit(1)
    )
    return (await session.scalar(used)) is not None
