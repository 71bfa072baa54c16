"""Bodies and answers of the webhooks API."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from shared.schemas import Body, Schema

Url = Annotated[str, Field(min_length=8, max_length=500)]
Events = Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=20)]
State = Literal["pending", "delivered", "failed"]


class EndpointIn(Body):
    """An empty `events` means all of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "url": "https://partner.example.ac.kr/hooks/mileage",
                "description": "학사 시스템",
                "events": [],
            }
        }
    )

    url: Url
    description: str = Field(default="", max_length=200)
    events: Events = Field(default_factory=list)


class EndpointPut(EndpointIn):
    active: bool = True


class EndpointOut(Schema):
    id: UUID
    url: str
    description: str
    events: list[str]
    test_mode: bool
    active: bool
    disabled_reason: str | None
    generation: int
    previous_until: datetime | None
    created_at: datetime


class SecretOut(Schema):
    """What signatures are verified with (Standard Webhooks, `v1`)."""

    endpoint_id: UUID
    generation: int
    secret: str


class DeliveryOut(Schema):
    id: UUID
    message_id: str
    type: str
    state: State
    attempts: int
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    last_status: int | None
    last_error: str | None
    created_at: datetime


class AttemptOut(Schema):
    at: datetime
    ms: int
    status: int | None
    error: str | None
    answer: str | None


class DeliveryDetailOut(DeliveryOut):
    payload: dict[str, Any]
    log: list[AttemptOut]
