import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from stores import KINDS, database

from pipeline.read import FEEDBACK_SCHEMA
from pipeline.store import METADATA, Store, StoredTheme, StoreError, Upserted
from pipeline.store.engine import MIGRATIONS, create_engine

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 9), date(2026, 11, 10), date(2026, 11, 11)


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database of either kind."""
    with database(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened


def feedback(**changed: object) -> pl.DataFrame:
    row: dict[str, object] = {
        "source": "survey",
        "feedback_id": "s1",
        "text": "返品の手続きが分かりにくい。[氏名]さんは親切",
        "score": 4,
        "received_at": datetime(2026, 11, 8, 15, 30, tzinfo=UTC),
        "customer": "0f3a9c5512d0e7b4",
        "csat": 2,
        "ces": None,
        "dwb": 5,
        "file": "survey.csv",
        "row": 2,
        "channel": "アプリ",
    }
    schema: dict[str, Any] = {**FEEDBACK_SCHEMA, "channel": pl.Utf8}
    return pl.DataFrame([{**row, **changed}], schema_overrides=schema)


def theme(theme_id: str, status: str = "continuing", **changed: object) -> StoredTheme:
    fields: dict[str, object] = {
        "name": "返品",
        "parent_id": None,
        "first_seen": "2026-11-01",
        "last_seen": "2026-11-09",
        "keywords": ("返品", "手続き"),
        "look": np.array([[0.6, 0.8]], dtype=np.float32),
        "model_id": "bundled",
    }
    return StoredTheme(theme_id=theme_id, status=status, **{**fields, **changed})  # type: ignore[arg-type]


def load(
    store: Store, start: date = date(2026, 11, 1), end: date = WEDNESDAY, **more: object
) -> pl.DataFrame:
    return store.load_feedback(["survey"], start, end, **more)  # type: ignore[arg-type]


def test_migrations_build_the_tables_the_code_describes(store: Store) -> None:
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


FIRST_SCHEMA = [
    "INSERT INTO feedback VALUES ('survey', 's1', '返品が遅い', 4, '2026-11-08 15:30:00', 'c0ffee',"
    " '{\"channel\": \"アプリ\"}', 'hash', '2026-11-09', '2026-11-10')",
    "INSERT INTO nights VALUES ('2026-11-09', '{\"business_date\": \"2026-11-09\"}')",
    "INSERT INTO night_themes VALUES ('2026-11-09', 'T0007', '返品', NULL, 'new', '2026-11-09', '2026-11-09', '[]', NULL, 'm')",
]


def test_a_database_of_the_first_schema_is_brought_up_to_date_with_what_it_holds(url: str) -> None:
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in FIRST_SCHEMA:
            connection.exec_driver_sql(statement)
        for namespace in ("segment:2|p", "units:m"):
            row = {"namespace": namespace, "key": "k", "value": b"v"}
            connection.execute(sa.text("INSERT INTO cache VALUES (:namespace, :key, :value)"), row)
        connection.commit()
    engine.dispose()
    with Store.open(url) as store:
        rows = load(store, seen_by=MONDAY)
        assert rows.select("feedback_id", "text", "score", "customer", "channel").rows() == [
            ("s1", "返品が遅い", 4, "c0ffee", "アプリ")
        ]
        assert rows["received_at"].to_list() == [datetime(2026, 11, 8, 15, 30, tzinfo=UTC)]
        assert load(store, seen_by=date(2026, 11, 8)).is_empty()
        night = store.load_night(MONDAY)
        assert night is not None
        assert (night.tables, night.settings, night.n_erased) == ({}, {}, 0)
        assert store.dates(pending=True) == []
        assert store.registry_before(TUESDAY).next_number == 8
        assert store.cache_get("units:m", ["k"]) == {"k": b"v"}
        assert store.cache_get("segment:2|p", ["k"]) == {}  # no erasure could find these


def test_opening_again_keeps_what_is_stored(url: str) -> None:
    with Store.open(url) as store:
        store.cache_put("embedding:bundled", {"k": b"v"})
    with Store.open(url) as store:
        assert store.cache_get("embedding:bundled", ["k"]) == {"k": b"v"}


def test_sqlite_waits_checks_references_and_writes_ahead(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/kikitori.db") as store, store.engine.connect() as connection:
        values = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "secure_delete")
        ]
    assert values == ["wal", 1, 30_000, 1]


def test_cache_returns_what_is_known_in_its_namespace(store: Store) -> None:
    values = {f"{i:04}": bytes([i % 256]) * 8 for i in range(1203)}
    store.cache_put("embedding:a", values)
    assert store.cache_get("embedding:a", [*values, "unknown"]) == values
    assert store.cache_get("embedding:b", list(values)) == {}
    assert store.cache_get("embedding:a", []) == {}
    store.cache_put("embedding:a", {"0000": b"new"})
    assert store.cache_get("embedding:a", ["0000"]) == {"0000": b"new"}


def test_feedback_comes_back_as_it_was_stored(store: Store) -> None:
    store.upsert_feedback(feedback(), MONDAY)
    expected = feedback().with_columns(file=pl.lit(None, dtype=pl.Utf8), row=pl.lit(None, dtype=pl.Int64))
    assert load(store).equals(expected)
    assert load(store).schema == expected.schema


def test_no_feedback_has_the_same_columns(store: Store) -> None:
    assert load(store).columns == feedback().columns[:-1]
    assert store.upsert_feedback(feedback().clear(), MONDAY) == Upserted(0, 0, 0)
    assert store.compare(feedback().clear(), MONDAY).columns == ["source", "feedback_id", "news", "first_seen"]


def test_a_changed_response_replaces_the_older_version(store: Store) -> None:
    assert store.upsert_feedback(feedback(), MONDAY) == Upserted(new=1, changed=0, unchanged=0)
    assert store.upsert_feedback(feedback(), TUESDAY) == Upserted(new=0, changed=0, unchanged=1)
    assert store.upsert_feedback(feedback(score=9), TUESDAY) == Upserted(new=0, changed=1, unchanged=0)
    assert load(store)["score"].to_list() == [9]


def test_every_night_run_again_still_sees_the_version_it_read(store: Store) -> None:
    store.upsert_feedback(feedback(score=4), MONDAY)
    store.upsert_feedback(feedback(score=9), TUESDAY)
    for _ in range(2):
        store.upsert_feedback(feedback(score=4), MONDAY)
        assert load(store, seen_by=MONDAY)["score"].to_list() == [4]
        assert load(store, seen_by=TUESDAY)["score"].to_list() == [9]


def test_an_old_night_that_runs_late_does_not_bring_an_old_version_back(store: Store) -> None:
    store.upsert_feedback(feedback(score=9), TUESDAY)
    store.upsert_feedback(feedback(score=4), MONDAY)
    assert load(store)["score"].to_list() == [9]
    assert load(store, seen_by=MONDAY)["score"].to_list() == [4]


def test_a_night_run_again_with_what_it_first_misread_keeps_no_trace_of_it(store: Store) -> None:
    store.upsert_feedback(feedback(score=4), MONDAY)
    store.upsert_feedback(feedback(score=0), TUESDAY)  # half a file
    store.upsert_feedback(feedback(score=4), TUESDAY)
    assert load(store, seen_by=TUESDAY)["score"].to_list() == [4]


def test_news_is_what_no_earlier_night_has_read(store: Store) -> None:
    store.upsert_feedback(feedback(), MONDAY)
    rows = pl.concat([feedback(), feedback(feedback_id="s2"), feedback(source="calls")])
    for _ in range(2):
        news = store.compare(rows, TUESDAY)
        assert news.rows() == [
            ("survey", "s1", "same", MONDAY),
            ("survey", "s2", "new", TUESDAY),
            ("calls", "s1", "new", TUESDAY),
        ]
        store.upsert_feedback(rows, TUESDAY)
    assert store.compare(feedback(text="変わりました"), TUESDAY).rows() == [("survey", "s1", "changed", MONDAY)]


def test_a_night_run_again_does_not_see_what_later_nights_read(store: Store) -> None:
    store.upsert_feedback(feedback(), MONDAY)
    store.upsert_feedback(feedback(feedback_id="late"), TUESDAY)
    assert load(store, seen_by=MONDAY)["feedback_id"].to_list() == ["s1"]
    assert load(store)["feedback_id"].to_list() == ["late", "s1"]


def test_a_period_is_counted_in_days_of_the_time_zone(store: Store) -> None:
    # 8 November 15:30 UTC is 9 November 00:30 in Tokyo.
    store.upsert_feedback(feedback(), MONDAY)
    sunday = date(2026, 11, 8)
    assert load(store, sunday, sunday).height == 1
    assert load(store, sunday, sunday, timezone="Asia/Tokyo").height == 0
    assert load(store, MONDAY, MONDAY, timezone="Asia/Tokyo").height == 1


def test_feedback_without_a_date_counts_on_the_night_that_read_it(store: Store) -> None:
    for day in (MONDAY, TUESDAY):  # read again, it stays where it was
        store.upsert_feedback(feedback(received_at=None), day)
        assert load(store, MONDAY, MONDAY)["received_at"].to_list() == [datetime(2026, 11, 9, tzinfo=UTC)]
        assert load(store, TUESDAY, TUESDAY).height == 0


def test_other_sources_stay_out(store: Store) -> None:
    store.upsert_feedback(feedback(source="calls"), MONDAY)
    assert load(store).is_empty()


def test_the_night_before_is_the_last_one_before_the_date(store: Store) -> None:
    assert store.night_before(MONDAY) is None
    store.save_night(
        MONDAY, {"business_date": "2026-11-09", "title": "通販"}, [theme("T0002"), theme("T0001")]
    )
    store.save_night(WEDNESDAY, {"business_date": "2026-11-11"}, [])
    assert store.night_before(MONDAY) is None
    for later in (TUESDAY, WEDNESDAY):
        night = store.night_before(later)
        assert night is not None
        assert (night.business_date, night.summary["title"]) == (MONDAY, "通販")
        assert night.themes == [theme("T0001"), theme("T0002")]
        look = night.themes[0].look
        assert look is not None
        assert look.dtype == np.float32
        assert look.tolist() == [pytest.approx([0.6, 0.8])]


def test_a_night_saved_again_replaces_itself(store: Store) -> None:
    store.save_night(MONDAY, {"business_date": "2026-11-09", "run": 1}, [theme("T0001"), theme("T0002")])
    store.save_night(MONDAY, {"business_date": "2026-11-09", "run": 2}, [theme("T0001")])
    assert [night["run"] for night in store.nights()] == [2]
    night = store.night_before(TUESDAY)
    assert night is not None
    assert [theme.theme_id for theme in night.themes] == ["T0001"]


def test_a_night_that_cannot_be_saved_leaves_the_old_one(store: Store) -> None:
    store.save_night(MONDAY, {"run": 1}, [theme("T0001")])
    with pytest.raises(sa.exc.IntegrityError):
        store.save_night(MONDAY, {"run": 2}, [theme("T0001"), theme("T0001")])
    night = store.night_before(TUESDAY)
    assert night is not None
    assert (night.summary, len(night.themes)) == ({"run": 1}, 1)


def test_the_registry_remembers_every_theme_at_its_last_state(store: Store) -> None:
    assert store.registry_before(MONDAY).next_number == 1
    store.save_night(MONDAY, {}, [theme("T0001"), theme("T0007", name="在庫")])
    store.save_night(TUESDAY, {}, [theme("T0001", "retired"), theme("T0008", look=None)])
    registry = store.registry_before(WEDNESDAY)
    assert [(theme.theme_id, theme.status) for theme in registry.themes] == [
        ("T0001", "retired"),
        ("T0007", "continuing"),
        ("T0008", "continuing"),
    ]
    assert registry.themes[2].look is None
    assert registry.next_number == 9
    # Tuesday run again starts from where Monday ended.
    again = store.registry_before(TUESDAY)
    assert ([theme.theme_id for theme in again.themes], again.next_number) == (["T0001", "T0007"], 8)


def test_nights_come_oldest_first(store: Store) -> None:
    for day in (TUESDAY, MONDAY):
        store.save_night(day, {"business_date": day.isoformat()}, [])
    assert [night["business_date"] for night in store.nights()] == ["2026-11-09", "2026-11-10"]


def test_threads_write_at_the_same_time(store: Store) -> None:
    def put(number: int) -> None:
        for i in range(20):
            store.cache_put("n", {f"{number}-{i}": b"x"})

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.cache_get("n", [f"{number}-{i}" for number in range(4) for i in range(20)])) == 80


def test_processes_may_create_the_store_at_the_same_time(url: str) -> None:
    code = f"from pipeline.store import Store; Store.open({url!r}).cache_put('n', {{'k': b'v'}})"
    workers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0, 0]
    Store.open(url).close()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("kikitori.db", "the store kikitori.db cannot be opened.*expected sqlite:///FILE"),
        ("oracle9://somewhere/x", "cannot be opened.*expected sqlite:///FILE"),
        ("sqlite:////nowhere/at/all/kikitori.db", "unable to open database file; check that the folder"),
    ],
)
def test_a_store_that_cannot_be_opened_is_one_clear_line(bad: str, message: str) -> None:
    with pytest.raises(StoreError, match=message) as error:
        Store.open(bad)
    assert "\n" not in str(error.value)


def test_a_password_is_never_shown() -> None:
    with pytest.raises(StoreError) as error:
        Store.open("postgresql+psycopg://kikitori:himitsu@127.0.0.1:1/kikitori")
    assert "himitsu" not in str(error.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("<html>" * 1000)
    with pytest.raises(StoreError, match="file is not a database"):
        Store.open(f"sqlite:///{tmp_path}/report.html")


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "kikitori.db"
    Store.open(f"sqlite:///{file}").close()
    connection = sqlite3.connect(file)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(
        StoreError, match=r"written by a newer kikitori .*revision 9999.* up to [0-9]{4}.*upgrade"
    ):
        Store.open(f"sqlite:///{file}")


def test_an_error_does_not_carry_a_customers_words(store: Store) -> None:
    with pytest.raises(sa.exc.IntegrityError) as error:
        store.save_night(MONDAY, {}, [theme("T0001", name="秘密の言葉"), theme("T0001", name="秘密の言葉")])
    assert "秘密の言葉" not in str(error.value)


def test_a_night_comes_back_with_its_tables_types_and_accounting(store: Store) -> None:
    units = pl.DataFrame({"unit_text": ["遅い"], "similarity": [0.5], "tokens": [["遅い"]], "near_duplicate": [None]})
    source = {"name": "survey", "read": 3, "analysed": 1, "no_opinion": 1, "duplicate": 1, "quarantined": 0, "erased": 0}
    store.save_night(
        MONDAY,
        {"business_date": "2026-11-09", "sources": [source]},
        [theme("T0001")],
        tables={"units": units},
        settings={"timezone": "Asia/Tokyo"},
        feedback_read=feedback(),
    )
    night = store.load_night(MONDAY)
    assert night is not None
    assert night.tables["units"].equals(units) and night.tables["units"].schema == units.schema
    assert (night.settings, night.themes) == ({"timezone": "Asia/Tokyo"}, [theme("T0001")])
    assert load(store).height == 1
    with store.reading() as connection:
        row = connection.execute(sa.text("SELECT read, analysed, no_opinion, duplicate FROM night_sources")).one()
    assert tuple(row) == (3, 1, 1, 1)
    assert store.load_night(TUESDAY) is None


def test_a_nights_pages_are_pending_until_they_are_written(store: Store) -> None:
    store.save_night(MONDAY, {"run": 1}, [])
    assert store.dates(pending=True) == [MONDAY] == store.dates()
    store.pages_written(MONDAY)
    assert store.dates(pending=True) == []
    store.save_night(MONDAY, {"run": 2}, [])
    assert store.dates(pending=True) == [MONDAY]


def test_a_night_that_cannot_be_saved_leaves_no_feedback_either(store: Store) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        store.save_night(MONDAY, {}, [theme("T0001"), theme("T0001")], feedback_read=feedback())
    assert load(store).is_empty() and store.dates() == []
