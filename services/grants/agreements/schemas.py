"""JSON of the agreements."""

from datetime import date
from uuid import UUID

from shared.schemas import Body, Schema


class AgreeIn(Body):
    agreed_on: date


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
