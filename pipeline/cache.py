"""Keep what is dear to compute, by what it was computed from.

Parsing, embedding and sentiment are pure functions of a text, so their results are kept under a
namespace (which model, which version) and a keyed hash of the text: nothing can go stale, and a
night cut short continues where it stopped.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from models.bundled import Progress
from pipeline.shards import Compute, Run, in_this_process

CHUNK = 4096  # texts computed between two writes: what a killed run can lose
SLICE = 10_000  # values handed out at a time: what is in memory at once


class Cache(Protocol):
    """What a store offers for keeping results; see :class:`pipeline.store.Store`."""

    def cache_has(self, namespace: str, keys: Iterable[str]) -> set[str]:
        """Return which of the keys have a value."""

    def cache_get(self, namespace: str, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the kept values, by key."""

    def cache_put(self, namespace: str, values: Mapping[str, bytes]) -> None:
        """Keep values, by key."""


def text_key(text: str, secret: bytes) -> str:
    """Return the keyed hash of a text (HMAC-SHA256, 32 hex digits): useless without the deployment's key."""
    return hmac.digest(secret, text.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]


def computed(
    texts: Sequence[str],
    namespace: str,
    compute: Compute,
    *,
    cache: Cache,
    secret: bytes,
    run: Run = in_this_process,
    shard_size: int = CHUNK,
    also_under: Callable[[bytes], str] | None = None,
    progress: Progress | None = None,
) -> Iterator[list[bytes]]:
    """Yield one value per text, in slices of the texts; only what is not kept yet is computed, each text once.

    ``compute`` gets sorted texts, so that the order of the rows cannot change what it returns. What is missing is
    computed before the first slice is handed out.

    Parameters
    ----------
    texts : sequence of str
    namespace : str
        What computes them: models and versions.
    compute : callable
        Takes some texts and returns a value for each.
    run : callable
        Computes shards, here or elsewhere; only this process writes to the cache.
    shard_size : int
        Texts in a shard.
    also_under : callable, optional
        Takes a value and returns a second text under which it is kept, if nothing is kept there.
    """
    keys = [text_key(text, secret) for text in texts]
    known: set[str] = set()
    for start in range(0, len(keys), SLICE):
        known |= cache.cache_has(namespace, keys[start : start + SLICE])
    missing = sorted({text for text, key in zip(texts, keys, strict=True) if key not in known})
    del known
    done = 0
    shards = [missing[start : start + shard_size] for start in range(0, len(missing), shard_size)]
    for shard, values in zip(shards, run(compute, shards), strict=True):
        kept = dict(zip((text_key(text, secret) for text in shard), values, strict=True))
        if also_under:
            others = {text_key(also_under(value), secret): value for value in values}
            there = cache.cache_has(namespace, others)
            # Before the texts themselves: a run killed between the two computes both again.
            cache.cache_put(namespace, {key: other for key, other in others.items() if key not in {*there, *kept}})
        cache.cache_put(namespace, kept)
        done += len(shard)
        if progress:
            progress(done, len(missing))
    for start in range(0, len(keys), SLICE):
        some = keys[start : start + SLICE]
        found = cache.cache_get(namespace, some)
        yield [found[key] for key in some]
