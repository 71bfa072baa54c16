"""A statement as a workbook, the oldest line first (M-040)."""

from typing import IO, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.clients import Institution, Registry
from services.accrual.ledger import statements
from services.accrual.ledger.models import Entry, Transfer
from services.accrual.ledger.rules import Kind
from services.accrual.ledger.statements import Filter
from shared.sheets.writing import Line, Page, streamed, write_book

HEADING: Final = (
    "번호", "처리일자", "구분", "사업명", "적립분야", "적립", "인출", "잔여", "적립기관", "사유",
)  # fmt: skip
KINDS: Final[dict[str, str]] = {
    Kind.ACCRUAL: "적립",
    Kind.EXCHANGE: "거래",
    Kind.UTILISATION: "활용",
    Kind.ADJUSTMENT: "조정",
    Kind.EXPIRY: "소멸",
    Kind.MIGRATION: "이관",
    Kind.REVERSAL: "취소",
    Kind.REVOCATION: "회수",
}


async def write_workbook(
    session: AsyncSession, registry: Registry, institution_id: UUID, wanted: Filter
) -> IO[bytes]:
    """A temporary file, at its start; the caller closes it. Raises `ExportTooLarge`,
    `UpstreamUnavailable` when nobody can tell the institutions' names."""
    query = statements.lines(institution_id, wanted)
    origins = await session.scalars(query.with_only_columns(Transfer.origin_id).distinct())
    known = await registry.institutions([one for one in origins if one is not None])
    limited = wanted.fields is not None

    def line(entry: Entry, transfer: Transfer) -> Line:
        return _line(entry, transfer, known, limited=limited)

    lines = streamed(session, query.order_by(Entry.version), line)
    return await write_book(Page("마일리지 내역", dict.fromkeys(HEADING, 16), lines))


def _line(
    entry: Entry, transfer: Transfer, known: dict[UUID, Institution], *, limited: bool
) -> Line:
    """Who sees some fields only does not see the balance, which tells of the others. Where an
    institution is not known, its id stands for it."""
    origin = known.get(transfer.origin_id) if transfer.origin_id else None
    return (
        entry.version,
        entry.recorded_at,
        KINDS.get(transfer.kind, transfer.kind),
        transfer.title,
        transfer.field,
        entry.amount if entry.amount > 0 else None,
        -entry.amount if entry.amount < 0 else None,
        None if limited else entry.balance,
        origin.name if origin else str(transfer.origin_id or ""),
        (transfer.details or {}).get("reason"),
    )
