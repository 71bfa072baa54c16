"""Refunds paid in parts; by which code of the rules a settlement was made."""

import sqlalchemy as sa
from alembic import op

from shared.migrations import refuse_changes

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("settlement_run", sa.Column("rules_sha256", sa.String(length=64), nullable=True))
    op.create_table(
        "refund_payment",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("won", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.String(length=64), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.CheckConstraint("won > 0 OR seq = 1", name=op.f("ck_refund_payment_won_positive")),
        sa.CheckConstraint("won >= 0", name=op.f("ck_refund_payment_won_not_negative")),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_refund_payment_agreement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_payment")),
        sa.UniqueConstraint("agreement_id", "seq", name=op.f("uq_refund_payment_agreement_id_seq")),
    )
    # What came back before came at once, as the last run says; its words are in the history.
    op.execute(
        """
        INSERT INTO refund_payment
            (agreement_id, seq, won, paid_on, reference, recorded_by, recorded_at)
        SELECT DISTINCT ON (agreement.id) agreement.id, 1,
            (run.result #>> '{statement,return_won}')::bigint,
            (event.at AT TIME ZONE 'Asia/Seoul')::date, coalesce(event.reason, '-'),
            event.actor_id, event.at
        FROM agreement
        JOIN settlement_run run ON run.agreement_id = agreement.id
        JOIN event ON event.subject_id = agreement.id AND event.to_state = 'refunded'
        WHERE agreement.state = 'refunded'
        ORDER BY agreement.id, run.seq DESC, event.id DESC
        """
    )
    refuse_changes("refund_payment")
