"""Find files and payments by what evidence elsewhere says of them, without reading all of them.

Built beside the traffic: nobody waits. One that was broken off is left invalid, and built anew.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

INDEXES = (("order_file", "sha256"), ("payment", "reference"))
# The block ends Alembic's transaction and begins another one, which is its business to end.
CHECKED = "-- squawk-ignore-file transaction-nesting, ban-uncommitted-transaction\n"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            f"{CHECKED}SET lock_timeout = 0"
        )  # it waits for others, and holds nobody up meanwhile
        for table, column in INDEXES:
            name = f"ix_{table}_{column}"
            op.drop_index(name, if_exists=True, postgresql_concurrently=True)
            op.create_index(name, table, [column], unique=False, postgresql_concurrently=True)
        op.execute("SET lock_timeout = '4s'")
