"""Composition root of the accrual service."""

from fastapi import FastAPI

from services.accrual import evidence_claims
from services.accrual.applications import review_routes, row_routes, template_routes
from services.accrual.applications import routes as applications
from services.accrual.certificates import routes as certificates
from services.accrual.criteria import routes as criteria
from services.accrual.events import EVENTS
from services.accrual.intake import routes as intake
from services.accrual.ledger import adjustment_routes
from services.accrual.ledger import routes as ledger
from services.accrual.settings import Settings
from services.accrual.statistics import routes as statistics
from services.accrual.utilisations import routes as utilisations
from shared.runtime import Runtime, service_app
from shared.webhooks.routes import webhook_router

webhooks = webhook_router(
    "/api/v1/accrual/webhooks", allowed=("accrual:push", "accrual:apply"), events=EVENTS
)


def create_runtime(settings: Settings) -> Runtime:
    return Runtime("accrual", settings)


def create_app(settings: Settings, runtime: Runtime | None = None) -> FastAPI:
    runtime = runtime or create_runtime(settings)
    return service_app(
        runtime,
        title="산학협력 마일리지 — 적립",
        routers=[
            criteria.router,
            template_routes.router,
            applications.router,
            row_routes.router,
            review_routes.router,
            intake.router,
            webhooks,
            adjustment_routes.router,
            ledger.router,
            ledger.internal,
            utilisations.router,
            certificates.router,
            statistics.router,
            statistics.internal,
            evidence_claims.internal,
        ],
    )
