"""Institutions: universities and their IACFs, companies, agencies, the operator, the ministry."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from services.auth.base import Base
from services.auth.institutions.rules import Kind, Status
from shared.db import HasId, HasTimes, one_of


class Institution(HasId, HasTimes, Base):
    """One member of the platform. Companies are known by `brn`, their business registration
    number; `capital_area` says whether the head office lies in the capital area (S2)."""

    __tablename__ = "institution"

    kind: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20), server_default=Status.ACTIVE)
    name: Mapped[str] = mapped_column(String(200))
    brn: Mapped[str | None] = mapped_column(String(10), unique=True)
    corporate_no: Mapped[str | None] = mapped_column(String(13))
    homepage: Mapped[str | None] = mapped_column(String(200))
    capital_area: Mapped[bool] = mapped_column(server_default=text("false"))
    version: Mapped[int] = mapped_column(server_default=text("1"))

    # M-005: what the accrual institution keeps up to date itself
    postcode: Mapped[str | None] = mapped_column(String(5))
    address: Mapped[str | None] = mapped_column(String(300))
    phone: Mapped[str | None] = mapped_column(String(20))
    university_code: Mapped[str | None] = mapped_column(String(20))
    admin_name: Mapped[str | None] = mapped_column(String(50))
    admin_phone: Mapped[str | None] = mapped_column(String(20))
    admin_email: Mapped[str | None] = mapped_column(String(254))
    manager_name: Mapped[str | None] = mapped_column(String(50))
    manager_department: Mapped[str | None] = mapped_column(String(100))
    manager_phone: Mapped[str | None] = mapped_column(String(20))
    manager_mobile: Mapped[str | None] = mapped_column(String(20))
    manager_email: Mapped[str | None] = mapped_column(String(254))

    # M-055: what the company registry knows
    ceo_name: Mapped[str | None] = mapped_column(String(50))
    company_size: Mapped[str | None] = mapped_column(String(20))
    industry: Mapped[str | None] = mapped_column(String(100))
    closed_on: Mapped[date | None]
    registry_checked_at: Mapped[datetime | None]
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("institution.id"))

    __table_args__ = (
        one_of("kind", Kind),
        one_of("status", Status),
        CheckConstraint("brn ~ '^[0-9]{10}$'", name="brn"),
        CheckConstraint("kind <> 'company' OR brn IS NOT NULL", name="company_has_brn"),
        CheckConstraint("company_size IN ('large', 'medium', 'small')", name="company_size"),
        CheckConstraint("merged_into_id <> id", name="merged_elsewhere"),
        Index(None, "kind", "name"),
        Index(None, "merged_into_id"),
    )


class Campus(HasId, HasTimes, Base):
    """A place of a university: programmes ask where the *graduate school* is, not the head."""

    __tablename__ = "campus"

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"))
    name: Mapped[str] = mapped_column(String(100))
    postcode: Mapped[str | None] = mapped_column(String(5))
    address: Mapped[str | None] = mapped_column(String(300))
    capital_area: Mapped[bool]

    __table_args__ = (Index(None, "institution_id", "name", unique=True),)
