"""Versions of feedback, the nights' tables and accounting, and erasure."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Keep what is stored: a response's one version counts from the night that first read it."""
    _versions_of_feedback()
    op.create_table(
        "text_keys",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("feedback_id", sa.Text, primary_key=True),
        sa.Column("text_key", sa.Text, primary_key=True),
        sa.Column("customer", sa.Text),
        sa.Column("seen", sa.Date, nullable=False),
    )
    op.create_index("ix_text_keys_customer", "text_keys", ["customer"])
    # Nothing says yet whose words these rows came from, so no erasure could find them; they are computed again.
    op.execute("DELETE FROM cache WHERE namespace LIKE 'segment:%'")
    _nights()
    op.create_table(
        "tombstones",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
    )
    op.create_table(
        "erasures",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        *[
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("n_feedback", "n_units", "n_quarantine", "n_cache", "n_nights")
        ],
    )


def _versions_of_feedback() -> None:
    op.drop_index("ix_feedback_received_at", "feedback")
    op.rename_table("feedback", "feedback_0001")
    op.create_table(
        "feedback",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("feedback_id", sa.Text, primary_key=True),
        sa.Column("seen", sa.Date, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("score", sa.Integer),
        sa.Column("csat", sa.Integer),
        sa.Column("ces", sa.Integer),
        sa.Column("dwb", sa.Integer),
        sa.Column("received_at", sa.DateTime),
        sa.Column("customer", sa.Text),
        sa.Column("segments", sa.JSON, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
    )
    columns = "source, feedback_id, text, score, received_at, customer, segments, content_hash"
    op.execute(f"INSERT INTO feedback (seen, {columns}) SELECT first_seen, {columns} FROM feedback_0001")
    op.drop_table("feedback_0001")
    op.create_index("ix_feedback_received_at", "feedback", ["received_at"])
    op.create_index("ix_feedback_customer", "feedback", ["customer"])


def _nights() -> None:
    op.add_column("nights", sa.Column("settings", sa.JSON, nullable=False, server_default="{}"))
    op.add_column("nights", sa.Column("pages_pending", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("nights", sa.Column("n_erased", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "night_sources",
        _night(),
        sa.Column("name", sa.Text, primary_key=True),
        *[
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("read", "analysed", "no_opinion", "duplicate", "quarantined")
        ],
        sa.Column("details", sa.JSON, nullable=False),
    )
    op.create_table(
        "night_tables",
        _night(),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )


def _night() -> sa.Column:
    reference = sa.ForeignKey("nights.business_date", ondelete="CASCADE")
    return sa.Column("business_date", sa.Date, reference, primary_key=True)
