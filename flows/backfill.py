"""A range of nights, one after the other."""

from datetime import date
from typing import Annotated

from prefect import State
from prefect.states import Completed, Failed

from flows.config import Config, load_config
from flows.dates import nights_between
from flows.deployment import published_nights
from flows.fields import titled
from flows.plan import run_apart
from flows.steps import step, told_flow
from pipeline.question import QuestionError

_EVERY_DAY = "0 0 * * *"


@told_flow("backfill", flow_run_name="backfill {date_from} – {date_to}")
def backfill(
    config_path: str,
    date_from: Annotated[date, titled("最初の日")],
    date_to: Annotated[date, titled("最後の日")],
    force: Annotated[bool, titled("公開済みでも作り直す")] = False,
) -> State:
    """過去の夜をまとめて分析：最初の日から最後の日まで、古い順に一晩ずつ分析します。うまくいかない日があれば、そこで止まります。

    Args:
        config_path: 設定ファイル（TOML）。
        date_from: この日から。予定表（schedule.cron）にある夜だけを分析します。予定表がなければ毎日です。
        date_to: この日まで。
        force: チェックすると、すでに公開した日も分析し直し、置き換えます。外すと、公開済みの日は飛ばします。
    """
    config = load_config(config_path)
    if date_from > date_to:
        raise QuestionError(f"最初の日（{date_from}）が最後の日（{date_to}）より後です。入れ替えてください")
    nights = nights_between(config.schedule.cron or _EVERY_DAY, config.zone, _before(date_from), _after(date_to))
    done = set() if force else set(published_nights(config, config.out))
    for night in [night for night in nights if night not in done]:
        if why := one_night(config_path, night, config, force=force):
            return Failed(name="Stopped", message=f"{night}: {why}; the nights before it are published")
    return Completed(message=f"{len(nights)} nights from {date_from} to {date_to} are published")


@step("run a night", task_run_name="run the night of {night}")
def one_night(config_path: str, night: date, config: Config, *, force: bool) -> str:
    """Run a night in a process and a flow run of its own; return what went wrong."""
    return run_apart(config_path, night, config.out, config.schedule.wait_minutes, force=force)


def _before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)


def _after(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)
