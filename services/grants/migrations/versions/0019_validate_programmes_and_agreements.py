"""Checks what 0018 added: apart from it, so that nothing waits meanwhile."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.execute("ALTER TABLE programme VALIDATE CONSTRAINT ck_programme_rolling_is_hosted")
    op.execute("ALTER TABLE agreement VALIDATE CONSTRAINT ck_agreement_state")
