"""What every table of the store shares."""

import sqlalchemy as sa

METADATA = sa.MetaData()


class StoreError(RuntimeError):
    """The database cannot be opened or read, or was written by a newer version."""
