"""What the internal institution routes take and give."""

from datetime import date
from uuid import UUID

from pydantic import Field

from shared.schemas import Body, Schema

MAX_COMPANIES = 5_000


class CompanyIn(Body):
    brn: str = Field(max_length=40, examples=["1048203590"])
    name: str = Field(default="", max_length=500)


class ResolveIn(Body):
    companies: list[CompanyIn] = Field(max_length=MAX_COMPANIES)
    create: bool = False


class ResolvedOut(Schema):
    """`name` is the registered name; `merged_into` the company this one became part of;
    `closed_on` the day it was closed (폐업), for the reviewer of something that happened later."""

    brn: str
    institution_id: UUID
    kind: str
    name: str
    status: str
    closed_on: date | None
    merged_into: UUID | None
    created: bool


class ResolveOut(Schema):
    items: list[ResolvedOut]


class LookupIn(Body):
    ids: list[UUID] = Field(max_length=MAX_COMPANIES)


class FoundCampusOut(Schema):
    name: str
    capital_area: bool


class FoundInstitutionOut(Schema):
    """`capital_area` is the head office's; programmes may ask for a campus's instead."""

    institution_id: UUID
    kind: str
    name: str
    brn: str | None
    status: str
    capital_area: bool
    campuses: list[FoundCampusOut]


class LookupOut(Schema):
    items: list[FoundInstitutionOut]


class TakenInOut(Schema):
    """`institution_id` is null in a preview: nothing was saved."""

    row: int
    kind: str
    name: str
    login_id: str
    institution_id: UUID | None


class IntakeOut(Schema):
    saved: bool
    items: list[TakenInOut]
