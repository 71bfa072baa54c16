"""Listings and orders: what is offered and booked, and what was promised to the ledger."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.migrations import refuse_changes

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "institution",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("brn", sa.String(length=10), nullable=True),
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution")),
    )
    op.create_table(
        "listing",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("seller_id", sa.Uuid(), nullable=False),
        sa.Column("seller_name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("use_mode", sa.String(length=20), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("maker", sa.String(length=100), nullable=True),
        sa.Column("model", sa.String(length=100), nullable=True),
        sa.Column("location", sa.String(length=200), nullable=False),
        sa.Column("zeus_number", sa.String(length=40), nullable=True),
        sa.Column("nfec_number", sa.String(length=40), nullable=True),
        sa.Column("price_won", sa.BigInteger(), nullable=False),
        sa.Column("rate_card_version", sa.Integer(), nullable=False),
        sa.Column("min_quantity", sa.Integer(), nullable=False),
        sa.Column("max_quantity", sa.Integer(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("free_cancel_hours", sa.Integer(), nullable=False),
        sa.Column("late_fee_percent", sa.Integer(), nullable=False),
        sa.Column("no_show_fee_percent", sa.Integer(), nullable=False),
        sa.Column("training_required", sa.Boolean(), nullable=False),
        sa.Column("training_note", sa.Text(), nullable=True),
        sa.Column("lead_time_hours", sa.Integer(), nullable=False),
        sa.Column("answer_within_hours", sa.Integer(), nullable=False),
        sa.Column("calendar", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("suspended_reason", sa.Text(), nullable=True),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("search_terms", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(status = 'suspended') = (suspended_reason IS NOT NULL)",
            name=op.f("ck_listing_suspension_has_reason"),
        ),
        sa.CheckConstraint(
            "kind IN ('equipment', 'facility', 'analysis')", name=op.f("ck_listing_kind")
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'listed', 'suspended')", name=op.f("ck_listing_status")
        ),
        sa.CheckConstraint(
            "unit IN ('hour', 'day', 'sample', 'use')", name=op.f("ck_listing_unit")
        ),
        sa.CheckConstraint(
            "use_mode IN ('direct', 'commissioned')", name=op.f("ck_listing_use_mode")
        ),
        sa.CheckConstraint(
            "1 <= min_quantity AND min_quantity <= max_quantity", name=op.f("ck_listing_quantities")
        ),
        sa.CheckConstraint("late_fee_percent BETWEEN 0 AND 100", name=op.f("ck_listing_late_fee")),
        sa.CheckConstraint(
            "no_show_fee_percent BETWEEN 0 AND 100", name=op.f("ck_listing_no_show_fee")
        ),
        sa.CheckConstraint("number < 536870912", name=op.f("ck_listing_number_fits_a_slot")),
        sa.CheckConstraint("price_won > 0", name=op.f("ck_listing_price_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing")),
        sa.UniqueConstraint("number", name=op.f("uq_listing_number")),
    )
    op.create_index(
        "ix_listing_newest",
        "listing",
        ["listed_at", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'listed'"),
    )
    op.create_index(
        "ix_listing_search_terms", "listing", ["search_terms"], unique=False, postgresql_using="gin"
    )
    op.create_index("ix_listing_seller", "listing", ["seller_id", "id"], unique=False)
    op.create_table(
        "outbox_event",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("audience", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_event")),
    )
    op.create_index(
        "ix_outbox_event_waiting",
        "outbox_event",
        ["id"],
        unique=False,
        postgresql_where=sa.text("delivered_at IS NULL"),
    )
    op.create_table(
        "reconciliation",
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.Column("differences", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation")),
    )
    op.create_table(
        "slot",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("listing_number", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "span",
            postgresql.INT8RANGE(),
            sa.Computed(
                "int8range(listing_number * 17179869184 + EXTRACT(epoch FROM starts_at - "
                "'1970-01-01 00:00:00+00'::timestamptz)::bigint, listing_number * 17179869184 "
                "+ EXTRACT(epoch FROM ends_at - '1970-01-01 "
                "00:00:00+00'::timestamptz)::bigint)",
                persisted=True,
            ),
            nullable=False,
        ),
        postgresql.ExcludeConstraint((sa.column("span"), "&&"), using="gist", name="ex_slot_span"),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_slot_order")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_slot")),
    )
    op.create_index("ix_slot_listing", "slot", ["listing_number", "starts_at"], unique=False)
    op.create_table(
        "access",
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("buyer_id", sa.Uuid(), nullable=False),
        sa.Column("buyer_name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column(
            "requested_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=100), nullable=True),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('requested', 'granted', 'revoked')", name=op.f("ck_access_state")
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_access_listing_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access")),
        sa.UniqueConstraint("listing_id", "buyer_id", name=op.f("uq_access_listing_id_buyer_id")),
    )
    op.create_table(
        "exchange_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("listing_title", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("use_mode", sa.String(length=20), nullable=False),
        sa.Column("seller_id", sa.Uuid(), nullable=False),
        sa.Column("seller_name", sa.String(length=200), nullable=False),
        sa.Column("buyer_id", sa.Uuid(), nullable=False),
        sa.Column("buyer_name", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("unit_price_won", sa.BigInteger(), nullable=False),
        sa.Column("rate_card_version", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("fee_won", sa.BigInteger(), nullable=False),
        sa.Column("mileage", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("free_cancel_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("late_fee_percent", sa.Integer(), nullable=False),
        sa.Column("no_show_fee_percent", sa.Integer(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("use", sa.String(length=20), nullable=False),
        sa.Column("settlement", sa.String(length=20), nullable=False),
        sa.Column("lapse_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settle_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposed_quantity", sa.Integer(), nullable=True),
        sa.Column("actual_quantity", sa.Integer(), nullable=True),
        sa.Column("charged_won", sa.BigInteger(), nullable=True),
        sa.Column("mileage_charged", sa.BigInteger(), nullable=True),
        sa.Column("paid_won", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("mileage_refunded", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cash_refunded_won", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("disputed_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "settlement IN ('holding', 'held', 'posting', 'settled', 'voiding', 'released', "
            "'disputed', 'refunding', 'refunded')",
            name=op.f("ck_exchange_order_settlement"),
        ),
        sa.CheckConstraint(
            "use IN ('requested', 'accepted', 'in_use', 'completed', 'declined', 'cancelled', "
            "'expired', 'no_show', 'refused')",
            name=op.f("ck_exchange_order_use"),
        ),
        sa.CheckConstraint(
            "(charged_won IS NULL) = (mileage_charged IS NULL)",
            name=op.f("ck_exchange_order_charged"),
        ),
        sa.CheckConstraint(
            "(starts_at IS NULL) = (ends_at IS NULL)", name=op.f("ck_exchange_order_slot")
        ),
        sa.CheckConstraint(
            "0 <= charged_won AND charged_won <= fee_won", name=op.f("ck_exchange_order_charge")
        ),
        sa.CheckConstraint(
            "0 <= mileage AND mileage <= fee_won * 3 / 10000",
            name=op.f("ck_exchange_order_mileage_cap"),
        ),
        sa.CheckConstraint(
            "0 <= mileage_charged AND mileage_charged <= mileage AND mileage_charged <= "
            "charged_won * 3 / 10000",
            name=op.f("ck_exchange_order_mileage_charge"),
        ),
        sa.CheckConstraint(
            "0 <= paid_won AND 0 <= cash_refunded_won AND cash_refunded_won <= paid_won",
            name=op.f("ck_exchange_order_cash"),
        ),
        sa.CheckConstraint("buyer_id <> seller_id", name=op.f("ck_exchange_order_no_self_trade")),
        sa.CheckConstraint(
            "fee_won = unit_price_won * quantity", name=op.f("ck_exchange_order_fee")
        ),
        sa.CheckConstraint(
            "mileage_refunded BETWEEN 0 AND COALESCE(mileage_charged, 0)",
            name=op.f("ck_exchange_order_mileage_refund"),
        ),
        sa.CheckConstraint(
            "quantity > 0 AND unit_price_won > 0", name=op.f("ck_exchange_order_positive")
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_exchange_order_listing_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_order")),
        sa.UniqueConstraint("number", name=op.f("uq_exchange_order_number")),
    )
    op.create_index("ix_order_buyer", "exchange_order", ["buyer_id", "id"], unique=False)
    op.create_index(
        "ix_order_lapse",
        "exchange_order",
        ["lapse_at"],
        unique=False,
        postgresql_where=sa.text("use IN ('requested', 'accepted')"),
    )
    op.create_index("ix_order_listing", "exchange_order", ["listing_id", "id"], unique=False)
    op.create_index("ix_order_seller", "exchange_order", ["seller_id", "id"], unique=False)
    op.create_index(
        "ix_order_to_settle",
        "exchange_order",
        ["settle_after"],
        unique=False,
        postgresql_where=sa.text("settlement = 'held' AND settle_after IS NOT NULL"),
    )
    op.create_table(
        "photo",
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_photo_listing_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo")),
    )
    op.create_index(op.f("ix_photo_listing_id"), "photo", ["listing_id"], unique=False)
    op.create_table(
        "rate_card",
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("price_won", sa.BigInteger(), nullable=False),
        sa.Column("set_by", sa.String(length=100), nullable=False),
        sa.Column(
            "set_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_rate_card_listing_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rate_card")),
        sa.UniqueConstraint("listing_id", "version", name=op.f("uq_rate_card_listing_id_version")),
    )
    op.create_table(
        "message",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("party", sa.String(length=10), nullable=False),
        sa.Column("author", sa.String(length=100), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["exchange_order.id"], name=op.f("fk_message_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_index("ix_message_order", "message", ["order_id", "id"], unique=False)
    op.create_table(
        "movement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("cash_won", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=10), server_default="intended", nullable=False),
        sa.Column("answer", sa.String(length=100), nullable=True),
        sa.Column("actor", sa.String(length=100), nullable=True),
        sa.Column(
            "try_after",
            sa.DateTime(timezone=True),
            server_default=sa.text("now() + interval '30 seconds'"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('hold', 'post', 'void', 'reversal')", name=op.f("ck_movement_kind")
        ),
        sa.CheckConstraint(
            "state IN ('intended', 'done', 'refused', 'given_up')", name=op.f("ck_movement_state")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_movement_amount")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["exchange_order.id"], name=op.f("fk_movement_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_movement")),
    )
    op.create_index("ix_movement_order", "movement", ["order_id"], unique=False)
    op.create_index(
        "ix_movement_waiting",
        "movement",
        ["try_after"],
        unique=False,
        postgresql_where=sa.text("state = 'intended'"),
    )
    op.create_index(
        "uq_movement_open",
        "movement",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("state = 'intended'"),
    )
    op.create_table(
        "order_event",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(length=30), nullable=False),
        sa.Column("party", sa.String(length=10), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("use", sa.String(length=20), nullable=False),
        sa.Column("settlement", sa.String(length=20), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint(
            "party IN ('buyer', 'seller', 'operator', 'system')", name=op.f("ck_order_event_party")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["exchange_order.id"], name=op.f("fk_order_event_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_event")),
    )
    op.create_index("ix_order_event_order", "order_event", ["order_id", "id"], unique=False)
    op.create_table(
        "order_file",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=10), nullable=False),
        sa.Column("uploaded_by", sa.String(length=100), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["exchange_order.id"], name=op.f("fk_order_file_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_file")),
    )
    op.create_index("ix_order_file_order", "order_file", ["order_id", "id"], unique=False)
    op.create_table(
        "payment",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("direction", sa.String(length=10), nullable=False),
        sa.Column("amount_won", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_by", sa.String(length=100), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint(
            "direction IN ('received', 'returned')", name=op.f("ck_payment_direction")
        ),
        sa.CheckConstraint(
            "method IN ('transfer', 'card', 'other')", name=op.f("ck_payment_method")
        ),
        sa.CheckConstraint("amount_won > 0", name=op.f("ck_payment_amount")),
        sa.ForeignKeyConstraint(["file_id"], ["order_file.id"], name=op.f("fk_payment_file_id")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["exchange_order.id"], name=op.f("fk_payment_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
    )
    op.create_index("ix_payment_order", "payment", ["order_id", "id"], unique=False)
    for table in ("order_event", "payment", "message"):
        refuse_changes(table)
