"""``kikitori serve`` as operators and analysts meet it: a real server process, its forms, its nights, its pages.

One server tells one story (the fixture `week`); each test looks at a part of it.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from types import SimpleNamespace

import browser as chrome
import pytest
import sqlalchemy as sa
from prefect_api import Api, Refused, environment, free_port, processes_of, start, stop
from served_data import CONFIG, CUSTOMER, DAYS, FLOWS, SAID, published, summary, write_support, write_survey
from stores import KINDS, contents, postgres_database
from webhook import chat_room

from pipeline.store import Store

pytestmark = pytest.mark.slow
POOL = "machines"

def serve_alone(folder, config, port, room, stack):
    """One process on embedded databases; return their URLs: Prefect's and ours."""
    config.write_text(CONFIG.format(more="", room=room.url), encoding="utf-8")
    stack.callback(stop, start("flows", "serve", config, "--port", port, log=folder / "serve.log"))
    return f"sqlite:///{folder}/out/.prefect/prefect.db", f"sqlite:///{folder}/out/kikitori.db"


def serve_with_worker(folder, config, port, room, stack):
    """A server and a worker, both databases in PostgreSQL."""
    prefects, ours = (stack.enter_context(postgres_database(f"{name}_served_{os.getpid()}")) for name in ("prefect", "kikitori"))
    config.write_text(CONFIG.format(more=f'store = "{ours}"', room=room.url), encoding="utf-8")
    place = {"PREFECT_SERVER_DATABASE_CONNECTION_URL": prefects.replace("+psycopg", "+asyncpg")}
    stack.callback(stop, start("flows", "serve", config, "--port", port, "--pool", POOL, log=folder / "serve.log", **place))
    own = {"PREFECT_HOME": str(folder / "worker"), "KIKITORI_REPORTS_URL": f"http://127.0.0.1:{port}/reports"}
    own |= {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
    Api(port).until(lambda: len(Api(port).deployments()) == len(FLOWS))
    stack.callback(stop, start("prefect", "worker", "start", "--pool", POOL, log=folder / "worker.log", **own))
    return prefects, ours


@pytest.fixture(scope="module", params=KINDS)
def week(request, tmp_path_factory):
    """Two runs of one night without one of its sources, a night that is killed, the next one, then every form."""
    folder, port = tmp_path_factory.mktemp(request.param), free_port()
    seen = SimpleNamespace(folder=folder, api=Api(port), requests=[], browser=request.param == "sqlite" and chrome.DRIVER)
    with ExitStack() as stack:
        write_survey(folder)
        seen.room = stack.enter_context(chat_room())
        served = {"sqlite": serve_alone, "postgresql": serve_with_worker}[request.param]
        seen.prefects, seen.ours = served(folder, folder / "shop.toml", port, seen.room, stack)
        tell(seen, folder, seen.api)
        yield seen


def tell(seen, folder, api):
    api.until(lambda: len(api.deployments()) == len(FLOWS))
    seen.deployments = api.deployments()
    pair = [api.start_run("nightly", {"business_date": DAYS[0]}) for _ in range(2)]
    seen.pair, seen.after_pair = [api.ended(run) for run in pair], published(folder)
    write_support(folder)
    seen.killed = kill_in_the_middle(api, api.start_run("nightly", scheduled="2024-11-20T17:00:00Z"))
    seen.after_kill = published(folder)
    seen.next = api.ended(api.start_run("nightly", scheduled="2024-11-21T17:00:00Z"))
    seen.after_next = published(folder)
    seen.menus = api.deployments()
    seen.explored = explore(seen)
    theme = seen.menus["curate"]["parameter_openapi_schema"]["properties"]["theme"]["enum"][1]
    runs = {
        "curate": {"action": "名前を付ける", "made_by": "分析担当", "theme": theme, "name": "新しい名前"},
        "report": {"business_date": DAYS[2], "language": "英語"},
        "backfill": {"date_from": DAYS[2], "date_to": DAYS[3]},
    }
    started = {flow: api.start_run(flow, parameters) for flow, parameters in runs.items()}
    seen.refused = api.ended(api.start_run("backfill", {"date_from": DAYS[3], "date_to": DAYS[0]}))
    seen.runs = {flow: api.ended(run) for flow, run in started.items()}
    seen.english = (folder / "out" / DAYS[2] / "report.html").read_text(encoding="utf-8")
    seen.exploration = sorted(path.name for path in (folder / "out" / "explore").glob("2*"))
    erasure = {"requested_by": "窓口", "customer": CUSTOMER, "confirmed": True}
    seen.runs["forget"] = api.ended(api.start_run("forget", erasure))
    seen.logs = api.logs()
    seen.coming = api.call("/flow_runs/filter", {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}})
    seen.unscheduled = deploy_without_schedule(seen, folder / "shop.toml")


def kill_in_the_middle(api, run):
    api.until(lambda: api.tasks(run).get("read support") == "Completed")
    for process in api.until(lambda: processes_of(run)):
        os.kill(process, signal.SIGKILL)
    return api.ended(run)


def explore(seen):
    """Ask by the form in a browser; by the API where there is none."""
    if not seen.browser:
        question = {"title": "プランAの声", "segments": ["plan=A"], "nps_groups": ["批判者"]}
        return seen.api.ended(seen.api.start_run("explore", question))
    with chrome.chromium() as window:
        window.devtools("Emulation.setDeviceMetricsOverride", width=1280, height=1500, deviceScaleFactor=1, mobile=False)
        window.open(f"{seen.api.address}/deployments/deployment/{seen.deployments['explore']['id']}/run")
        window.wait("document.querySelectorAll('input[type=date]').length == 2")
        seen.form = window.run("return document.body.innerText")
        window.run(FILL, "textarea", 0, "プランAの声")
        window.run(FILL, "input[type=date]", 0, "2024-11-01")
        window.run(CHOOSE, 1, ["plan=A"])
        window.run(CHOOSE, 2, ["批判者"])
        submit(window)
        seen.requests += window.requests()
        explored = seen.api.until(lambda: seen.api.call("/flow_runs/filter", {"flows": {"name": {"any_": ["explore"]}}}))
        explored = seen.api.ended(explored[0]["id"])
        window.open(f"{seen.api.address}/artifacts/artifact/{seen.api.artifacts('shop-explore-summary')[-1]['id']}")
        link = window.wait("[...document.querySelectorAll('a')].map(a => a.href).find(h => h.includes('/reports/'))")
        seen.requests += window.requests()
        window.open(link)
        window.wait("document.readyState == 'complete'")
        seen.page, seen.link = window.run("return document.body.innerText"), link
        seen.requests += window.requests()
        return explored


def submit(window):
    """Press Submit; on a busy machine a press that comes while the page still takes in the form does nothing."""
    for _ in range(3):
        window.run("[...document.querySelectorAll('button')].find(b => b.innerText.trim() == 'Submit').click()")
        with suppress(AssertionError):
            return window.wait("!location.pathname.endsWith('/run')", seconds=40)
    raise AssertionError("the form was not taken")


FILL = """
const field = document.querySelectorAll(arguments[0])[arguments[1]];
field.value = arguments[2];
field.dispatchEvent(new Event('input', {bubbles: true}));
field.dispatchEvent(new Event('change', {bubbles: true}));
"""
CHOOSE = """
const menu = document.querySelectorAll('select[multiple]')[arguments[0]];
for (const option of menu.options) option.selected = arguments[1].includes(option.text.trim());
menu.dispatchEvent(new Event('input', {bubbles: true}));
menu.dispatchEvent(new Event('change', {bubbles: true}));
"""


def deploy_without_schedule(seen, config):
    """Register the same file, its schedule taken out, for the workers of a pool."""
    config.write_text(config.read_text(encoding="utf-8") + '[schedule]\ncron = ""\n', encoding="utf-8")
    command = [sys.executable, "-m", "flows", "deploy", str(config), "--pool", POOL]
    subprocess.run(command, check=True, env=environment(PREFECT_API_URL=f"{seen.api.address}/api"))
    return seen.api.deployments()["nightly"]


def test_pages_of_the_ui_lie_with_the_data_and_not_in_the_library(week):
    assert (week.folder / "out" / ".prefect" / "ui" / "v1" / "index.html").is_file()


def test_every_form_is_there_in_order_with_titles_and_menus(week):
    assert sorted(week.deployments) == sorted(FLOWS)
    form = week.deployments["explore"]["parameter_openapi_schema"]["properties"]
    by_position = sorted(form, key=lambda name: form[name]["position"])
    assert by_position[:4] == ["title", "date_from", "date_to", "sources"]
    assert "config_path" not in form
    assert form["date_from"]["title"] == "期間の始まり" and form["date_from"]["description"]
    assert form["sources"]["items"]["enum"] == ["survey", "support"]
    (schedule,) = week.deployments["nightly"]["schedules"]
    assert (schedule["slug"], schedule["schedule"]["cron"], schedule["schedule"]["timezone"]) == ("nightly", "0 2 * * *", "Asia/Tokyo")


def test_the_server_has_made_runs_for_the_coming_nights(week):
    """With a version of SQLAlchemy that Prefect does not know it makes none, and only its log says so."""
    starts = {run["expected_start_time"][11:16] for run in week.coming if run["auto_scheduled"]}
    assert starts == {"17:00"}  # 02:00 in Tokyo


def test_menus_follow_the_nights(week):
    forms = {flow: week.menus[flow]["parameter_openapi_schema"]["properties"] for flow in ("explore", "curate")}
    assert forms["explore"]["segments"]["items"]["enum"] == ["plan=A", "plan=B"]
    assert forms["curate"]["theme"]["enum"][1].startswith("T00")


def test_a_wrong_value_is_refused_before_anything_runs(week):
    with pytest.raises(Refused, match="sources"):
        week.api.start_run("explore", {"sources": ["surveys"]})
    assert (week.refused["state_type"], "入れ替えてください" in week.refused["state"]["message"]) == ("FAILED", True)


def test_two_runs_of_one_night_publish_it_once(week):
    assert sorted(run["state_name"] for run in week.pair) == ["AlreadyPublished", "Incomplete"]
    assert week.after_pair == DAYS[:1]
    second = next(run for run in week.pair if run["state_name"] == "AlreadyPublished")
    assert f"{DAYS[0]} is already published" in second["state"]["message"]


def test_a_missing_source_fails_the_run_and_marks_the_report_of_the_others(week):
    first = next(run for run in week.pair if run["state_name"] == "Incomplete")
    assert first["state_type"] == "FAILED"
    assert "without support, which could not be read" in first["state"]["message"]
    survey, support = summary(week.folder, DAYS[0])["sources"]
    assert (survey["missing"], survey["read"]) == (None, 31)
    assert support["read"] == 0 and "support*.csv" in support["missing"]
    for page in ("report.html", "report.md"):
        assert "今夜読み込めませんでした" in (week.folder / "out" / DAYS[0] / page).read_text(encoding="utf-8")


def test_a_chat_room_hears_of_what_failed_and_of_nothing_else(week):
    runs = [next(run for run in week.pair if run["state_name"] == "Incomplete"), week.killed]
    told = week.room.wait_for(2)
    for run, state in zip(runs, ("Incomplete", "Crashed"), strict=True):
        (mine,) = [sent for sent in told if run["name"] in sent["subject"] and state in sent["subject"]]
        assert f"{week.api.address}/runs/flow-run/{run['id']}" in mine["body"]
    assert not [sent for sent in told if "Completed" in sent["subject"] or "NoNewData" in sent["subject"]]


def test_a_killed_night_is_run_by_the_next_one_before_its_own(week):
    assert week.killed["state_type"] == "CRASHED"
    assert week.after_kill == DAYS[:1]
    assert week.after_next == DAYS[:3]
    assert [source["missing"] for source in summary(week.folder, DAYS[1])["sources"]] == [None, None]


def test_a_night_without_anything_new_says_so(week):
    assert (week.next["state_type"], week.next["state_name"]) == ("COMPLETED", "NoNewData")
    assert week.next["name"] == f"nightly {DAYS[2]}"


def test_every_form_runs(week):
    assert {flow: run["state_type"] for flow, run in week.runs.items()} == dict.fromkeys(week.runs, "COMPLETED"), week.runs
    assert published(week.folder) == DAYS
    assert "新しい名前" in week.runs["curate"]["state"]["message"]
    assert 'lang="en"' in week.english


def test_a_night_leaves_artifacts_with_a_history(week):
    summaries = week.api.artifacts("shop-summary")
    assert len(summaries) == len(DAYS)
    link = f"{week.api.address}/reports/shop/{DAYS[0]}/report.html"
    assert link in summaries[0]["data"] and "| NPS |" in summaries[0]["data"]
    assert link in week.api.artifacts("shop-report")[0]["data"]
    assert "theme_id" in json.loads(week.api.artifacts("shop-themes")[0]["data"])[0]
    assert week.api.artifacts("shop-progress")[0]["data"] == 100.0
    tasks = week.api.tasks(next(run["id"] for run in week.pair if run["state_name"] == "Incomplete"))
    assert (tasks["read survey"], tasks["read support"]) == ("Completed", "Failed")
    assert "split comments into opinions" in tasks


def test_the_form_of_a_question_in_a_browser(week):
    if not week.browser:
        pytest.skip("asked by the API" if chrome.DRIVER else chrome.MISSING)
    assert "期間の始まり" in week.form and "この日から。" in week.form
    assert week.explored["state_type"] == "COMPLETED", week.explored["state"]
    asked = {"title": "プランAの声", "date_from": "2024-11-01", "segments": ["plan=A"], "nps_groups": ["批判者"]}
    assert asked.items() <= week.explored["parameters"].items()
    assert week.link in week.explored["state"]["message"]
    assert "夜の試験：プランAの声" in week.page and "plan「A」" in week.page
    assert {url.split("/")[2] for url in week.requests} == {week.api.address.removeprefix("http://")}


def test_a_question_leaves_nights_and_themes_as_they_are(week):
    assert week.explored["state_type"] == "COMPLETED", week.explored["state"]
    with Store.open(week.ours) as store:
        assert [str(day) for day in store.dates()] == DAYS
        assert not [theme for theme in store.registry_before(store.dates()[-1]).themes if theme.theme_id.startswith("X")]


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")  # an index of Prefect's; its tables are what counts
def test_no_customers_word_and_no_erased_id_is_in_prefects_database(week):
    assert not [line for line in week.logs if SAID[:6] in line or "ペンギン" in line]
    engine = sa.create_engine(week.prefects)
    content = repr(contents(engine))
    engine.dispose()
    assert "nightly" in content and SAID[:6] not in content and "ペンギン" not in content and CUSTOMER not in content
    assert week.api.run(week.runs["forget"]["id"])["parameters"]["customer"] == "（消去済み）"


def test_an_erasure_takes_the_explorations_that_quote_the_person_with_it(week):
    assert len(week.exploration) == 1
    assert list((week.folder / "out" / "explore").glob("2*")) == []
    pages = b"".join(path.read_bytes() for path in (week.folder / "out").rglob("*.html"))
    assert "玄関先のペンギン".encode() not in pages


def test_a_schedule_taken_out_of_the_file_goes_from_the_server(week):
    assert week.unscheduled["schedules"] == []
    assert week.unscheduled["work_pool_name"] == POOL
