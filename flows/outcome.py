"""The states a night ends in, told apart by name: the Prefect UI, its automations and the command line read them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from prefect import State
from prefect.states import Completed, Failed

ALREADY_PUBLISHED = "AlreadyPublished"
SKIPPED = "Skipped"
NO_NEW_DATA = "NoNewData"
INCOMPLETE = "Incomplete"


class Overtaken(Exception):
    """The run is of a night whose turn is over; it ends in `state`."""

    def __init__(self, day: date) -> None:
        super().__init__(day)
        message = f"{day} was missed and a later night is due; catch_up is skip: kikitori backfill or a run of its own"
        self.state: State = Completed(name=SKIPPED, message=message)


def already_published(day: date, link: str) -> State:
    """Return the state of a run that found its night published."""
    return Completed(name=ALREADY_PUBLISHED, message=f"{day} is already published: {link}")


def night_state(summary: Mapping[str, Any], link: str, missed: Mapping[date, str]) -> State:
    """Return the state of a run that published its night.

    Parameters
    ----------
    summary : mapping
        The night's summary.json.
    link : str
        Where its report is.
    missed : mapping of date to str
        What became of the missed nights that were run before it; "" where all is well.
    """
    told = f"{summary['business_date']} is published: {link}"
    missing = [source["name"] for source in summary["sources"] if source["missing"]]
    failed = [f"{day} ({why})" for day, why in missed.items() if why]
    if missing:
        told += f"; without {', '.join(missing)}, which could not be read"
    if failed:
        told += f"; missed before and failed again: {'; '.join(failed)}"
    if missing or failed:
        return Failed(name=INCOMPLETE, message=told)
    if not any(source["analysed"] + source["no_opinion"] for source in summary["sources"]):
        return Completed(name=NO_NEW_DATA, message=f"no new data; {told}")
    return Completed(message=told)
