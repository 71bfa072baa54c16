"""Checks what 0021 added: apart from it, so that nothing waits meanwhile."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("ALTER TABLE duty_record VALIDATE CONSTRAINT ck_duty_record_state")
    op.execute("ALTER TABLE duty_record VALIDATE CONSTRAINT ck_duty_record_decided")
    op.execute("ALTER TABLE duty_record VALIDATE CONSTRAINT ck_duty_record_returned")
