"""Measure how soon a new problem inside an old theme is told, how well it is dated, and how quiet quiet nights are.

    python -m benchmarks.emergence [--cache FOLDER] [--seeds 1] [--quiet-seeds 3]

The streams are our own. Background: opinions of our corpus, either a mail-order firm's (`mail_order*.tsv`) or eight
trades mixed as in benchmarks/stability.py, one to three a comment, over 130 days with more at weekends; how much each
theme is spoken of changes from week to week (gamma, coefficient of variation 0.25; 0.5 in the restless streams).
Issues: benchmarks/data/issues.tsv, eight problems (one a pleasure) inside themes of the mail-order firm, 40 ways to
say each, written for this purpose. 8 to 40 of them come on day 100 and the days after; two more lie somewhere
before, as background mentions. Four issues were looked at while the method was built, four were not (`held_out`).
Topics: the themes of five other trades of benchmarks/stability.py, planted four a night beside the mix.

Measured on each night for ten nights from the second day on: found (a topic told, at least half of whose respondents
were planted), delay (days from the first mention to the night that tells it), error of its first day on that
night and on the last, precision and coverage of the respondents behind it, further topics told (`extra`). On
thirty quiet nights a stream: nights on which anything was told.

The result goes to benchmarks/results/emergence.json.
"""

import argparse
import csv
import json
import os
import platform
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.stability import MIX, PLANTED, strangest
from models.corpus import load_corpus
from models.embedding import Encoder
from models.sentiment import POLARITIES, SentimentClassifier
from pipeline.growth import LEAST, RATIO, WINDOWS
from pipeline.parse import shared_parser
from pipeline.segment import annotate
from pipeline.themes.growing_topics import ALPHA, GrowingTopic, growing_topics

RESULT = Path(__file__).parent / "results" / "emergence.json"
ISSUES = Path(__file__).parent / "data" / "issues.tsv"
LOOKED_AT = ("card", "bot", "tape", "coupon")
SHOP = ("mail_order", "mail_order_plain")
FIRST = date(2026, 6, 1)
DAYS, START, WINDOW, NIGHTS = 130, 100, 90, 10
WEEKDAYS = (1, 1, 1, 1, 1.1, 1.4, 1.5)
SIZES = ((8, 3), (12, 5), (20, 8), (40, 10))  # mentions, days
COMMENTS = (250, 1000)
UNSTEADY, RESTLESS = 0.25, 0.5


@dataclass(frozen=True)
class Pool:
    """Opinion units of single lines with their vectors; `rows` holds the units of each line, `lines` each group's."""

    units: pl.DataFrame
    vectors: np.ndarray
    rows: dict[int, list[int]]
    lines: dict[str, dict[str, list[int]]]


@dataclass(frozen=True)
class Stream:
    """Units of a stream with feedback_id, day (number) and whether they were planted, and their vectors."""

    units: pl.DataFrame
    vectors: np.ndarray

    def topics(self, night: int) -> tuple[pl.DataFrame, list[GrowingTopic]]:
        """Return the units of a night's window and the topics told on it."""
        rows = np.flatnonzero(self.units["number"].is_between(night - WINDOW + 1, night).to_numpy())
        units = self.units[rows.tolist()]
        days = units.select("source", "feedback_id", "day").unique()
        return units, growing_topics(units, self.vectors[rows], days, FIRST + timedelta(night))


def main() -> None:
    """Run every stream and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, help="folder that keeps units and vectors between runs")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--quiet-seeds", type=int, default=3)
    arguments = parser.parse_args()
    pool = load_pool(arguments.cache)
    issues = sorted(name for name in pool.lines if name.startswith("issue:"))
    result = {
        "conditions": conditions(arguments),
        "issues": [
            issue_figures(pool, issues, n, size, days, arguments.seeds) for n in COMMENTS for size, days in SIZES
        ],
        "topics": [topic_figures(pool, domain) for domain in PLANTED],
        "quiet": [
            quiet_figures(pool, name, n, spread, arguments.quiet_seeds)
            for name in ("shop", "mix")
            for n in COMMENTS
            for spread in (UNSTEADY, RESTLESS)
        ],
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def issue_figures(pool: Pool, issues: list[str], n: int, size: int, days: int, seeds: int) -> dict:
    """Return how issues of one size are told in streams of n comments."""
    start = time.perf_counter()
    runs = []
    for number, issue in enumerate(issues):
        for seed in range(seeds):
            rng = np.random.default_rng([n, size, seed, number])
            lines = rng.permutation(pool.lines[issue]["issue"])
            when = START + np.sort(np.concatenate([[0], rng.integers(0, days, size - 1)]))
            before = rng.integers(START - 75, START - 1, 2)
            planted = [(int(day), int(line), True) for day, line in zip(when, lines, strict=False)]
            planted += [(int(day), int(line), False) for day, line in zip(before, lines[size:], strict=False)]
            run = follow(compose(pool, "shop", n, rng, UNSTEADY, planted))
            runs.append({"issue": issue.removeprefix("issue:"), **run})
    figures = {"comments": n, "mentions": size, "days": days, **totals(runs)}
    figures["held_out"] = totals([run for run in runs if run["issue"] not in LOOKED_AT])
    told({**figures, "errors": [run.get("last_error") for run in runs]}, start)
    return {**figures, "runs": runs}


def topic_figures(pool: Pool, domain: str) -> dict:
    """Return how a theme of another trade is told that comes up beside the mix, four comments a night."""
    start = time.perf_counter()
    rng = np.random.default_rng(0)
    (gold, lines), = pool.lines[f"topic:{domain}"].items()
    planted = [(START + k // 4, int(line), True) for k, line in enumerate(rng.permutation(lines)[: 4 * NIGHTS])]
    figures = {"domain": domain, "theme": gold, **follow(compose(pool, "mix", 1000, rng, UNSTEADY, planted))}
    told(figures, start)
    return figures


def quiet_figures(pool: Pool, name: str, n: int, spread: float, seeds: int) -> dict:
    """Return on how many of thirty quiet nights a stream anything is told."""
    start = time.perf_counter()
    alarms = []
    for seed in range(seeds):
        stream = compose(pool, name, n, np.random.default_rng([1, n, seed]), spread, [])
        alarms.append(sum(bool(stream.topics(night)[1]) for night in range(DAYS - 30, DAYS)))
    figures = {"stream": name, "comments": n, "variation": spread, "nights": 30 * seeds, "with_alarm": sum(alarms)}
    told(figures, start)
    return {**figures, "by_stream": alarms}


def follow(stream: Stream) -> dict:
    """Return what is told of the planted mentions over ten nights."""
    figures: dict = {"found": False, "extra": 0}
    for night in range(START + 1, START + 1 + NIGHTS):
        units, topics = stream.topics(night)
        planted = set(units.filter("planted")["feedback_id"])
        is_told = False
        for topic in topics:
            behind = set(units["feedback_id"][topic.rows.tolist()])
            if is_told or 2 * len(behind & planted) < len(behind):
                figures["extra"] += 1
                continue
            is_told = True
            error = (topic.first_day - FIRST).days - START
            if not figures["found"]:
                figures |= {"found": True, "delay": night - START, "mentions_by_then": len(planted), "error": error}
            figures |= {
                "last_error": error,
                "precision": round(len(behind & planted) / len(behind), 4),
                "coverage": round(len(behind & planted) / len(planted), 4),
            }
    return figures


def totals(runs: list[dict]) -> dict:
    """Return the figures of some runs together."""
    found = [run for run in runs if run["found"]]
    if not found:
        return {"n": len(runs), "found": 0}
    errors = [run["last_error"] for run in found]
    return {
        "n": len(runs),
        "found": len(found),
        "delay": round(float(np.mean([run["delay"] for run in found])), 2),
        "first_day_exact": sum(error == 0 for error in errors),
        "first_day_within_1": sum(abs(error) <= 1 for error in errors),
        "precision": round(float(np.mean([run["precision"] for run in found])), 4),
        "coverage": round(float(np.mean([run["coverage"] for run in found])), 4),
        "extra": sum(run["extra"] for run in runs),
    }


def compose(
    pool: Pool, name: str, n: int, rng: np.random.Generator, spread: float, planted: list[tuple[int, int, bool]]
) -> Stream:
    """Return a stream of n background comments and of planted lines (day, line, whether it counts as planted)."""
    weights = np.array([WEEKDAYS[(FIRST + timedelta(day)).weekday()] for day in range(DAYS)])
    draw = Background(pool.lines[name], rng, spread)
    comments = []
    for day in rng.choice(DAYS, n, p=weights / weights.sum()).tolist():
        comments.append((day, [draw(day) for _ in range(rng.choice((1, 2, 3), p=(0.5, 0.35, 0.15)))], False))
    for day, line, counts in planted:
        comments.append((day, [line, *([draw(day)] if rng.random() < 0.4 else [])], counts))
    rows, ids, numbers, marks = [], [], [], []
    for number, place in enumerate(rng.permutation(len(comments)).tolist()):
        day, lines, counts = comments[place]
        for row in (row for line in lines for row in pool.rows[line]):
            rows.append(row)
            ids.append(f"R{number:05d}")
            numbers.append(day)
            marks.append(counts)
    units = pool.units[rows].with_columns(
        pl.lit("survey").alias("source"), pl.Series("feedback_id", ids), pl.Series("number", numbers),
        pl.Series("day", [FIRST + timedelta(day) for day in numbers]), pl.Series("planted", marks),
    )
    return Stream(units, pool.vectors[rows])


class Background:
    """Draws lines without repeating one, themes by weights that change from week to week."""

    def __init__(self, lines: dict[str, list[int]], rng: np.random.Generator, spread: float) -> None:
        self.rng, self.spread, self.lines = rng, spread, lines
        self.themes = sorted(lines)
        self.left = {theme: rng.permutation(lines[theme]).tolist() for theme in self.themes}
        self.weights: dict[int, np.ndarray] = {}

    def __call__(self, day: int) -> int:
        """Return the next line of a day."""
        week = day // 7
        if week not in self.weights:
            shape = 1 / self.spread**2
            sizes = np.array([len(self.lines[theme]) for theme in self.themes])
            drawn = sizes * self.rng.gamma(shape, 1 / shape, len(sizes))
            self.weights[week] = drawn / drawn.sum()
        theme = self.themes[int(self.rng.choice(len(self.themes), p=self.weights[week]))]
        if not self.left[theme]:
            self.left[theme] = self.rng.permutation(self.lines[theme]).tolist()
        return int(self.left[theme].pop())


def load_pool(folder: Path | None) -> Pool:
    """Return the units of every line that a stream may hold, kept in a folder if one is named."""
    lines = [("shop", o.theme, o.text) for o in load_corpus(None) if o.domain in SHOP]
    lines += [("mix", f"{o.domain}/{o.theme}", o.text) for o in load_corpus(None) if o.domain in MIX]
    lines += [(f"topic:{o.domain}", o.theme, o.text) for o in load_corpus(None) if o.domain in PLANTED]
    with ISSUES.open(encoding="utf-8", newline="") as file:
        lines += [(f"issue:{row['issue']}", "issue", row["text"]) for row in csv.DictReader(file, delimiter="\t")]
    table, array = (folder / "pool.parquet", folder / "pool.npy") if folder else (None, None)
    if table and array and table.exists() and array.exists():
        units, vectors = pl.read_parquet(table), np.load(array)
    else:
        units, vectors = encode([text for *_, text in lines])
        if table and array:
            table.parent.mkdir(parents=True, exist_ok=True)
            units.write_parquet(table)
            np.save(array, vectors)
    rows: dict[int, list[int]] = defaultdict(list)
    for row, line in enumerate(units["line"]):
        rows[line].append(row)
    groups: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, (name, theme, _) in enumerate(lines):
        if number in rows:
            groups[name][theme].append(number)
    where = units.with_columns(
        pl.Series("domain", [lines[line][0].removeprefix("topic:") for line in units["line"]]),
        pl.Series("gold", [lines[line][1] for line in units["line"]]),
    )
    mix = (where["domain"] == "mix").to_numpy()
    for domain in PLANTED:
        gold = strangest((where, vectors), domain, mix)
        groups[f"topic:{domain}"] = {gold: groups[f"topic:{domain}"][gold]}
    return Pool(units, vectors, rows, groups)


def encode(texts: list[str]) -> tuple[pl.DataFrame, np.ndarray]:
    """Return the opinion units of the texts, with the number of their text, and their vectors."""
    rows = [
        {"line": line, "unit_text": unit.text, "tokens": list(unit.tokens), "pairs": list(unit.pairs)}
        for line, annotation in enumerate(annotate(texts, shared_parser()))
        for unit in annotation.units
    ]
    lists = {"tokens": pl.List(pl.Utf8), "pairs": pl.List(pl.Utf8)}
    units = pl.DataFrame(rows, schema_overrides=lists)
    classifier = SentimentClassifier.from_pretrained(Encoder.from_pretrained())
    vectors, logits = classifier.encode_with_logits(units["unit_text"].to_list())
    polarity = classifier.probabilities(logits)[0].argmax(axis=1)
    return units.with_columns(pl.Series("sentiment", [POLARITIES[k] for k in polarity])), vectors


def conditions(arguments: argparse.Namespace) -> dict:
    """Return what the figures depend on."""
    return {
        "alpha": ALPHA, "windows": WINDOWS, "least": LEAST, "ratio": RATIO, "window_days": WINDOW,
        "seeds": arguments.seeds, "quiet_seeds": arguments.quiet_seeds, "looked_at": LOOKED_AT,
        "encoder": Encoder.from_pretrained().model_id, "python": platform.python_version(),
        **{package: version(package) for package in ("numpy", "scipy", "polars", "ginza")}, "cpus": os.cpu_count(),
    }  # fmt: skip


def told(figures: dict, start: float) -> None:
    """Write progress to stderr."""
    print(json.dumps(figures, ensure_ascii=False), f"{time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
