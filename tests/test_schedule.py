"""Which night a run is of, which nights were missed, and what a schedule may be."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from flows.config import ConfigError, load_config
from flows.dates import is_overtaken, night_of, nights_between
from flows.outcome import night_state

TOKYO = ZoneInfo("Asia/Tokyo")
NIGHTLY = "0 2 * * *"
SOURCE = '[[sources]]\nname = "s"\npath = "s.csv"\ncolumns = { text = "comment" }\n'


def at(day, hour, minute=0):
    return datetime(2026, 11, day, hour, minute, tzinfo=TOKYO)


def test_a_night_is_the_day_on_the_clocks_of_its_zone():
    assert night_of(datetime(2026, 11, 21, 17, tzinfo=UTC), TOKYO) == date(2026, 11, 22)
    assert night_of(datetime(2026, 11, 21, 17, tzinfo=UTC), ZoneInfo("UTC")) == date(2026, 11, 21)


def test_missed_nights_are_those_of_the_schedule_in_order():
    assert nights_between(NIGHTLY, TOKYO, date(2026, 11, 20), date(2026, 11, 20)) == []
    assert nights_between(NIGHTLY, TOKYO, date(2026, 11, 19), date(2026, 11, 22)) == [date(2026, 11, 20), date(2026, 11, 21)]
    mondays = nights_between("0 2 * * 1", TOKYO, date(2026, 11, 1), date(2026, 11, 17))
    assert mondays == [date(2026, 11, 2), date(2026, 11, 9), date(2026, 11, 16)]
    assert nights_between("", TOKYO, date(2026, 11, 1), date(2026, 11, 17)) == []


def test_a_night_of_two_starts_is_one_night():
    assert nights_between("0 2,14 * * *", TOKYO, date(2026, 11, 19), date(2026, 11, 21)) == [date(2026, 11, 20)]


def test_summer_time_loses_no_night():
    berlin = ZoneInfo("Europe/Berlin")  # 02:30 does not exist on 29 March 2026
    nights = nights_between("30 2 * * *", berlin, date(2026, 3, 27), date(2026, 3, 31))
    assert nights == [date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)]


def test_a_run_is_overtaken_when_a_later_night_was_to_start():
    assert not is_overtaken(NIGHTLY, TOKYO, at(22, 2), at(22, 5))
    assert not is_overtaken(NIGHTLY, TOKYO, at(22, 2), at(23, 1, 59))
    assert is_overtaken(NIGHTLY, TOKYO, at(22, 2), at(23, 2))
    assert not is_overtaken("", TOKYO, at(1, 2), at(23, 2))


@pytest.mark.parametrize("cron", ["2時", "0 25 * * *", "0 2 * *", "0 2 30 2 *", "* * * * * *"])
def test_a_cron_that_cannot_be_used_is_named(tmp_path, cron):
    (tmp_path / "c.toml").write_text(f'{SOURCE}[schedule]\ncron = "{cron}"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r'schedule.cron: cron has five fields, e.g. "0 2 \* \* \*"') as refused:
        load_config(tmp_path / "c.toml")
    assert "\n" not in str(refused.value)


def source(name, analysed=0, missing=None):
    return {"name": name, "analysed": analysed, "no_opinion": 0, "missing": missing}


def night(*sources):
    return {"business_date": "2026-11-22", "sources": sources}


def test_states_tell_news_from_none_and_both_from_failure():
    published = night_state(night(source("a", 3), source("b")), "http://x/", {})
    quiet = night_state(night(source("a"), source("b")), "http://x/", {})
    missing = night_state(night(source("a", 3), source("b", missing="b.csv: no file found")), "http://x/", {})
    missed = night_state(night(source("a", 3)), "http://x/", {date(2026, 11, 21): "disk full", date(2026, 11, 20): ""})
    assert [(s.type.value, s.name) for s in (published, quiet, missing, missed)] == [
        ("COMPLETED", "Completed"), ("COMPLETED", "NoNewData"), ("FAILED", "Incomplete"), ("FAILED", "Incomplete"),
    ]
    assert "without b, which could not be read" in missing.message
    assert "2026-11-21 (disk full)" in missed.message and "2026-11-20" not in missed.message
