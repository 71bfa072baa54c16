"""The accrual service's own ledger behind the exchange, on a database of its own."""

from typing import Any
from uuid import UUID, uuid4

import httpx2
from sqlalchemy import text

from services.accrual.ledger import routes
from services.accrual.ledger import service as ledger
from services.accrual.ledger.rules import ISSUANCE, REDEMPTION, NewTransfer
from services.accrual.settings import Settings
from shared.runtime import Runtime, service_app
from tests.conftest import Tokens


class RealLedger:
    """Speaks to the ledger's internal routes in this process: `deliver` is the wire to it."""

    def __init__(self, runtime: Runtime, tokens: Tokens) -> None:
        self.runtime = runtime
        app = service_app(runtime, title="ledger", routers=[routes.internal])
        self.app = app
        self._transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        self._token = tokens.make(
            "ledger:transfer", role="service", aud="accrual", client_id="exchange", lifetime=3_600
        )

    @classmethod
    async def start(cls, runtime_of: Any, tokens: Tokens) -> "RealLedger":
        return cls(await runtime_of("accrual", Settings, database_pool_size=20), tokens)

    async def deliver(self, request: httpx2.Request) -> httpx2.Response:
        copy = httpx2.Request(
            request.method,
            request.url,
            headers={"authorization": f"Bearer {self._token}", "content-type": "application/json"},
            content=request.content,
        )
        answer = await self._transport.handle_async_request(copy)
        return httpx2.Response(answer.status_code, content=await answer.aread())

    async def give(self, institution: UUID, amount: int) -> None:
        async with self.runtime.sessions.begin() as session:
            await ledger.post_transfers(
                session,
                [
                    NewTransfer(
                        id=uuid4(),
                        debit_account=ISSUANCE,
                        credit_account=institution,
                        amount=amount,
                        kind="accrual",
                    )
                ],
            )

    async def leave(self, institution: UUID, amount: int) -> None:
        """Spend whatever an institution has beyond `amount`."""
        balance, _ = await self.account(institution)
        async with self.runtime.sessions.begin() as session:
            await ledger.post_transfers(
                session,
                [
                    NewTransfer(
                        id=uuid4(),
                        debit_account=institution,
                        credit_account=REDEMPTION,
                        amount=balance - amount,
                        kind="utilisation",
                    )
                ],
            )

    async def available(self, institution: UUID) -> int:
        balance, held = await self.account(institution)
        return balance - held

    async def held(self, institution: UUID) -> int:
        return (await self.account(institution))[1]

    async def balance(self, institution: UUID) -> int:
        return (await self.account(institution))[0]

    async def account(self, institution: UUID) -> tuple[int, int]:
        """Balance and points held."""
        async with self.runtime.sessions() as session:
            found = await ledger.account(session, institution)
        return found.balance, found.held

    async def books_balance(self) -> bool:
        """Every account is the sum of its entries, and institutions own what was issued."""
        async with self.runtime.sessions() as session:
            wrong = await session.scalar(
                text(
                    "SELECT count(*) FROM account a WHERE a.available + a.held - a.debt <> "
                    "(SELECT COALESCE(sum(e.amount), 0) FROM entry e WHERE e.account_id = a.id)"
                )
            )
        return wrong == 0
