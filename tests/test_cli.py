"""What an operator sees when something is wrong: one line, exit status 2, no traceback."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app

HEADER = "response_id,submitted_at,nps_score,comment\n"
CONFIG = """
[[sources]]
name = "survey"
path = "survey.csv"
columns = { id = "response_id", text = "comment", score = "nps_score", received_at = "submitted_at" }
"""


def run(folder: Path, config: str = CONFIG, csv: str | None = None):
    (folder / "night.toml").write_text(config, encoding="utf-8")
    if csv is not None:
        (folder / "survey.csv").write_text(csv, encoding="utf-8")
    return CliRunner().invoke(app, ["run", str(folder / "night.toml"), "--date", "2026-11-22"])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (CONFIG.replace("columns =", "colums ="), "unknown key 'colums' under sources[0]; did you mean 'columns'?"),
        (CONFIG.replace("id =", "idd ="), "unknown key 'idd'"),
        ("[[sources]\n", "cannot be read as TOML"),
        ('title = "x"\n', "sources: Field required"),
        (CONFIG.replace("columns", "segments = ['theme']\ncolumns"), "segments may not be named like a column"),
        (CONFIG + "[loyalty]\nchurn_dasy = 90\n", "unknown key 'churn_dasy' under loyalty; did you mean 'churn_days'?"),
        (CONFIG + "[customers]\npath = 'c.csv'\ncolumns = { order = 'n' }\n", "did you mean 'orders'?"),
        (CONFIG + "[customers]\npath = 'c.csv'\ncolumns = { orders = 'n' }\n", "columns must say which column holds the id"),
        ('timezone = "Asia/Tokio"\n' + CONFIG, "did you mean 'Asia/Tokyo'?"),
    ],
)
def test_an_unusable_config_is_named_in_one_line(tmp_path, config, message):
    result = run(tmp_path, config, HEADER)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_missing_config_is_named(tmp_path):
    result = CliRunner().invoke(app, ["run", str(tmp_path / "none.toml")])
    assert result.exit_code == 2
    assert "no such file" in result.stderr


def test_an_impossible_date_is_refused(tmp_path):
    (tmp_path / "night.toml").write_text(CONFIG, encoding="utf-8")
    result = CliRunner().invoke(app, ["run", str(tmp_path / "night.toml"), "--date", "2026-13-40"])
    assert result.exit_code == 2
    assert "--date must look like" in result.stderr
