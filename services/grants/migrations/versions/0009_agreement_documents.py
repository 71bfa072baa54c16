"""Agreements are drafts until their set of documents is complete (G-056)."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_STATES = (
    "state IN ('draft', 'active', 'closed', 'reported', 'under_settlement', 'objection', 'final', "
    "'refunded')"
)


def upgrade() -> None:
    op.add_column("agreement", sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True))
    # Only widened: whatever the running release writes stays legal.
    op.execute(
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE agreement DROP CONSTRAINT ck_agreement_state"
    )
    op.create_check_constraint(
        op.f("ck_agreement_state"), "agreement", _STATES, postgresql_not_valid=True
    )
    op.create_table(
        "agreement_document",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), server_default="submitted", nullable=False),
        sa.Column("file_key", sa.String(length=200), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("submitted_by", sa.String(length=64), nullable=False),
        sa.Column(
            "submitted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('submitted', 'accepted', 'returned')",
            name=op.f("ck_agreement_document_state"),
        ),
        sa.CheckConstraint(
            "(state = 'submitted') = (decided_by IS NULL)",
            name=op.f("ck_agreement_document_decided"),
        ),
        sa.CheckConstraint(
            "state <> 'returned' OR reason IS NOT NULL",
            name=op.f("ck_agreement_document_returned_with_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_agreement_document_agreement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_document")),
    )
    op.create_index(
        "ix_agreement_document_agreement_id_id",
        "agreement_document",
        ["agreement_id", "id"],
        unique=False,
    )
