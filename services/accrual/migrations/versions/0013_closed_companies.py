"""The day a company was closed, as the registry says."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("application_company", sa.Column("closed_on", sa.Date(), nullable=True))
