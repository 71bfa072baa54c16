"""Schemas every service's API has in common."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_INT = 2**31 - 1  # PostgreSQL's `integer`; what a client sends is bounded before it gets there

Version = Annotated[int, Field(ge=1, le=MAX_INT)]
Day = Annotated[date, Field(ge=date(1990, 1, 1), le=date(2199, 12, 31))]
"""A day that terms are counted from: years may be added without leaving the calendar."""


class Schema(BaseModel):
    """Base of answers: made from ORM rows; no defaults, so that every field is always there."""

    model_config = ConfigDict(from_attributes=True)


class Body(BaseModel):
    """Base of request bodies: an unknown field is a finding, never silently dropped."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class FindingOut(BaseModel):
    """One finding: where, what, and how to mend it."""

    pointer: str
    code: str
    message: str
    level: Literal["error", "warning"]
    row: int | None = None
    field: str | None = None
    params: dict[str, Any] | None = None
    suggestion: str | None = None
    rule: str | None = None
    citation: str | None = None


class ProblemOut(BaseModel):
    """RFC 9457 problem details with our extensions."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "/docs/errors#STATE_CONFLICT",
                "title": "'승인' 상태에서는 할 수 없습니다.",
                "status": 409,
                "detail": "'승인' 상태에서는 할 수 없습니다.",
                "instance": "/api/v1/accrual/applications/0199…/cancel",
                "code": "STATE_CONFLICT",
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            }
        }
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    trace_id: str
    params: dict[str, Any] | None = None
    errors: list[FindingOut] | None = None


class MarksIn(Body):
    """By what documents and payments are known: references, numbers, SHA-256 of files."""

    marks: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=500)
    ]


class MarkFound(BaseModel):
    """A mark that is in use, and where, in words for people."""

    mark: str
    where: str


class MarksFound(BaseModel):
    """The marks that are in use here; the others are not."""

    items: list[MarkFound]
