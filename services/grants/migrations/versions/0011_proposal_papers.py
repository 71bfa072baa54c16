"""Files that go with a proposal, and where a researcher takes part."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "proposal_attachment",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("document", sa.String(length=60), nullable=False),
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
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_proposal_attachment_proposal_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal_attachment")),
    )
    op.create_index("ix_proposal_attachment_proposal_id", "proposal_attachment", ["proposal_id"])
    op.add_column(
        "submission",
        sa.Column(
            "attachments",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
    )
    # Hundreds of rows a call: the lock lasts milliseconds, and stays inside the transaction.
    for table in ("submission", "plan_version"):
        op.execute(
            "-- squawk-ignore require-concurrent-index-creation\n"
            f"CREATE INDEX ix_{table}_people ON {table}"
            " USING gin ((document #> '{budget,people}') jsonb_path_ops)"
        )
