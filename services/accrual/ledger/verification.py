"""The ledger proves itself: everything is recomputed, and the first broken row is named.

Each check is one set-based statement over whole tables, in the order in which a falsification
would have to be made to fit. The database refuses changes; this finds those made past it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.ledger import checkpoints

# The instant belongs to what was asked for only if the maker named one.
_DIGESTS = """
    SELECT NULL::uuid AS account_id, NULL::bigint AS version, t.id AS transfer_id, t.recorded_at
    FROM transfer AS t
    WHERE t.digest NOT IN (
        SELECT transfer_digest(ROW(
            t.id, t.state, t.kind, t.debit_account, t.credit_account, t.amount, t.pending_id,
            t.reverses_id, named.instant, t.expires_at, t.field, t.title, t.reference, t.origin_id,
            t.metadata)::transfer_request, t.recorded_at)
        FROM (VALUES (t.effective_at), (nullif(t.effective_at, t.recorded_at))) AS named (instant))
    ORDER BY t.recorded_at, t.id LIMIT 1
"""

# An account's entries count up from one without a gap. Each does what its transfer says, at the
# time that follows, and continues the balances of the one before; its hash continues the hash
# before with the digest of its transfer. So a hash holds all of the account's transfers so far, and
# what its entries say is computed anew from those. Older hashes spell the entry out as well.
_CHAINS = """
    SELECT account_id, version, transfer_id, recorded_at FROM (
        SELECT e.account_id, e.version, e.transfer_id, e.recorded_at,
            e.version = row_number() OVER so_far
            AND e.recorded_at >= max(e.recorded_at) OVER so_far
            AND e.amount = CASE WHEN t.state <> 'posted' THEN 0
                WHEN e.account_id = t.debit_account THEN -t.amount
                WHEN e.account_id = t.credit_account THEN t.amount END
            AND e.balance = sum(e.amount) OVER so_far
            AND e.held = sum(CASE WHEN e.account_id <> t.debit_account THEN 0
                WHEN t.state = 'pending' THEN t.amount
                WHEN t.pending_id IS NULL THEN 0 ELSE -hold.amount END) OVER so_far
            AND CASE e.hash
                WHEN sha256(coalesce(lag(e.hash) OVER so_far, '') || t.digest) THEN
                    e.recorded_at = greatest(
                        t.recorded_at, coalesce(lag(e.recorded_at) OVER so_far, a.opened_at))
                    AND (e.effective_at = t.effective_at
                        OR (e.effective_at = e.recorded_at AND t.effective_at = t.recorded_at))
                WHEN sha256(coalesce(lag(e.hash) OVER so_far, '') || entry_content_1(
                        e.account_id, e.version, e.amount, e.balance, e.held, e.effective_at,
                        e.recorded_at, t.digest)) THEN true
            END AS whole
        FROM entry AS e
        LEFT JOIN account AS a ON a.id = e.account_id
        LEFT JOIN transfer AS t ON t.id = e.transfer_id
        LEFT JOIN transfer AS hold ON hold.id = t.pending_id
        WINDOW so_far AS (PARTITION BY e.account_id ORDER BY e.version)
    ) AS checked
    WHERE whole IS NOT TRUE
    ORDER BY recorded_at, account_id, version LIMIT 1
"""

_ACCOUNTS = """
    SELECT a.id AS account_id, a.version, NULL::uuid AS transfer_id, a.opened_at AS recorded_at
    FROM account AS a
    LEFT JOIN LATERAL (
        SELECT e.version, e.balance, e.held, e.hash, e.recorded_at FROM entry AS e
        WHERE e.account_id = a.id ORDER BY e.version DESC LIMIT 1) AS last ON true
    WHERE (a.version, a.available + a.held - a.debt, a.held, a.head, a.moved_at)
        IS DISTINCT FROM (coalesce(last.version, 0), coalesce(last.balance, 0),
            coalesce(last.held, 0), coalesce(last.hash, ''::bytea),
            coalesce(last.recorded_at, a.moved_at))
        OR (a.available > 0 AND a.debt > 0)
    ORDER BY a.id LIMIT 1
"""

# Each side of a transfer has its entry; only system accounts, whose balance is derived, have none.
# With the chains this makes the books sum to zero.
_SIDES = """
    SELECT side.account_id, NULL::bigint AS version, t.id AS transfer_id, t.recorded_at
    FROM transfer AS t
    CROSS JOIN LATERAL (VALUES (t.debit_account), (t.credit_account)) AS side (account_id)
    LEFT JOIN entry AS e ON e.transfer_id = t.id AND e.account_id = side.account_id
    WHERE (t.state = 'posted' OR side.account_id = t.debit_account)
        AND NOT is_system_account(side.account_id) AND e.transfer_id IS NULL
    ORDER BY t.recorded_at, t.id LIMIT 1
"""

# What is kept beside transfers and entries, to find the few that have it, is what they say.
_REFERENCES = """
    SELECT NULL::uuid AS account_id, NULL::bigint AS version,
        coalesce(said.id, noted.id) AS transfer_id, coalesce(said.recorded_at, now()) AS recorded_at
    FROM (
        SELECT t.id, t.recorded_at, part.how, part.what FROM transfer AS t
        CROSS JOIN LATERAL (VALUES
            ('ends', t.pending_id::text), ('undoes', t.reverses_id::text),
            ('expires', CASE t.state WHEN 'pending' THEN t.expires_at::text END)
        ) AS part (how, what)
        WHERE part.what IS NOT NULL
    ) AS said
    FULL JOIN (
        SELECT transfer_id AS id, 'ends' AS how, hold_id::text AS what FROM hold_ending
        UNION ALL SELECT transfer_id, 'undoes', reversed_id::text FROM transfer_reversal
        UNION ALL SELECT hold_id, 'expires', expires_at::text FROM hold_expiry
    ) AS noted ON noted.id = said.id AND noted.how = said.how AND noted.what = said.what
    WHERE said.id IS NULL OR noted.id IS NULL
    ORDER BY recorded_at, transfer_id LIMIT 1
"""
_DATED_BACK = """
    SELECT account_id, version, e.transfer_id, coalesce(e.recorded_at, now()) AS recorded_at
    FROM entry AS e FULL JOIN entry_dated_back AS noted USING (account_id, version)
    WHERE coalesce(e.effective_at < e.recorded_at, false) <> (noted IS NOT NULL)
    ORDER BY recorded_at, account_id, version LIMIT 1
"""

CHECKS: Final = {
    "transfer_digest": _DIGESTS,
    "entry_chain": _CHAINS,
    "account_balance": _ACCOUNTS,
    "transfer_entries": _SIDES,
    "transfer_references": _REFERENCES,
    "entries_dated_back": _DATED_BACK,
}


@dataclass(frozen=True, slots=True)
class Broken:
    """The first row that does not fit, by the check that found it."""

    check: str
    account_id: UUID | None
    version: int | None
    transfer_id: UUID | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """`points_issued` is what all institutions own together: what issuance has given out and
    redemption and expiry have not taken back."""

    ok: bool
    accounts: int
    entries: int
    transfers: int
    points_issued: int
    broken: Broken | None


async def verify(session: AsyncSession) -> Report:
    """Recompute every digest, chain, balance, pair of entries and checkpoint, in one snapshot."""
    await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
    accounts, entries, transfers, points = (
        await session.execute(
            text(
                "SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM entry), "
                "(SELECT count(*) FROM transfer), "
                "(SELECT coalesce(sum(available + held - debt), 0)::bigint FROM account)"
            )
        )
    ).one()
    broken = None
    for check, statement in CHECKS.items():
        row = (await session.execute(text(statement))).one_or_none()
        if row is not None:
            broken = Broken(check, row.account_id, row.version, row.transfer_id, row.recorded_at)
            break
    if broken is None and (found := await checkpoints.first_broken(session)) is not None:
        broken = Broken("checkpoint", found.account_id, found.version, None, found.at)
    return Report(broken is None, accounts, entries, transfers, points, broken)
