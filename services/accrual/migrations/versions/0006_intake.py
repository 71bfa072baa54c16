"""Partner intake: batches, their bodies, the applications made of them, a result a line."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "intake_batch",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("institution_kind", sa.String(length=20), nullable=False),
        sa.Column("test_mode", sa.Boolean(), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("field", sa.String(length=20), nullable=False),
        sa.Column("submit", sa.Boolean(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="queued", nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("accepted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unchanged", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rejected", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'submitting', 'finished')", name=op.f("ck_intake_batch_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake_batch")),
        sa.UniqueConstraint(
            "institution_id",
            "test_mode",
            "external_id",
            name=op.f("uq_intake_batch_institution_id_test_mode_external_id"),
        ),
    )
    op.create_index(
        "ix_intake_batch_unfinished",
        "intake_batch",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("state <> 'finished'"),
    )
    op.create_table(
        "intake_file",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("test_mode", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("uploaded_by", sa.String(length=64), nullable=False),
        sa.Column(
            "uploaded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake_file")),
    )
    op.create_index(
        "ix_intake_file_institution_id", "intake_file", ["institution_id"], unique=False
    )
    op.create_table(
        "intake_application",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=10), server_default="draft", nullable=False),
        sa.Column(
            "findings",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "outcome IN ('draft', 'submitted', 'refused')",
            name=op.f("ck_intake_application_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["intake_batch.id"],
            name=op.f("fk_intake_application_batch_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("batch_id", "application_id", name=op.f("pk_intake_application")),
    )
    op.create_table(
        "intake_chunk",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["intake_batch.id"],
            name=op.f("fk_intake_chunk_batch_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("batch_id", "seq", name=op.f("pk_intake_chunk")),
    )
    op.create_table(
        "intake_row",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("test_mode", sa.Boolean(), nullable=False),
        sa.Column("external_id", sa.String(length=100), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "status IN ('accepted', 'unchanged', 'rejected', 'superseded')",
            name=op.f("ck_intake_row_status"),
        ),
        sa.PrimaryKeyConstraint("batch_id", "line", name=op.f("pk_intake_row")),
    )
    op.create_index(
        "uq_intake_row_accepted",
        "intake_row",
        ["institution_id", "test_mode", "external_id"],
        unique=True,
        postgresql_where=sa.text("status = 'accepted'"),
    )
    # Bodies come compressed: spend no time on trying it again.
    op.execute("ALTER TABLE intake_chunk ALTER COLUMN body SET STORAGE EXTERNAL")
