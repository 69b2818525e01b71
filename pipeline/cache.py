"""Keep what is dear to compute, by what it was computed from.

Parsing, embedding and sentiment are pure functions of a text, so their results are kept under a
namespace (which model, which version) and a keyed hash of the text: nothing can go stale, and a
night cut short continues where it stopped.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Protocol

from models.bundled import Progress

CHUNK = 4096  # texts computed between two writes: what a killed run can lose


class Cache(Protocol):
    """What a store offers for keeping results; see :class:`pipeline.store.Store`."""

    def cache_get(self, namespace: str, keys: list[str]) -> dict[str, bytes]:
        """Return the kept values, by key."""

    def cache_put(self, namespace: str, values: dict[str, bytes]) -> None:
        """Keep values, by key."""


def text_key(text: str, secret: bytes) -> str:
    """Return the keyed hash of a text (HMAC-SHA256, 32 hex digits): useless without the deployment's key."""
    return hmac.new(secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]


def cached(
    texts: Sequence[str],
    namespace: str,
    compute: Callable[[list[str]], list[bytes]],
    *,
    cache: Cache,
    secret: bytes,
    progress: Progress | None = None,
) -> list[bytes]:
    """Return one value per text, computing only what is not kept yet and each distinct text once.

    ``compute`` gets sorted texts, so that the order of the rows cannot change what it returns.
    """
    keys = {text: text_key(text, secret) for text in set(texts)}
    kept = cache.cache_get(namespace, sorted(keys.values()))
    missing = sorted(text for text, key in keys.items() if key not in kept)
    for start in range(0, len(missing), CHUNK):
        chunk = missing[start : start + CHUNK]
        values = dict(zip((keys[text] for text in chunk), compute(chunk), strict=True))
        cache.cache_put(namespace, values)
        kept.update(values)
        if progress:
            progress(start + len(chunk), len(missing))
    return [kept[keys[text]] for text in texts]
