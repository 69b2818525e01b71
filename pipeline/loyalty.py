"""Loyalty statistics: NPS with its interval, and what each theme does to it.

Every figure is computed from integer counts, so neither the order of the rows nor the number of threads
can change it. The formulas with their sources are in docs/methods.md.

References
----------
Rocks, B. (2016). Interval Estimation for the "Net Promoter Score". The American Statistician 70, 365-372.
    doi:10.1080/00031305.2016.1198279
Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. JASA 22, 209-212.
    doi:10.1080/01621459.1927.10502953
Benjamini, Y., Hochberg, Y. (1995). Controlling the false discovery rate. JRSS B 57, 289-300.
    doi:10.1111/j.2517-6161.1995.tb02031.x
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import NormalDist
from typing import Any, NamedTuple

import polars as pl

KEY = ("source", "feedback_id")
GROUPS = ("promoter", "passive", "detractor", "unscored")
POLARITY = {"positive": 1, "neutral": 0, "negative": -1}
# Three pseudo-respondents: 3/4 promoter, 3/2 passive, 3/4 detractor (Rocks 2016).
PSEUDO = (0.75, 1.5, 0.75)


class Groups(NamedTuple):
    """How many scored respondents are promoters, passives and detractors."""

    promoters: int
    passives: int
    detractors: int

    @property
    def n(self) -> int:
        """All respondents with a score."""
        return self.promoters + self.passives + self.detractors


@dataclass(frozen=True)
class Nps:
    """A Net Promoter Score in points with its interval; score, low and high are None when n is 0."""

    score: float | None
    low: float | None
    high: float | None
    n: int
    promoters: int
    passives: int
    detractors: int


@dataclass(frozen=True)
class Impact:
    """What a theme's mentioners do to the NPS, in points; all None where it is undefined."""

    value: float | None
    low: float | None
    high: float | None
    p: float | None


def nps_group(score: pl.Expr) -> pl.Expr:
    """Return promoter (9-10), passive (7-8) or detractor (0-6) for a score; null stays null."""
    return (
        pl.when(score >= 9)
        .then(pl.lit("promoter"))
        .when(score >= 7)
        .then(pl.lit("passive"))
        .when(score.is_not_null())
        .then(pl.lit("detractor"))
    )


def nps(promoters: int, passives: int, detractors: int, *, confidence: float = 0.95) -> Nps:
    """Return the Net Promoter Score with its adjusted-Wald interval, in NPS points.

    Parameters
    ----------
    promoters, passives, detractors : int
        Respondents scoring 9-10, 7-8 and 0-6.
    confidence : float
        Coverage of the interval.

    Returns
    -------
    Nps
        score is the plain figure; low and high come from the counts with three pseudo-respondents added,
        cut to [-100, 100].

    Raises
    ------
    ValueError
        If a count is negative.

    Examples
    --------
    >>> nps(3, 2, 5).score
    -20.0
    """
    groups = Groups(promoters, passives, detractors)
    if min(groups) < 0:
        raise ValueError(f"counts of respondents cannot be negative; got {tuple(groups)}")
    if groups.n == 0:
        return Nps(None, None, None, 0, 0, 0, 0)
    adjusted = tuple(count + pseudo for count, pseudo in zip(groups, PSEUDO, strict=True))
    mean, variance = _moments(adjusted)
    margin = _z(confidence) * math.sqrt(variance / sum(adjusted))
    score, _ = _moments(groups)
    low, high = max(-1.0, mean - margin), min(1.0, mean + margin)
    return Nps(100 * score, 100 * low, 100 * high, groups.n, *groups)


def wilson_interval(successes: int, n: int, *, confidence: float = 0.95) -> tuple[float, float] | None:
    """Return the Wilson score interval of the share successes / n, in [0, 1]; None when n is 0.

    Examples
    --------
    >>> low, high = wilson_interval(0, 10)
    >>> (low, round(high, 4))
    (0.0, 0.2775)
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie between 0 and n; got {successes} of {n}")
    if n == 0:
        return None
    z2 = _z(confidence) ** 2
    share = successes / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    margin = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # At the ends the formula gives exactly 0 or 1; floating point would leave 1e-17.
    low = 0.0 if successes == 0 else max(0.0, centre - margin)
    high = 1.0 if successes == n else min(1.0, centre + margin)
    return low, high


def impact(mentioners: Groups, everyone: Groups, *, confidence: float = 0.95) -> Impact:
    """Return the NPS of everyone minus the NPS without a theme's mentioners, in NPS points.

    Parameters
    ----------
    mentioners, everyone : Groups
        Scored respondents who mention the theme, and all scored respondents (mentioners included).
    confidence : float
        Coverage of the interval.

    Returns
    -------
    Impact
        value equals n_t (NPS_t - NPS) / (N - n_t). The interval is the delta method's, from the influence
        function, with the variance inside each group steadied by three pseudo-respondents of the overall
        mix (docs/methods.md says why); p is two-sided and below 1 - confidence exactly when the interval
        leaves 0 out. All None when nobody with a score mentions the theme, or everybody does.

    Raises
    ------
    ValueError
        If mentioners are not a part of everyone.

    Examples
    --------
    >>> round(impact(Groups(0, 1, 3), Groups(3, 2, 5)).value, 4)
    -36.6667
    """
    rest = Groups(*(a - m for a, m in zip(everyone, mentioners, strict=True)))
    if min(*mentioners, *rest) < 0:
        raise ValueError(f"mentioners must be a part of everyone; got {mentioners} of {everyone}")
    if mentioners.n == 0 or rest.n == 0:
        return Impact(None, None, None, None)
    share = mentioners.n / everyone.n
    gap = _moments(mentioners)[0] - _moments(rest)[0]
    value = share * gap
    within = _steady_variance(mentioners, everyone) / mentioners.n + _steady_variance(rest, everyone) / rest.n
    error = math.sqrt(share**2 * within + gap**2 * share * (1 - share) / everyone.n)
    margin = _z(confidence) * error
    p = math.erfc(abs(value) / error / math.sqrt(2))
    return Impact(100 * value, 100 * max(-2.0, value - margin), 100 * min(2.0, value + margin), p)


def adjust_p(p_values: Sequence[float | None]) -> list[float | None]:
    """Return Benjamini-Hochberg adjusted p values in the same order; None stays None and is not counted.

    Examples
    --------
    >>> adjust_p([0.01, None, 0.04, 0.03])
    [0.03, None, 0.04, 0.04]
    """
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    smallest = 1.0
    for rank in range(len(known), 0, -1):
        p, i = known[rank - 1]
        smallest = min(smallest, p * len(known) / rank)
        adjusted[i] = smallest
    return adjusted


def score_distribution(feedback: pl.DataFrame) -> list[int]:
    """Return how many respondents gave each score from 0 to 10 (11 counts); no score, not counted.

    Raises
    ------
    ValueError
        If a score lies outside 0 to 10.
    """
    scores = feedback.select(pl.col("score").cast(pl.Int64)).drop_nulls()
    counts = dict(scores.group_by("score").len().iter_rows())
    outside = sorted(set(counts) - set(range(11)))
    if outside:
        raise ValueError(f"score must be 0 to 10; got {outside[0]} (reading sends such rows to quarantine)")
    return [counts.get(score, 0) for score in range(11)]


def theme_table(
    feedback: pl.DataFrame,
    units: pl.DataFrame,
    themes: pl.DataFrame,
    previous: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    timezone: str = "UTC",
) -> list[dict[str, Any]]:
    """Return one row per theme as summary.json shows it, the most mentioned first.

    Parameters
    ----------
    feedback : pl.DataFrame
        Every respondent in the window: source, feedback_id, score, received_at (UTC).
    units : pl.DataFrame
        Their opinion units: source, feedback_id, theme_id (null when unassigned), sentiment; parent_theme
        names a parent that is no theme of its own.
    themes : pl.DataFrame
        theme_id, name, parent_id, status, first_seen, keywords, pairs.
    previous : mapping, optional
        The previous night's rows by theme_id (for previous_share).
    timezone : str
        Where a week begins: Monday 00:00 in this zone.

    Returns
    -------
    list of dict
        A respondent who mentions a child theme mentions its parent. Shares lie in [0, 1], NPS and impact are
        in NPS points; figures without a denominator are None.

    Raises
    ------
    ValueError
        If a unit belongs to no feedback row, or names a theme that `themes` does not hold.
    """
    _check_references(feedback, units, themes)
    people = feedback.select(
        *KEY,
        nps_group(pl.col("score")).fill_null("unscored").alias("group"),
        pl.col("received_at").dt.convert_time_zone(timezone).dt.date().dt.truncate("1w").alias("week"),
    )
    mentions = _mentions(units, themes).join(people, on=KEY, how="inner")
    cells = _cells(mentions)
    weeks = _weeks(people)
    weekly = {(t, w): n for t, w, n in mentions.group_by("theme_id", "week").len().iter_rows()}
    everyone = _scored(dict(people.group_by("group").len().iter_rows()))
    n_analysed = units.select(*KEY).n_unique() if units.height else 0
    parent_names = _parent_names(units, themes)

    rows = []
    for theme in themes.sort("theme_id").iter_rows(named=True):
        theme_id = theme["theme_id"]
        by_group = {group: cells.get((theme_id, group), _NO_CELL) for group in GROUPS}
        row = {
            "theme_id": theme_id,
            "name": theme["name"],
            "parent_id": theme["parent_id"],
            "parent_name": parent_names.get(theme_id),
            "status": theme["status"],
            "first_seen": theme["first_seen"],
            "keywords": list(theme["keywords"] or []),
            "pairs": list(theme["pairs"] or []),
            **_mention_figures(by_group, n_analysed),
            **_loyalty_figures(by_group, everyone),
            "previous_share": (previous or {}).get(theme_id, {}).get("share"),
            "weekly": [{"week": w.isoformat(), "n_feedback": weekly.get((theme_id, w), 0)} for w in weeks],
        }
        rows.append(row)
    for row, adjusted in zip(rows, adjust_p([row.pop("p") for row in rows]), strict=True):
        row["p_adjusted"] = adjusted
    return sorted(rows, key=lambda row: (-row["n_feedback"], row["theme_id"]))


_COUNTS = ("n_feedback", "positive", "neutral", "negative")
_NO_CELL = dict.fromkeys((*_COUNTS, "n_units"), 0)


def _mention_figures(by_group: Mapping[str, Mapping[str, int]], n_analysed: int) -> dict[str, Any]:
    total = {name: sum(cell[name] for cell in by_group.values()) for name in _NO_CELL}
    low, high = wilson_interval(total["n_feedback"], n_analysed) or (None, None)
    return {
        **total,
        "share": total["n_feedback"] / n_analysed if n_analysed else None,
        "share_low": low,
        "share_high": high,
        "by_group": {group: {name: cell[name] for name in _COUNTS} for group, cell in by_group.items()},
    }


def _loyalty_figures(by_group: Mapping[str, Mapping[str, int]], everyone: Groups) -> dict[str, Any]:
    mentioners = _scored({group: cell["n_feedback"] for group, cell in by_group.items()})
    effect = impact(mentioners, everyone)
    return {
        "nps": nps(*mentioners).score,
        "nps_n": mentioners.n,
        "impact": effect.value,
        "impact_low": effect.low,
        "impact_high": effect.high,
        "p": effect.p,
    }


def _mentions(units: pl.DataFrame, themes: pl.DataFrame) -> pl.DataFrame:
    """Return one row per theme and respondent who mentions it: n_units, polarity (sum of −1, 0, +1)."""
    polarity = pl.col("sentiment").cast(pl.Utf8).replace_strict(POLARITY, return_dtype=pl.Int64)
    return (
        units.filter(pl.col("theme_id").is_not_null())
        .select(*KEY, pl.col("theme_id").cast(pl.Utf8).alias("leaf"), polarity.alias("polarity"))
        .join(_ancestry(themes), on="leaf", how="inner")
        .group_by("theme_id", *KEY)
        .agg(pl.len().cast(pl.Int64).alias("n_units"), pl.col("polarity").sum())
    )


def _ancestry(themes: pl.DataFrame) -> pl.DataFrame:
    """Pair every theme (leaf) with itself and with each theme above it (theme_id)."""
    parent = _parents(themes)
    pairs = []
    for theme_id in parent:
        above: str | None = theme_id
        seen = set[str | None]()
        while above in parent and above not in seen:
            seen.add(above)
            pairs.append((theme_id, above))
            above = parent[above]
    return pl.DataFrame(pairs, schema={"leaf": pl.Utf8, "theme_id": pl.Utf8}, orient="row")


def _parent_names(units: pl.DataFrame, themes: pl.DataFrame) -> dict[str, str]:
    """Name each theme's parent, from the parent's own row or else from the units."""
    names = dict(themes.select("theme_id", "name").iter_rows())
    parents = {theme_id: names[above] for theme_id, above in _parents(themes).items() if above in names}
    if "parent_theme" not in units.columns:
        return parents
    told = units.select("theme_id", "parent_theme").drop_nulls().unique().sort("theme_id", "parent_theme")
    return {**dict(told.iter_rows()), **parents}


def _parents(themes: pl.DataFrame) -> dict[str, str | None]:
    return dict(themes.select("theme_id", "parent_id").iter_rows())


def _cells(mentions: pl.DataFrame) -> dict[tuple[str, str], dict[str, int]]:
    """Count respondents by theme and NPS group, by the sign of their polarity, and their units."""
    counted = mentions.group_by("theme_id", "group").agg(
        pl.len().alias("n_feedback"),
        (pl.col("polarity") > 0).sum().alias("positive"),
        (pl.col("polarity") == 0).sum().alias("neutral"),
        (pl.col("polarity") < 0).sum().alias("negative"),
        pl.col("n_units").sum(),
    )
    return {(row.pop("theme_id"), row.pop("group")): row for row in counted.iter_rows(named=True)}


def _weeks(people: pl.DataFrame) -> list[date]:
    """Return every Monday from the first to the last week with feedback: a quiet week shows as 0."""
    known = people["week"].drop_nulls()
    if known.is_empty():
        return []
    return pl.select(pl.date_range(known.min(), known.max(), "1w")).to_series().to_list()  # type: ignore[arg-type]


def _scored(by_group: Mapping[str, int]) -> Groups:
    return Groups(*(by_group.get(group, 0) for group in GROUPS[:3]))


def _check_references(feedback: pl.DataFrame, units: pl.DataFrame, themes: pl.DataFrame) -> None:
    strays = units.select(*KEY).join(feedback.select(*KEY), on=KEY, how="anti")
    if strays.height:
        source, feedback_id = strays.sort(KEY).row(0)
        raise ValueError(f"every unit must belong to a feedback row; {source} {feedback_id} has none")
    unknown = set(units["theme_id"].drop_nulls()) - set(themes["theme_id"])
    if unknown:
        raise ValueError(f"units name a theme that the theme table does not hold: {min(unknown)}")


def _moments(counts: Sequence[float]) -> tuple[float, float]:
    """Return mean and variance of +1, 0, −1 over promoters, passives, detractors."""
    promoters, _, detractors = counts
    n = sum(counts)
    mean = (promoters - detractors) / n
    return mean, (promoters + detractors) / n - mean**2


def _steady_variance(part: Groups, everyone: Groups) -> float:
    """Return the variance of a part's values with three pseudo-respondents added who score as everyone does.

    Without them three mentioners who all score 0 would have variance 0 and any theme so small would look
    certain; with them the interval of small themes keeps its coverage.
    """
    n = everyone.n + sum(PSEUDO)
    mix = [(count + pseudo) / n for count, pseudo in zip(everyone, PSEUDO, strict=True)]
    return _moments([count + 3 * share for count, share in zip(part, mix, strict=True)])[1]


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf(0.5 + confidence / 2)
