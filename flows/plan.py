"""Which nights a run has to do: tonight's by the schedule's clock, and before it those that were missed."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from prefect import get_run_logger
from prefect.runtime import flow_run

from flows.config import Config
from flows.dates import is_overtaken, night_of, nights_between
from flows.deployment import published_nights
from flows.outcome import Overtaken


def tonight_of(config: Config) -> date:
    """Return the night of the run that is under way, by the time it was to start.

    Raises
    ------
    Overtaken
        If a later night is due by now, and missed nights are to be skipped.
    """
    scheduled = flow_run.scheduled_start_time
    day = night_of(scheduled, config.zone)
    overtaken = is_overtaken(config.schedule.cron, config.zone, scheduled, datetime.now(UTC))
    if overtaken and config.schedule.catch_up == "skip":
        raise Overtaken(day)
    return day


def run_missed_nights(config: Config, config_path: str, folder: Path, tonight: date) -> dict[date, str]:
    """Run the nights of the schedule between the newest stored one and tonight, in order.

    Returns
    -------
    dict of date to str
        What went wrong with each; "" where it was published. None of them keeps tonight from being run.
    """
    if config.schedule.catch_up == "skip":
        return {}
    earlier = [day for day in published_nights(config, folder) if day < tonight]
    if not earlier:
        return {}
    nights = nights_between(config.schedule.cron, config.zone, earlier[-1], tonight)
    return {night: run_apart(config_path, night, folder, config.schedule.wait_minutes) for night in nights}


def run_apart(config_path: str | Path, night: date, folder: Path, wait_minutes: int, *, force: bool = False) -> str:
    """Run a night in a process and a flow run of its own; return what went wrong, "" if it is published.

    A night that ends its process, by memory or by a signal, ends no other with it.
    """
    command = [sys.executable, "-m", "flows", "run", str(config_path), "--date", str(night), "--out", str(folder)]
    command += ["--wait", str(wait_minutes), *([] if force else ["--unless-published"])]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT__")}
    get_run_logger().info("the night of %s: in a run of its own", night)
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        return ""
    told = [line for line in done.stderr.splitlines() if line.startswith("kikitori: ")]
    why = told[-1].removeprefix("kikitori: ") if told else f"its process ended with status {done.returncode}"
    get_run_logger().warning("the night of %s: %s", night, why)
    return why
