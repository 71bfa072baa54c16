"""Checks the reference that 0012 added: apart from it, so that nothing waits meanwhile."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("ALTER TABLE plan_version VALIDATE CONSTRAINT fk_plan_version_amendment_id")
