"""What few transfers have is kept beside the ledger; a chain covers its transfers by digest."""

from pathlib import Path

from alembic import op

from shared.migrations import refuse_changes

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
    for table in ("hold_ending", "hold_expiry", "transfer_reversal", "entry_dated_back"):
        refuse_changes(table)
