"""The registry: looks of themes, transitions, members and decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the tables; themes stored before keep their centroid where it was."""
    op.add_column("night_themes", sa.Column("look_id", sa.String(64)))
    op.create_table(
        "looks",
        sa.Column("look_id", sa.String(64), primary_key=True),
        sa.Column("dim", sa.Integer, nullable=False),
        sa.Column("vectors", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "transitions",
        sa.Column(
            "business_date",
            sa.Date,
            sa.ForeignKey("nights.business_date", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("theme_id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("others", sa.JSON, nullable=False),
        sa.Column("kept", sa.Float),
        sa.Column("decision", sa.Integer),
    )
    op.create_table(
        "members",
        sa.Column(
            "business_date",
            sa.Date,
            sa.ForeignKey("nights.business_date", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("units", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "decisions",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("theme_id", sa.Text),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
        sa.Column("holds_from", sa.Date, nullable=False),
    )


def downgrade() -> None:
    """Drop what this revision added."""
    for table in ("decisions", "members", "transitions", "looks"):
        op.drop_table(table)
    with op.batch_alter_table("night_themes") as batch:
        batch.drop_column("look_id")
