"""The ledger: accounts, transfers, entries, and the functions that post (`0002_ledger.sql`)."""

from pathlib import Path

from alembic import op

from shared.migrations import refuse_changes

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
    refuse_changes("transfer")
    refuse_changes("entry")
