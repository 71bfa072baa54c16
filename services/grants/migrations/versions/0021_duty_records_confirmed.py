"""Records of a year's duties are confirmed by the agency, or sent back."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

_CHECKS = (
    ("ck_duty_record_state", "state IN ('entered', 'confirmed', 'returned')"),
    ("ck_duty_record_decided", "(state = 'entered') = (decided_by IS NULL)"),
    ("ck_duty_record_returned", "(state = 'returned') = (return_reason IS NOT NULL)"),
)


def upgrade() -> None:
    op.add_column(
        "duty_record",
        sa.Column("state", sa.String(length=10), server_default="entered", nullable=False),
    )
    op.add_column("duty_record", sa.Column("decided_by", sa.String(length=64), nullable=True))
    op.add_column("duty_record", sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("duty_record", sa.Column("return_reason", sa.Text(), nullable=True))
    for name, condition in _CHECKS:
        op.create_check_constraint(op.f(name), "duty_record", condition, postgresql_not_valid=True)
