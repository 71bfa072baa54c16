"""What a process of the auth service holds besides what every service has."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx2
from sqlalchemy.exc import SQLAlchemyError

import shared.runtime
from services.auth.accounts.authenticators import RelyingParty
from services.auth.accounts.credentials import Desk
from services.auth.accounts.passwords import Passwords
from services.auth.messages.delivery import Postman
from services.auth.sessions import service as sessions_service
from services.auth.sessions.service import Lifetimes
from services.auth.settings import Settings
from services.auth.tokens.issuing import Issuer
from services.auth.tokens.keys import SigningKeys
from services.auth.vault import Vault
from shared.problems import UpstreamUnavailable


class AuthRuntime(shared.runtime.Runtime):
    """Auth verifies its own tokens with the keys and revocations of its own database: it never
    asks itself over HTTP."""

    settings: Settings

    def __init__(
        self, settings: Settings, *, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self.vault = Vault.of(settings)
        self.passwords = Passwords(self.vault)
        self.keys = SigningKeys(lambda: self.sessions, self.vault)
        self.lifetimes = Lifetimes(
            idle=timedelta(minutes=settings.session_idle_minutes),
            absolute=timedelta(hours=settings.session_hours),
        )
        self.party = RelyingParty(settings.passkey_domain, settings.origins)
        super().__init__(
            "auth",
            settings,
            keys=self.keys,
            revocation_feed=self._revoked_after,
            transport=transport,
        )
        self.postman = Postman(settings, self.identity.http)
        self.desk = Desk(
            vault=self.vault,
            passwords=self.passwords,
            portal=settings.portal,
            legacy=settings.initial_credential == "legacy",
            initial_lifetime=timedelta(hours=settings.initial_credential_hours),
        )
        self.issuer = Issuer(
            name=settings.token_issuer,
            database=self.database,
            vault=self.vault,
            passwords=self.passwords,
            keys=self.keys,
            lifetimes=self.lifetimes,
            party=self.party,
            operator_second_factor=settings.operator_second_factor,
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        try:
            async with super().open():
                yield
        finally:
            self.passwords.close()

    async def _revoked_after(self, after: int) -> Mapping[str, Any]:
        try:
            async with self.sessions() as session:
                return await sessions_service.revoked_after(session, after)
        except (SQLAlchemyError, OSError) as error:
            raise UpstreamUnavailable(service="database") from error
