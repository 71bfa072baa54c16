"""Adjustments of the ledger: what one operator proposed, and what another decided."""

import sqlalchemy as sa
from alembic import op

from shared.migrations import refuse_changes

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "ledger_adjustment",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("proposed_by", sa.String(length=64), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trace_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_ledger_adjustment_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_adjustment")),
    )
    op.create_table(
        "ledger_adjustment_decision",
        sa.Column("adjustment_id", sa.Uuid(), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("transfer_id", sa.Uuid(), nullable=True),
        sa.Column("trace_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "decision IN ('approved', 'refused') AND (decision = 'approved')"
            " = (transfer_id IS NOT NULL)",
            name=op.f("ck_ledger_adjustment_decision_decision"),
        ),
        sa.ForeignKeyConstraint(
            ["adjustment_id"],
            ["ledger_adjustment.id"],
            name=op.f("fk_ledger_adjustment_decision_adjustment_id"),
        ),
        sa.PrimaryKeyConstraint("adjustment_id", name=op.f("pk_ledger_adjustment_decision")),
    )
    for table in ("ledger_adjustment", "ledger_adjustment_decision"):
        refuse_changes(table)
