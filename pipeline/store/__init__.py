"""The store: masked feedback, the cache, what each night said, and what was erased.

SQLite by default, PostgreSQL by URL; the same statements run on both. Times are stored as UTC without a
zone, dates are business dates. The store has no clock: every date comes from the caller.
"""

from pipeline.store.database import Store
from pipeline.store.engine import StoreError
from pipeline.store.feedback import Upserted
from pipeline.store.nights import StoredNight
from pipeline.store.tables import METADATA
from pipeline.themes.registry import Registry, StoredTheme

__all__ = ["METADATA", "Registry", "Store", "StoreError", "StoredNight", "StoredTheme", "Upserted"]
