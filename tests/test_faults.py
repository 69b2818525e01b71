"""Kill -9 at any moment, a full disk, a locked database: the next run ends as if nothing had happened."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from stores import KINDS, contents, postgres_database, server

from flows.config import load_config
from flows.deployment import BusyError, UnwritableError, deployment
from pipeline.store import Store

FIRST, NIGHT = "2026-11-15", "2026-11-22"
KILL_POINTS = int(os.environ.get("KIKITORI_KILL_POINTS", "20"))
WORDS = ("配送が遅くて困りました", "返品の手続きがわかりません", "梱包が丁寧でした", "値段が高いと感じます", "アプリがよく落ちます")
HEADER = "id,at,score,comment,customer\n"
CONFIG = """
retention_days = 14
window_days = 14
{store}
[[sources]]
name = "survey"
path = "survey-*.csv"
columns = {{ id = "id", text = "comment", score = "score", received_at = "at", customer = "customer" }}
"""


def write_export(folder, name, first, last, n):
    rows = [
        f"R{first:02}{i:02},2026-11-{first + i % (1 + last - first):02},{i % 11},{WORDS[i % 5]}。{i}回目です,C{first}{i}"
        for i in range(n)
    ]
    (folder / f"survey-{name}.csv").write_text(HEADER + "\n".join([*rows, "bad,2026-11-20,99,点数が変,C1"]), encoding="utf-8")


class Runner:
    """The process that forks the nights."""

    def __init__(self, logs: Path) -> None:
        script = Path(__file__).with_name("fault_runner.py")
        self.errors = (logs / "runner.err").open("w", encoding="utf-8")
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(script.parent.parent), "KIKITORI_KEY": "k"}
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=environment,
        )
        self.logs, self.n = logs, 0

    def all(self, jobs: list[dict]) -> list[dict]:
        """Return what became of each job: its exit status (-9: killed), its events and its standard error."""
        answers = [self.logs / f"{self.n + i}.json" for i in range(len(jobs))]
        self.n += len(jobs)
        line = [job | {"answer": str(answer)} for job, answer in zip(jobs, answers, strict=True)]
        print(json.dumps(line), file=self.process.stdin, flush=True)
        results = json.loads(self.process.stdout.readline())
        errors = [answer.with_suffix(".err").read_text(encoding="utf-8") for answer in answers]
        return [result | {"error": error} for result, error in zip(results, errors, strict=True)]

    def done(self, jobs: list[dict]) -> list[dict]:
        results = self.all(jobs)
        assert [result["status"] for result in results] == [0] * len(jobs), [result["error"] for result in results]
        return results


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    runner = Runner(tmp_path_factory.mktemp("logs"))
    yield runner
    runner.process.stdin.close()
    runner.process.wait(timeout=60)
    runner.process.stdout.close()
    runner.errors.close()


class Deployments:
    """Copies of one deployment after its first night, each with a database of its own."""

    def __init__(self, kind: str, folder: Path, stack: ExitStack) -> None:
        self.kind, self.folder, self.stack = kind, folder, stack
        self.n, self.template = 0, None

    def fresh(self) -> Path:
        """Return the folder of a deployment before any night."""
        return self._new(None, None)

    def copy(self, of: Path) -> Path:
        """Return the folder of a deployment in the state of another."""
        return self._new(of, f"kikitori_fault_{os.getpid()}_{of.name}")

    def _new(self, of, template):
        folder = self.folder / str(self.n)
        self.n += 1
        folder.mkdir() if of is None else shutil.copytree(of, folder)
        for file in folder.glob("survey-*.csv"):
            file.unlink()
        store = ""
        if self.kind == "postgresql":
            url = self.stack.enter_context(postgres_database(f"kikitori_fault_{os.getpid()}_{folder.name}", template))
            store = f'store = "{url}"'
        (folder / "night.toml").write_text(CONFIG.format(store=store), encoding="utf-8")
        write_export(folder, "a", 1, 14, 20)
        if of is not None:
            write_export(folder, "b", 12, 21, 16)  # R12xx: 12 November and later
        return folder


def run(folder, date=NIGHT, **more):
    return {"do": "run", "config": str(folder / "night.toml"), "date": date, **more}


def state(folder):
    """Return every published byte and every stored row."""
    out = folder / "out"
    files = {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and not path.name.startswith((".kikitori", "kikitori.db"))
    }
    config = load_config(folder / "night.toml")
    with Store.open(config.store or f"sqlite:///{out}/kikitori.db") as store:
        return files, contents(store.engine)


def assert_same(folder, expected):
    files, rows = state(folder)
    assert sorted(files) == sorted(expected[0])
    assert [name for name in files if files[name] != expected[0][name]] == []
    assert [name for name in rows if rows[name] != expected[1][name] and name != "cache"] == []
    # What is cached depends on texts alone: a run again may keep more of it, never other values.
    assert len({row.partition(", b")[0] for row in rows["cache"] + expected[1]["cache"]}) == len(
        {*rows["cache"], *expected[1]["cache"]}
    )


@pytest.fixture(params=KINDS)
def deployments(request, tmp_path):
    if request.param == "postgresql":
        server()
    with ExitStack() as stack:
        yield Deployments(request.param, tmp_path, stack)


def spread(n_events, n_points):
    """Return n_points events, spread evenly from the first to the last."""
    return sorted({1 + round(i * (n_events - 1) / (n_points - 1)) for i in range(n_points)})


@pytest.mark.slow
def test_a_night_killed_anywhere_is_finished_by_the_next_run(runner, deployments):
    base = deployments.fresh()
    runner.done([run(base, FIRST)])
    calm = deployments.copy(base)
    (undisturbed,) = runner.done([run(calm)])
    expected = state(calm)
    assert expected[1]["erasures"], "the night must reach retention, too"
    points = spread(undisturbed["events"], KILL_POINTS)
    assert len(points) == KILL_POINTS
    folders = [deployments.copy(base) for _ in points]
    killed = runner.all([run(folder, kill_at=point) for folder, point in zip(folders, points, strict=True)])
    assert [result["status"] for result in killed] == [-9] * KILL_POINTS
    runner.done([run(folder) for folder in folders])
    for folder in folders:
        assert_same(folder, expected)


@pytest.mark.slow
def test_a_first_night_killed_while_it_makes_its_tables_is_finished_by_the_next_run(runner, deployments):
    calm = deployments.fresh()
    (undisturbed,) = runner.done([run(calm, FIRST)])
    points = spread(undisturbed["events"] // 2, 4)
    folders = [deployments.fresh() for _ in points]
    killed = runner.all([run(folder, FIRST, kill_at=point) for folder, point in zip(folders, points, strict=True)])
    assert [result["status"] for result in killed] == [-9] * 4
    runner.done([run(folder, FIRST) for folder in folders])
    for folder in folders:
        assert_same(folder, state(calm))


@pytest.mark.slow
def test_an_erasure_killed_anywhere_is_finished_by_the_same_command(runner, deployments):
    base = deployments.fresh()
    runner.done([run(base, FIRST)])

    def erase(folder, **more):
        return {"do": "forget", "config": str(folder / "night.toml"), "customer": "C13", **more}

    calm = deployments.copy(base)
    (undisturbed,) = runner.done([erase(calm)])
    files, rows = state(calm)
    points = spread(undisturbed["events"], 6)
    folders = [deployments.copy(base) for _ in points]
    killed = runner.all([erase(folder, kill_at=point) for folder, point in zip(folders, points, strict=True)])
    assert [result["status"] for result in killed] == [-9] * 6
    runner.done([erase(folder) for folder in folders])
    for folder in folders:
        files_again, rows_again = state(folder)
        assert files_again == files
        assert [name for name in rows if rows_again[name] != rows[name] and name != "erasures"] == []
        assert rows["erasures"][0] in rows_again["erasures"]  # asked twice, written down once or twice


@pytest.mark.slow
def test_a_full_disk_is_one_clear_line_and_the_next_run_ends_the_same(runner, deployments):
    base = deployments.fresh()
    runner.done([run(base, FIRST)])
    calm = deployments.copy(base)
    (undisturbed,) = runner.done([run(calm)])
    n = undisturbed["events"]
    folders = [deployments.copy(base) for _ in range(4)]
    jobs = [run(folder, full_from=round(n * (1 + i) / 4)) for i, folder in enumerate(folders)]
    jobs[-1] = run(folders[-1], largest_file=20_000)  # what any file may grow to
    for result in runner.all(jobs):
        assert result["status"] == 2, result
        assert result["error"].count("\n") == 1
        assert "run again" in result["error"]
    runner.done([run(folder) for folder in folders])
    for folder in folders:
        assert_same(folder, state(calm))


def locked_config(folder, store=""):
    folder.mkdir(exist_ok=True)
    (folder / "night.toml").write_text(CONFIG.format(store=store), encoding="utf-8")
    return load_config(folder / "night.toml")


def test_a_second_run_is_told_at_once_who_is_working(tmp_path):
    config = locked_config(tmp_path)
    told = pytest.raises(BusyError, match=rf"process {os.getpid()} is working on .*out; let it end")
    with deployment(config, config.out), told, deployment(config, config.out):
        pass
    with deployment(config, config.out) as store:
        assert store.dates() == []


def test_one_database_serves_one_run_even_with_two_folders(tmp_path):
    config = locked_config(tmp_path, f'store = "sqlite:///{tmp_path}/shared.db"')
    with deployment(config, tmp_path / "a"), pytest.raises(BusyError), deployment(config, tmp_path / "b"):
        pass


def test_one_postgresql_database_serves_one_run(tmp_path):
    with postgres_database(f"kikitori_test_{os.getpid()}") as url:
        config = locked_config(tmp_path, f'store = "{url}"')
        with deployment(config, tmp_path / "a"), pytest.raises(BusyError, match="database"), deployment(config, tmp_path / "b"):
            pass
        with deployment(config, tmp_path / "b"):
            pass


def test_a_killed_run_holds_no_lock(tmp_path):
    config = locked_config(tmp_path)
    child = os.fork()
    if not child:
        with deployment(config, config.out):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    with deployment(config, config.out) as store:
        assert store.dates() == []


def test_a_database_that_stays_locked_is_one_clear_line(tmp_path):
    config = locked_config(tmp_path, f'store = "sqlite:///{tmp_path}/kikitori.db?timeout=0.1"')
    Store.open(config.store).close()
    other = sqlite3.connect(tmp_path / "kikitori.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Store.open(config.store) as store, pytest.raises(Exception, match="database is locked; another program") as error:
        store.cache_put("n", {"k": b"v"})
    other.close()
    assert "\n" not in str(error.value)


def test_a_folder_that_may_not_be_written_is_one_clear_line(tmp_path):
    config = locked_config(tmp_path)
    with pytest.raises(UnwritableError, match=r"cannot be written \(.*\); make it writable, or set another out"), deployment(config, Path("/sys/kikitori")):
        pass
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(UnwritableError, match="set out to a folder"), deployment(config, tmp_path / "file"):
        pass


def test_what_a_killed_run_had_begun_to_write_is_removed(tmp_path):
    config = locked_config(tmp_path)
    (config.out / ".work" / "new").mkdir(parents=True)
    (config.out / ".work" / "new" / "units.csv").write_text("引用", encoding="utf-8")
    with deployment(config, config.out):
        assert not (config.out / ".work").exists()
