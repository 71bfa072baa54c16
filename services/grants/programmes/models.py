"""Tables of the programmes: rule sets, the catalogue, and who bookmarked what."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.grants.base import Base
from shared.db import HasId, HasTimes


class RuleSetRow(Base):
    """One version of a call's rules, as its text was given; never changed, only superseded."""

    __tablename__ = "rule_set"

    code: Mapped[str] = mapped_column(String(60), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # Text, not JSON: PostgreSQL would rewrite the numbers, and the hash is of what was published.
    body: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str] = mapped_column(String(64))


class Programme(Base, HasId, HasTimes):
    """A line of the catalogue: a call we host (with a rule set), or another agency's programme.

    `bonus_rule` says what mileage buys there (M-050). `rolling`: proposals are looked at as they
    come (상시 접수), so that the last version before the pre-review counts; in any other call it is
    the last one before the deadline (G-004).
    """

    __tablename__ = "programme"
    __table_args__ = (
        ForeignKeyConstraint(
            ["rule_set_code", "rule_set_version"], ["rule_set.code", "rule_set.version"]
        ),
        CheckConstraint("kind IN ('hosted', 'external', 'certification')", name="kind"),
        CheckConstraint("state IN ('draft', 'published', 'withdrawn')", name="state"),
        CheckConstraint("opens_at < closes_at", name="period"),
        CheckConstraint(
            "(kind <> 'external') = (rule_set_code IS NOT NULL)", name="hosted_has_rule_set"
        ),
        CheckConstraint(
            "(rule_set_code IS NULL) = (rule_set_version IS NULL)", name="rule_set_whole"
        ),
        CheckConstraint("NOT rolling OR kind = 'hosted'", name="rolling_is_hosted"),
        Index("ix_programme_closes_at_id", "closes_at", "id"),
        Index("ix_programme_agency_id", "agency_id"),
    )

    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10), server_default="draft")
    version: Mapped[int] = mapped_column(server_default="1")
    agency_id: Mapped[UUID]
    agency_name: Mapped[str] = mapped_column(String(200))
    ministry_name: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(String(20))
    benefit: Mapped[str] = mapped_column(String(20))
    url: Mapped[str | None] = mapped_column(String(500))
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    rolling: Mapped[bool] = mapped_column(server_default=text("false"))
    rule_set_code: Mapped[str | None] = mapped_column(String(60))
    rule_set_version: Mapped[int | None]
    bonus_rule: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    published_at: Mapped[datetime | None]


class Bookmark(Base):
    """An institution's interest in a programme (관심사업, M-053)."""

    __tablename__ = "bookmark"

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(
        ForeignKey("programme.id", ondelete="CASCADE"), primary_key=True
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Event(Base):
    """Who did what to which object, and why: append-only."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_subject_id_id", "subject_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    subject_kind: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[UUID]
    action: Mapped[str] = mapped_column(String(40))
    from_state: Mapped[str | None] = mapped_column(String(20))
    to_state: Mapped[str | None] = mapped_column(String(20))
    actor_id: Mapped[str] = mapped_column(String(64))
    actor_institution_id: Mapped[UUID | None]
    reason: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
