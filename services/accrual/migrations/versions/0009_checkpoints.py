"""Signed checkpoints of the ledger's chains."""

import sqlalchemy as sa
from alembic import op

from shared.migrations import refuse_changes

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "ledger_checkpoint",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger_checkpoint")),
    )
    op.create_table(
        "ledger_checkpoint_head",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "number", name=op.f("pk_ledger_checkpoint_head")),
    )
    op.create_index(
        "ix_ledger_checkpoint_head_number", "ledger_checkpoint_head", ["number", "account_id"]
    )
    for table in ("ledger_checkpoint", "ledger_checkpoint_head"):
        refuse_changes(table)
