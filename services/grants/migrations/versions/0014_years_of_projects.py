"""Years of a project under one number, stage evaluation, continuing proposals, stops (G-001)."""

import sqlalchemy as sa
from alembic import op

from shared.migrations import refuse_changes

revision = "0014"
down_revision = "0013"

_CHECKS = (
    ("ck_agreement_year_no", "year_no >= 1"),
    ("ck_agreement_stopped_whole", "(stopped_on IS NULL) = (stop_reason IS NULL)"),
)


def upgrade() -> None:
    op.execute("CREATE SEQUENCE project_number")
    op.add_column(
        "agreement", sa.Column("year_no", sa.Integer(), server_default="1", nullable=False)
    )
    op.add_column("agreement", sa.Column("project_no", sa.String(length=40), nullable=True))
    op.add_column("agreement", sa.Column("stopped_on", sa.Date(), nullable=True))
    op.add_column("agreement", sa.Column("stop_reason", sa.Text(), nullable=True))
    for name, condition in _CHECKS:
        op.create_check_constraint(op.f(name), "agreement", condition, postgresql_not_valid=True)
    op.add_column(
        "proposal", sa.Column("year_no", sa.Integer(), server_default="1", nullable=False)
    )
    op.add_column("proposal", sa.Column("continues_id", sa.Uuid(), nullable=True))
    # Both tables are small: a call has dozens of proposals, an agency dozens of agreements.
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE UNIQUE INDEX uq_agreement_project_year "
        "ON agreement (programme_id, project_no, year_no)"
    )
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE UNIQUE INDEX uq_proposal_live_year "
        "ON proposal (programme_id, institution_id, year_no) WHERE state <> 'withdrawn'"
    )
    op.execute("-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX uq_proposal_live")
    op.create_table(
        "stage_evaluation",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("score", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=False),
        sa.Column(
            "decided_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('passed', 'failed')", name=op.f("ck_stage_evaluation_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_stage_evaluation_agreement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_evaluation")),
        sa.UniqueConstraint("agreement_id", name=op.f("uq_stage_evaluation_agreement_id")),
    )
    refuse_changes("stage_evaluation")
