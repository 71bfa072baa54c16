"""Checks the states again that 0007 widened: apart from it, so that nothing waits meanwhile."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER TABLE expense VALIDATE CONSTRAINT ck_expense_state")
    op.execute("ALTER TABLE settlement_decision VALIDATE CONSTRAINT ck_settlement_decision_kind")
