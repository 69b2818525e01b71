"""The curation form: a flow whose flat parameters the Prefect UI shows as one."""

from datetime import date
from typing import Annotated, Literal

from prefect import State
from prefect.artifacts import create_table_artifact
from prefect.states import Completed

from flows.config import load_config
from flows.curation import decide, list_themes
from flows.deployment import store_url
from flows.fields import titled
from flows.forms import refresh_menus
from flows.links import slug
from flows.steps import told_flow
from pipeline.question import QuestionError
from pipeline.store import Store
from pipeline.themes.curation import told

Action = Literal[
    "名前を付ける",
    "別のテーマにまとめる",
    "分ける",
    "言葉をテーマに移す",
    "固定する",
    "固定をやめる",
    "隠す",
    "隠すのをやめる",
    "終了する",
    "次の夜に見つけ直す",
    "決定を取り消す",
]
_KINDS = {
    "名前を付ける": ("rename", "name", "新しい名前"),
    "別のテーマにまとめる": ("merge", "into", "まとめる先のテーマ"),
    "分ける": ("split", "parts", "分ける数"),
    "言葉をテーマに移す": ("move", "phrase", "言葉"),
    "固定する": ("pin", None, None),
    "固定をやめる": ("unpin", None, None),
    "隠す": ("hide", None, None),
    "隠すのをやめる": ("unhide", None, None),
    "終了する": ("retire", None, None),
    "次の夜に見つけ直す": ("refit", None, None),
    "決定を取り消す": ("undo", "number", "決定の番号"),
}
_OF_NO_THEME = ("refit", "undo")


@told_flow("curate", flow_run_name="curate {action} {theme}")
def curate(
    config_path: str,
    action: Annotated[Action, titled("すること")],
    made_by: Annotated[str, titled("決めた人")],
    theme: Annotated[str, titled("テーマ")] = "",
    name: Annotated[str, titled("新しい名前")] = "",
    into: Annotated[str, titled("まとめる先のテーマ")] = "",
    phrase: Annotated[str, titled("移す言葉")] = "",
    parts: Annotated[Literal[2, 3, 4, 5], titled("分ける数")] = 2,
    number: Annotated[int, titled("決定の番号")] = 0,
    from_night: Annotated[date | None, titled("いつの夜から")] = None,
) -> State:
    """テーマの整理：名前を付ける、まとめる、分ける、隠すなど。決めたことは記録され、以後の夜に反映されます。

    Args:
        config_path: 設定ファイル（TOML）。
        action: 何をするか。
        made_by: お名前。履歴に残ります。
        theme: 対象のテーマ（「次の夜に見つけ直す」と「決定を取り消す」では不要）。
        name: 「名前を付ける」とき：20文字まで。以後、機械が変えることはありません。
        into: 「別のテーマにまとめる」とき：残るテーマ。
        phrase: 「言葉をテーマに移す」とき：コメントにあるとおりの言葉。この言葉を含む意見が、対象のテーマに入ります。
        parts: 「分ける」とき：いくつに分けるか。
        number: 「決定を取り消す」とき：履歴にある番号。
        from_night: この日の夜から反映します。空欄なら、次の夜から。
    """
    kind, key, label = _KINDS[action]
    given = {"name": name, "into": _theme_id(into), "phrase": phrase, "parts": parts, "number": number}
    if key and not given[key]:
        raise QuestionError(f"「{action}」には「{label}」が要ります。入力してください")
    if kind not in _OF_NO_THEME and not theme:
        raise QuestionError(f"「{action}」には「テーマ」が要ります。選んでください")
    config = load_config(config_path)
    with Store.open(store_url(config, config.out)) as store:
        subject = None if kind in _OF_NO_THEME else _theme_id(theme)
        detail = {key: given[key]} if key else {}
        decision = decide(store, kind, subject, detail, made_by=made_by, holds_from=from_night)
        rows = [{**vars(row), "keywords": "、".join(row.keywords)} for row in list_themes(store)]
    create_table_artifact(rows, key=f"{slug(config_path)}-registry", description=config.title)
    refresh_menus(config, config_path)
    return Completed(message=f"{decision.number} {told(decision)} (from the night of {decision.holds_from})")


def _theme_id(chosen: str) -> str:
    """Return the id of a theme chosen from the menu, which shows its name behind it."""
    return chosen.split(maxsplit=1)[0] if chosen.strip() else ""
