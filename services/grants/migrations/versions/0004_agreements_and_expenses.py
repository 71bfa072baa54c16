"""Agreements with their plan versions; expenses with their evidence."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.migrations import refuse_changes

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "agreement",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("institution_name", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), server_default="active", nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=False),
        sa.Column("year_start", sa.Date(), nullable=False),
        sa.Column("year_end", sa.Date(), nullable=False),
        sa.Column("plan_version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
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
        sa.CheckConstraint(
            "state IN ('active', 'closed', 'reported', 'under_settlement', 'objection', 'final', "
            "'refunded')",
            name=op.f("ck_agreement_state"),
        ),
        sa.CheckConstraint("year_start <= year_end", name=op.f("ck_agreement_year")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_agreement_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_agreement_proposal_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
        sa.UniqueConstraint(
            "proposal_id", "year_start", name=op.f("uq_agreement_proposal_id_year_start")
        ),
    )
    op.create_index("ix_agreement_agency_id_id", "agreement", ["agency_id", "id"], unique=False)
    op.create_index(
        "ix_agreement_institution_id_id", "agreement", ["institution_id", "id"], unique=False
    )
    op.create_table(
        "expense",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), server_default="registered", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("fund", sa.String(length=10), nullable=False),
        sa.Column("amount_won", sa.BigInteger(), nullable=False),
        sa.Column("vat_won", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(length=500), nullable=False),
        sa.Column("payee_name", sa.String(length=200), nullable=False),
        sa.Column("payee_brn", sa.String(length=10), nullable=True),
        sa.Column("payee_account", sa.String(length=60), nullable=True),
        sa.Column("obligated_on", sa.Date(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
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
        sa.CheckConstraint("fund IN ('grant', 'cash', 'in_kind')", name=op.f("ck_expense_fund")),
        sa.CheckConstraint(
            "state IN ('registered', 'in_review', 'allowed', 'partly_allowed', 'disallowed', "
            "'returned', 'objected', 'final')",
            name=op.f("ck_expense_state"),
        ),
        sa.CheckConstraint("amount_won > 0", name=op.f("ck_expense_amount_positive")),
        sa.CheckConstraint(
            "vat_won BETWEEN 0 AND amount_won", name=op.f("ck_expense_vat_within_amount")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_expense_agreement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expense")),
        sa.UniqueConstraint("agreement_id", "number", name=op.f("uq_expense_agreement_id_number")),
    )
    op.create_index(
        "ix_expense_agreement_id_kind", "expense", ["agreement_id", "kind"], unique=False
    )
    op.create_table(
        "plan_version",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.String(length=64), nullable=False),
        sa.Column(
            "approved_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_plan_version_agreement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_version")),
        sa.UniqueConstraint(
            "agreement_id", "version", name=op.f("uq_plan_version_agreement_id_version")
        ),
    )
    op.create_table(
        "evidence",
        sa.Column("expense_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("amount_won", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.String(length=100), nullable=True),
        sa.Column("file_key", sa.String(length=200), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint("amount_won >= 0", name=op.f("ck_evidence_amount_not_negative")),
        sa.ForeignKeyConstraint(
            ["expense_id"], ["expense.id"], name=op.f("fk_evidence_expense_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    op.create_index("ix_evidence_expense_id", "evidence", ["expense_id"], unique=False)
    op.create_index("ix_evidence_number", "evidence", ["number"], unique=False)
    op.create_index("ix_evidence_sha256", "evidence", ["sha256"], unique=False)
    refuse_changes("plan_version")
