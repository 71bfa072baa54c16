"""Evaluation: verified facts, reviewers' sheets, results."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.migrations import refuse_changes

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "evaluation_result",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("outcome", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=False),
        sa.Column(
            "decided_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_evaluation_result_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_evaluation_result_proposal_id")
        ),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_evaluation_result")),
    )
    op.create_index(
        op.f("ix_evaluation_result_programme_id"),
        "evaluation_result",
        ["programme_id"],
        unique=False,
    )
    op.create_table(
        "sheet",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("reviewer_id", sa.Uuid(), nullable=False),
        sa.Column("reviewer_name", sa.String(length=100), nullable=False),
        sa.Column("institutions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(length=10), server_default="assigned", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("scores", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("conflict_reason", sa.Text(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'recused') = (conflict_reason IS NOT NULL)",
            name=op.f("ck_sheet_recusal_has_reason"),
        ),
        sa.CheckConstraint(
            "(state = 'submitted') = (submitted_at IS NOT NULL)",
            name=op.f("ck_sheet_submitted_whole"),
        ),
        sa.CheckConstraint(
            "state IN ('assigned', 'recused', 'submitted')", name=op.f("ck_sheet_state")
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_sheet_proposal_id")
        ),
        sa.PrimaryKeyConstraint("proposal_id", "reviewer_id", name=op.f("pk_sheet")),
    )
    op.create_index("ix_sheet_reviewer_id", "sheet", ["reviewer_id"], unique=False)
    op.create_table(
        "verified_facts",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("lead_region", sa.String(length=20), nullable=False),
        sa.Column("partner_regions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("records", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("verified_by", sa.String(length=64), nullable=False),
        sa.Column(
            "verified_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_verified_facts_proposal_id")
        ),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_verified_facts")),
    )
    refuse_changes("evaluation_result")
