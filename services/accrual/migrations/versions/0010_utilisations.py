"""Requests to use mileage as bonus points, and what happened to them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.migrations import refuse_changes

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("CREATE SEQUENCE utilisation_number")
    op.create_table(
        "utilisation",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("institution_name", sa.String(length=200), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("programme_name", sa.String(length=200), nullable=False),
        sa.Column("rule", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("mileage", sa.BigInteger(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("certificate_number", sa.String(length=40), nullable=True),
        sa.Column("state", sa.String(length=10), server_default="requested", nullable=False),
        sa.Column("steps_scored", sa.Integer(), nullable=True),
        sa.Column("deducted", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('requested', 'confirmed', 'rejected', 'withdrawn')",
            name=op.f("ck_utilisation_state"),
        ),
        sa.CheckConstraint(
            "(state = 'confirmed') = (steps_scored IS NOT NULL AND deducted IS NOT NULL)"
            " AND steps_scored BETWEEN 0 AND steps AND deducted BETWEEN 0 AND held",
            name=op.f("ck_utilisation_outcome"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_utilisation")),
        sa.UniqueConstraint("number", name=op.f("uq_utilisation_number")),
    )
    op.create_index(
        "uq_utilisation_live",
        "utilisation",
        ["institution_id", "programme_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('requested', 'confirmed')"),
    )
    op.create_index("ix_utilisation_programme_id_id", "utilisation", ["programme_id", "id"])
    op.create_index("ix_utilisation_institution_id_id", "utilisation", ["institution_id", "id"])
    op.create_table(
        "utilisation_event",
        sa.Column("utilisation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("trace_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["utilisation_id"],
            ["utilisation.id"],
            name=op.f("fk_utilisation_event_utilisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_utilisation_event")),
    )
    op.create_index(
        "ix_utilisation_event_utilisation_id_id", "utilisation_event", ["utilisation_id", "id"]
    )
    refuse_changes("utilisation_event")
