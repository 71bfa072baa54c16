"""The auth service on a database of the test's own, and people to log in as."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import httpx2
import jwt
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from services.auth.accounts.models import Account, FieldPermission
from services.auth.accounts.rules import Role
from services.auth.app import create_app
from services.auth.clients import service as clients_service
from services.auth.institutions.models import Institution
from services.auth.jobs import deliver_message, handle_reset, mail_notice
from services.auth.runtime import AuthRuntime
from services.auth.settings import Settings
from services.auth.tokens import keys
from shared.clock import utc_now
from tests.conftest import ISSUER

PASSWORD = "Garam#2026x"
SERVICE_SECRETS = {
    name: f"secret-of-{name}-with-more-than-32-characters"
    for name in ("auth", "accrual", "exchange", "grants", "gateway")
}


HANDLERS = {
    "messages.deliver": deliver_message,
    "accounts.reset": handle_reset,
    "notices.mail": mail_notice,
}


@dataclass
class Auth:
    """The running service as tests use it."""

    runtime: AuthRuntime
    app: FastAPI
    client: httpx2.AsyncClient
    password_hash: str

    async def institution(self, kind: str = "university", name: str = "시험대학교", **more: Any):
        async with self.runtime.sessions.begin() as session:
            institution = Institution(kind=kind, name=name, **more)
            session.add(institution)
        return institution

    async def account(
        self,
        login_id: str = "maru",
        *,
        role: Role = Role.UNIVERSITY,
        institution: Institution | None = None,
        password: str | None = PASSWORD,
        must_change: bool = False,
        fields: dict[str, bool] | None = None,
        **more: Any,
    ) -> Account:
        institution = institution or await self.institution()
        stored = self.password_hash
        if password != PASSWORD:
            stored = await self.runtime.passwords.hash(password) if password else None
        async with self.runtime.sessions.begin() as session:
            account = Account(
                login_id=login_id,
                role=role,
                institution_id=institution.id,
                name="시험",
                password=stored,
                must_change_password=must_change,
                **more,
            )
            session.add(account)
            await session.flush()
            session.add_all(
                FieldPermission(account_id=account.id, field=field, enabled=enabled)
                for field, enabled in (fields or {}).items()
            )
        return account

    async def token(self, headers: dict[str, str] | None = None, **form: str):
        return await self.client.post("/api/v1/auth/token", data=form, headers=headers)

    async def log_in(
        self, username: str = "maru", password: str = PASSWORD, *, address: str = "", **form: str
    ):
        headers = {"X-Forwarded-For": address} if address else None
        return await self.token(
            headers,
            grant_type="password",
            client_id="portal",
            username=username,
            password=password,
            **form,
        )

    async def bearer(self, username: str = "maru", password: str = PASSWORD) -> dict[str, str]:
        answer = await self.log_in(username, password)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def refresh(self, token: str):
        return await self.token(grant_type="refresh_token", client_id="portal", refresh_token=token)

    async def service_token(self, name: str, audience: str, scope: str = "", **form: str):
        return await self.client.post(
            "/api/v1/auth/token",
            data={
                "grant_type": "client_credentials",
                "audience": audience,
                "scope": scope,
                **form,
            },
            auth=(name, SERVICE_SECRETS[name]),
        )

    async def service_headers(self, name: str, scope: str) -> dict[str, str]:
        answer = await self.service_token(name, "auth", scope)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def run_jobs(self) -> int:
        """Run what is queued, as the worker would, until nothing is left; returns how many."""
        done = 0
        while True:
            async with self.runtime.sessions.begin() as session:
                taken = text(
                    "UPDATE procrastinate_jobs SET status = 'succeeded' WHERE status = 'todo' "
                    "RETURNING task_name, args"
                )
                rows = (await session.execute(taken)).all()
            if not rows:
                return done
            for name, args in rows:
                args.pop("trace", None)
                await HANDLERS[name](self.runtime, **args)
                done += 1

    def mail(self) -> list[EmailMessage]:
        """The letters that lie in the data directory, oldest first."""
        files = sorted(self.runtime.settings.mail_directory.glob("*.eml"))
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]

    async def reload(self, model: type, key: Any):
        async with self.runtime.sessions() as session:
            return await session.get(model, key)


def claims_of(answer: httpx2.Response) -> dict[str, Any]:
    """The claims of an access token, unverified."""
    token = answer.json()["access_token"]
    return jwt.decode(token, options={"verify_signature": False})


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def codes_in(answer: httpx2.Response) -> set[str]:
    return {item["code"] for item in answer.json()["errors"]}


def link_in(letter: EmailMessage) -> str:
    """The token of the link in a letter."""
    found = re.search(r"/activate#token=(\S+)", letter.get_content())
    assert found is not None
    return found[1]


@pytest.fixture
def settings_of(database, tmp_path) -> Callable[..., Settings]:
    url = database("auth")

    def make(**more: Any) -> Settings:
        return Settings(
            **{
                "database_url": url,
                "client_secret": SERVICE_SECRETS["auth"],
                "files_url": f"file://{tmp_path}/files",
                "token_issuer": ISSUER,
                "password_pepper": "pepper-of-the-tests-with-32-characters",
                "key_encryption_key": "key-of-the-tests-with-32-characters!!",
                **more,
            }
        )

    return make


@pytest.fixture
async def auth_with(settings_of, client_of):
    """`await auth_with(session_idle_minutes=5)`: the service with settings of the test's own."""
    opened = []

    async def make(transport: httpx2.AsyncBaseTransport | None = None, **more: Any) -> Auth:
        runtime = AuthRuntime(settings_of(**more), transport=transport)
        context = runtime.open()
        await context.__aenter__()
        opened.append(context)
        async with runtime.sessions.begin() as session:
            await keys.ensure_key(session, runtime.vault)
            await clients_service.ensure_services(session, SERVICE_SECRETS, now=utc_now())
        app = create_app(runtime.settings, runtime)
        return Auth(runtime, app, client_of(app), await runtime.passwords.hash(PASSWORD))

    yield make
    for context in opened:
        await context.__aexit__(None, None, None)


@pytest.fixture
async def auth(auth_with) -> Auth:
    return await auth_with()


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 3.0) -> float:
    """Wait for something that is to happen soon; returns after how long. Fails when it does not."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while loop.time() - began < seconds:
        if await condition():
            return loop.time() - began
        await asyncio.sleep(0.05)
    raise AssertionError(f"did not happen within {seconds} s")
