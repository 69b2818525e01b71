"""What a chat room hears of a night: figures and a link, every event once, no customer's sentence unless allowed."""

from dataclasses import replace
from datetime import date

import pytest
from report_data import make_night
from webhook import chat_room

from flows.config import ConfigError, Notify, load_config
from flows.notify import NotifyError, notify_night
from pipeline.report import render_message
from pipeline.store import Store

LINK = "https://reports.example/2024-11-21/report.html"
SECRET = b"k"


@pytest.fixture
def room():
    with chat_room() as opened:
        yield opened


@pytest.fixture
def store(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/kikitori.db") as opened:
        yield opened


def on(day, night=None):
    night = night or make_night()
    return replace(night, business_date=day, summary=night.summary | {"business_date": day})


def with_newest(**newest):
    night = make_night()
    sources = [source | {"newest": newest.get(source["name"])} for source in night.summary["sources"]]
    return replace(night, summary=night.summary | {"sources": sources, "alerts": []})


def settings(room, **more):
    return Notify(webhook=room.url, **more)


def test_a_message_holds_the_alerts_the_figures_and_the_link(room, store):
    notify_night(make_night(), LINK, settings(room), store, SECRET)
    (sent,) = room.received
    assert "お知らせ1件" in sent["subject"]
    assert "新しい保冷箱" in sent["body"] and "17人" in sent["body"] and "NPS −" in sent["body"]
    assert sent["body"].endswith(LINK)


def test_a_message_holds_no_sentence_of_a_customer_unless_quotes_are_allowed(room, store):
    night = make_night()
    units = night.units.filter(night.units["theme_id"] == "t07")
    behind = [{"source": row["source"], "feedback_id": row["feedback_id"]} for row in units.iter_rows(named=True)]
    alert = night.summary["alerts"][0] | {"feedback": behind}
    night = replace(night, summary=night.summary | {"alerts": [alert]})
    plain, quoting = render_message(night, link=LINK), render_message(night, link=LINK, quotes=True)
    assert not [text for text in night.units["unit_text"] if text in plain.body]
    assert [text for text in units["unit_text"] if text in quoting.body] == units["unit_text"].to_list()


def test_an_event_is_told_once_and_again_after_a_week(room, store):
    for day in ("2024-11-21", "2024-11-21", "2024-11-22", "2024-11-27"):
        notify_night(on(day), LINK, settings(room), store, SECRET)
    assert len(room.received) == 1
    notify_night(on("2024-11-28"), LINK, settings(room), store, SECRET)
    assert len(room.received) == 2


def test_what_was_not_delivered_is_told_by_the_next_run_and_the_address_stays_secret(room, store):
    room.status = 500
    with pytest.raises(NotifyError, match="answered 500") as caught:
        notify_night(make_night(), LINK, settings(room), store, SECRET)
    assert "secret-token" not in str(caught.value)
    room.status = 200
    assert notify_night(make_night(), LINK, settings(room), store, SECRET) is not None


def test_nobody_listening_is_one_line_without_the_address(store):
    with pytest.raises(NotifyError, match="not delivered") as caught:
        notify_night(make_night(), LINK, Notify(webhook="http://127.0.0.1:9/secret-token"), store, SECRET)
    assert "secret-token" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_quiet_night_says_nothing(room, store):
    night = make_night()
    quiet = replace(night, summary=night.summary | {"alerts": []})
    assert notify_night(quiet, LINK, settings(room), store, SECRET) is None and not room.received


@pytest.mark.parametrize(("newest", "told"), [("2024-11-19", False), ("2024-11-18", True), (None, True)])
def test_a_source_that_fell_silent_is_told_as_late(newest, told):
    message = render_message(with_newest(survey=newest, calls="2024-11-21"), silent_days=3)
    assert (message is not None) == told
    if told:
        assert "survey" in message.body and "calls" not in message.body
        assert message.events == (("silent", "survey"),)


def test_late_data_are_told_only_where_the_config_says_so():
    assert render_message(with_newest()) is None


@pytest.mark.parametrize("form", ["slack", "teams"])
def test_each_room_gets_the_form_it_understands(room, store, form):
    night = make_night()
    alert = night.summary["alerts"][0] | {"name": "<!channel> & more"}
    notify_night(replace(night, summary=night.summary | {"alerts": [alert]}), LINK, settings(room, format=form), store, SECRET)
    (sent,) = room.received
    if form == "slack":
        assert "&lt;!channel&gt; &amp; more" in sent["text"] and sent["text"].startswith("*")
    else:
        subject, body = sent["attachments"][0]["content"]["body"]
        assert subject["weight"] == "Bolder" and LINK in body["text"] and "\n\n" in body["text"]


def test_the_store_keeps_no_word_of_what_was_told(room, store):
    notify_night(make_night(), LINK, settings(room), store, SECRET)
    (event,) = store.told(date(2024, 11, 21))
    assert len(event) == 32 and set(event) <= set("0123456789abcdef")


CONFIG = """
[[sources]]
name = "survey"
path = "survey.csv"
columns = { text = "comment" }

[notify]
"""


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("", "give webhook"),
        ('webhook = "hooks.example/x"', "http:// or https://"),
        ('webhook = "${KIKITORI_NO_SUCH}"', "no variable KIKITORI_NO_SUCH"),
        ('block = "Slack"', "slack-webhook/cx"),
        ('block = "slack-webhook/cx"\nwebhook = "https://hooks.example/x"', "give webhook"),
        ('webhook = "https://hooks.example/x"\nsilent = 3', "silent_days"),
    ],
)
def test_unusable_settings_are_refused_in_words(tmp_path, lines, problem):
    path = tmp_path / "carrier.toml"
    path.write_text(CONFIG + lines, encoding="utf-8")
    with pytest.raises(ConfigError, match=problem.replace("{", "\\{").replace("$", "\\$")):
        load_config(path)


def test_the_address_comes_from_the_environment_and_is_never_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("KIKITORI_ROOM", "https://hooks.example/secret-token")
    path = tmp_path / "carrier.toml"
    path.write_text(CONFIG + 'webhook = "${KIKITORI_ROOM}"', encoding="utf-8")
    config = load_config(path)
    assert config.notify.webhook.get_secret_value() == "https://hooks.example/secret-token"
    assert "secret-token" not in repr(config)
