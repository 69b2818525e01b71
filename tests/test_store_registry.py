"""The registry in the database: arrays and JSON that open whatever changes, and damage that is told."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from pipeline.store import Store, StoreError
from pipeline.themes.curation import Decision
from pipeline.themes.members import Members
from pipeline.themes.registry import StoredTheme, Transition

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 9), date(2026, 11, 10), date(2026, 11, 11)
LOOK = np.array([[0.6, 0.8, 0], [1, 0, 0]], np.float32)
FIXTURE = Path(__file__).parent / "data" / "registry_0002.sql"


def theme(theme_id="T0001", status="continuing", look=LOOK):
    return StoredTheme(theme_id, "返品", None, status, "2026-11-01", "2026-11-09", ("返品", "手続き"), look, "fake|medium")


@pytest.fixture
def store(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/kikitori.db") as opened:
        yield opened


def damage(store, statement):
    path = store.engine.url.database
    store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    return Path(path)


def content(path):
    """Return every byte the tables hold (the file itself also changes when its log is folded in)."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        tables = [name.decode() for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}


def test_a_night_comes_back_with_looks_members_and_transitions(store):
    members = Members.of(np.array([7, 3, 9], np.uint64), ["T0001", None, "T0002"])
    changes = [Transition("split", "T0001", ("T0002",), 0.5, 4), Transition("new", "T0002")]
    store.save_night(MONDAY, {}, [theme(), theme("T0002", look=None)], changes, members)
    registry = store.registry_before(TUESDAY)
    assert registry.themes == [theme(), theme("T0002", look=None)]
    assert registry.themes[0].look.tolist() == LOOK.tolist()
    assert (registry.last_night, registry.next_number) == (MONDAY, 3)
    assert registry.members.themes_of(np.array([3, 7, 9, 11], np.uint64)) == [None, "T0001", "T0002", None]
    assert store.transitions() == {MONDAY: changes}
    assert store.registry_before(MONDAY).themes == []


def test_a_look_that_does_not_change_is_kept_once(store):
    for night in (MONDAY, TUESDAY, WEDNESDAY):
        store.save_night(night, {}, [theme()])
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM looks").scalar() == 1


def test_decisions_come_back_in_order_and_hold_from_their_night(store):
    made = Decision(1, "rename", "T0001", {"name": "返品のしかた"}, "analyst", datetime(2026, 11, 10, 9, tzinfo=UTC), WEDNESDAY)
    store.save_night(MONDAY, {}, [theme()])
    store.decide(lambda *_: made)
    assert store.decisions() == [made]
    assert store.registry_before(TUESDAY).curation.names == {}
    assert store.registry_before(WEDNESDAY).curation.names == {"T0001": "返品のしかた"}


DAMAGE = [
    ("UPDATE looks SET vectors = substr(vectors, 1, 10)", "a multiple of 12 bytes; got 10"),
    ("UPDATE looks SET dim = 2", "its vectors are not those that were written"),
    ("UPDATE looks SET dim = 5", "vectors of 5 numbers take a multiple of 20 bytes; got 24"),
    ("UPDATE looks SET vectors = zeroblob(24)", "their hash differs"),
    ("DELETE FROM looks", "its vectors are missing"),
    ("UPDATE night_themes SET keywords = '[\"返品\"'", "its keywords are not JSON"),
    ("UPDATE night_themes SET keywords = '{}'", "its keywords are not a list of words"),
    ("UPDATE night_themes SET status = 'alive'", "got 'alive'"),
]


@pytest.mark.parametrize(("statement", "message"), DAMAGE)
def test_a_damaged_theme_is_refused_by_name_and_left_untouched(store, statement, message):
    store.save_night(MONDAY, {}, [theme("T0042")])
    path = damage(store, statement)
    before = content(path)
    with Store.open(f"sqlite:///{path}") as opened, pytest.raises(StoreError) as refused:
        opened.registry_before(TUESDAY)
    text = str(refused.value)
    assert text.startswith("theme T0042 of the night 2026-11-09 is damaged: ")
    assert message in text and "restore the store from a backup" in text and "\n" not in text
    assert content(path) == before


def test_damaged_members_are_refused_by_their_night(store):
    store.save_night(MONDAY, {}, [theme()], members=Members.of(np.array([1], np.uint64), ["T0001"]))
    path = damage(store, "UPDATE members SET units = x'00'")
    with Store.open(f"sqlite:///{path}") as opened, pytest.raises(StoreError, match="members of the night 2026-11-09 are damaged"):
        opened.registry_before(TUESDAY)


def test_a_registry_written_by_an_earlier_version_opens(tmp_path):
    """The fixture is text: arrays in hexadecimal and JSON, as revision 0002 wrote them."""
    path = tmp_path / "kikitori.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(FIXTURE.read_text(encoding="utf-8"))
    with Store.open(f"sqlite:///{path}") as store:
        registry = store.registry_before(WEDNESDAY)
    assert [(t.theme_id, t.name, t.status) for t in registry.themes] == [("T0001", "返品", "continuing"), ("T0002", "在庫", "dormant")]
    assert np.allclose(registry.themes[0].look, LOOK)
    assert registry.curation.names == {"T0001": "返品のしかた"}
    assert registry.members.themes_of(np.array([3, 7], np.uint64)) == ["T0002", "T0001"]
    assert json.loads(json.dumps(registry.themes[1].keywords)) == ["在庫"]


def test_centroids_of_the_first_tables_are_read_as_looks(store):
    store.save_night(MONDAY, {}, [theme()])
    blob = LOOK.astype("<f4").tobytes().hex()
    path = damage(store, f"UPDATE night_themes SET look_id = NULL, centroid = x'{blob}'")
    with Store.open(f"sqlite:///{path}") as opened:
        assert opened.registry_before(TUESDAY).themes[0].look.tolist() == LOOK.tolist()
