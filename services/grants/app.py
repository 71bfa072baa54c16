"""Composition root of the grants service."""

from fastapi import FastAPI

from services.grants.agreements import amendment_routes as amendments
from services.grants.agreements import duty_routes as duties
from services.grants.agreements import routes as agreements
from services.grants.agreements import year_routes as years
from services.grants.certification import routes as certification
from services.grants.clients import Counterpart, Directory, Mileage
from services.grants.evaluation import procedure_routes
from services.grants.evaluation import routes as evaluation
from services.grants.expenses import routes as expenses
from services.grants.programmes import routes as programmes
from services.grants.proposals import paper_routes as proposal_papers
from services.grants.proposals import routes as proposals
from services.grants.settings import Settings
from services.grants.settlement import routes as settlement
from shared.runtime import Runtime, service_app


def create_runtime(settings: Settings) -> Runtime:
    return Runtime("grants", settings)


def create_app(settings: Settings, runtime: Runtime | None = None) -> FastAPI:
    runtime = runtime or create_runtime(settings)
    return service_app(
        runtime,
        title="산학협력 마일리지 — 지원사업",
        routers=[
            programmes.router,
            programmes.internal,
            proposals.router,
            proposal_papers.router,
            procedure_routes.router,
            evaluation.router,
            certification.router,
            certification.internal,
            agreements.router,
            amendments.router,
            years.router,
            duties.router,
            expenses.router,
            settlement.router,
        ],
        state={
            "directory": Directory(runtime.identity, settings.auth_url),
            "mileage": Mileage(runtime.identity, settings.accrual_url),
            "counterparts": (
                Counterpart(
                    runtime.identity, "accrual", settings.accrual_url, scope="accrual:read"
                ),
                Counterpart(
                    runtime.identity, "exchange", settings.exchange_url, scope="exchange:read"
                ),
            ),
        },
    )
