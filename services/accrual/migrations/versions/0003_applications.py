"""Applications: rows, claims, totals, evidence, comments, the trace, and the year's numbers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.migrations import refuse_changes

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "application",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("institution_name", sa.String(length=200), nullable=True),
        sa.Column("field", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="draft", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("memo", sa.String(length=2000), server_default="", nullable=False),
        sa.Column("source", sa.String(length=8), server_default="portal", nullable=False),
        sa.Column("test_mode", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("on_behalf", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=True),
        sa.Column("applied_on", sa.Date(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_by", sa.String(length=64), nullable=True),
        sa.Column("criteria_version", sa.String(length=40), nullable=True),
        sa.Column("claimed_by", sa.String(length=64), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.String(length=64), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=2000), nullable=True),
        sa.Column("row_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("company_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("mileage", sa.BigInteger(), server_default="0", nullable=False),
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
        sa.CheckConstraint("source IN ('portal', 'partner')", name=op.f("ck_application_source")),
        sa.CheckConstraint(
            "state <> 'in_review' OR claimed_by IS NOT NULL", name=op.f("ck_application_claimed")
        ),
        sa.CheckConstraint(
            "state = 'draft' OR (number IS NOT NULL AND applied_on IS NOT NULL"
            " AND submitted_by IS NOT NULL)",
            name=op.f("ck_application_numbered"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'in_review', 'returned', 'approved', 'posted',"
            " 'rejected', 'cancelled', 'revoked')",
            name=op.f("ck_application_state"),
        ),
        sa.CheckConstraint("mileage >= 0", name=op.f("ck_application_mileage")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
        sa.UniqueConstraint("number", name=op.f("uq_application_number")),
    )
    op.create_index(
        "ix_application_applied_on_id", "application", ["applied_on", "id"], unique=False
    )
    op.create_index(
        "ix_application_institution_id_id", "application", ["institution_id", "id"], unique=False
    )
    op.create_index(
        "ix_application_queue",
        "application",
        ["submitted_at", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('submitted', 'in_review', 'approved')"),
    )
    op.create_table(
        "application_event",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("acting_for", sa.String(length=64), nullable=True),
        sa.Column("trace_id", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("from_state", sa.String(length=12), nullable=True),
        sa.Column("to_state", sa.String(length=12), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_event")),
    )
    op.create_index(
        "ix_application_event_application_id_id",
        "application_event",
        ["application_id", "id"],
        unique=False,
    )
    op.create_table(
        "contract_credit",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.String(length=20), nullable=False),
        sa.Column("brn", sa.String(length=10), nullable=False),
        sa.Column("contract", sa.String(length=200), nullable=False),
        sa.Column("deposited_won", sa.BigInteger(), nullable=False),
        sa.Column("eligible_won", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "deposited_won >= 0 AND eligible_won >= 0 AND points >= 0",
            name=op.f("ck_contract_credit_whole"),
        ),
        sa.PrimaryKeyConstraint(
            "institution_id", "field", "brn", "contract", name=op.f("pk_contract_credit")
        ),
    )
    op.create_table(
        "number_counter",
        sa.Column("series", sa.String(length=8), nullable=False),
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", "year", name=op.f("pk_number_counter")),
    )
    op.create_table(
        "application_comment",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=True),
        sa.Column("field", sa.String(length=40), nullable=True),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint(
            "field IS NULL OR row IS NOT NULL", name=op.f("ck_application_comment_place")
        ),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_application_comment_application_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_comment")),
    )
    op.create_index(
        "ix_application_comment_application_id",
        "application_comment",
        ["application_id"],
        unique=False,
    )
    op.create_table(
        "application_company",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("brn", sa.String(length=10), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("registered_name", sa.String(length=200), nullable=True),
        sa.Column("registered_status", sa.String(length=20), nullable=True),
        sa.Column("institution_id", sa.Uuid(), nullable=True),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("mileage", sa.BigInteger(), nullable=False),
        sa.Column("contracts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_application_company_application_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("application_id", "brn", name=op.f("pk_application_company")),
    )
    op.create_index("ix_application_company_brn", "application_company", ["brn"], unique=False)
    op.create_table(
        "application_file",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("uploaded_by", sa.String(length=64), nullable=False),
        sa.Column(
            "uploaded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_application_file_application_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_file")),
    )
    op.create_index(
        "ix_application_file_application_id", "application_file", ["application_id"], unique=False
    )
    op.create_index("ix_application_file_sha256", "application_file", ["sha256"], unique=False)
    op.create_table(
        "application_row",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(length=100), nullable=True),
        sa.Column("cells", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_application_row_application_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("application_id", "number", name=op.f("pk_application_row")),
    )
    op.create_table(
        "claim",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("brn", sa.String(length=10), nullable=False),
        sa.Column("contract", sa.String(length=200), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("deposited_won", sa.BigInteger(), nullable=False),
        sa.Column("reference_on", sa.Date(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("rejected_reason", sa.String(length=2000), nullable=True),
        sa.Column("rejected_by", sa.String(length=64), nullable=True),
        sa.CheckConstraint(
            "NOT (live AND rejected_reason IS NOT NULL)", name=op.f("ck_claim_rejected")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_claim_quantity")),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_claim_application_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("application_id", "number", name=op.f("pk_claim")),
    )
    op.create_index(
        "uq_claim_live_key", "claim", ["key"], unique=True, postgresql_where=sa.text("live")
    )
    refuse_changes("application_event")
