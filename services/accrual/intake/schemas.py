"""Answers of the partner intake."""

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict

from services.accrual.applications.models import Application
from services.accrual.intake.models import IntakeApplication, IntakeBatch, IntakeRow
from shared.problems import Lang
from shared.schemas import Body, FindingOut, Schema

BatchState = Literal["queued", "submitting", "finished"]
RowStatus = Literal["accepted", "unchanged", "rejected", "superseded"]

BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-ndjson": {
                "schema": {"type": "string"},
                "example": '{"external_id":"2026-1-0001","cells":{"brn":"1048203590","…":"…"}}\n',
            },
            "application/json": {
                "schema": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["external_id", "cells"],
                        "properties": {
                            "external_id": {"type": "string", "maxLength": 100},
                            "cells": {"type": "object", "additionalProperties": True},
                        },
                    },
                }
            },
        },
    }
}
"""The body is read as a stream, so FastAPI cannot describe it by itself."""


class IntakeFileOut(Schema):
    id: UUID
    kind: str
    name: str
    media_type: str
    size: int
    sha256: str
    uploaded_at: datetime


class BatchOut(Schema):
    """`done` of `total` lines are judged: accepted, unchanged (known already) or rejected."""

    id: UUID
    external_id: str
    field: str
    submit: bool
    test_mode: bool
    state: BatchState
    total: int
    done: int
    accepted: int
    unchanged: int
    rejected: int
    created_at: datetime
    finished_at: datetime | None


class MadeOut(Schema):
    """An application made of the batch; `findings` say why it could not be submitted."""

    application_id: UUID
    outcome: Literal["draft", "submitted", "refused"]
    number: str | None
    state: str | None
    row_count: int | None
    mileage: int | None
    findings: list[FindingOut]

    @classmethod
    def of(cls, made: IntakeApplication, application: Application | None) -> Self:
        known = ("number", "state", "row_count", "mileage")
        return cls.model_validate(
            {
                "application_id": made.application_id,
                "outcome": made.outcome,
                "findings": made.findings,
                **{name: getattr(application, name, None) for name in known},
            }
        )


class BatchDetailOut(BatchOut):
    applications: list[MadeOut]

    @classmethod
    def of(
        cls, batch: IntakeBatch, made: list[tuple[IntakeApplication, Application | None]]
    ) -> Self:
        return cls.model_validate(
            {
                **BatchOut.model_validate(batch).model_dump(),
                "applications": [MadeOut.of(*one) for one in made],
            }
        )


class ResultOut(Schema):
    """What became of a line; `number` is the row of the application it became."""

    line: int
    external_id: str | None
    status: RowStatus
    application_id: UUID | None
    number: int | None
    findings: list[FindingOut]

    @classmethod
    def of(cls, row: IntakeRow, lang: Lang) -> Self:
        return cls.model_validate(
            {
                "line": row.line,
                "external_id": row.external_id,
                "status": row.status,
                "application_id": row.application_id,
                "number": row.number,
                "findings": [_finding(one, lang) for one in row.findings or ()],
            }
        )


class SimulateIn(Body):
    model_config = ConfigDict(json_schema_extra={"example": {"outcome": "approve"}})

    outcome: Literal["approve", "return", "reject"]


def _finding(told: dict[str, Any], lang: Lang) -> FindingOut:
    message = told["message"] if lang == "ko" else told["message_en"]
    return FindingOut.model_validate({**told, "message": message})
