"""The survey on the wire. Points are whole numbers, days are Korean calendar days, inclusive."""

from datetime import date
from uuid import UUID

from pydantic import AwareDatetime

from shared.schemas import Body, Schema


class WindowIn(Body):
    starts_on: date
    ends_on: date
    pilot: bool


class WindowOut(Schema):
    """`days_left` until the cut-off, 0 on its day and afterwards."""

    year: int
    starts_on: date
    ends_on: date
    pilot: bool
    ended: bool
    days_left: int


class FigureOut(Schema):
    """Applications both applied for and posted inside the window; `records` are their rows."""

    field: str
    name: str
    institutions: int
    applications: int
    records: int
    points: int


class SummaryOut(Schema):
    window: WindowOut
    institutions: int
    applications: int
    records: int
    points: int
    by_field: list[FigureOut]


class InstitutionFigureOut(Schema):
    institution_id: UUID
    institution_name: str | None
    field: str
    name: str
    applications: int
    records: int
    points: int


class AtRiskOut(Schema):
    """An application that does not count as it stands. `missed`: nothing can be done any more."""

    id: UUID
    number: str
    institution_id: UUID
    institution_name: str | None
    field: str
    name: str
    state: str
    state_name: str
    applied_on: date
    posted_at: AwareDatetime | None
    mileage: int
    missed: bool


class PostedMileageOut(Schema):
    """`points` earned by the end of the day, spent or not, less revocations by then; `by_field`
    those of accrual fields, where any are left."""

    institution_id: UUID
    kind: str
    on: date
    has_posted_mileage: bool
    points: int
    by_field: dict[str, int]
