"""Webhooks over HTTP, the same for every service that has them."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from shared.caller import requires
from shared.clock import utc_now
from shared.db import Session
from shared.paging import Page, Paging
from shared.tokens import Claims
from shared.webhooks import service, signing
from shared.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookMessage
from shared.webhooks.schemas import (
    AttemptOut,
    DeliveryDetailOut,
    DeliveryOut,
    EndpointIn,
    EndpointOut,
    EndpointPut,
    SecretOut,
)
from shared.webhooks.service import Policy, Wanted
from shared.webhooks.settings import WebhookSettings


def webhook_router(prefix: str, *, allowed: Sequence[str], events: frozenset[str]) -> APIRouter:
    """The routes under `prefix`, for whoever has one of the permissions `allowed`.

    `events` are the names an endpoint may ask for.
    """
    router = APIRouter(prefix=prefix, tags=["웹훅"])
    caller = Depends(requires(*allowed))
    _add_endpoints(router, caller, events)
    _add_deliveries(router, caller)
    return router


async def _settings(request: Request) -> WebhookSettings:
    settings: WebhookSettings = request.app.state.runtime.settings
    return settings


Conf = Annotated[WebhookSettings, Depends(_settings)]


def _add_endpoints(router: APIRouter, caller: Any, events: frozenset[str]) -> None:
    known = "이벤트: " + ", ".join(f"`{name}`" for name in sorted(events))

    @router.get("", response_model=list[EndpointOut], summary="웹훅 목록")
    async def list_endpoints(*, developer: Claims = caller, session: Session) -> list[EndpointOut]:
        found = await service.endpoints(session, developer)
        return [EndpointOut.model_validate(endpoint) for endpoint in found]

    @router.post(
        "", response_model=EndpointOut, status_code=201, summary="웹훅 등록", description=known
    )
    async def register_endpoint(
        *, body: EndpointIn, developer: Claims = caller, session: Session, settings: Conf
    ) -> EndpointOut:
        policy = Policy(events, settings.webhook_private_targets)
        endpoint = await service.register(session, developer, _wanted(body), policy)
        return EndpointOut.model_validate(endpoint)

    @router.put(
        "/{endpoint_id}", response_model=EndpointOut, summary="웹훅 변경", description=known
    )
    async def change_endpoint(
        *,
        endpoint_id: UUID,
        body: EndpointPut,
        developer: Claims = caller,
        session: Session,
        settings: Conf,
    ) -> EndpointOut:
        policy = Policy(events, settings.webhook_private_targets)
        endpoint = await service.change(
            session, developer, endpoint_id, _wanted(body), policy, active=body.active
        )
        return EndpointOut.model_validate(endpoint)

    @router.delete("/{endpoint_id}", status_code=204, summary="웹훅 삭제")
    async def remove_endpoint(
        *, endpoint_id: UUID, developer: Claims = caller, session: Session
    ) -> None:
        await service.remove(session, developer, endpoint_id)

    @router.get("/{endpoint_id}/secret", response_model=SecretOut, summary="서명 비밀값")
    async def read_secret(
        *, endpoint_id: UUID, developer: Claims = caller, session: Session, settings: Conf
    ) -> SecretOut:
        return _secret(await service.find(session, developer, endpoint_id), settings)

    @router.post("/{endpoint_id}/rotate", response_model=SecretOut, summary="비밀값 교체")
    async def rotate_secret(
        *, endpoint_id: UUID, developer: Claims = caller, session: Session, settings: Conf
    ) -> SecretOut:
        """하루 동안은 이전 비밀값으로도 서명합니다."""
        endpoint = await service.rotate(session, developer, endpoint_id, now=utc_now())
        return _secret(endpoint, settings)


def _add_deliveries(router: APIRouter, caller: Any) -> None:
    @router.post(
        "/{endpoint_id}/ping",
        response_model=DeliveryDetailOut,
        status_code=202,
        summary="시험 발송",
    )
    async def ping_endpoint(
        *, endpoint_id: UUID, developer: Claims = caller, session: Session
    ) -> DeliveryDetailOut:
        sent = await service.ping(session, developer, endpoint_id)
        return await _detail(session, developer, sent.id)

    @router.get("/{endpoint_id}/deliveries", response_model=Page[DeliveryOut], summary="발송 기록")
    async def list_deliveries(
        *,
        endpoint_id: UUID,
        developer: Claims = caller,
        session: Session,
        page: Paging,
    ) -> Page[DeliveryOut]:
        found, next_cursor, total = await service.deliveries(session, developer, endpoint_id, page)
        items = [DeliveryOut.model_validate(_fields(*one)) for one in found]
        return Page(items=items, next_cursor=next_cursor, total=total)

    @router.get(
        "/deliveries/{delivery_id}", response_model=DeliveryDetailOut, summary="발송 기록 상세"
    )
    async def read_delivery(
        *, delivery_id: UUID, developer: Claims = caller, session: Session
    ) -> DeliveryDetailOut:
        return await _detail(session, developer, delivery_id)

    @router.post(
        "/deliveries/{delivery_id}/replay",
        response_model=DeliveryDetailOut,
        status_code=202,
        summary="다시 보내기",
    )
    async def replay_delivery(
        *, delivery_id: UUID, developer: Claims = caller, session: Session
    ) -> DeliveryDetailOut:
        await service.replay(session, developer, delivery_id)
        return await _detail(session, developer, delivery_id)


def _wanted(body: EndpointIn) -> Wanted:
    return Wanted(body.url, body.description, body.events)


def _secret(endpoint: WebhookEndpoint, settings: WebhookSettings) -> SecretOut:
    secret = signing.secret(settings.webhook_signing_key, endpoint.id, endpoint.generation)
    return SecretOut(endpoint_id=endpoint.id, generation=endpoint.generation, secret=secret)


def _fields(delivery: WebhookDelivery, message: WebhookMessage) -> dict[str, Any]:
    columns = WebhookDelivery.__table__.columns
    return {
        **{column.name: getattr(delivery, column.name) for column in columns},
        "message_id": f"msg_{message.id.hex}",
        "type": message.type,
        "created_at": message.created_at,
    }


async def _detail(session: Session, developer: Claims, delivery_id: UUID) -> DeliveryDetailOut:
    delivery, message, attempts = await service.delivery(session, developer, delivery_id)
    return DeliveryDetailOut.model_validate(
        {
            **_fields(delivery, message),
            "payload": message.payload,
            "log": [AttemptOut.model_validate(attempt) for attempt in attempts],
        }
    )
