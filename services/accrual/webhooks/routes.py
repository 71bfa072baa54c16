"""Webhooks over HTTP: for partner systems and for the institution's main account."""

from services.accrual.webhooks.rules import EVENTS
from shared.webhooks.routes import webhook_router

router = webhook_router(
    "/api/v1/accrual/webhooks", allowed=("accrual:push", "accrual:apply"), events=EVENTS
)
