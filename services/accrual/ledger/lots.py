"""Points that expire: off unless `ACCRUAL_POINTS_LIFETIME_YEARS` says after how many years.

What an account received on one Korean day is a lot. Whatever goes out takes from the oldest lot
first; a reversal undoes its own transfer, so that points revoked leave the lot they came in, and
those of a spending undone are as old as they were. Lots are not kept anywhere: they follow from the
entries, so they can be switched on at any time and cannot disagree with the books.

What of a lot is left when its last day is over expires, as an entry like any other: statements,
balances as of an instant and `verify` know nothing new. Held points, which are the oldest there
are, wait for the end of their hold.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.ledger import rules, service
from services.accrual.ledger.models import Account
from services.accrual.ledger.rules import EXPIRY, Kind, Lot, NewTransfer
from shared.clock import SEOUL, seoul_day

_EXPIRED: Final = "유효기간 경과 소멸"
_REFERENCE: Final = "expiry"

# By day what came in; without a day, and negative, all that went out. Reversals belong to what they
# reverse.
_MOVED = text("""
    SELECT CASE WHEN net.amount > 0
        THEN (origin.effective_at AT TIME ZONE 'Asia/Seoul')::date END AS day,
        sum(net.amount)::bigint AS points
    FROM (
        SELECT coalesce(t.reverses_id, t.id) AS id, sum(e.amount) AS amount
        FROM entry AS e JOIN transfer AS t ON t.id = e.transfer_id
        WHERE e.account_id = :account AND e.amount <> 0
        GROUP BY 1
    ) AS net
    JOIN transfer AS origin ON origin.id = net.id
    WHERE net.amount <> 0
    GROUP BY 1 ORDER BY 1
""")


async def lots(session: AsyncSession, institution_id: UUID) -> list[Lot]:
    """What is left of the lots of an account, the oldest first, held points included."""
    received, spent = [], 0
    for day, points in await session.execute(_MOVED, {"account": institution_id}):
        if day is None:
            spent = -points
        else:
            received.append(Lot(day, points))
    return rules.left_of(received, spent)


async def expire(session: AsyncSession, institution_id: UUID, *, years: int, now: datetime) -> int:
    """Let expire what is over by now; how many points. May be asked for again at any time.

    It takes effect as the day of `now` begins, not earlier: what was certified before stays true.
    """
    # Locked first, so that nothing is spent between the look and the entry.
    account = (
        await session.execute(
            select(Account.available, Account.held, Account.version)
            .where(Account.id == institution_id)
            .with_for_update(key_share=True)
        )
    ).one_or_none()
    if account is None or not account.available:
        return 0
    today = seoul_day(now)
    left = await lots(session, institution_id)
    over = sum(lot.points for lot in left if rules.last_day(lot.day, years) < today)
    # Never more than is available: that is all there is, less what is held.
    points = max(0, over - int(account.held))
    if points:
        await service.post_transfers(
            session, [_expiry(institution_id, account.version, points, today)]
        )
    return points


async def holders(session: AsyncSession, *, after: UUID | None, limit: int) -> Sequence[UUID]:
    """Accounts with something that could expire, in the order of their ids."""
    query = select(Account.id).where(text("available > 0")).order_by(Account.id).limit(limit)
    if after is not None:
        query = query.where(Account.id > after)
    return (await session.scalars(query)).all()


def _expiry(institution_id: UUID, version: int, points: int, today: date) -> NewTransfer:
    return NewTransfer(
        id=uuid5(institution_id, f"expiry after {version}"),
        kind=Kind.EXPIRY,
        debit_account=institution_id,
        credit_account=EXPIRY,
        amount=points,
        effective_at=datetime.combine(today, time(), SEOUL),
        title=_EXPIRED,
        reference=_REFERENCE,
    )
