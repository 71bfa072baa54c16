"""Composition root of the auth service."""

from fastapi import FastAPI

from services.auth.accounts import own_routes, passkey_routes, staff_routes
from services.auth.accounts import routes as passwords
from services.auth.audit import routes as audit
from services.auth.clients import routes as clients
from services.auth.institutions import admin_routes as register
from services.auth.institutions import routes as institutions
from services.auth.letters import routes as letters
from services.auth.membership import routes as membership
from services.auth.notices import routes as notices
from services.auth.runtime import AuthRuntime
from services.auth.sessions import routes as sessions
from services.auth.settings import Settings
from services.auth.tokens import routes as tokens
from shared.runtime import service_app


def create_runtime(settings: Settings) -> AuthRuntime:
    return AuthRuntime(settings)


def create_app(settings: Settings, runtime: AuthRuntime | None = None) -> FastAPI:
    return service_app(
        runtime or create_runtime(settings),
        title="산학협력 마일리지 — 인증",
        routers=[
            tokens.router,
            tokens.well_known,
            tokens.internal,
            passwords.router,
            own_routes.router,
            passkey_routes.router,
            sessions.router,
            staff_routes.router,
            clients.router,
            institutions.router,
            membership.router,
            register.router,
            membership.internal,
            letters.internal,
            notices.router,
            audit.router,
        ],
    )
