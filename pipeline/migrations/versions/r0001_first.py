"""Feedback, cache, nights and the themes of each night."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables of the first version."""
    op.create_table(
        "feedback",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("feedback_id", sa.Text, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("score", sa.Integer),
        sa.Column("received_at", sa.DateTime),
        sa.Column("customer", sa.Text),
        sa.Column("segments", sa.JSON, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("first_seen", sa.Date, nullable=False),
        sa.Column("last_seen", sa.Date, nullable=False),
    )
    op.create_index("ix_feedback_received_at", "feedback", ["received_at"])
    op.create_table(
        "cache",
        sa.Column("namespace", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "nights",
        sa.Column("business_date", sa.Date, primary_key=True),
        sa.Column("summary", sa.Text, nullable=False),
    )
    op.create_table(
        "night_themes",
        sa.Column(
            "business_date",
            sa.Date,
            sa.ForeignKey("nights.business_date", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("theme_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("parent_id", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("first_seen", sa.Date, nullable=False),
        sa.Column("last_seen", sa.Date, nullable=False),
        sa.Column("keywords", sa.JSON, nullable=False),
        sa.Column("centroid", sa.LargeBinary),
        sa.Column("model_id", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop everything."""
    for table in ("night_themes", "nights", "cache", "feedback"):
        op.drop_table(table)
