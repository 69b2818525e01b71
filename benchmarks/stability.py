"""Measure how themes keep their identity over thirty simulated nights.

    python -m benchmarks.stability [--sentences FILE] [--vectors FOLDER] [--nights 30] [--seed 0]

The stream is our own corpus: eight domains as one company's mix, in a seeded order, each line cut into opinion
units as on a night (by grammar, then where the polarity turns). With --sentences a second stream comes from a file of
sentences (one a line, 6,000 drawn); its text is not kept. The first window holds 90 days; every further night brings
2 to 5 % of it anew, and what is older than 90 days leaves. Measured:

- kept: share of units in both nights that keep their theme's id, each night and across a forced full refit,
  beside (a) themes found afresh every night and numbered by size, (b) those matched to the night before
  greedily by cosine of centroids ≥ 0.7;
- alarms on these quiet nights (emerging themes, new or growing), and nights on which a theme was first found;
- planted topics, four comments a night: of each of five domains outside the mix the theme least like any of
  the mix's; nights from the tenth comment on until a new theme holds them;
- vanished themes: dormant when their units are gone, returned under the old id with them.

The result goes to benchmarks/results/stability.json.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl

from models.corpus import load_corpus
from models.embedding import Encoder
from models.sentiment import SentimentClassifier
from models.theme_prior import ThemePrior
from models.themes import ThemeModel
from pipeline.parse import shared_parser
from pipeline.segment import annotate
from pipeline.themes.curation import NO_CURATION, Curation
from pipeline.themes.emerging import emerging_themes
from pipeline.themes.matching import kept_share
from pipeline.themes.members import unit_keys
from pipeline.themes.night import ThemedNight, find_themes
from pipeline.themes.registry import Registry, theme_number
from pipeline.turns import cut_at_turns

RESULT = Path(__file__).parent / "results" / "stability.json"
MIX = ("appliance", "grocery", "parcel", "restaurant", "store", "streaming", "subscription", "utilities")
PLANTED = ("clinic", "fitness", "lodging", "recruiting", "transport")
FIRST_NIGHT = date(2026, 10, 1)
WINDOW, INFLOW = 90, (0.02, 0.05)
SENTENCES = 6_000
Stream = tuple[pl.DataFrame, np.ndarray]


def main() -> None:
    """Run every stream and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=Path)
    parser.add_argument("--vectors", type=Path, help="folder that keeps units and vectors between runs")
    parser.add_argument("--drawn", type=int, default=SENTENCES, help="sentences drawn from FILE")
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    encoder = Encoder.from_pretrained()
    corpus = stream("corpus", corpus_lines(), encoder, arguments.vectors)
    result = {"conditions": conditions(encoder, arguments)}
    mix = corpus[0]["domain"].is_in(MIX).to_numpy()
    result["corpus_mix"] = measure(rows_of(corpus, np.flatnonzero(mix)), encoder.model_id, arguments)
    write(result)
    result["planted"] = [planted(corpus, domain, encoder.model_id, arguments.seed) for domain in PLANTED]
    write(result)
    if arguments.sentences:
        lines = arguments.sentences.read_text(encoding="utf-8").splitlines()
        drawn = np.sort(np.random.default_rng(0).permutation(len(lines))[: arguments.drawn])
        sentences = stream("sentences", [("", "", lines[k]) for k in drawn], encoder, arguments.vectors)
        result["sentences"] = measure(sentences, encoder.model_id, arguments)
        write(result)
    json.dump(result, sys.stdout, ensure_ascii=False, indent=2)


def write(result: dict) -> None:
    """Write what has been measured so far: the whole takes long."""
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def measure(units: Stream, model_id: str, arguments: argparse.Namespace) -> dict:
    """Return the figures of thirty quiet nights, of forced refits, and of themes that vanish."""
    start = time.perf_counter()
    nights = dated(units, arguments.nights, arguments.seed)
    run = Run(model_id)
    kept, naive, greedy, refits, alarms = [], [], [], [], []
    before = afresh_before = None
    for k, (day, night) in enumerate(nights):
        if k in (10, 20, arguments.nights):
            forced = run.peek(day, night, refit=True)
            refits.append({"night": k, "kept": rounded(forced.kept_share), "refused": forced.refused})
        themed = run.night(day, night)
        afresh = Afresh.of(night)
        if before is not None and afresh_before is not None:
            kept.append(themed.kept_share)
            naive.append(afresh.kept_by_size(afresh_before))
            greedy.append(afresh.kept_greedily(afresh_before))
            new = [t.theme_id for t in themed.transitions if t.kind == "new"]
            alarms.append((new, emerging(themed, day)))
        before, afresh_before = themed, afresh
        print(f"night {k}: kept {rounded(themed.kept_share)}, {time.perf_counter() - start:.0f} s", file=sys.stderr)
    return {
        "units_first_window": nights[0][1][0].height,
        "units_last_window": nights[-1][1][0].height,
        "themes_last_night": before.themes.filter(pl.col("status") != "dormant").height if before else 0,
        "assigned_last_night": rounded(1 - before.units["theme_id"].null_count() / before.units.height),
        "kept": spread(kept),
        "kept_naive_by_size": spread(naive),
        "kept_greedy_cosine_0.7": spread(greedy),
        "forced_refits": refits,
        "quiet_nights_with_an_alarm": sum(bool(told) for _, told in alarms),
        "quiet_nights_with_a_theme_found": sum(bool(new) for new, _ in alarms),
        "transitions": dict(Counter(t.kind for n in run.history for t in n.transitions if n is not run.history[0])),
        "vanished": vanished(nights[0], model_id),
        "seconds": round(time.perf_counter() - start, 1),
    }


def planted(corpus: Stream, domain: str, model_id: str, seed: int) -> dict:
    """Return how many nights after its tenth comment a topic from outside the mix is a theme of its own."""
    frame = corpus[0]
    mix = frame["domain"].is_in(MIX).to_numpy()
    gold = strangest(corpus, domain, mix)
    topic = np.flatnonzero(((frame["domain"] == domain) & (frame["gold"] == gold)).to_numpy())
    nights = dated(rows_of(corpus, np.flatnonzero(mix)), 12, seed)
    run, found, tenth = Run(model_id), None, None
    n_planted = 0
    for k, (day, night) in enumerate(nights):
        n_planted = min(4 * max(0, k - 2), len(topic))
        tenth = k if tenth is None and n_planted >= 10 else tenth
        extra = fresh_units(rows_of(corpus, topic[:n_planted]), day, k)
        joined = pl.concat([night[0], extra[0]]), np.concatenate([night[1], extra[1]])
        themed = run.night(day, joined)
        held = themed.units.filter(pl.col("domain") == domain)["theme_id"]
        new = set(themed.themes.filter(pl.col("first_seen") > FIRST_NIGHT.isoformat())["theme_id"])
        best = Counter(theme for theme in held if theme in new).most_common(1)
        if best and 2 * best[0][1] >= len(held) and 2 * best[0][1] >= (themed.units["theme_id"] == best[0][0]).sum():
            found = k
            break
    told = found is not None and best[0][0] in emerging(themed, nights[found][0])
    name = themed.themes.filter(pl.col("theme_id") == best[0][0])["name"][0] if found is not None else None
    nights_after = found - tenth if found is not None and tenth is not None else None
    if found is not None and tenth is None:
        nights_after = 0  # found before the tenth comment
    figures = {"comments": n_planted, "nights_after_tenth": nights_after, "alarm": told, "name": name}
    return {"domain": domain, "theme": gold, **figures}


def strangest(corpus: Stream, domain: str, mix: np.ndarray) -> str:
    """Return the domain's theme of 20 units and more that is least like any theme of the mix (raw vectors)."""
    frame, vectors = corpus
    center = vectors[mix].mean(axis=0)

    def means(rows: np.ndarray) -> tuple[list[str], np.ndarray]:
        labels = (frame["domain"] + "/" + frame["gold"]).to_numpy()
        names = [name for name in np.unique(labels[rows]) if (labels == name).sum() >= 20]
        found = np.stack([vectors[labels == name].mean(axis=0) - center for name in names])
        return names, found / np.linalg.norm(found, axis=1, keepdims=True)

    names, outside = means((frame["domain"] == domain).to_numpy())
    _, inside = means(mix)
    return str(names[int((outside @ inside.T).max(axis=1).argmin())]).split("/", 1)[1]


def vanished(first: tuple[date, Stream], model_id: str, n: int = 3) -> list[dict]:
    """Return what becomes of three middling themes while their units are gone, and when they are back."""
    day, night = first
    counts = Run(model_id).night(day, night).units["theme_id"].drop_nulls().value_counts().sort("count", "theme_id")
    chosen = counts.filter(pl.col("count") >= 15)["theme_id"].to_list()[:n]
    told = []
    for theme in chosen:
        run = Run(model_id)
        members = (run.night(day, night).units["theme_id"] == theme).fill_null(False).to_numpy()
        without = rows_of(night, np.flatnonzero(~members))
        gone = [run.night(day + timedelta(k), without) for k in (1, 2)]
        back = run.night(day + timedelta(3), night)
        status = dict(back.themes.select("theme_id", "status").iter_rows()).get(theme)
        same = (back.units["theme_id"] == theme).fill_null(False).to_numpy()[members].mean()
        changes = [t.kind for themed in gone for t in themed.transitions if t.theme_id == theme]
        figures = {"units": int(members.sum()), "members_back": rounded(same)}
        told.append({**figures, "while_gone": changes, "back_as": status})
    return told


class Run:
    """Nights one after another, each with the registry the night before left."""

    def __init__(self, model_id: str) -> None:
        self.model_id = model_id
        self.registry = Registry([], 1)
        self.history: list[ThemedNight] = []

    def night(self, day: date, night: Stream) -> ThemedNight:
        """Return a night's themes and keep them for the next."""
        themed = self._find(day, night, self.registry)
        last = {theme.theme_id: theme for theme in (*self.registry.themes, *themed.stored)}
        themes = sorted(last.values(), key=lambda theme: theme.theme_id)
        number = 1 + max(theme_number(theme.theme_id) for theme in themes)
        self.registry = Registry(themes, number, day, themed.members)
        self.history.append(themed)
        return themed

    def peek(self, day: date, night: Stream, *, refit: bool) -> ThemedNight:
        """Return a night's themes and forget them."""
        curation = Curation(refit=True) if refit else NO_CURATION
        return self._find(day, night, replace(self.registry, curation=curation))

    def _find(self, day: date, night: Stream, registry: Registry) -> ThemedNight:
        units, vectors = night
        return find_themes(
            units, vectors, granularity="medium", random_state=0, registry=registry, model_id=self.model_id,
            business_date=day,
        )  # fmt: skip


@dataclass(frozen=True)
class Afresh:
    """Themes found without any memory: each unit's label and the raw centroids."""

    keys: np.ndarray
    labels: np.ndarray
    centroids: np.ndarray

    @classmethod
    def of(cls, night: Stream) -> "Afresh":
        """Find themes afresh."""
        model = ThemeModel().fit(night[1])
        return cls(unit_keys(night[0]), model.labels_, model.centroids_)

    def kept_by_size(self, before: "Afresh") -> float | None:
        """Return the kept share where the n-th largest theme is taken for the n-th largest."""
        return self._kept(before, {label: label for label in range(len(self.centroids))})

    def kept_greedily(self, before: "Afresh", threshold: float = 0.7) -> float | None:
        """Return the kept share where the nearest pairs of centroids are matched first, down to a cosine."""
        cosine = self.centroids @ before.centroids.T
        matched: dict[int, int] = {}
        for place in np.argsort(-cosine, axis=None, kind="stable"):
            new, old = divmod(int(place), cosine.shape[1])
            if cosine[new, old] < threshold:
                break
            if new not in matched and old not in matched.values():
                matched[new] = old
        return self._kept(before, matched)

    def _kept(self, before: "Afresh", matched: dict[int, int]) -> float | None:
        old = dict(zip(before.keys.tolist(), before.labels.tolist(), strict=True))
        was = [str(old[key]) if old.get(key, -1) >= 0 else None for key in self.keys.tolist()]
        now = [str(matched.get(label, "new")) for label in self.labels.tolist()]
        return kept_share(was, now)


def emerging(themed: ThemedNight, day: date) -> list[str]:
    """Return the ids of emerging themes."""
    units = themed.units
    feedback = units.select("source", "feedback_id", "received_at").unique().with_columns(score=pl.lit(None, pl.Int64))
    rows = emerging_themes(feedback, units, themed.themes, business_date=day, timezone="UTC")
    return [row["theme_id"] for row in rows]


def dated(units: Stream, nights: int, seed: int) -> list[tuple[date, Stream]]:
    """Return the window of each night: its business date, its units with a date, its vectors."""
    rng = np.random.default_rng(seed)
    people = units[0]["feedback_id"].unique().sort().to_list()
    rng.shuffle(people)
    inflow = rng.uniform(*INFLOW, size=nights)
    first = int(len(people) / (1 + inflow.sum()))
    age = [-int(days) for days in rng.integers(0, WINDOW, first)]
    for k, share in enumerate(inflow, start=1):
        age += [k] * round(share * first)
    day_of = dict(zip(people, age, strict=False))
    placed = np.array([day_of.get(person, nights + 1) for person in units[0]["feedback_id"]])
    found = []
    for k in range(nights + 1):
        rows = np.flatnonzero((placed <= k) & (placed > k - WINDOW))
        days = [datetime.combine(FIRST_NIGHT + timedelta(int(placed[row])), datetime.min.time(), UTC) for row in rows]
        frame, vectors = rows_of(units, rows)
        received = pl.Series("received_at", days, pl.Datetime("us", "UTC"))
        found.append((FIRST_NIGHT + timedelta(k), (frame.with_columns(received), vectors)))
    return found


def fresh_units(units: Stream, day: date, k: int) -> Stream:
    """Return planted units with dates: four came each night, the last ones tonight."""
    frame, vectors = units
    n = frame.height
    days = [day - timedelta((n - 1 - row) // 4) for row in range(n)]
    stamps = [datetime.combine(d, datetime.min.time(), UTC) for d in days]
    return frame.with_columns(pl.Series("received_at", stamps, pl.Datetime("us", "UTC"))), vectors


def corpus_lines() -> list[tuple[str, str, str]]:
    """Return (domain, theme, text) of the corpus' domains in the mix and of those planted."""
    wanted = {*MIX, *PLANTED}
    return [(o.domain, o.theme, o.text) for o in load_corpus(None) if o.domain in wanted]


def stream(name: str, lines: list[tuple[str, str, str]], encoder: Encoder, folder: Path | None) -> Stream:
    """Return the opinion units of the lines and their vectors, kept in a folder if one is named."""
    table, array = (folder / f"{name}.parquet", folder / f"{name}.npy") if folder else (None, None)
    if table and array and table.exists() and array.exists():
        return pl.read_parquet(table), np.load(array)
    rows = []
    polarity = SentimentClassifier.from_pretrained(encoder).predict_proba
    annotations = cut_at_turns(annotate([text for *_, text in lines], shared_parser()), polarity)
    for number, ((domain, gold, _), annotation) in enumerate(zip(lines, annotations, strict=True)):
        for index, unit in enumerate(annotation.units):
            words = {"tokens": list(unit.tokens), "pairs": list(unit.pairs)}
            key = {"source": name, "feedback_id": f"F{number:06d}", "unit_index": index}
            rows.append({**key, "unit_text": unit.text, **words, "domain": domain, "gold": gold})
    lists = {"tokens": pl.List(pl.Utf8), "pairs": pl.List(pl.Utf8)}
    units = pl.DataFrame(rows, schema_overrides=lists)
    vectors = encoder.encode(units["unit_text"].to_list())
    if table and array:
        table.parent.mkdir(parents=True, exist_ok=True)
        units.write_parquet(table)
        np.save(array, vectors)
    return units, vectors


def rows_of(units: Stream, rows: np.ndarray) -> Stream:
    """Return some rows of a stream."""
    return units[0][rows.tolist()], units[1][rows]


def spread(values: list[float | None]) -> dict:
    """Return mean and worst."""
    known = [value for value in values if value is not None]
    return {"mean": rounded(float(np.mean(known))), "worst": rounded(min(known)), "nights": len(known)}


def rounded(value: float | None) -> float | None:
    """Return a figure with four decimals."""
    return None if value is None else round(float(value), 4)


def conditions(encoder: Encoder, arguments: argparse.Namespace) -> dict:
    """Return what the figures depend on."""
    return {
        "encoder": encoder.model_id,
        "prior": ThemePrior.from_pretrained().model_id,
        "window_days": WINDOW,
        "inflow": INFLOW,
        "seed": arguments.seed,
        "mix": MIX,
        "python": platform.python_version(),
        **{package: version(package) for package in ("numpy", "scipy", "scikit-learn", "polars")},
        "cpus": os.cpu_count(),
    }


if __name__ == "__main__":
    main()
