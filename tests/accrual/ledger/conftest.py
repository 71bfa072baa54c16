"""A ledger on a database of its own, with short ways to earn, move and prove."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from services.accrual.ledger import service
from services.accrual.ledger.rules import ISSUANCE, Balance, NewTransfer
from services.accrual.settings import Settings
from shared.db import Sessions
from shared.runtime import Runtime


def issue(institution_id: UUID, amount: int, **more: Any) -> NewTransfer:
    more = {"id": uuid4(), "kind": "accrual"} | more
    return NewTransfer(debit_account=ISSUANCE, credit_account=institution_id, amount=amount, **more)


def move(payer: UUID, payee: UUID, amount: int, **more: Any) -> NewTransfer:
    more = {"id": uuid4(), "kind": "exchange"} | more
    return NewTransfer(debit_account=payer, credit_account=payee, amount=amount, **more)


class Ledger:
    """Each call is a transaction of its own, as each request is."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions

    async def __call__(self, use_case: Callable[..., Awaitable[Any]], *args: Any, **named: Any):
        async with self.sessions.begin() as session:
            return await use_case(session, *args, **named)

    async def post(self, *transfers: NewTransfer) -> int:
        return await self(service.post_transfers, transfers)

    async def institution(self, points: int = 0, **more: Any) -> UUID:
        one = uuid4()
        if points:
            await self.post(issue(one, points, **more))
        else:
            await self.sql("INSERT INTO account (id) VALUES (:id)", id=one)
        return one

    async def balance(self, institution_id: UUID) -> tuple[int, int, int]:
        now: Balance = await self(service.account, institution_id)
        return now.balance, now.held, now.available

    async def sql(self, statement: str, **params: Any) -> Any:
        async with self.sessions.begin() as session:
            result = await session.execute(text(statement), params)
            return result.all() if result.returns_rows else None


@pytest.fixture
async def runtime(runtime_of) -> Runtime:
    return await runtime_of("accrual", Settings)


@pytest.fixture
async def ledger(runtime: Runtime) -> AsyncIterator[Ledger]:
    """Whatever a test did, its books balance."""
    made = Ledger(runtime.sessions)
    yield made
    assert await broken_books(made) == []


async def broken_books(ledger: Ledger) -> list[Any]:
    """Accounts that are not the sum of their entries, and entries that are not their transfers'."""
    return await ledger.sql(BROKEN_BOOKS)


BROKEN_BOOKS = """
    SELECT account.id, 'account' FROM account LEFT JOIN (
        SELECT account_id, sum(amount) AS amount, count(*) AS number, max(version) AS version
        FROM entry GROUP BY account_id) AS e ON e.account_id = account.id
    WHERE (account.available + account.held - account.debt, account.version, account.version)
        IS DISTINCT FROM (coalesce(e.amount, 0), coalesce(e.number, 0), coalesce(e.version, 0))
    UNION ALL
    SELECT account.id, 'held' FROM account LEFT JOIN (
        SELECT hold.debit_account, sum(hold.amount) AS amount FROM transfer AS hold
        WHERE hold.state = 'pending'
            AND NOT EXISTS (SELECT FROM transfer AS ending WHERE ending.pending_id = hold.id)
        GROUP BY hold.debit_account) AS open ON open.debit_account = account.id
    WHERE account.held <> coalesce(open.amount, 0)
    UNION ALL
    SELECT t.id, 'transfer' FROM transfer AS t LEFT JOIN entry ON entry.transfer_id = t.id
    WHERE t.amount IS NOT NULL
    GROUP BY t.id
    HAVING coalesce(sum(entry.amount) FILTER (WHERE entry.account_id = t.debit_account), 0)
            <> CASE WHEN t.state = 'posted' AND NOT is_system_account(t.debit_account)
                    THEN -t.amount ELSE 0 END
        OR coalesce(sum(entry.amount) FILTER (WHERE entry.account_id = t.credit_account), 0)
            <> CASE WHEN t.state = 'posted' AND NOT is_system_account(t.credit_account)
                    THEN t.amount ELSE 0 END
        OR count(*) <> CASE WHEN t.state = 'posted' THEN 2 - is_system_account(t.debit_account)::int
                - is_system_account(t.credit_account)::int ELSE 1 END
"""
