"""The sources of a config: what may be written, and what each mistake is answered with."""

from pathlib import Path

import pytest

from flows.config import ConfigError, load_config
from pipeline.read import Scale

ROOT = Path(__file__).parent.parent
SURVEY = 'name = "s"\npath = "a.csv"\ncolumns = { text = "comment" }\n'


def source(tmp_path, lines):
    path = tmp_path / "night.toml"
    path.write_text("[[sources]]\n" + lines)
    return load_config(path).sources[0]


def test_the_examples_for_every_kind_can_be_loaded():
    config = load_config(ROOT / "configs" / "sources.toml")
    assert {source.kind for source in config.sources} == {"survey", "transcript", "zendesk", "email"}
    assert config.sources[0].spec.scale("ces") == Scale(1, 7)
    assert config.sources[0].spec.paths == (str(ROOT / "configs" / "exports" / "survey-*.csv*"),)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (SURVEY + 'scales = { score = "1-5" }', r"score is the answer to the recommendation question.*name its column csat, ces or dwb"),
        (SURVEY + 'scales = { csat = "five" }', "a scale is written lowest-highest"),
        (SURVEY + 'encoding = "utf-9"', "unknown encoding 'utf-9'; e.g. utf-8, cp932"),
        (SURVEY + 'encoding = "base64"', "unknown encoding 'base64'"),
        (SURVEY + 'delimiter = ";;"', "delimiter"),
        ('name = "s"\ncolumns = { text = "c" }', "path says where the files are"),
        (SURVEY + 'database = "sqlite:///a.db"\nquery = "select 1"', "give one"),
        ('name = "s"\ncolumns = { text = "c" }\ndatabase = "sqlite:///a.db"', "database and query belong together"),
        ('name = "s"\ncolumns = { text = "c" }\ndatabase = "sqlite:///a.db"\nquery = "DROP TABLE a"', "query must be one SELECT"),
        ('name = "s"\ncolumns = { text = "c" }\ndatabase = "x://${NO_SUCH_NAME}"\nquery = "select 1"', "no variable NO_SUCH_NAME"),
        ('name = "s"\npath = "a.csv"', "columns must say which column holds the text"),
    ],
)
def test_each_mistake_is_named(tmp_path, lines, message):
    with pytest.raises(ConfigError, match=message):
        source(tmp_path, lines)


def test_a_password_comes_from_the_environment_and_is_not_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_PASSWORD", "geheim")
    lines = 'name = "s"\ncolumns = { text = "c" }\ndatabase = "postgresql+psycopg://u:${CRM_PASSWORD}@h/d"\nquery = "select 1"'
    found = source(tmp_path, lines)
    assert "geheim" not in repr(found)
    assert found.spec.database == "postgresql+psycopg://u:geheim@h/d"


def test_a_database_file_is_relative_to_the_config(tmp_path):
    lines = 'name = "s"\ncolumns = { text = "c" }\ndatabase = "sqlite:///a.db"\nquery = "select 1"'
    assert source(tmp_path, lines).spec.database == f"sqlite:///{tmp_path / 'a.db'}"


def labelled(tmp_path, labels):
    path = tmp_path / "night.toml"
    path.write_text(f'[[sources]]\n{SURVEY}segments = ["plan", "channel"]\n{labels}', encoding="utf-8")
    return load_config(path).report


def test_segments_and_sources_may_have_labels_in_one_language_or_in_each(tmp_path):
    report = labelled(
        tmp_path, '[report.labels]\nplan = "プラン"\nchannel = { ja = "受付経路", en = "Channel" }\ns = { ja = "アンケート" }'
    )
    assert report.told() == {"language": "ja", "labels": {"plan": "プラン", "channel": "受付経路", "s": "アンケート"}}
    assert report.told("en")["labels"] == {"plan": "プラン", "channel": "Channel", "s": "アンケート"}


def test_a_config_without_labels_tells_the_columns_as_they_are(tmp_path):
    assert labelled(tmp_path, "").told() == {"language": "ja", "labels": {}}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("chanel", r"report.labels: 'chanel' is neither a segment nor a source; did you mean 'channel'\?"),
        ("x", "report.labels: 'x' is neither a segment nor a source; these are plan, channel, s"),
    ],
)
def test_a_label_of_nothing_is_named(tmp_path, name, message):
    with pytest.raises(ConfigError, match=message):
        labelled(tmp_path, f'[report.labels]\n{name} = "名前"')
