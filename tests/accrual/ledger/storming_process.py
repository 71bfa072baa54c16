"""A process of its own that posts transfers until somebody kills it, or its database.

usage: storming_process.py DATABASE_URL JOURNAL SEED ACCOUNT…

The journal is written past every buffer: `ask ID…` before a call, `done ID…` once it was answered,
so that a reader knows what must be there and what cannot be.
"""

import asyncio
import os
import random
import sys
from uuid import UUID, uuid4

from services.accrual.ledger import service
from services.accrual.ledger.errors import Insufficient
from services.accrual.ledger.rules import NewTransfer
from shared.db import Database

CLIENTS = 4


async def storm(url: str, journal: int, seed: int, accounts: list[UUID]) -> None:
    chance = random.Random(seed)
    database = Database(url)

    def write(word: str, ids: list[str]) -> None:
        os.write(journal, f"{word} {' '.join(ids)}\n".encode())

    async def client() -> None:
        while True:
            size = chance.choice((1, 1, 5, 40))
            moves = []
            for _ in range(size):
                payer, payee = chance.sample(accounts, 2)
                moves.append(
                    NewTransfer(
                        id=uuid4(),
                        debit_account=payer,
                        credit_account=payee,
                        amount=chance.randrange(1, 50),
                        kind="exchange",
                    )
                )
            ids = [str(one.id) for one in moves]
            write("ask", ids)
            try:
                async with database.sessions.begin() as session:
                    await service.post_transfers(session, moves)
            except Insufficient:
                continue
            write("done", ids)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))


def main(url: str, journal: str, seed: str, *accounts: str) -> None:
    file = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    asyncio.run(storm(url, file, int(seed), [UUID(one) for one in accounts]))


if __name__ == "__main__":
    main(*sys.argv[1:])
