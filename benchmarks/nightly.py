"""The whole night, stage by stage: python -m benchmarks.nightly SIZE… [--hotel FILE] [--workers N].

Each SIZE is a first night of so many comments (:mod:`benchmarks.comment_stream`), followed by a second night with 2,000
new ones. --hotel runs one night on a file of one sentence a line. Every night is the nightly flow in a process of its
own, Prefect and its server included. A stage's seconds are those of its function; `overhead_seconds` is what the night
takes beside all of them, by `overhead`: until the code is imported, until Prefect (its server, the run) lets the flow
begin, inside the flow between stages (Prefect's task runs, progress, logs), and from the flow's end to that of the
process. Memory is the proportional set size of the process and all its children (a page that k of them share counts as
1/k in each), added up once a second. The result is benchmarks/results/nightly.json, kept by size, and docs/nightly.svg.
"""

import argparse
import functools
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.comment_stream import COLUMNS, SEGMENT, comments, write_survey

ROOT = Path(__file__).parent.parent
RESULT = ROOT / "benchmarks" / "results" / "nightly.json"
CHART = ROOT / "docs" / "nightly.svg"
NIGHT = date(2026, 11, 22)
WINDOW = 90
NEW = 2_000
STAGES = {  # functions of flows.nightly, by the stage they belong to
    "load": ("load_tools", "tombstones"),
    "read": ("read",),
    "cleanse": ("cleanse",),
    "parse": ("without_names",),
    "window": ("with_earlier_nights", "split"),
    "encode": ("encode",),
    "sentiment": ("adapt_to_scores", "with_sentiment"),
    "themes": ("group", "with_theme_news"),
    "copies": ("near_duplicates",),
    "statistics": ("account", "build_summary", "units_table"),
    "publish": ("publish", "keep_for"),
}


def main() -> None:
    """Run what is asked for, add it to the result and draw the chart."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", type=int, nargs="*")
    parser.add_argument("--hotel", type=Path)
    parser.add_argument("--engine", default="processes")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--chart", action="store_true", help="only draw the chart from the result")
    parser.add_argument("--folder", type=Path, help="keep the exports, nights and databases here")
    asked = parser.parse_args()
    result = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    scale = f'[scale]\nengine = "{asked.engine}"\nworkers = {asked.workers}\n'
    with tempfile.TemporaryDirectory() as folder:
        base = asked.folder or Path(folder)
        for size in asked.sizes:
            result[str(size)] = two_nights(size, base / str(size), scale)
            save(result)
        if asked.hotel:
            result["hotel"] = hotel_night(asked.hotel, base / "hotel", scale)
            save(result)
    draw(result)


def save(result: dict[str, Any]) -> None:
    """Write the result, sizes in order."""
    ordered = {key: result[key] for key in sorted(result, key=lambda key: (not key.isdigit(), len(key), key))}
    RESULT.write_text(json.dumps(ordered, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(ordered, ensure_ascii=False, indent=2))


def two_nights(size: int, folder: Path, scale: str) -> dict[str, Any]:
    """Measure a first night of so many comments and a second one with some new ones."""
    config = write_config(folder, scale)
    window = (NIGHT - timedelta(days=WINDOW - 2), NIGHT)  # the first day is still inside on the second night
    write_survey(folder / "survey-1.csv", comments(size, 1), days=window, seed=1, prefix="R")
    first = measure(config, NIGHT, folder / "out", size)
    following = NIGHT + timedelta(days=1)
    write_survey(folder / "survey-2.csv", comments(NEW, 2), days=(following, following), seed=2, prefix="S")
    (folder / "survey-1.csv").unlink()
    return {"first": first, "next": measure(config, following, folder / "out", NEW), "conditions": conditions(scale)}


def hotel_night(file: Path, folder: Path, scale: str) -> dict[str, Any]:
    """Measure one night on the lines of a file, with scores and dates drawn."""
    config = write_config(folder, scale)
    lines = file.read_text(encoding="utf-8").splitlines()
    window = (NIGHT - timedelta(days=WINDOW - 1), NIGHT)
    rows = ((line, i * 7 % 11) for i, line in enumerate(lines))
    write_survey(folder / "survey-1.csv", rows, days=window, seed=1, prefix="R")
    return {"first": measure(config, NIGHT, folder / "out", len(lines)), "conditions": conditions(scale)}


def write_config(folder: Path, scale: str) -> Path:
    """Write a deployment's config into a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = ", ".join(f'{role} = "{name}"' for role, name in COLUMNS.items())
    config = folder / "config.toml"
    config.write_text(
        f'title = "Benchmark"\nwindow_days = {WINDOW}\nout = "out"\n\n[[sources]]\nname = "survey"\n'
        f'path = "survey-*.csv"\ncolumns = {{ {columns} }}\nsegments = ["{SEGMENT}"]\n\n{scale}',
        encoding="utf-8",
    )
    return config


def measure(config: Path, night: date, out: Path, n: int) -> dict[str, Any]:
    """Run one night in a process of its own and return its stages."""
    command = [sys.executable, "-m", "benchmarks.nightly_child", str(config), night.isoformat(), str(out)]
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"PREFECT_HOME": home, "PYTHONPATH": str(ROOT)}
        begin = time.time()
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)
        samples: list[tuple[float, int]] = []
        watch = threading.Thread(target=watch_memory, args=(child, samples))
        watch.start()
        written, _ = child.communicate()
        watch.join()
        seconds = time.time() - begin
    if child.returncode:
        raise SystemExit(f"the night of {night} ended with status {child.returncode}")
    told = json.loads(written.splitlines()[-1])
    stages = {name: stage_figures(told["calls"], STAGES[name], samples, n, seconds) for name in STAGES}
    spent = sum(stage["seconds"] for stage in stages.values())
    _, began, ended, _ = next(call for call in told["calls"] if call[0] == "flow")
    overhead = {
        "imports": told["marks"]["imported"] - begin,
        "prefect before the flow": began - told["marks"]["imported"],
        "between stages": ended - began - spent,
        "prefect after the flow": told["marks"]["ended"] - ended,
        "end of the process": begin + seconds - told["marks"]["ended"],
    }
    return {
        "comments": n,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(told["cpu_seconds"], 1),
        "comments_per_second": round(n / seconds, 1),
        "peak_megabytes": max(size for _, size in samples) >> 20,
        "overhead_seconds": round(seconds - spent, 1),
        "overhead": {part: round(value, 1) for part, value in overhead.items()},
        **told["figures"],
        "megabytes": {path.name: round(path.stat().st_size / 1e6, 2) for path in report_files(out, night)},
        "stages": stages,
    }


def stage_figures(
    calls: list[list[Any]], functions: tuple[str, ...], samples: list[tuple[float, int]], n: int, total: float
) -> dict[str, Any]:
    """Return what the calls of a stage's functions took together."""
    mine = [call for call in calls if call[0] in functions]
    seconds = sum(end - start for _, start, end, _ in mine)
    peak = max((size for when, size in samples if any(s <= when <= e + 1 for _, s, e, _ in mine)), default=0)
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(sum(cpu for *_, cpu in mine), 2),
        "share": round(seconds / total, 3),
        "comments_per_second": round(n / seconds) if seconds > 0.005 else None,
        "peak_megabytes": peak >> 20,
    }


def report_files(out: Path, night: date) -> list[Path]:
    """Return what a night leaves, and the database."""
    return [*sorted((out / night.isoformat()).iterdir()), out / "kikitori.db"]


def watch_memory(child: subprocess.Popen[str], samples: list[tuple[float, int]]) -> None:
    """Note the memory of a process and its descendants until it ends."""
    while child.poll() is None:
        parents = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    stat = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                parents[int(entry.name)] = int(stat[1])
        tree, grown = {child.pid}, True
        while grown:
            more = {pid for pid, parent in parents.items() if parent in tree} - tree
            tree, grown = tree | more, bool(more)
        samples.append((time.time(), sum(map(proportional_set_size, tree))))
        time.sleep(1)


def proportional_set_size(pid: int) -> int:
    """Return bytes of memory, shared pages divided among those that share them; 0 if the process has ended."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in rollup.splitlines() if line.startswith("Pss:")), 0)


def conditions(scale: str) -> dict[str, Any]:
    """Return what the figures depend on."""
    settings = dict(line.split(" = ") for line in scale.splitlines() if " = " in line)
    return {
        "engine": settings["engine"].strip('"'),
        "workers": int(settings["workers"]),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}; load of the last minute at the end {os.getloadavg()[0]:.1f}",
    }


def draw(result: dict[str, Any]) -> None:
    """Draw each stage's processor time per comment that is new, and the peak memory of the night."""
    import altair as alt
    import polars as pl

    order = ["overhead", *STAGES]
    rows = []
    for size, nights in result.items():
        for which in ("first", "next"):
            if which not in nights:
                continue
            night = nights[which]
            label = f"{int(size):,}" if size.isdigit() else f"{size} {night['comments']:,}"
            label = label if which == "first" else f"{label} + {night['comments']:,}"
            parts = {name: stage["cpu_seconds"] for name, stage in night["stages"].items()}
            parts["overhead"] = night["cpu_seconds"] - sum(parts.values())
            for name, seconds in parts.items():
                rows.append({"night": label, "stage": name, "milliseconds": 1000 * seconds / night["comments"],
                             "memory": night["peak_megabytes"], "order": order.index(name)})  # fmt: skip
    table = pl.DataFrame(rows)
    bars = (
        alt.Chart(table, width=620, height=alt.Step(26))
        .mark_bar()
        .encode(
            x=alt.X("sum(milliseconds):Q", title="processor time per new comment, ms"),
            y=alt.Y("night:N", sort=None, title=None),
            color=alt.Color("stage:N", sort=order, scale=alt.Scale(scheme="tableau20")),
            order="order:Q",
        )
    )
    memory = (
        alt.Chart(table, width=160, height=alt.Step(26))
        .mark_bar(color="#888")
        .encode(x=alt.X("max(memory):Q", title="peak memory, MB"), y=alt.Y("night:N", sort=None, axis=None))
    )
    (bars | memory).save(CHART)


def timed(function: Callable[..., Any], name: str, calls: list[list[Any]]) -> Callable[..., Any]:
    """Return the function, which then notes when it began, when it ended and what it took of the processors."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        start, cpu = time.time(), cpu_seconds()
        try:
            return function(*args, **kwargs)
        finally:
            calls.append([name, start, time.time(), cpu_seconds() - cpu])

    return run


def cpu_seconds() -> float:
    """Return the processor seconds of this process and of its children that have ended."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    main()
