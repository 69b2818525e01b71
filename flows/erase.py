"""Erase a customer or a response on request, everywhere, and render the pages again."""

from datetime import UTC, datetime
from pathlib import Path

from flows.config import Config, ConfigError
from flows.deployment import deployment
from flows.explorations import remove_outdated
from flows.keys import deployment_key
from flows.publish import finish_pages
from pipeline.cleanse import hash_customer
from pipeline.erasure import Erased, forget_customer, forget_feedback
from pipeline.store import StoreError


def forget(
    config: Config,
    folder: Path,
    *,
    by: str,
    customer: str | None = None,
    feedback: str | None = None,
    source: str | None = None,
    wait: float = 0,
) -> Erased:
    """Erase a customer's responses, or one response, from the store and from every published night.

    Safe to repeat, and safe to kill: what is left to do is done by the next command that opens the deployment.

    Parameters
    ----------
    folder : Path
        Where the nights are published.
    by : str
        Who asks for it; written into the store with the time and a keyed hash of the id.
    customer, feedback : str, optional
        The id as the exports have it; exactly one of them.
    source : str, optional
        The source of the response; default every configured source.
    wait : float
        Seconds to wait for another process that works on the deployment.

    Raises
    ------
    ConfigError
        If not exactly one id is given, or the source is not configured.
    StoreError
        If all is erased, but a program that reads the database keeps the words in its files for now.
    """
    if bool(customer) == bool(feedback):
        raise ConfigError("forget: give exactly one of --customer and --feedback")
    names = [known.name for known in config.sources]
    if source is not None and (source not in names or customer):
        raise ConfigError(f"forget: --source goes with --feedback and is one of {', '.join(names)}; got {source!r}")
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    with deployment(config, folder, wait=wait) as store:
        secret = deployment_key(folder)
        if customer:
            erased = forget_customer(store, hash_customer(customer, secret), secret=secret, by=by, at=now)
        else:
            sources = [source] if source else names
            erased = forget_feedback(store, str(feedback), sources, secret=secret, by=by, at=now)
        finish_pages(store, folder)
        remove_outdated(store, folder)
        if not store.compact():
            raise StoreError(
                "erased, but the database is being read by another program, which keeps the words in its files: "
                "let that program end, then run the same command again"
            )
    return erased
