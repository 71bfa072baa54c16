"""Calls that look at proposals as they come; agreements cancelled before their conclusion; what an
amendment said each time it was sent."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.migrations import refuse_changes

revision = "0018"
down_revision = "0017"

_STATES = (
    "state IN ('draft', 'cancelled', 'active', 'closed', 'reported', 'under_settlement',"
    " 'objection', 'final', 'refunded')"
)


def upgrade() -> None:
    op.add_column(
        "programme",
        sa.Column("rolling", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_programme_rolling_is_hosted"),
        "programme",
        "NOT rolling OR kind = 'hosted'",
        postgresql_not_valid=True,
    )
    # One more state is allowed, nothing less is refused.
    op.execute(
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE agreement DROP CONSTRAINT ck_agreement_state"
    )
    op.create_check_constraint(
        op.f("ck_agreement_state"), "agreement", _STATES, postgresql_not_valid=True
    )
    # An agency has dozens of agreements.
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE UNIQUE INDEX uq_agreement_live_year "
        "ON agreement (proposal_id, year_start) WHERE state <> 'cancelled'"
    )
    # The running release prepares no second agreement of a proposal: it looks before it does.
    op.execute(
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE agreement DROP CONSTRAINT uq_agreement_proposal_id_year_start"
    )
    op.create_table(
        "amendment_request",
        sa.Column("amendment_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("file_key", sa.String(length=200), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("requested_by", sa.String(length=64), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["amendment_id"], ["amendment.id"], name=op.f("fk_amendment_request_amendment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendment_request")),
        sa.UniqueConstraint(
            "amendment_id", "seq", name=op.f("uq_amendment_request_amendment_id_seq")
        ),
    )
    # Of what was sent before today the last words known are those on record.
    op.execute(
        """
        INSERT INTO amendment_request (amendment_id, seq, document, reason, effective_on, file_key,
            file_name, media_type, sha256, requested_by, requested_at)
        SELECT id, 1, document, reason, effective_on, file_key, file_name, media_type, sha256,
            created_by, requested_at
        FROM amendment WHERE requested_at IS NOT NULL
        """
    )
    refuse_changes("amendment_request")
