"""The curation form: a flow whose flat parameters the Prefect UI shows as one."""

from datetime import date
from pathlib import Path
from typing import Literal

from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact

from flows.config import load_config
from flows.curation import decide, list_themes
from pipeline.curation import CurationError, told
from pipeline.store import Store

Action = Literal["rename", "merge", "split", "pin", "unpin", "hide", "unhide", "move", "retire", "refit", "undo"]
_NEEDS = {"rename": "name", "merge": "into", "move": "phrase", "undo": "number"}


@flow(name="curate", validate_parameters=True)
def curate(
    config_path: str,
    made_by: str,
    action: Action,
    theme_id: str | None = None,
    name: str | None = None,
    into: str | None = None,
    phrase: str | None = None,
    parts: int = 2,
    number: int | None = None,
    from_night: date | None = None,
) -> str:
    """Decide something about a theme; every later night honours it.

    Parameters
    ----------
    config_path : str
        The deployment's TOML file.
    made_by : str
        Who decides: your name, for the history.
    action : str
        What to do with the theme.
    theme_id : str, optional
        The theme, e.g. T0003 (not for refit and undo).
    name : str, optional
        For rename: the new name, at most 20 characters.
    into : str, optional
        For merge: the id of the theme that stays.
    phrase : str, optional
        For move: words as they stand in the comments.
    parts : int
        For split: how many themes it becomes (2 to 5).
    number : int, optional
        For undo: the decision's number in the history.
    from_night : date, optional
        The first night it holds for; default: the one after the newest night.
    """
    given = {"name": name, "into": into, "phrase": phrase, "number": number, "parts": parts}
    needed = "parts" if action == "split" else _NEEDS.get(action)
    if needed and given[needed] is None:
        raise CurationError(f"{action} needs {needed}; fill that field in")
    config = load_config(config_path)
    url = config.store or f"sqlite:///{Path(config.out) / 'kikitori.db'}"
    with Store.open(url) as store:
        detail = {needed: given[needed]} if needed else {}
        subject = None if action in ("refit", "undo") else theme_id
        decision = decide(store, action, subject, detail, made_by=made_by, holds_from=from_night)
        rows = [{**vars(row), "keywords": "、".join(row.keywords)} for row in list_themes(store)]
    create_table_artifact(key="registry", table=rows, description=config.title)
    get_run_logger().info("decision %s holds from %s", decision.number, decision.holds_from)
    return f"{decision.number} {told(decision)}"
