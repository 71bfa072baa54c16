"""A process of its own that lands a batch, for a test to kill in the middle.

usage: landing_process.py DATABASE_URL BATCH_ID
"""

import asyncio
import sys
from uuid import UUID

from services.accrual.intake.landing import process
from shared.db import Database


async def main(url: str, batch_id: str) -> None:
    database = Database(url)
    await process(database.sessions, UUID(batch_id), max_rows=5_000)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
