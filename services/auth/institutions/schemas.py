"""What the institution routes take and give."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from services.auth.institutions.rules import EMAIL, PHONE, POSTCODE, Kind, Status
from shared.schemas import Body, FindingOut, Schema

Phone = Annotated[str, StringConstraints(pattern=PHONE), Field(examples=["02-6050-0000"])]
Email = Annotated[
    str, StringConstraints(pattern=EMAIL, max_length=254), Field(examples=["a@hanbit.example"])
]
Postcode = Annotated[str, StringConstraints(pattern=POSTCODE), Field(examples=["04513"])]
Person = Annotated[str, StringConstraints(min_length=1, max_length=50)]
CompanySize = Literal["large", "medium", "small"]


class ProfileIn(Body):
    """M-005. `*` in the form: address, department and mobile number of the person in charge."""

    postcode: Postcode
    address: str = Field(min_length=1, max_length=300)
    phone: Phone | None = Field(default=None, description="대표 연락처")
    university_code: str | None = Field(default=None, max_length=20)
    admin_name: Person | None = None
    admin_phone: Phone | None = None
    admin_email: Email | None = None
    manager_name: Person | None = None
    manager_department: str = Field(min_length=1, max_length=100)
    manager_phone: Phone | None = None
    manager_mobile: Phone
    manager_email: Email | None = None
    ceo_name: Person | None = None
    company_size: CompanySize | None = None
    industry: str | None = Field(default=None, max_length=100)


class InstitutionOut(Schema):
    """An institution in full. For the operator the people are masked; seeing them in full asks
    for a purpose and is put on record."""

    id: UUID
    kind: str
    status: str
    name: str
    brn: str | None
    corporate_no: str | None
    homepage: str | None
    capital_area: bool
    postcode: str | None
    address: str | None
    phone: str | None
    university_code: str | None
    admin_name: str | None
    admin_phone: str | None
    admin_email: str | None
    manager_name: str | None
    manager_department: str | None
    manager_phone: str | None
    manager_mobile: str | None
    manager_email: str | None
    ceo_name: str | None
    company_size: str | None
    industry: str | None
    closed_on: date | None
    registry_checked_at: datetime | None
    merged_into_id: UUID | None
    version: int


class EntryIn(Body):
    kind: Kind
    name: str = Field(min_length=1, max_length=200)
    brn: str | None = Field(default=None, max_length=20, examples=["104-82-03590"])
    corporate_no: str | None = Field(default=None, pattern=r"^[0-9]{13}$")
    homepage: str | None = Field(default=None, max_length=200)
    capital_area: bool = False
    status: Literal[Status.ACTIVE, Status.DORMANT, Status.CLOSED] = Status.ACTIVE
    closed_on: date | None = None
    ceo_name: Person | None = None
    company_size: CompanySize | None = None
    industry: str | None = Field(default=None, max_length=100)


class LineOut(Schema):
    id: UUID
    kind: str
    status: str
    name: str
    brn: str | None
    capital_area: bool
    merged_into_id: UUID | None


class DirectoryOut(Schema):
    """What members may know of each other."""

    id: UUID
    kind: str
    name: str
    capital_area: bool


class MergeIn(Body):
    into_brn: str = Field(max_length=20)


class PurposeIn(Body):
    purpose: str = Field(min_length=5, max_length=200, description="열람 목적")


class ReasonIn(Body):
    reason: str = Field(min_length=2, max_length=200)


class CampusIn(Body):
    name: str = Field(min_length=1, max_length=100)
    postcode: Postcode | None = None
    address: str | None = Field(default=None, max_length=300)
    capital_area: bool


class CampusOut(Schema):
    id: UUID
    name: str
    postcode: str | None
    address: str | None
    capital_area: bool


class CampusesOut(Schema):
    items: list[CampusOut]


class SuccessorOut(Schema):
    brn: str | None
    name: str


class CompanyOut(Schema):
    """A company as universities and agencies see it (M-055); its people masked. `merged_into` is
    the company that goes on for it, after all mergers."""

    institution_id: UUID
    brn: str
    name: str
    status: str
    address: str | None
    ceo_name: str | None
    company_size: str | None
    industry: str | None
    manager_name: str | None
    manager_department: str | None
    closed_on: date | None
    registry_checked_at: datetime | None
    merged_into: SuccessorOut | None


class CompanyCheckIn(Body):
    brn: str = Field(max_length=40)
    name: str = Field(default="", max_length=200)


class CompanyCheckOut(Schema):
    """`shown_name` is 입력기업명 (상세기업명); `findings` may be errors or warnings."""

    brn: str
    institution_id: UUID | None
    registered_name: str | None
    shown_name: str
    findings: list[FindingOut]
