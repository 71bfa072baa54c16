"""Checks what 0014 added: apart from it, so that nothing waits meanwhile."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("ALTER TABLE agreement VALIDATE CONSTRAINT ck_agreement_year_no")
    op.execute("ALTER TABLE agreement VALIDATE CONSTRAINT ck_agreement_stopped_whole")
