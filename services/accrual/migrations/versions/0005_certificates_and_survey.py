"""Certificates with their revocations and trace; survey windows, the first of them."""

from datetime import date, timedelta

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.migrations import refuse_changes

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    _certificates()
    _survey()


def _certificates() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("certificate_number")))
    op.create_table(
        "certificate",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("verification_number", sa.String(length=17), nullable=False),
        sa.Column("key", sa.String(length=20), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("institution_name", sa.String(length=200), nullable=False),
        sa.Column("brn", sa.String(length=10), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.String(length=64), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("reissue_of", sa.Uuid(), nullable=True),
        sa.Column("file_key", sa.String(length=200), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("file_size", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint("reissue_of <> id", name=op.f("ck_certificate_reissue")),
        sa.ForeignKeyConstraint(
            ["reissue_of"], ["certificate.id"], name=op.f("fk_certificate_reissue_of")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
        sa.UniqueConstraint("number", name=op.f("uq_certificate_number")),
        sa.UniqueConstraint("verification_number", name=op.f("uq_certificate_verification_number")),
    )
    op.create_index("ix_certificate_institution_id_id", "certificate", ["institution_id", "id"])
    op.create_index("ix_certificate_reissue_of", "certificate", ["reissue_of"])
    op.create_table(
        "certificate_revocation",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"],
            ["certificate.id"],
            name=op.f("fk_certificate_revocation_certificate_id"),
        ),
        sa.PrimaryKeyConstraint("certificate_id", name=op.f("pk_certificate_revocation")),
    )
    op.create_table(
        "certificate_event",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("acting_for", sa.String(length=64), nullable=True),
        sa.Column("trace_id", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificate.id"], name=op.f("fk_certificate_event_certificate_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_event")),
    )
    op.create_index(
        "ix_certificate_event_certificate_id_id", "certificate_event", ["certificate_id", "id"]
    )
    for table in ("certificate", "certificate_revocation", "certificate_event"):
        refuse_changes(table)


def _survey() -> None:
    window = op.create_table(
        "survey_window",
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("pilot", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_survey_window_order")),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_survey_window")),
    )
    op.execute(
        "ALTER TABLE survey_window ADD CONSTRAINT ex_survey_window_days"
        " EXCLUDE USING gist (daterange(starts_on, ends_on, '[]') WITH &&)"
    )
    op.create_table(
        "survey_window_change",
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("trace_id", sa.String(length=32), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_window_change")),
    )
    refuse_changes("survey_window_change")
    # The first survey was a pilot (M-060); later windows are opened by a schedule.
    op.bulk_insert(
        window,
        [
            {
                "year": year,
                "starts_on": date(year - 1, 3, 1),
                "ends_on": date(year, 3, 1) - timedelta(days=1),
                "pilot": year == 2024,
            }
            for year in range(2024, 2028)
        ],
    )
