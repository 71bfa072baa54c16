"""What every installation needs before it can issue a token: a signing key and the services'
credentials. Safe to run again."""

import os
from collections.abc import Mapping

from services.auth.clients import service as clients_service
from services.auth.runtime import AuthRuntime
from services.auth.tokens import keys
from shared.clock import utc_now
from shared.runtime import Runtime

_PREFIX = "CLIENT_SECRET_"


def client_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The services' secrets by service name, from `CLIENT_SECRET_<NAME>`."""
    return {
        name.removeprefix(_PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(_PREFIX) and value
    }


async def bootstrap(runtime: Runtime) -> None:
    assert isinstance(runtime, AuthRuntime)
    async with runtime.sessions.begin() as session:
        await keys.ensure_key(session, runtime.vault)
        await clients_service.ensure_services(session, client_secrets(os.environ), now=utc_now())
