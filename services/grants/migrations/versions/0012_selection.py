"""Selection: completions, site visits, notices of result; a submitted sheet is locked for good."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.migrations import refuse_changes

revision = "0012"
down_revision = "0011"


_STATES = (
    "state IN ('draft', 'submitted', 'withdrawn', 'pre_review', 'completion', 'eligible', "
    "'ineligible', 'scored', 'preferred', 'reserve', 'rejected', 'negotiation', 'designated', "
    "'agreed', 'recommended', 'certified')"
)
_KINDS = "kind IN ('hosted', 'external', 'certification')"
_RULED = "(kind <> 'external') = (rule_set_code IS NOT NULL)"
_WIDENED = (
    ("proposal", "ck_proposal_state", _STATES),
    ("programme", "ck_programme_kind", _KINDS),
    ("programme", "ck_programme_hosted_has_rule_set", _RULED),
)
# A reviewer found to have a conflict afterwards may be excluded; what was written stays as it was.
_LOCKED = """
CREATE FUNCTION refuse_locked_sheet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'assigned'
       OR (TG_OP = 'UPDATE' AND OLD.state = 'submitted' AND NEW.state = 'recused'
           AND NEW.scores = OLD.scores AND NEW.comment = OLD.comment) THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION 'sheet is locked' USING ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("notice_number")))
    op.create_table(
        "completion",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), server_default="open", nullable=False),
        sa.Column("items", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("submission_seq", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.String(length=64), nullable=True),
        sa.Column("close_reason", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint(
            "(state = 'answered') = (answered_at IS NOT NULL)",
            name=op.f("ck_completion_answered_whole"),
        ),
        sa.CheckConstraint(
            "(state = 'closed') = (close_reason IS NOT NULL)",
            name=op.f("ck_completion_closed_whole"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'answered', 'closed')", name=op.f("ck_completion_state")
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_completion_proposal_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_completion")),
        sa.UniqueConstraint("proposal_id", "seq", name=op.f("uq_completion_proposal_id_seq")),
    )
    op.create_index(
        "uq_completion_open",
        "completion",
        ["proposal_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "result_notice",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_result_notice_proposal_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_notice")),
        sa.UniqueConstraint("number", name=op.f("uq_result_notice_number")),
        sa.UniqueConstraint("proposal_id", "seq", name=op.f("uq_result_notice_proposal_id_seq")),
    )
    op.create_table(
        "site_visit",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), server_default="planned", nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("members", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("findings", sa.Text(), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("planned_by", sa.String(length=64), nullable=False),
        sa.Column("closed_by", sa.String(length=64), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint(
            "(state = 'cancelled') = (cancel_reason IS NOT NULL)",
            name=op.f("ck_site_visit_cancelled"),
        ),
        sa.CheckConstraint(
            "(state = 'held') = (findings IS NOT NULL)", name=op.f("ck_site_visit_held_whole")
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'held', 'cancelled')", name=op.f("ck_site_visit_state")
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_site_visit_proposal_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_visit")),
    )
    op.create_index("ix_site_visit_proposal_id", "site_visit", ["proposal_id"], unique=False)
    op.create_table(
        "review_file",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("completion_id", sa.Uuid(), nullable=True),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("file_key", sa.String(length=200), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(completion_id, visit_id) <= 1", name=op.f("ck_review_file_one_subject")
        ),
        sa.ForeignKeyConstraint(
            ["completion_id"], ["completion.id"], name=op.f("fk_review_file_completion_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_review_file_proposal_id")
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["site_visit.id"], name=op.f("fk_review_file_visit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_file")),
    )
    op.create_index("ix_review_file_proposal_id", "review_file", ["proposal_id"], unique=False)
    op.add_column("sheet", sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "verified_facts",
        sa.Column(
            "numbers",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.add_column("verified_facts", sa.Column("bonus_decided", sa.Integer(), nullable=True))
    op.add_column("verified_facts", sa.Column("bonus_reason", sa.Text(), nullable=True))
    # A certification knows no region; nothing of it is read by the release still running.
    op.execute(
        "-- squawk-ignore ban-drop-not-null\n"
        "ALTER TABLE verified_facts ALTER COLUMN lead_region DROP NOT NULL"
    )
    op.create_table(
        "pre_review",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("eligible", sa.Boolean(), nullable=False),
        sa.Column("checks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=False),
        sa.Column(
            "decided_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_pre_review_proposal_id")
        ),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_pre_review")),
    )
    refuse_changes("pre_review")
    refuse_changes("result_notice")
    op.execute(_LOCKED)
    op.execute(
        "CREATE TRIGGER sheet_is_locked BEFORE UPDATE OR DELETE ON sheet"
        " FOR EACH ROW EXECUTE FUNCTION refuse_locked_sheet()"
    )
    # Widening a varchar rewrites nothing.
    op.execute(
        "-- squawk-ignore changing-column-type\n"
        "ALTER TABLE programme ALTER COLUMN kind TYPE varchar(20)"
    )
    # Only widened: whatever the running release writes stays legal.
    for table, name, condition in _WIDENED:
        op.execute(
            f"-- squawk-ignore ban-drop-constraint\nALTER TABLE {table} DROP CONSTRAINT {name}"
        )
        op.create_check_constraint(op.f(name), table, condition, postgresql_not_valid=True)
