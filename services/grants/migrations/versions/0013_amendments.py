"""Amendments of the plan, and from when on a version of it counts (G-033)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "amendment",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), server_default="draft", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=True),
        sa.Column("base_seq", sa.Integer(), nullable=True),
        sa.Column("file_key", sa.String(length=200), nullable=True),
        sa.Column("file_name", sa.String(length=200), nullable=True),
        sa.Column("media_type", sa.String(length=100), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("plan_version", sa.Integer(), nullable=True),
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
            "state IN ('draft', 'requested', 'returned', 'approved', 'rejected', 'withdrawn')",
            name=op.f("ck_amendment_state"),
        ),
        sa.CheckConstraint(
            "(state = 'approved') = (plan_version IS NOT NULL)",
            name=op.f("ck_amendment_approved"),
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_amendment_agreement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendment")),
        sa.UniqueConstraint("agreement_id", "seq", name=op.f("uq_amendment_agreement_id_seq")),
    )
    op.create_index(
        "uq_amendment_open",
        "amendment",
        ["agreement_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('draft', 'requested', 'returned')"),
    )
    op.add_column("plan_version", sa.Column("effective_on", sa.Date(), nullable=True))
    op.add_column(
        "plan_version", sa.Column("after_seq", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("plan_version", sa.Column("amendment_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_plan_version_amendment_id"),
        "plan_version",
        "amendment",
        ["amendment_id"],
        ["id"],
        postgresql_not_valid=True,
    )
