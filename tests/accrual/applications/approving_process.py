"""A process of its own that approves an application, for a test to kill in the middle.

usage: approving_process.py DATABASE_URL APPLICATION_ID REVIEWER
"""

import asyncio
import sys
from uuid import UUID

import httpx2

from services.accrual.applications import posting
from services.accrual.clients import Registry as RegistryClient
from services.accrual.settings import Settings
from shared.clock import utc_now
from shared.runtime import Runtime
from shared.tokens import Claims
from tests.accrual.world import Registry


async def main(url: str, application_id: str, reviewer: str) -> None:
    settings = Settings(database_url=url, client_secret="x" * 32)
    runtime = Runtime("accrual", settings, transport=httpx2.MockTransport(Registry()))
    claims = Claims(
        sub=reviewer,
        client_id="portal",
        scope=frozenset({"accrual:review"}),
        role="operator",
        institution_kind="operator",
        exp=0,
        iat=0,
        jti="",
    )
    async with runtime.open(), runtime.sessions.begin() as session:
        await posting.approve(
            session,
            claims,
            RegistryClient(runtime.identity, settings.auth_url),
            UUID(application_id),
            seen=None,
            now=utc_now(),
            settings=settings,
        )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
