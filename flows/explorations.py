"""The reports of analysts' questions: folders of their own under OUT/explore, which no night reads.

They quote responses, so one that quotes an erased response is removed: the analyst can ask again.
"""

import json
import shutil
from pathlib import Path

from flows.locks import LOCK, in_time, locked
from flows.publish import night_files, publish_folder
from pipeline.erasure import erasures
from pipeline.loyalty import KEY
from pipeline.question import QuestionError
from pipeline.report import Night
from pipeline.store import Store

FOLDER = "explore"
RESPONSES = ".responses.json"
"""In each report's folder: the responses it quotes, as [source, feedback_id]."""
_CHECKED = ".checked"
_WAIT = 120


def publish_exploration(night: Night, store: Store, folder: Path, name: str) -> Path:
    """Publish the report of a question under OUT/explore; return its folder.

    Raises
    ------
    QuestionError
        If a response it quotes was erased while the question was worked on.
    """
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    with in_time(_WAIT, lambda: locked(place / LOCK)):
        responses = sorted(night.units.select(KEY).unique().iter_rows())
        if store.unknown_responses(responses):
            raise QuestionError("分析の間に、対象の回答が消去されました。もう一度実行してください")
        return publish_folder(night_files(night) | {RESPONSES: json.dumps(responses).encode()}, place / name)


def remove_outdated(store: Store, folder: Path) -> list[str]:
    """Remove the reports that quote a response erased since they were made; return their names.

    Cheap where nothing was erased since it was last called.
    """
    place = folder / FOLDER
    if not place.is_dir():
        return []
    with in_time(_WAIT, lambda: locked(place / LOCK)):
        newest = str(max((erasure["number"] for erasure in erasures(store)), default=0))
        checked = place / _CHECKED
        if checked.exists() and checked.read_text(encoding="ascii") == newest:
            return []
        gone = [report for report in sorted(place.glob(f"*/{RESPONSES}")) if _quotes_erased(report, store)]
        for report in gone:
            shutil.rmtree(report.parent)
        checked.write_text(newest, encoding="ascii")
    return [report.parent.name for report in gone]


def _quotes_erased(responses: Path, store: Store) -> bool:
    quoted = {(source, feedback_id) for source, feedback_id in json.loads(responses.read_bytes())}
    return bool(store.unknown_responses(quoted))
