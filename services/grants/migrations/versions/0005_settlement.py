"""Settlement: usage reports, runs over snapshots, decisions, objections."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.migrations import refuse_changes

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "settlement_run",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("plan_version", sa.Integer(), nullable=False),
        sa.Column("rule_set_sha256", sa.String(length=64), nullable=False),
        sa.Column("inputs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_settlement_run_agreement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_run")),
        sa.UniqueConstraint("agreement_id", "seq", name=op.f("uq_settlement_run_agreement_id_seq")),
    )
    op.create_table(
        "usage_report",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("received_grant_won", sa.BigInteger(), nullable=False),
        sa.Column("interest_won", sa.BigInteger(), nullable=False),
        sa.Column("reported_by", sa.String(length=64), nullable=False),
        sa.Column(
            "reported_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "received_grant_won >= 0 AND interest_won >= 0",
            name=op.f("ck_usage_report_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_usage_report_agreement_id")
        ),
        sa.PrimaryKeyConstraint("agreement_id", name=op.f("pk_usage_report")),
    )
    op.create_table(
        "objection",
        sa.Column("expense_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column(
            "made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.String(length=64), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('accepted', 'partly_accepted', 'refused')",
            name=op.f("ck_objection_outcome"),
        ),
        sa.CheckConstraint(
            "(outcome IS NULL) = (answer IS NULL) AND (outcome IS NULL) = (answered_by IS NULL)",
            name=op.f("ck_objection_answered_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["expense_id"], ["expense.id"], name=op.f("fk_objection_expense_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objection")),
    )
    op.create_index("ix_objection_expense_id", "objection", ["expense_id"], unique=False)
    op.create_table(
        "settlement_decision",
        sa.Column("expense_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("ground", sa.Integer(), nullable=True),
        sa.Column("won", sa.BigInteger(), nullable=True),
        sa.Column("rule", sa.String(length=20), nullable=True),
        sa.Column("code", sa.String(length=60), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(length=64), nullable=False),
        sa.Column(
            "proposed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("confirmed_by", sa.String(length=64), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint(
            "(kind = 'disallow') = (ground IS NOT NULL AND won IS NOT NULL)",
            name=op.f("ck_settlement_decision_disallow_whole"),
        ),
        sa.CheckConstraint(
            "(kind = 'waive') = (rule IS NOT NULL AND code IS NOT NULL)",
            name=op.f("ck_settlement_decision_waive_whole"),
        ),
        sa.CheckConstraint(
            "kind IN ('disallow', 'waive')", name=op.f("ck_settlement_decision_kind")
        ),
        sa.CheckConstraint(
            "confirmed_by <> proposed_by", name=op.f("ck_settlement_decision_four_eyes")
        ),
        sa.CheckConstraint("won > 0", name=op.f("ck_settlement_decision_won_positive")),
        sa.ForeignKeyConstraint(
            ["expense_id"], ["expense.id"], name=op.f("fk_settlement_decision_expense_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_decision")),
    )
    op.create_index(
        "ix_settlement_decision_expense_id", "settlement_decision", ["expense_id"], unique=False
    )
    refuse_changes("settlement_run")
