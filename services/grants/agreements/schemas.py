"""JSON of the agreements."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from shared.schemas import Body, Schema

Change = Literal[
    "person",
    "study",
    "internal_change",
    "approved_change",
    "reallocation",
    "trip",
    "trait",
    "carry_over",
]


class AgreeIn(Body):
    agreed_on: date


class ChangeIn(Body):
    """A change of the plan. `body` depends on `kind`; decimals as text, days as YYYY-MM-DD."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "kind": "reallocation",
                "body": {
                    "source": "books",
                    "target": "meeting",
                    "fund": "grant",
                    "won": 500_000,
                },
                "reason": "교육위원회 횟수 증가",
            }
        }
    )

    kind: Change
    body: dict[str, Any]
    reason: Annotated[str, Field(min_length=1, max_length=4000)]


class ChangeOut(Schema):
    seq: int
    kind: str
    body: dict[str, Any]
    reason: str
    party: str
    recorded_by: str
    recorded_at: datetime


class AgreementOut(Schema):
    id: UUID
    proposal_id: UUID
    programme_id: UUID
    agency_id: UUID
    institution_id: UUID
    institution_name: str
    title: str
    state: str
    agreed_on: date
    year_start: date
    year_end: date
    plan_version: int
