"""What was told to the webhook, so that an event goes out once."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Nothing was told yet."""
    op.create_table(
        "notices",
        sa.Column("business_date", sa.Date, primary_key=True),
        sa.Column("event", sa.String(64), primary_key=True),
    )
