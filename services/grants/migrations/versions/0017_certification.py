"""Certification of excellent institutions: council, certificates, revocations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.migrations import refuse_changes

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("excellence_number")))
    op.create_table(
        "council_resolution",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("members", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("minutes", sa.Text(), nullable=False),
        sa.Column("decisions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("recorded_by", sa.String(length=64), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_council_resolution_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_council_resolution")),
    )
    op.create_index(
        "ix_council_resolution_programme_id", "council_resolution", ["programme_id"], unique=False
    )
    op.create_table(
        "excellence_certificate",
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("institution_name", sa.String(length=200), nullable=False),
        sa.Column("brn", sa.String(length=10), nullable=True),
        sa.Column("authority", sa.String(length=200), nullable=False),
        sa.Column("approval", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint(
            "valid_from <= valid_until", name=op.f("ck_excellence_certificate_period")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_excellence_certificate_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_excellence_certificate_proposal_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_excellence_certificate")),
        sa.UniqueConstraint("number", name=op.f("uq_excellence_certificate_number")),
        sa.UniqueConstraint("proposal_id", name=op.f("uq_excellence_certificate_proposal_id")),
    )
    op.create_index(
        "ix_excellence_certificate_institution_id_valid_until",
        "excellence_certificate",
        ["institution_id", "valid_until"],
        unique=False,
    )
    op.create_index(
        "ix_excellence_certificate_valid_until_id",
        "excellence_certificate",
        ["valid_until", "id"],
        unique=False,
    )
    op.create_table(
        "excellence_revocation",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("revoked_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("revoked_by", sa.String(length=64), nullable=False),
        sa.Column(
            "revoked_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["certificate_id"],
            ["excellence_certificate.id"],
            name=op.f("fk_excellence_revocation_certificate_id"),
        ),
        sa.PrimaryKeyConstraint("certificate_id", name=op.f("pk_excellence_revocation")),
    )
    for table in ("council_resolution", "excellence_certificate", "excellence_revocation"):
        refuse_changes(table)
    # Widened by 0012: apart from it, so that nothing waits meanwhile.
    op.execute("ALTER TABLE proposal VALIDATE CONSTRAINT ck_proposal_state")
    op.execute("ALTER TABLE programme VALIDATE CONSTRAINT ck_programme_kind")
    op.execute("ALTER TABLE programme VALIDATE CONSTRAINT ck_programme_hosted_has_rule_set")
