"""Changes of a plan, histories of expenses, what a usage report says of account and budget."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.migrations import refuse_changes

revision = "0007"
down_revision = "0006"

_EXPENSE_STATES = (
    "state IN ('registered', 'in_review', 'allowed', 'partly_allowed', 'disallowed', 'returned', "
    "'objected', 'final', 'cancelled')"
)


def upgrade() -> None:
    op.create_table(
        "agreement_change",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("party", sa.String(length=12), nullable=False),
        sa.Column("recorded_by", sa.String(length=64), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint(
            "party IN ('institution', 'agency')", name=op.f("ck_agreement_change_party")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_agreement_change_agreement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_change")),
        sa.UniqueConstraint(
            "agreement_id", "seq", name=op.f("uq_agreement_change_agreement_id_seq")
        ),
    )
    refuse_changes("agreement_change")
    op.create_table(
        "expense_version",
        sa.Column("expense_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["expense_id"], ["expense.id"], name=op.f("fk_expense_version_expense_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expense_version")),
        sa.UniqueConstraint(
            "expense_id", "version", name=op.f("uq_expense_version_expense_id_version")
        ),
    )
    refuse_changes("expense_version")
    op.add_column("evidence", sa.Column("used_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "usage_report",
        sa.Column("account", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    )
    op.add_column(
        "usage_report",
        sa.Column("budget", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    )
    for table, name, condition in (
        ("expense", "ck_expense_state", _EXPENSE_STATES),
        (
            "settlement_decision",
            "ck_settlement_decision_kind",
            "kind IN ('disallow', 'waive', 'ask')",
        ),
    ):
        # Only widened: whatever the running release writes stays legal.
        op.execute(
            f"-- squawk-ignore ban-drop-constraint\nALTER TABLE {table} DROP CONSTRAINT {name}"
        )
        op.create_check_constraint(op.f(name), table, condition, postgresql_not_valid=True)
