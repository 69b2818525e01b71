"""After an erasure no byte holds the person's words, the figures stand, and no later night brings them back."""

import io
import json
import threading
import zipfile
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest
from report_data import make_night
from stores import KINDS, contents, database
from typer.testing import CliRunner

from flows.cli import app
from flows.config import ConfigError, load_config
from flows.deployment import deployment
from flows.erase import forget
from flows.keys import deployment_key
from flows.publish import stored_tables, write_pages
from pipeline.cache import text_key
from pipeline.cleanse import hash_customer
from pipeline.erasure import erasures, expire
from pipeline.intake import ERASED, Intake, refuse
from pipeline.read import FEEDBACK_SCHEMA
from pipeline.store import Store
from pipeline.themes.members import Members, unit_keys
from pipeline.themes.registry import StoredTheme
from pipeline.tombstones import tombstones

DAY, LATER = date(2024, 11, 21), date(2024, 11, 22)
CONFIG = """
{store}
[[sources]]
name = "survey"
path = "survey.csv"
columns = {{ id = "id", text = "comment", customer = "customer" }}
[[sources]]
name = "calls"
path = "calls.csv"
columns = {{ id = "id", text = "comment" }}
"""
RAW = "佐藤と申します。{}"  # as the comment came, before names were masked
NIGHT = make_night()
UNITS = NIGHT.units.with_row_index("at")


def customer_of(at):
    return f"customer-{at // 2}"


def feedback(secret):
    rows = [
        {
            "source": row["source"],
            "feedback_id": row["feedback_id"],
            "text": row["unit_text"],
            "score": row["nps_score"],
            "received_at": row["received_at"],
            "customer": hash_customer(customer_of(row["at"]), secret),
        }
        for row in UNITS.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=FEEDBACK_SCHEMA)


def fill(store, folder, secret, days=(DAY, LATER)):
    """Store two nights as a run leaves them: links, cache, feedback, tables, pages."""
    rows = feedback(secret)
    texts = rows["text"].to_list()
    keys = [text_key(RAW.format(text), secret) for text in texts]
    store.link_texts(zip(rows["source"], rows["feedback_id"], rows["customer"], keys, strict=True), days[0])
    annotated = [
        json.dumps({"text": text, "units": [{"text": text + "の一部", "start": 0, "end": 1}]}, ensure_ascii=False).encode()
        for text in texts
    ]
    store.cache_put("segment:2|parser", dict(zip(keys, annotated, strict=True)))
    store.cache_put("segment:2|parser", {text_key(t, secret): a for t, a in zip(texts, annotated, strict=True)})
    vectors = np.hstack([np.eye(len(texts)), np.zeros((len(texts), 8))]).astype("<f4")  # one's own, then logits
    for suffix in ("", "の一部"):
        keyed = {text_key(text + suffix, secret): row.tobytes() for text, row in zip(texts, vectors, strict=True)}
        store.cache_put("units:model|prompt|float32|tuned", keyed)
    look = np.eye(len(texts), dtype=np.float32)[[9, 0, 5]]  # a centroid and two anchors
    theme = StoredTheme("t01", "配送", None, "new", "2024-11-21", "2024-11-21", ("配送",), look, "model|prompt|float32|medium")
    for day in days:
        summary = NIGHT.summary | {"business_date": day.isoformat()}
        members = Members.of(unit_keys(NIGHT.units), NIGHT.units["theme_id"].to_list())
        store.save_night(day, summary, [theme], members=members, feedback_read=rows, **stored_tables(NIGHT))
        write_pages(store, day, folder)


@pytest.fixture(params=KINDS)
def filled(request, tmp_path, monkeypatch):
    """A deployment with two nights: its config and its folder."""
    monkeypatch.setenv("KIKITORI_KEY", "secret")
    with database(request.param, tmp_path / "out") as url:
        (tmp_path / "night.toml").write_text(CONFIG.format(store=f'store = "{url}"'), encoding="utf-8")
        config = load_config(tmp_path / "night.toml")
        with deployment(config, config.out) as store:
            fill(store, config.out, deployment_key(config.out))
        yield config


def every_byte(folder):
    """Return all the files of a folder, and what is packed in them."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for name, content in list(found.items()):
        if name.endswith(".xlsx"):
            with zipfile.ZipFile(io.BytesIO(content)) as book:
                found |= {f"{name}/{part}": book.read(part) for part in book.namelist()}
    return found


def holders(folder, words):
    return sorted(name for name, content in every_byte(folder).items() if words.encode() in content)


def stored_words(config):
    with Store.open(config.store) as store:
        nights = [store.load_night(day) for day in store.dates()]
        texts = store.load_feedback(["survey", "calls"], date(2024, 1, 1), date(2025, 1, 1))["text"].to_list()
        return texts + [text for night in nights for text in night.tables["units"]["unit_text"]]


def summary_bytes(config):
    return [path.read_bytes() for path in sorted(config.out.rglob("summary.json"))]


def test_a_forgotten_customers_words_are_in_no_byte(filled):
    mine, other = UNITS["unit_text"][0], UNITS["unit_text"][7]
    assert len(holders(filled.out, mine)) >= 6, "html, csv and workbook of two nights"
    figures = summary_bytes(filled)
    erased = forget(filled, filled.out, by="担当", customer=customer_of(0))
    assert (erased.n_feedback, erased.n_units, erased.nights) == (2, 4, (DAY, LATER))
    assert erased.n_cache == 2 * 4  # as it came, as masked, its units
    for text in UNITS["unit_text"][:2]:
        assert holders(filled.out, text) == []
        assert text not in stored_words(filled)
    assert len(holders(filled.out, other)) >= 6
    assert summary_bytes(filled) == figures
    page = (filled.out / DAY.isoformat() / "report.html").read_text(encoding="utf-8")
    assert "2件の回答の文章を消去しました。数字は公開時のままです。" in page


def test_the_line_an_erasure_leaves_names_nobody(filled):
    forget(filled, filled.out, by="担当", customer=customer_of(0))
    with Store.open(filled.store) as store:
        (line,) = erasures(store)
        written = str(contents(store.engine)["erasures"])
    assert (line["by"], line["kind"], line["n_feedback"], line["n_nights"]) == ("担当", "customer", 2, 2)
    assert line["subject"] == hash_customer(customer_of(0), b"secret")
    assert abs((datetime.now(UTC).replace(tzinfo=None) - line["at"]).total_seconds()) < 3600
    assert customer_of(0) not in written and UNITS["feedback_id"][0] not in written


def test_one_response_is_forgotten_and_the_customers_other_one_stays(filled):
    mine, kept = UNITS["unit_text"][0], UNITS["unit_text"][1]
    forget(filled, filled.out, by="x", feedback=UNITS["feedback_id"][0], source="survey")
    assert mine not in stored_words(filled) and kept in stored_words(filled)
    assert holders(filled.out, mine) == [] != holders(filled.out, kept)


def test_no_theme_remembers_a_forgotten_vector_or_member(filled):
    forget(filled, filled.out, by="x", customer=customer_of(0))
    with Store.open(filled.store) as store:
        themes = [store.load_night(day).themes[0] for day in (DAY, LATER)]
        members = store.registry_before(LATER).members.themes_of(unit_keys(NIGHT.units))
    assert members == [None, None, *NIGHT.units["theme_id"].to_list()[2:]]
    expected = np.eye(UNITS.height, dtype=np.float32)[[9, 5]]
    assert [theme.look.tolist() for theme in themes] == [expected.tolist()] * 2


def test_forgetting_again_changes_nothing(filled):
    forget(filled, filled.out, by="x", customer=customer_of(0))
    before = {name: content for name, content in every_byte(filled.out).items() if "kikitori" not in name}
    again = forget(filled, filled.out, by="x", customer=customer_of(0))
    assert not again.anything
    assert {name: content for name, content in every_byte(filled.out).items() if "kikitori" not in name} == before


def test_a_quarantined_row_of_a_forgotten_response_loses_id_and_value(filled):
    erased = forget(filled, filled.out, by="x", feedback="A-17", source="survey")
    assert (erased.n_feedback, erased.n_quarantine) == (0, 2)
    with Store.open(filled.store) as store:
        row = store.load_night(DAY).tables["quarantine"].row(0, named=True)
    assert (row["file"], row["row"], row["feedback_id"], row["value"]) == ("survey-1121.csv", 17, None, "")
    assert holders(filled.out, "とても良い") == []


def test_a_night_that_was_cut_short_leaves_nothing_to_find(filled):
    with Store.open(filled.store) as store:  # killed after the cache was written, before the response was stored
        store.link_texts([("survey", "cut", hash_customer("cut", b"secret"), text_key("原文", b"secret"))], LATER)
        annotation = {"text": "途中で切れた夜の言葉", "units": [{"text": "切れた夜"}]}
        store.cache_put("segment:2|parser", {text_key("原文", b"secret"): json.dumps(annotation, ensure_ascii=False).encode()})
        store.cache_put("units:model|prompt|float32|tuned", {text_key("切れた夜", b"secret"): bytes(4 * (UNITS.height + 8))})
    erased = forget(filled, filled.out, by="x", customer="cut")
    assert (erased.n_feedback, erased.n_cache) == (0, 2)
    assert holders(filled.out, "途中で切れた夜の言葉") == []


def test_later_nights_refuse_the_forgotten_and_account_for_them(filled):
    forget(filled, filled.out, by="x", customer=customer_of(0))
    forget(filled, filled.out, by="x", feedback="A-33", source="survey")
    rows = feedback(b"secret").with_columns(file=pl.lit("survey.csv"), row=pl.int_range(2, 2 + UNITS.height))
    # The export no longer says whose the second response is: its id is refused all the same.
    rows = rows.with_columns(customer=pl.when(pl.col("row") == 3).then(None).otherwise(pl.col("customer")))
    counts = {"survey": {"read": 40, "duplicate": 0, "quarantined": 5, "outside_window": 0, "erased": 0}}
    intake = Intake(rows, NIGHT.quarantine, counts)
    with Store.open(filled.store) as store:
        refused = refuse(intake, tombstones(store), b"secret")
    assert refused.feedback.height == rows.height - 2
    assert refused.counts["survey"] == counts["survey"] | {"quarantined": 7, "erased": 3}
    lines = refused.quarantine.filter(pl.col("reason") == ERASED)
    assert lines.select("file", "row", "feedback_id", "value").rows() == [
        ("survey-1121.csv", 33, None, ""),
        ("survey.csv", 2, None, ""),
        ("survey.csv", 3, None, ""),
    ]


def test_text_that_is_kept_long_enough_is_erased_and_its_figures_stay(filled):
    figures = summary_bytes(filled)
    with deployment(filled, filled.out) as store:
        erased = expire(store, date(2024, 11, 16), timezone="UTC", secret=b"secret", at=datetime(2024, 11, 22))
        assert not expire(store, date(2024, 11, 16), timezone="UTC", secret=b"secret", at=datetime(2024, 11, 22)).anything
    old = UNITS.filter(pl.col("received_at") < datetime(2024, 11, 16, tzinfo=UTC))["unit_text"].to_list()
    new = UNITS.filter(pl.col("received_at") >= datetime(2024, 11, 16, tzinfo=UTC))["unit_text"].to_list()
    assert erased.n_feedback == len(old) > 5
    with deployment(filled, filled.out) as store:  # pages left pending are written by whatever comes next
        store.compact()
    assert set(stored_words(filled)) == set(new)
    assert [text for text in old if holders(filled.out, text)] == []
    assert summary_bytes(filled) == figures


def test_a_night_rendered_again_has_the_same_bytes(filled):
    command = ["report", str(filled.out.parent / "night.toml"), "--date", DAY.isoformat()]
    before = {path.name: path.read_bytes() for path in (filled.out / DAY.isoformat()).iterdir()}
    for path in (filled.out / DAY.isoformat()).iterdir():
        path.unlink()
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert {path.name: path.read_bytes() for path in (filled.out / DAY.isoformat()).iterdir()} == before
    assert len(before) == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "CONFIG", "--date", "2024-01-01"], "no night of 2024-01-01 is stored; the last stored nights: 2024-11-21"),
        (["forget", "CONFIG"], "give exactly one of --customer and --feedback"),
        (["forget", "CONFIG", "--feedback", "A-1", "--source", "x"], "is one of survey, calls; got 'x'"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(filled, arguments, message):
    config = str(filled.out.parent / "night.toml")
    result = CliRunner().invoke(app, [config if word == "CONFIG" else word for word in arguments])
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_command_says_what_it_erased(filled):
    command = ["forget", str(filled.out.parent / "night.toml"), "--customer", customer_of(0), "--by", "担当"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "erased 2 responses, 4 units, 0 quarantined rows, 8 cache rows; 2 nights rendered again" in result.stdout


def test_an_erasure_waits_for_no_reader_but_says_that_one_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("KIKITORI_KEY", "secret")
    store = f"sqlite:///{tmp_path}/out/kikitori.db?timeout=0.1"
    (tmp_path / "night.toml").write_text(CONFIG.format(store=f'store = "{store}"'), encoding="utf-8")
    config = load_config(tmp_path / "night.toml")
    with deployment(config, config.out) as opened:
        fill(opened, config.out, b"secret")
    with Store.open(store) as reader, reader.reading() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT * FROM feedback").fetchone()
        with pytest.raises(Exception, match=r"being read by another program.*run the same command again"):
            forget(config, config.out, by="x", customer=customer_of(0))
    forget(config, config.out, by="x", customer=customer_of(0))
    assert holders(config.out, UNITS["unit_text"][0]) == []


def test_retention_shorter_than_the_window_is_refused(tmp_path):
    (tmp_path / "night.toml").write_text("retention_days = 30\n" + CONFIG.format(store=""), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"retention_days must be at least window_days \(90\); got 30"):
        load_config(tmp_path / "night.toml")


def test_a_reader_can_ask_while_a_night_is_being_written(filled):
    with Store.open(filled.store) as store, store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM feedback")  # a night's transaction, not yet done
        answers = []
        with Store.open(filled.store) as reader:
            asked = threading.Thread(target=lambda: answers.append(len(reader.nights())))
            asked.start()
            asked.join(timeout=20)
            assert answers == [2]
            assert reader.load_feedback(["survey"], date(2024, 1, 1), DAY).height > 5
        connection.rollback()
    assert stored_words(filled)
