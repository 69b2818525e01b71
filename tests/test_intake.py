"""Every row of every night is accounted for: yesterday's file again, a changed row, a row without a date."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from pipeline.intake import account, take_in, window_feedback
from pipeline.read import FEEDBACK_SCHEMA, QUARANTINE_SCHEMA, Reading
from pipeline.store import Store

MONDAY, TUESDAY, WEDNESDAY = (date(2026, 11, day) for day in (9, 10, 11))
FIRST = [("1", "返品が遅い", 8), ("2", "特になし", 8), ("3", "梱包が丁寧", 9)]


@pytest.fixture
def store(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/kikitori.db") as opened:
        yield opened


def reading(rows):
    records = [
        {
            "source": "survey",
            "feedback_id": feedback_id,
            "text": text,
            "score": 5,
            "received_at": day and datetime(2026, 11, day, 3, tzinfo=UTC),
            "customer": f"c{feedback_id}",
            "file": "survey.csv",
            "row": number,
        }
        for number, (feedback_id, text, day) in enumerate(rows, start=2)
    ]
    return Reading(pl.DataFrame(records, schema=FEEDBACK_SCHEMA), pl.DataFrame(schema=QUARANTINE_SCHEMA))


def night(store, day, rows, *, first=date(2026, 11, 1)):
    """Take a night in as the flow does; return its accounting and the window's feedback."""
    window = (first, day)
    intake = take_in({"survey": reading(rows)}, window=window, timezone="Asia/Tokyo", customer_key=b"k")
    news = store.compare(intake.feedback, day)
    stored = store.load_feedback(["survey"], *window, timezone="Asia/Tokyo", seen_by=day)
    feedback = window_feedback(stored, intake.feedback, news, window=window, timezone="Asia/Tokyo")
    units = feedback.filter(pl.col("text") != "特になし").select("source", "feedback_id")
    (counts,) = account(intake, news, feedback, units, "Asia/Tokyo")
    store.upsert_feedback(intake.feedback, day)
    again = store.load_feedback(["survey"], *window, timezone="Asia/Tokyo", seen_by=day)
    assert again.select(*FEEDBACK_SCHEMA).equals(feedback.select(*FEEDBACK_SCHEMA)), "what is analysed is what is stored"
    assert counts["read"] == sum(counts[part] for part in ("analysed", "no_opinion", "duplicate", "quarantined"))
    assert feedback.height == counts["analysed"] + counts["no_opinion"] + counts["carried_over"]
    return counts, feedback


def test_a_first_night_is_all_news(store):
    counts, _ = night(store, MONDAY, [*FIRST, FIRST[0]])
    assert (counts["analysed"], counts["no_opinion"], counts["duplicate"]) == (2, 1, 1)
    assert (counts["duplicate_earlier"], counts["changed"], counts["carried_over"]) == (0, 0, 0)


def test_yesterdays_file_again_is_all_duplicates_and_all_carried_over(store):
    night(store, MONDAY, FIRST)
    counts, feedback = night(store, TUESDAY, FIRST)
    assert (counts["read"], counts["duplicate"], counts["duplicate_earlier"]) == (3, 3, 3)
    assert (counts["analysed"], counts["carried_over"], feedback.height) == (0, 3, 3)


def test_a_night_run_again_is_accounted_for_as_before(store):
    night(store, MONDAY, FIRST)
    once = night(store, TUESDAY, [*FIRST, ("4", "速い", 10)])
    night(store, WEDNESDAY, [("4", "やはり遅い", 10)])
    again = night(store, TUESDAY, [*FIRST, ("4", "速い", 10)])
    assert again[0] == once[0] and again[1].equals(once[1])


def test_cumulative_exports_and_only_the_newest_end_in_the_same_figures(store, tmp_path):
    new = [("4", "速い", 10), ("5", "特になし", 10)]
    night(store, MONDAY, FIRST)
    cumulative, everything = night(store, TUESDAY, FIRST + new)
    with Store.open(f"sqlite:///{tmp_path}/newest.db") as other:
        night(other, MONDAY, FIRST)
        newest, same = night(other, TUESDAY, new)
    assert everything.equals(same)
    for figure in ("analysed", "no_opinion", "carried_over", "changed"):
        assert cumulative[figure] == newest[figure]


def test_a_changed_row_is_analysed_again_and_counted(store):
    night(store, MONDAY, FIRST)
    counts, feedback = night(store, TUESDAY, [("1", "返品が早くなった", 8), *FIRST[1:]])
    assert (counts["analysed"], counts["changed"], counts["duplicate"], counts["carried_over"]) == (1, 1, 2, 2)
    assert feedback["text"].to_list() == ["返品が早くなった", "特になし", "梱包が丁寧"]


def test_a_row_without_a_date_stays_on_the_night_that_first_read_it(store):
    undated = [("1", "返品が遅い", None)]
    night(store, MONDAY, undated)
    _, feedback = night(store, TUESDAY, undated)
    assert feedback["received_at"].to_list() == [datetime(2026, 11, 8, 15, tzinfo=UTC)]  # Monday began in Tokyo
    counts, feedback = night(store, WEDNESDAY, [("1", "変わった", None)], first=TUESDAY)
    assert feedback.is_empty()
    assert (counts["read"], counts["outside_window"]) == (0, 1)


def test_the_accounting_tells_the_newest_day_of_the_window_in_local_time(store):
    assert night(store, MONDAY, FIRST)[0]["newest"] == "2026-11-09"  # 3:00 UTC is noon in Tokyo
    assert night(store, WEDNESDAY, [])[0]["newest"] == "2026-11-09"
    assert night(store, WEDNESDAY, [], first=WEDNESDAY)[0]["newest"] is None


def test_rows_outside_the_window_are_counted_apart(store):
    counts, _ = night(store, MONDAY, [*FIRST, ("old", "昔の話", 1), ("new", "未来の話", 30)], first=date(2026, 11, 5))
    assert (counts["read"], counts["outside_window"]) == (3, 2)


def test_nul_bytes_go_before_anything_is_stored(store):
    _, feedback = night(store, MONDAY, [("1\0", "遅い\0です", 8)])
    assert feedback.select("feedback_id", "text").rows() == [("1", "遅いです")]
