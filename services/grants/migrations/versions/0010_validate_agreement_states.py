"""Checks the states again that 0009 widened: apart from it, so that nothing waits meanwhile."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("ALTER TABLE agreement VALIDATE CONSTRAINT ck_agreement_state")
