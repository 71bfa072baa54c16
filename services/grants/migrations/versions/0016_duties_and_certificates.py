"""Records of a year's duties with their evidence (G-006), certificates of completion (G-007)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute("CREATE SEQUENCE certificate_number")
    op.create_table(
        "duty_record",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        _id(),
        _instant("created_at"),
        _instant("updated_at"),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_duty_record_agreement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_record")),
    )
    op.create_index("ix_duty_record_agreement_id_id", "duty_record", ["agreement_id", "id"])
    op.create_index(
        "uq_duty_record_student",
        "duty_record",
        ["agreement_id", sa.text("(body ->> 'ref')")],
        unique=True,
        postgresql_where=sa.text("kind = 'student' AND removed_at IS NULL"),
    )
    op.create_table(
        "duty_evidence",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("file_key", sa.String(length=200), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        _instant("created_at"),
        _id(),
        sa.ForeignKeyConstraint(
            ["record_id"], ["duty_record.id"], name=op.f("fk_duty_evidence_record_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_evidence")),
    )
    op.create_index("ix_duty_evidence_record_id", "duty_evidence", ["record_id"])
    op.create_table(
        "completion_certificate",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("project_no", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("student_ref", sa.String(length=500), nullable=False),
        sa.Column("student_name", sa.String(length=500), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("issued_by", sa.String(length=64), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.String(length=64), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=True),
        _id(),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_by IS NULL)"
            " AND (revoked_at IS NULL) = (revoke_reason IS NULL)",
            name=op.f("ck_completion_certificate_revoked_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_completion_certificate_agreement_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_completion_certificate_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_completion_certificate")),
        sa.UniqueConstraint("number", name=op.f("uq_completion_certificate_number")),
    )
    op.create_index(
        "ix_completion_certificate_agreement_id_id",
        "completion_certificate",
        ["agreement_id", "id"],
    )
    op.create_index(
        "uq_completion_certificate_valid",
        "completion_certificate",
        ["programme_id", "project_no", "student_ref"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False)


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )
