"""Codebooks: read with every problem in one line, written, and put among the night's themes."""

import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flows.codebooks import export_codebook
from flows.config import ConfigError, load_config
from models.codebook import CodebookTheme
from pipeline.store import Store
from pipeline.themes.codebook_themes import NamedThemes, codebook_of, with_codebook
from pipeline.themes.codebooks import Codebook, CodebookError, name_id, permanent_id, read_codebook, to_excel, to_toml
from pipeline.themes.naming import MAX_LENGTH
from pipeline.themes.night import find_themes
from pipeline.themes.registry import Registry, StoredTheme, theme_number

SHIPPED = sorted((Path(__file__).parent.parent / "configs" / "codebooks").glob("*.toml"))
BOOK = Codebook(
    "書き戻し",
    (
        CodebookTheme("配送", '届くまでの日数、"時間指定"\\遅れ', ("届くのが遅い", "時間どおり"), "届け方", "T0007"),
        CodebookTheme("価格"),
        CodebookTheme("=SUM(A1)", parent="届け方"),
    ),
)
WRITERS = {"toml": to_toml, "xlsx": to_excel}


def write(folder, text):
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_eight_codebooks_ship():
    assert [path.stem for path in SHIPPED] == [
        "bank", "clinic", "ecommerce", "general", "hotel", "municipal", "saas", "telecom",
    ]  # fmt: skip


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_codebook_has_ten_to_sixteen_described_themes(path):
    book = read_codebook(path)
    assert 10 <= len(book.themes) <= 16
    assert all(theme.description and theme.examples for theme in book.themes)
    assert all(len(theme.name) <= MAX_LENGTH for theme in book.themes)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_codebook_comes_back_as_it_was_written(tmp_path, kind):
    path = tmp_path / f"{BOOK.title}.{kind}"
    path.write_bytes(WRITERS[kind](BOOK))
    assert read_codebook(path) == BOOK


def test_toml_and_excel_hold_the_same(tmp_path):
    for path in SHIPPED:
        (tmp_path / "own.xlsx").write_bytes(to_excel(read_codebook(path)))
        assert read_codebook(tmp_path / "own.xlsx").themes == read_codebook(path).themes


def test_written_toml_is_toml():
    assert tomllib.loads(to_toml(BOOK).decode())["themes"][0]["id"] == "T0007"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = 3", "title must be a text"),
        ("themes = 1", "themes must be written as"),
        ("theme = []", "unknown key 'theme'"),
        ("title = 'a'", "at least one theme"),
        ("[[themes]]\nnane = 'a'", "theme 1: unknown key 'nane'; did you mean 'name'?"),
        ("[[themes]]\ndescription = 'a'", "theme 1: name must be a text that is not empty"),
        (f"[[themes]]\nname = '{'長' * 21}'", "name must be 20 characters at most; got 21"),
        ("[[themes]]\nname = '配送'\nexamples = '遅い'", "theme 1 「配送」: examples must be a list of texts"),
        ("[[themes]]\nname = '配送'\nid = 'T 7'", "id must be letters, digits and -, such as T0007; got 'T 7'"),
        (f"[[themes]]\nname = '配送'\ndescription = '{'長' * 301}'", "must be 300 characters at most"),
        ("[[themes]]\nname = 'ｱﾌﾟﾘ'\n[[themes]]\nname = 'アプリ'", "theme 2 「アプリ」: each theme needs its own name"),
        ("[[themes]]\nname = 'a'\nid = 'X'\n[[themes]]\nname = 'b'\nid = 'X'", "theme 2 「b」: each theme needs its own id"),
        ("[[themes]]\nname = 'a'\n[[themes]]\nname = 'b'\nparent = 'a'", "parent must be the name of a group"),
        ("[[themes", "cannot be read as TOML"),
    ],
)
def test_what_cannot_be_used_gets_one_line_with_file_theme_and_rule(tmp_path, text, message):
    with pytest.raises(CodebookError) as caught:
        read_codebook(write(tmp_path, text))
    assert message in str(caught.value)
    assert str(caught.value).startswith("own.toml")
    assert "\n" not in str(caught.value)


def test_a_missing_or_foreign_file_says_what_to_do(tmp_path):
    with pytest.raises(CodebookError, match=r"no such file; set themes\.codebook"):
        read_codebook(tmp_path / "none.toml")
    with pytest.raises(CodebookError, match=r"own\.csv: a codebook is a \.toml or \.xlsx file"):
        read_codebook(tmp_path / "own.csv")


def test_a_damaged_workbook_is_refused_in_one_line(tmp_path):
    (tmp_path / "own.xlsx").write_bytes(b"not a workbook")
    with pytest.raises(CodebookError, match=r"own\.xlsx: cannot be read as an Excel workbook"):
        read_codebook(tmp_path / "own.xlsx")


def test_an_id_made_of_a_name_is_the_same_whatever_the_width_and_numbers_nothing():
    assert name_id("アプリ") == name_id("ｱﾌﾟﾘ") != name_id("価格")
    assert theme_number(name_id("アプリ")) == 0
    assert permanent_id(BOOK.themes[0]) == "T0007"


DIM = 16
TOPICS = ("配送", "価格", "接客")
AXES = np.eye(DIM, dtype=np.float32)
COMMON = AXES[DIM - 1] * 2  # what all sentence vectors share


def encode(texts):
    """Return a vector per text: the direction of the topic it names, beside what all texts share."""
    rows = [COMMON + sum((AXES[k] for k, topic in enumerate(TOPICS) if topic in text), 0 * COMMON) for text in texts]
    rows = np.array(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def night(sizes, seed=0):
    """Return units about 配送, 価格, 接客 and (the fourth) something no codebook knows, with vectors."""
    rng = np.random.default_rng(seed)
    topics = np.repeat(np.arange(len(sizes)), sizes)
    words = [*TOPICS, "駐車場"]
    texts = [f"{words[topic]}について" for topic in topics]
    vectors = COMMON + AXES[np.where(topics == 3, 8, topics)] + 0.1 * rng.normal(size=(len(topics), DIM))
    units = pl.DataFrame(
        {
            "source": ["s"] * len(topics),
            "feedback_id": [f"R{row:04d}" for row in range(len(topics))],
            "unit_index": [0] * len(topics),
            "unit_text": texts,
            "tokens": [[words[topic]] for topic in topics],
            "pairs": [[] for _ in topics],
        },
        schema_overrides={"pairs": pl.List(pl.Utf8)},
    )
    return units, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), topics


TEAM = Codebook("三つ", (CodebookTheme("お届け・配送"), CodebookTheme("価格の高さ", parent="お金"), CodebookTheme("接客態度")))
MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)


def themed(units, vectors, registry, day, book=TEAM):
    options = {"granularity": "medium", "random_state": 0, "model_id": "fake", "prior": None}
    if book:
        registry = with_codebook(
            registry, book, encode=encode, embeddings=vectors, prior=None, signature="fake|medium", business_date=day
        )
        options["codebook"] = NamedThemes.of(book, None)
    return find_themes(units, vectors, registry=registry, business_date=day, **options)


def test_units_come_out_under_the_teams_own_names_and_the_rest_is_discovered():
    units, vectors, topics = night([120, 80, 100, 60])
    found = themed(units, vectors, Registry([], 1), MONDAY)
    by_topic = [set(found.units["theme"].filter(pl.Series(topics == k))) for k in range(4)]
    assert by_topic[:3] == [{"お届け・配送"}, {"価格の高さ"}, {"接客態度"}]
    assert by_topic[3].isdisjoint({theme.name for theme in TEAM.themes})
    assert set(found.units["parent_theme"].filter(pl.Series(topics == 1))) == {"お金"}


def test_a_codebook_theme_keeps_its_id_and_name_from_night_to_night():
    first = themed(*night([30, 20, 25, 15])[:2], Registry([], 1), MONDAY)
    registry = Registry(first.stored, 2)
    second = themed(*night([10, 40, 25, 15], seed=1)[:2], registry, TUESDAY)
    ids = {theme.name: permanent_id(theme) for theme in TEAM.themes}
    for found in (first, second):
        assert dict(found.themes.filter(pl.col("name").is_in(list(ids))).select("name", "theme_id").iter_rows()) == ids
    looks = {theme.theme_id: theme.look for theme in first.stored}
    assert all(np.array_equal(theme.look, looks[theme.theme_id]) for theme in second.stored if theme.theme_id in ids.values())


def test_a_codebook_theme_without_units_stays():
    found = themed(*night([30, 20])[:2], Registry([], 1), MONDAY)
    assert "接客態度" in set(found.themes["name"])


def test_a_night_becomes_a_codebook_that_keeps_its_ids_when_renamed(tmp_path):
    units, vectors, _ = night([30, 20, 25])
    first = themed(units, vectors, Registry([], 1), MONDAY, book=None)
    book = codebook_of(Registry(first.stored, 9), "先月")
    assert {theme.theme_id for theme in book.themes} == set(first.units["theme_id"].drop_nulls())
    path = tmp_path / "past.toml"
    path.write_bytes(to_toml(book))
    path.write_text(path.read_text(encoding="utf-8").replace(f'"{book.themes[0].name}"', '"新しい名前"'), encoding="utf-8")
    second = themed(units, vectors, Registry(first.stored, 9), TUESDAY, book=read_codebook(path))
    assert second.units["theme_id"].to_list() == first.units["theme_id"].to_list()
    assert "新しい名前" in set(second.units["theme"])


def test_retired_and_hidden_groups_are_not_exported():
    look = AXES[:1]
    themes = [
        StoredTheme("T0001", "配送", "T0003", "continuing", "2026-11-01", "2026-11-16", ("遅い",), look, "fake|medium"),
        StoredTheme("T0002", "価格", None, "retired", "2026-11-01", "2026-11-02", (), look, "fake|medium"),
        StoredTheme("T0003", "届け方", None, "continuing", "2026-11-01", "2026-11-16", (), look, "fake|medium"),
    ]
    assert codebook_of(Registry(themes, 4), "先月").themes == (CodebookTheme("配送", "遅い", (), "届け方", "T0001"),)


def test_a_past_night_is_exported_to_a_file_that_reads_back(tmp_path):
    look = AXES[:1]
    one = StoredTheme("T0001", "配送", None, "continuing", "2026-11-01", "2026-11-16", ("遅い",), look, "fake|medium")
    with Store.open(f"sqlite:///{tmp_path}/kikitori.db") as store:
        store.save_night(MONDAY, {"business_date": str(MONDAY)}, [one])
        store.save_night(TUESDAY, {"business_date": str(TUESDAY)}, [one, replace(one, theme_id="T0002", name="価格")])
        assert export_codebook(store, "通販", tmp_path / "monday.xlsx", MONDAY) == 1
        assert export_codebook(store, "通販", tmp_path / "newest.toml") == 2
        with pytest.raises(ConfigError, match=r"newest\.toml: exists already"):
            export_codebook(store, "通販", tmp_path / "newest.toml")
        with pytest.raises(ConfigError, match="通販: no night of 2026-11-20; the newest is 2026-11-17"):
            export_codebook(store, "通販", tmp_path / "other.toml", date(2026, 11, 20))
    assert [theme.theme_id for theme in read_codebook(tmp_path / "monday.xlsx").themes] == ["T0001"]
    assert read_codebook(tmp_path / "newest.toml").title == "通販 2026-11-17"


def test_an_unusable_codebook_is_refused_with_the_config(tmp_path):
    (tmp_path / "own.toml").write_text("[[themes]]\nname = ''", encoding="utf-8")
    config = 'themes = { codebook = "own.toml" }\n[[sources]]\nname = "s"\npath = "s.csv"\ncolumns = { text = "t" }\n'
    (tmp_path / "night.toml").write_text(config, encoding="utf-8")
    with pytest.raises(CodebookError, match=r"own\.toml theme 1: name must be a text"):
        load_config(tmp_path / "night.toml")
