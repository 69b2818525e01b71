"""Shards in this process, in worker processes and on Dask: the same values in the same order, and no word lost or told."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import shard_work

from flows.config import ConfigError, Workers, load_config
from flows.engines import WorkerError, engine_of
from pipeline.shards import ShardError

DEMO = Path(__file__).parent.parent / "configs" / "demo"
SHARDS = [[f"a{i}", f"b{i}"] for i in range(7)]


@pytest.fixture(params=["processes", "dask"])
def run(request, tmp_path):
    if request.param == "dask":
        pytest.importorskip("prefect_dask")
    yield engine_of(Workers(engine=request.param, workers=2), tmp_path)
    assert not list(tmp_path.iterdir()), "a temporary cluster leaves no file"


def test_values_come_in_the_order_of_the_shards_from_workers_with_one_thread(run):
    values = list(run(shard_work.upper, SHARDS))
    assert values == [[f"A{i} 1".encode(), f"B{i} 1".encode()] for i in range(7)]


def test_workers_are_other_processes(run):
    workers = {value for values in run(shard_work.process_id, SHARDS) for value in values}
    assert str(os.getpid()).encode() not in workers
    assert 1 <= len(workers) <= 2


def test_a_single_shard_starts_no_worker(run):
    assert list(run(shard_work.process_id, SHARDS[:1])) == [[str(os.getpid()).encode()] * 2]
    assert list(run(shard_work.process_id, [])) == []


def test_a_failing_shard_tells_the_place_and_no_word(run, capfd):
    with pytest.raises(ShardError) as raised:
        list(run(shard_work.fail, [["佐々木の苦情"], ["林の苦情"]]))
    assert "ValueError in shard_work.py line" in str(raised.value)
    told = "".join(capfd.readouterr()) + repr(raised.value) + repr(raised.value.__cause__)
    assert "苦情" not in told


def test_a_worker_that_dies_is_one_clear_line(tmp_path):
    run = engine_of(Workers(engine="processes", workers=2), tmp_path)
    with pytest.raises(WorkerError, match=r"worker process ended .* scale\.workers"):
        list(run(shard_work.die, SHARDS))


def test_workers_end_when_the_night_is_killed(tmp_path):
    told = tmp_path / "pid"
    work = (
        "import pathlib, shard_work; from flows.config import Workers; from flows.engines import engine_of; "
        "run = engine_of(Workers(engine='processes', workers=1), pathlib.Path('.')); "
        "list(run(shard_work.tell_and_wait, [['a'], ['b']]))"
    )
    environment = os.environ | {"TOLD": str(told), "PYTHONPATH": os.pathsep.join(sys.path)}
    night = subprocess.Popen([sys.executable, "-c", work], env=environment)
    worker = int(soon(lambda: told.exists() and told.read_text(encoding="utf-8").strip()))
    night.kill()
    night.wait()
    assert soon(lambda: not is_running(worker))


def soon(look, seconds=120):
    """Return what a look finds as soon as it finds something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"nothing after {seconds} s")


def is_running(number):
    try:
        return Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_local_is_this_process(tmp_path):
    run = engine_of(Workers(), tmp_path)
    assert {value for values in run(shard_work.process_id, SHARDS) for value in values} == {str(os.getpid()).encode()}


def test_an_address_without_dask_is_refused(tmp_path):
    config = tmp_path / "night.toml"
    source = '[[sources]]\nname = "s"\npath = "s.csv"\ncolumns = { text = "t" }\n'
    config.write_text(f'{source}[scale]\naddress = "tcp://10.0.0.1:8786"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match='it needs engine = "dask"'):
        load_config(config)


def demo(folder: Path, scale: str) -> bytes:
    """Run the demo's first night with some engine; return its summary.json."""
    folder.mkdir()
    for file in DEMO.iterdir():
        (folder / file.name).symlink_to(file)
    config = folder / "scaled.toml"
    config.write_text((DEMO / "demo.toml").read_text(encoding="utf-8") + scale, encoding="utf-8")
    command = [sys.executable, "-c", "from flows.cli import main; main()", "run", str(config), "--date", "2026-11-15"]
    environment = os.environ | {"PREFECT_HOME": str(folder.parent / "prefect")}
    subprocess.run([*command, "--out", str(folder / "out")], check=True, env=environment, timeout=1800)
    left = {path.name for path in (folder / "out").iterdir()}
    assert ".work" not in left
    return (folder / "out" / "2026-11-15" / "summary.json").read_bytes()


@pytest.mark.slow
def test_the_demo_is_the_same_to_the_byte_on_every_engine(tmp_path):
    pytest.importorskip("prefect_dask")
    local = demo(tmp_path / "local", "")
    assert json.loads(local)["n_units"] > 100
    for engine in ("processes", "dask"):
        scale = f'\n[scale]\nengine = "{engine}"\nworkers = 2\nshard_size = 64\n'
        assert demo(tmp_path / engine, scale) == local, engine
