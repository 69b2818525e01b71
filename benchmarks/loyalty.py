"""Do the loyalty statistics keep their promises? Simulated surveys whose true figures are known.

    python -m benchmarks.loyalty [--replications 1000] [--out benchmarks/results/loyalty.json]

A population of 200,000 made-up respondents with overlapping themes stands for the truth; samples of 100, 300 and 2,000
are drawn from it with replacement, and every interval, test and ranking is computed by the functions the night uses.
"""

import argparse
import json
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path

import numpy as np

from pipeline.loyalty.alerts import find_spikes
from pipeline.loyalty.differences import mix_and_rate, nps_difference, share_difference
from pipeline.loyalty.drivers import decompose
from pipeline.loyalty.impact import adjust_p, impact
from pipeline.loyalty.measures import Groups, nps, wilson_interval
from pipeline.loyalty.trends import Series, Trends

SIZES = (100, 300, 2000)
POPULATION = 200_000
SEGMENTS = ("A", "B", "C")


@dataclass(frozen=True)
class Population:
    """Respondents with their scores (0 to 10), mentions of overlapping themes, segment and period."""

    scores: np.ndarray
    mentions: np.ndarray
    segment: np.ndarray
    late: np.ndarray
    null: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """+1 promoter, 0 passive, −1 detractor."""
        return np.where(self.scores >= 9, 1, np.where(self.scores <= 6, -1, 0))

    def sample(self, n: int, rng: np.random.Generator) -> "Population":
        """Draw n respondents."""
        rows = rng.integers(0, len(self.scores), n)
        return Population(self.scores[rows], self.mentions[rows], self.segment[rows], self.late[rows], self.null)


#            returns  stock  decoy  delivery assortment packing  then eight themes that do nothing
SHARES = np.array([0.12, 0.10, 0.0, 0.40, 0.15, 0.10, 0.25, 0.15, 0.10, 0.10, 0.08, 0.06, 0.05, 0.04])
EFFECTS = np.array([-2.2, -1.8, 0.0, -0.2, 1.0, 0.9, 0, 0, 0, 0, 0, 0, 0, 0])
DRIVERS, DECOY = (0, 1), 2


def make_population(rng: np.random.Generator, size: int = POPULATION) -> Population:
    """Return a population in which two themes drive the score down and a third only travels with them."""
    mentions = rng.random((size, len(SHARES))) < SHARES
    talkative = rng.gamma(3, 1 / 3, size)  # the idle themes overlap with one another, and with no answer
    idle = slice(DECOY + 4, None)
    mentions[:, idle] = rng.random((size, len(SHARES[idle]))) < np.minimum(SHARES[idle] * talkative[:, None], 0.9)
    mentions[:, DECOY] = rng.random(size) < np.where(mentions[:, DRIVERS].any(axis=1), 0.5, 0.05)
    segment = rng.choice(3, size, p=[0.5, 0.35, 0.15])
    late = rng.random(size) < np.array([0.4, 0.5, 0.6])[segment]
    latent = rng.normal(size=size) + mentions @ EFFECTS + np.array([0.2, 0.0, -0.4])[segment] - 0.15 * late
    scores = np.clip(np.round(7.4 + 1.8 * latent), 0, 10).astype(int)
    null = np.zeros(len(SHARES), bool)
    null[idle] = True
    return Population(scores, mentions, segment, late, null)


def groups(values: np.ndarray) -> Groups:
    """Return how many of the values are +1, 0 and −1."""
    return Groups(*(int((values == answer).sum()) for answer in (1, 0, -1)))


def by_segment(one: Population, late: bool) -> dict[str, Groups]:
    """Return the groups of each segment in one period."""
    return {
        name: groups(one.values[(one.segment == code) & (one.late == late)]) for code, name in enumerate(SEGMENTS)
    }


Figures = dict[str, list[tuple[float | None, float | None, float | None]]]


def figures(one: Population) -> Figures:
    """Return (value, low, high) of everything the report prints with an interval."""
    everyone = groups(one.values)
    whole = nps(*everyone)
    found: Figures = {"nps": [(whole.score, whole.low, whole.high)]}
    effects = [impact(groups(one.values[column]), everyone) for column in one.mentions.T]
    found["impact"] = [(effect.value, effect.low, effect.high) for effect in effects]
    on_nps, on_score = decompose(one.mentions, 100 * one.values), decompose(one.mentions, one.scores)
    found["driver_points"] = list(zip(on_nps.contributions, on_nps.low, on_nps.high, strict=True))
    found["driver_effect"] = list(
        zip(on_score.coefficients, on_score.coefficients_low, on_score.coefficients_high, strict=True)
    )
    halves = [nps_difference(groups(one.values[one.late]), groups(one.values[~one.late]))]
    for code in range(len(SEGMENTS)):
        mine = one.segment == code
        halves.append(nps_difference(groups(one.values[mine]), groups(one.values[~mine])))
    found["nps_difference"] = [(d.value, d.low, d.high) for d in halves]
    change = mix_and_rate(by_segment(one, True), by_segment(one, False))
    found["mix"] = [(change.mix.value, change.mix.low, change.mix.high)]
    found["rate"] = [(change.rate.value, change.rate.low, change.rate.high)]
    shares = [_share_difference(column, one.late) for column in one.mentions.T]
    found["share_difference"] = [(d.value, d.low, d.high) for d in shares]
    return found


def _share_difference(column: np.ndarray, late: np.ndarray):
    return share_difference(int(column[late].sum()), int(late.sum()), int(column[~late].sum()), int((~late).sum()))


def coverage(population: Population, n: int, replications: int, rng: np.random.Generator) -> dict:
    """Return how often each interval of a sample holds the population's figure, over all and for the worst one."""
    truth = {name: [row[0] for row in rows] for name, rows in figures(population).items()}
    hits = {name: np.zeros((len(rows), 2)) for name, rows in truth.items()}
    for _ in range(replications):
        for name, rows in figures(population.sample(n, rng)).items():
            for at, ((value, low, high), true) in enumerate(zip(rows, truth[name], strict=True)):
                if value is not None:
                    hits[name][at] += (low <= true <= high, 1)
    return {
        name: {
            "coverage": _rounded(counts[:, 0].sum() / counts[:, 1].sum()),
            "lowest": _rounded((counts[:, 0] / counts[:, 1]).min()),
            "highest": _rounded((counts[:, 0] / counts[:, 1]).max()),
            "n_figures": len(counts),
        }
        for name, counts in hits.items()
    }


def discoveries(population: Population, n: int, replications: int, rng: np.random.Generator) -> dict:
    """Return the false discovery rate at 0.05 of impacts and of drivers, and how often a true driver is found."""
    rates: dict[str, list[float]] = {"impact": [], "drivers": []}
    power: dict[str, list[float]] = {"impact": [], "drivers": []}
    decoy = np.arange(len(SHARES)) == DECOY
    for _ in range(replications):
        one = population.sample(n, rng)
        everyone = groups(one.values)
        p_impact = [impact(groups(one.values[column]), everyone).p for column in one.mentions.T]
        p_drivers = [float(p) for p in decompose(one.mentions, one.scores).p]
        # A decoy's mentioners do score low: it is idle for the additive measure only.
        for name, p, idle in (("impact", p_impact, population.null), ("drivers", p_drivers, population.null | decoy)):
            found = np.array([value is not None and value < 0.05 for value in adjust_p(p)])
            rates[name].append((found & idle).sum() / max(1, found.sum()))
            power[name].append(found[list(DRIVERS)].mean())
    return {
        name: {"fdr": _rounded(np.mean(rates[name])), "drivers_found": _rounded(np.mean(power[name]))} for name in rates
    }


def recovery(population: Population, n: int, replications: int, rng: np.random.Generator) -> dict:
    """Return how often the planted pair is the top two, and the decoy ranks below both, by each measure."""
    top = {"weights": 0, "weights_on_nps": 0, "nps_points": 0, "leave_one_out": 0}
    below = dict.fromkeys(top, 0)
    for _ in range(replications):
        one = population.sample(n, rng)
        split, everyone = decompose(one.mentions, one.scores), groups(one.values)
        on_nps = decompose(one.mentions, 100 * one.values)
        alone = [impact(groups(one.values[column]), everyone).value or 0.0 for column in one.mentions.T]
        harms = {
            "weights": np.where(split.coefficients < 0, split.weights, 0.0),
            "weights_on_nps": np.where(on_nps.coefficients < 0, on_nps.weights, 0.0),
            "nps_points": -on_nps.contributions,
            "leave_one_out": -np.array(alone),
        }
        for name, harm in harms.items():
            order = np.argsort(-harm, kind="stable").tolist()
            top[name] += set(order[:2]) == set(DRIVERS)
            below[name] += order.index(DECOY) > max(order.index(driver) for driver in DRIVERS)
    return {
        name: {"top_two": _rounded(top[name] / replications), "decoy_below": _rounded(below[name] / replications)}
        for name in top
    }


def false_alarms(replications: int, rng: np.random.Generator) -> dict:
    """Return the share of quiet nights with a false spike, and of nights with a real one on which it is found.

    20 themes over nine weeks of 40 or 200 respondents; quiet weeks scatter by chance alone, or besides by a
    gamma factor with a standard deviation of 25 % on every theme's share.
    """
    found = {}
    for n_weekly in (40, 200):
        for scatter in (0.0, 0.25):
            for surge in (1, 3, 5):
                hits = others = 0
                for _ in range(replications):
                    shares = rng.uniform(0.02, 0.2, 20)
                    shares[0] = 0.05
                    spikes = find_spikes(_nights(shares, n_weekly, scatter, surge, rng))
                    hits += any(spike.theme_id == "T00" for spike in spikes)
                    others += any(spike.theme_id != "T00" or surge == 1 for spike in spikes)
                name = f"n={n_weekly} scatter={scatter} surge={surge}"
                found[name] = {"false_alarm_nights": _rounded(others / replications)}
                if surge > 1:
                    found[name]["found"] = _rounded(hits / replications)
    return found


def _nights(shares: np.ndarray, n_weekly: int, scatter: float, surge: int, rng: np.random.Generator) -> Trends:
    """Return nine weeks of themes, the first of which is mentioned `surge` times as often in the last week."""
    n = rng.poisson(n_weekly, 9) + 1
    shaken = rng.gamma(1 / scatter**2, scatter**2, (20, 9)) if scatter else np.ones((20, 9))
    rates = shares[:, None] * shaken
    rates[0, -1] *= surge
    counts = rng.binomial(n, np.minimum(rates, 0.9))
    negative = rng.binomial(counts, rng.uniform(0.2, 0.8, (20, 1)))
    series = [
        Series(f"T{at:02}", counts[at].tolist(), negative[at].tolist(), []) for at in range(len(counts))
    ]
    weeks = [date(2026, 9, 1) + timedelta(weeks=week) for week in range(9)]
    return Trends(weeks, n.tolist(), weeks[0], series)


def small_shares(replications: int, rng: np.random.Generator) -> dict:
    """Return the coverage of Wilson intervals (CSAT, CES, DWB, repeat rate) at n = 30 and 300."""
    found = {}
    for n in (30, 300):
        for share in (0.1, 0.5, 0.85):
            hits = 0
            for k in rng.binomial(n, share, replications):
                low, high = wilson_interval(int(k), n) or (1.0, 0.0)
                hits += low <= share <= high
            found[f"n={n} share={share}"] = _rounded(hits / replications)
    return found


def _rounded(value: float) -> float:
    return round(float(value), 4)


PARTS: dict[str, Callable] = {"coverage": coverage, "discoveries": discoveries, "recovery": recovery}


def main() -> None:
    """Run every part and write the JSON result with its conditions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    rng = np.random.default_rng(20260)
    population = make_population(rng)
    result: dict = {"seed": 20260, "replications": arguments.replications, "population": POPULATION}
    for name, part in PARTS.items():
        result[name] = {f"n={n}": part(population, n, arguments.replications, rng) for n in SIZES}
        print(name, json.dumps(result[name]), file=sys.stderr)
    result["spikes"] = false_alarms(arguments.replications, np.random.default_rng(20261))
    result["wilson"] = small_shares(arguments.replications, np.random.default_rng(20262))
    result["conditions"] = {
        "python": platform.python_version(),
        **{package: version(package) for package in ("numpy", "scipy", "polars")},
    }
    text = json.dumps(result, ensure_ascii=False, indent=2) + "\n"
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
