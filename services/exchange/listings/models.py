"""Tables of the listings: what is offered, at which price, when it is open and what is booked."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Identity,
    Index,
    String,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INT8RANGE, JSONB, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, defer, mapped_column

from services.exchange.base import Base
from services.exchange.listings.rules import Kind, Status, Unit, UseMode
from shared.db import HasId, HasTimes, one_of


class Institution(Base):
    """What the auth service last said about an institution we deal with."""

    __tablename__ = "institution"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(200))
    brn: Mapped[str | None] = mapped_column(String(10))
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Listing(Base, HasId, HasTimes):
    """Equipment, a facility or an analysis a university offers (M-042)."""

    __tablename__ = "listing"
    __table_args__ = (
        one_of("kind", Kind),
        one_of("use_mode", UseMode),
        one_of("unit", Unit),
        one_of("status", Status),
        CheckConstraint("price_won > 0", name="price_positive"),
        CheckConstraint("1 <= min_quantity AND min_quantity <= max_quantity", name="quantities"),
        CheckConstraint("late_fee_percent BETWEEN 0 AND 100", name="late_fee"),
        CheckConstraint("no_show_fee_percent BETWEEN 0 AND 100", name="no_show_fee"),
        CheckConstraint(
            "(status = 'suspended') = (suspended_reason IS NOT NULL)", name="suspension_has_reason"
        ),
        # What a slot's number leaves room for: see `Slot`.
        CheckConstraint("number < 536870912", name="number_fits_a_slot"),
        Index("ix_listing_search_terms", "search_terms", postgresql_using="gin"),
        Index("ix_listing_newest", "listed_at", "id", postgresql_where=text("status = 'listed'")),
        Index("ix_listing_seller", "seller_id", "id"),
    )

    number: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    seller_id: Mapped[UUID]
    seller_name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    use_mode: Mapped[str] = mapped_column(String(20))
    unit: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    maker: Mapped[str | None] = mapped_column(String(100))
    model: Mapped[str | None] = mapped_column(String(100))
    location: Mapped[str] = mapped_column(String(200))
    zeus_number: Mapped[str | None] = mapped_column(String(40))
    nfec_number: Mapped[str | None] = mapped_column(String(40))
    price_won: Mapped[int] = mapped_column(BigInteger)
    rate_card_version: Mapped[int]
    min_quantity: Mapped[int]
    max_quantity: Mapped[int]
    terms: Mapped[str] = mapped_column(Text)
    free_cancel_hours: Mapped[int]
    late_fee_percent: Mapped[int]
    no_show_fee_percent: Mapped[int]
    training_required: Mapped[bool]
    training_note: Mapped[str | None] = mapped_column(Text)
    lead_time_hours: Mapped[int]
    answer_within_hours: Mapped[int]
    calendar: Mapped[dict[str, Any]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(String(20))
    suspended_reason: Mapped[str | None] = mapped_column(Text)
    listed_at: Mapped[datetime | None]
    search_text: Mapped[str] = mapped_column(Text)
    search_terms: Mapped[list[str]] = mapped_column(ARRAY(Text))
    version: Mapped[int] = mapped_column(server_default="1")


BULKY = tuple(
    defer(column, raiseload=True)
    for column in (Listing.search_text, Listing.search_terms, Listing.description)
)
"""Options for queries that need none of the long texts."""


class RateCard(Base, HasId):
    """Every price a listing ever had; orders name the version they were made under."""

    __tablename__ = "rate_card"
    __table_args__ = (UniqueConstraint("listing_id", "version"),)

    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listing.id", ondelete="CASCADE"))
    version: Mapped[int]
    price_won: Mapped[int] = mapped_column(BigInteger)
    set_by: Mapped[str] = mapped_column(String(100))
    set_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Photo(Base, HasId):
    __tablename__ = "photo"

    listing_id: Mapped[UUID] = mapped_column(
        ForeignKey("listing.id", ondelete="CASCADE"), index=True
    )
    key: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Access(Base, HasId):
    """A buyer's leave to order what needs training first: asked for, granted, revoked."""

    __tablename__ = "access"
    __table_args__ = (
        UniqueConstraint("listing_id", "buyer_id"),
        CheckConstraint("state IN ('requested', 'granted', 'revoked')", name="state"),
    )

    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listing.id", ondelete="CASCADE"))
    buyer_id: Mapped[UUID]
    buyer_name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20))
    note: Mapped[str | None] = mapped_column(Text)
    valid_until: Mapped[date | None]
    requested_at: Mapped[datetime] = mapped_column(server_default=func.now())
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(100))


class Slot(Base):
    """A time taken. The database itself keeps two orders from the same time.

    An exclusion constraint over (listing, time) needs btree_gist, which not every PostgreSQL has;
    a single range type does not. So listing and time share one axis: the listing's number in the
    high 29 bits, the second since 1970 in the low 34 (until the year 2514). Ranges of different
    listings can never meet, and all of it is exact integers.
    """

    __tablename__ = "slot"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="order"),
        ExcludeConstraint(("span", "&&"), name="ex_slot_span", using="gist"),
        Index("ix_slot_listing", "listing_number", "starts_at"),
    )

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    listing_number: Mapped[int] = mapped_column(BigInteger)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    span: Mapped[Range[int]] = mapped_column(
        INT8RANGE,
        Computed(
            "int8range("
            "listing_number * 17179869184"
            " + EXTRACT(epoch FROM starts_at - '1970-01-01 00:00:00+00'::timestamptz)::bigint, "
            "listing_number * 17179869184"
            " + EXTRACT(epoch FROM ends_at - '1970-01-01 00:00:00+00'::timestamptz)::bigint)",
            persisted=True,
        ),
    )
