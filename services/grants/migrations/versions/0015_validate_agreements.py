"""Checks what 0013 and 0014 added: apart from them, so that nothing waits meanwhile."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("ALTER TABLE plan_version VALIDATE CONSTRAINT fk_plan_version_amendment_id")
    op.execute("ALTER TABLE agreement VALIDATE CONSTRAINT ck_agreement_year_no")
    op.execute("ALTER TABLE agreement VALIDATE CONSTRAINT ck_agreement_stopped_whole")
