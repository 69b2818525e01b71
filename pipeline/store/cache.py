"""The cache: what was computed from a text, by what computed it and the text's keyed hash."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from pipeline.store.tables import CACHE, chunks, upsert


def cache_has(connection: sa.Connection, namespace: str, keys: Iterable[str]) -> set[str]:
    """Return those keys under which a value is cached."""
    found: set[str] = set()
    for chunk in chunks(sorted(set(keys))):
        query = sa.select(CACHE.c.key).where(CACHE.c.namespace == namespace, CACHE.c.key.in_(chunk))
        found.update(connection.scalars(query))
    return found


def cache_get(connection: sa.Connection, namespace: str, keys: Iterable[str]) -> dict[str, bytes]:
    """Return the cached values of those keys that are known."""
    found: dict[str, bytes] = {}
    for chunk in chunks(sorted(set(keys))):
        query = sa.select(CACHE.c.key, CACHE.c.value).where(CACHE.c.namespace == namespace, CACHE.c.key.in_(chunk))
        found.update((key, bytes(value)) for key, value in connection.execute(query))
    return found


def cache_put(connection: sa.Connection, namespace: str, values: Mapping[str, bytes]) -> None:
    """Store the values under their keys."""
    for chunk in chunks(sorted(values)):
        rows = [{"namespace": namespace, "key": key, "value": values[key]} for key in chunk]
        connection.execute(upsert(connection, CACHE), rows)


def namespaces(connection: sa.Connection, prefix: str = "") -> list[str]:
    """Return the namespaces that hold anything, sorted."""
    found = connection.scalars(sa.select(CACHE.c.namespace).distinct()).all()
    return sorted(name for name in found if name.startswith(prefix))


def cache_drop(connection: sa.Connection, keys: Iterable[str]) -> int:
    """Delete the keys in every namespace and return how many rows there were."""
    wanted, dropped = sorted(set(keys)), 0
    for namespace in namespaces(connection):
        for chunk in chunks(wanted):
            gone = sa.delete(CACHE).where(CACHE.c.namespace == namespace, CACHE.c.key.in_(chunk))
            dropped += connection.execute(gone).rowcount
    return dropped
