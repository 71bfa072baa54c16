"""Which agency's officers decide about a request to use mileage."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    # Nullable: of the requests so far nobody kept whose programme it was; the operator decides.
    op.add_column("utilisation", sa.Column("agency_id", sa.Uuid(), nullable=True))
    # One request for a programme and institution: so few rows that the index takes no time.
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX ix_utilisation_agency_id_id ON utilisation (agency_id, id)"
    )
