"""Composition root of the exchange service."""

from typing import Any

from fastapi import FastAPI

from services.exchange import evidence_claims
from services.exchange.clients import Directory, Ledger
from services.exchange.institutions import Institutions
from services.exchange.listings.routes import router as listings
from services.exchange.notifications.routes import router as notifications
from services.exchange.notifications.rules import EVENTS
from services.exchange.orders import reconciliation
from services.exchange.orders.oversight import router as oversight
from services.exchange.orders.records import router as records
from services.exchange.orders.routes import router as orders
from services.exchange.settings import Settings
from shared.runtime import Runtime, service_app
from shared.webhooks.routes import webhook_router

webhooks = webhook_router(
    "/api/v1/exchange/webhooks", allowed=("exchange:buy", "exchange:sell"), events=EVENTS
)


def create_runtime(settings: Settings) -> Runtime:
    return Runtime("exchange", settings)


def create_app(settings: Settings, runtime: Runtime | None = None) -> FastAPI:
    runtime = runtime or create_runtime(settings)

    async def books() -> dict[str, Any]:
        async with runtime.sessions() as session:
            return await reconciliation.summary(session)

    return service_app(
        runtime,
        title="산학협력 마일리지 — 거래소",
        routers=[
            listings,
            oversight,
            orders,
            records,
            notifications,
            webhooks,
            evidence_claims.internal,
        ],
        state={
            "ledger": Ledger(runtime.identity, settings.accrual_url),
            "institutions": Institutions(
                runtime.sessions, Directory(runtime.identity, settings.auth_url)
            ),
        },
        notes={"reconciliation": books},
    )
