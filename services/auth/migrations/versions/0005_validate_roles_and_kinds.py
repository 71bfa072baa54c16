"""Check the rows there are against the conditions of 0004, apart from it: nobody waits for that."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE account VALIDATE CONSTRAINT ck_account_role")
    op.execute("ALTER TABLE one_time_credential VALIDATE CONSTRAINT ck_one_time_credential_kind")
