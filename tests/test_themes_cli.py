"""Curating from the command line and from the form: one line in, one line out, honoured from the next night."""

import json
from datetime import date

import numpy as np
import pytest
from typer.testing import CliRunner

from flows.cli import app
from pipeline.store import Store
from pipeline.themes.registry import StoredTheme, Transition

NIGHT, NEXT = date(2026, 11, 22), date(2026, 11, 23)
CONFIG = """
[[sources]]
name = "survey"
path = "survey.csv"
columns = { id = "response_id", text = "comment" }
"""


def theme(theme_id, name, parent=None, status="continuing"):
    look = np.array([[0.6, 0.8]], np.float32)
    return StoredTheme(theme_id, name, parent, status, "2026-11-01", "2026-11-22", (name,), look, "fake|medium")


@pytest.fixture
def config(tmp_path):
    (tmp_path / "night.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "out").mkdir()
    themes = [theme("T0001", "配達", "T0004"), theme("T0002", "アプリ", "T0004"), theme("T0003", "返品", None, "retired"), theme("T0004", "全般")]
    with Store.open(f"sqlite:///{tmp_path}/out/kikitori.db") as store:
        summary = {"themes": [{"theme_id": "T0001", "n_feedback": 31}]}
        store.save_night(NIGHT, summary, themes, [Transition("split", "T0001", ("T0002",), 0.6), Transition("survived", "T0004")])
    return tmp_path / "night.toml"


def kikitori(*words):
    return CliRunner().invoke(app, ["themes", *map(str, words)])


def registry(config, night=NEXT):
    with Store.open(f"sqlite:///{config.parent}/out/kikitori.db") as store:
        return store.registry_before(night)


def test_list_shows_ids_names_figures_and_marks(config):
    kikitori("rename", config, "T0001", "お届け", "--by", "analyst")
    kikitori("pin", config, "T0002")
    shown = kikitori("list", config).stdout
    assert "お届け" in shown and "31" in shown and "pinned" in shown and "named" in shown
    assert "T0003" not in shown
    assert "T0003" in kikitori("list", config, "--all").stdout


def test_a_decision_is_told_in_one_line_and_holds_from_the_next_night(config):
    result = kikitori("rename", config, "T0001", "お届け", "--by", "analyst")
    assert result.exit_code == 0
    assert result.stdout.startswith("1 T0001 rename お届け (from the night of 2026-11-23;")
    assert registry(config, NEXT).curation.names == {"T0001": "お届け"}
    assert registry(config, NIGHT).curation.names == {}


def test_a_decision_may_hold_from_an_earlier_night(config):
    kikitori("hide", config, "T0001", "--from", "2026-11-22")
    assert registry(config, NIGHT).curation.hidden == {"T0001"}


def test_who_decides_is_the_user_of_the_machine_unless_told(config, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "operator")
    kikitori("pin", config, "T0001")
    kikitori("pin", config, "T0002", "--by", "analyst")
    history = kikitori("history", config).stdout
    assert "operator: T0001 pin" in history and "analyst: T0002 pin" in history


def test_every_kind_of_decision_has_its_command(config):
    commands = [
        ("merge", "T0002", "T0001"), ("split", "T0001", "--parts", "3"), ("unpin", "T0001"), ("unhide", "T0001"),
        ("move", "置き配の 箱", "T0001"), ("retire", "T0001"), ("refit",), ("undo", "6"),
    ]  # fmt: skip
    for command, *rest in commands:
        assert kikitori(command, config, *rest).exit_code == 0, command
    curation = registry(config).curation
    assert curation.merged == {"T0002": "T0001"} and curation.retired == frozenset() and curation.refit
    assert [(split.theme_id, split.parts) for split in curation.splits] == [("T0001", 3)]
    assert curation.moves == (("置き配の 箱", "T0001"),)


REFUSED = [
    (("rename", "T0009", "新"), "no theme T0009 in the registry; did you mean T000"),
    (("rename", "T0003", "新"), "no theme T0003 in the registry"),
    (("rename", "T0001", "アプリ"), "T0002 is called アプリ already"),
    (("merge", "T0001", "T0004"), "only themes of one level"),
    (("undo", "5"), "no decision 5 (none so far)"),
    (("hide", "T0001", "--from", "2026-13-01"), "--from must look like 2026-11-22"),
]


@pytest.mark.parametrize(("words", "message"), REFUSED)
def test_a_decision_that_cannot_be_carried_out_is_one_line_and_status_2(config, words, message):
    command, *rest = words
    result = kikitori(command, config, *rest)
    assert result.exit_code == 2
    assert message in result.stderr and result.stderr.count("\n") == 1


def test_without_a_night_there_is_nothing_to_curate(tmp_path):
    (tmp_path / "night.toml").write_text(CONFIG, encoding="utf-8")
    result = kikitori("list", tmp_path / "night.toml")
    assert result.exit_code == 2 and "run one first with kikitori run" in result.stderr
    assert not (tmp_path / "out").exists()


def test_history_tells_decisions_and_what_became_of_themes(config):
    kikitori("hide", config, "T0001", "--by", "analyst")
    kikitori("undo", config, "1", "--by", "analyst")
    lines = kikitori("history", config).stdout.splitlines()
    assert lines[0].endswith("T0001 hide  (from 2026-11-23)  undone")
    assert lines[-1].strip() == "2026-11-22  T0001 split → T0002"


def test_export_writes_the_themes_that_are_not_over(config, tmp_path):
    kikitori("rename", config, "T0001", "お届け")
    rows = json.loads(kikitori("export", config).stdout)
    assert [(row["theme_id"], row["name"], row["parent"]) for row in rows] == [
        ("T0001", "お届け", "全般"), ("T0002", "アプリ", "全般"), ("T0004", "全般", ""),
    ]  # fmt: skip
    assert kikitori("export", config, tmp_path / "themes.csv").exit_code == 0
    assert (tmp_path / "themes.csv").read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.fixture
def form(monkeypatch):
    from flows import curate as module

    monkeypatch.setattr(module, "create_table_artifact", lambda *_, **__: None)
    return module.curate


def test_the_form_decides_as_the_command_line_does(config, form):
    state = form.fn(str(config), "名前を付ける", "分析担当", theme="T0001 配送", name="お届け")
    assert state.message.startswith("1 T0001 rename お届け")
    form.fn(str(config), "決定を取り消す", "分析担当", number=1)
    assert registry(config).curation.names == {}


@pytest.mark.parametrize(
    ("action", "given", "message"),
    [
        ("名前を付ける", {"theme": "T0001 配送"}, "「名前を付ける」には「新しい名前」が要ります"),
        ("別のテーマにまとめる", {"theme": "T0001 配送"}, "「まとめる先のテーマ」が要ります"),
        ("隠す", {}, "「隠す」には「テーマ」が要ります"),
    ],
)
def test_the_form_says_which_field_is_missing(config, form, action, given, message):
    from pipeline.question import QuestionError

    with pytest.raises(QuestionError, match=message):
        form.fn(str(config), action, "分析担当", **given)


def test_two_decisions_at_once_have_numbers_of_their_own(config):
    from concurrent.futures import ThreadPoolExecutor

    from flows.config import load_config
    from flows.curation import decide
    from flows.deployment import store_url
    from pipeline.store import Store

    settings = load_config(config)

    def one(theme):
        with Store.open(store_url(settings, settings.out)) as store:
            return decide(store, "pin", theme, {}, made_by="分析担当").number

    with ThreadPoolExecutor(4) as threads:
        numbers = list(threads.map(one, ["T0001", "T0002"] * 4))
    assert sorted(numbers) == list(range(1, 9))
