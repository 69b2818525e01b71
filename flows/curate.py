"""The curation form: a flow whose flat parameters the Prefect UI shows as one.

The docstring of the flow has Google's sections, because these are the ones whose descriptions Prefect shows.
"""

from datetime import date
from pathlib import Path
from typing import Literal

from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact

from flows.config import load_config
from flows.curation import decide, list_themes
from pipeline.store import Store
from pipeline.themes.curation import CurationError, told

Action = Literal["rename", "merge", "split", "pin", "unpin", "hide", "unhide", "move", "retire", "refit", "undo"]
_NEEDS = {"rename": "name", "merge": "into", "split": "parts", "move": "phrase", "undo": "number"}


@flow(name="curate")
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

    Args:
        config_path: The deployment's TOML file.
        made_by: Your name, for the history.
        action: What to do.
        theme_id: The theme, e.g. T0003 (not for refit and undo).
        name: For rename: the new name, at most 20 characters.
        into: For merge: the id of the theme that stays.
        phrase: For move: words as they stand in the comments.
        parts: For split: how many themes it becomes, 2 to 5.
        number: For undo: the decision's number in the history.
        from_night: The first night it holds for; empty: the one after the newest night.
    """
    given = {"name": name, "into": into, "phrase": phrase, "number": number, "parts": parts}
    needed = _NEEDS.get(action)
    if needed and given[needed] is None:
        raise CurationError(f"{action} needs {needed}; fill that field in")
    config = load_config(config_path)
    with Store.open(config.store or f"sqlite:///{Path(config.out) / 'kikitori.db'}") as store:
        detail = {needed: given[needed]} if needed else {}
        subject = None if action in ("refit", "undo") else theme_id
        decision = decide(store, action, subject, detail, made_by=made_by, holds_from=from_night)
        rows = [{**vars(row), "keywords": "、".join(row.keywords)} for row in list_themes(store)]
    create_table_artifact(key="registry", table=rows, description=config.title)
    get_run_logger().info("decision %s holds from %s", decision.number, decision.holds_from)
    return f"{decision.number} {told(decision)}"
