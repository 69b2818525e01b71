"""What emerges: themes that are new or grow beyond what chance brings, and topics that grow inside themes.

Themes: of the N respondents of the window with a date, n answered in the last 7 days; K mention the
theme, k of them in those days. If the theme had not grown, k would be a draw without replacement: the exact
one-sided hypergeometric test asks how often such a draw holds k or more (Fisher 1935). It compares shares of
respondents, so a week with more answers is no growth. Holm's step-down procedure (Holm 1979) over all themes
tested holds the chance of any false alarm of a night at or below 0.001, for a window looks at the
same weeks night after night and an alarm must be rare to be read. A theme also has to double its share and
be mentioned by 6 respondents: beyond chance and worth a look. A theme that is new in the registry passes the
same test: one that was found tonight though people have spoken of it for weeks is new to us, not emerging.

Topics are what one sees below the themes: :mod:`pipeline.themes.growing_topics`. The first day of either is the
most likely start of its growth (:func:`pipeline.growth.growth_start`), not its first mention ever.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import hypergeom

from pipeline.growth import growth_start
from pipeline.loyalty import KEY, nps_group
from pipeline.loyalty.alerts import listed
from pipeline.themes.growing_topics import GrowingTopic, growing_topics
from pipeline.themes.night import ENDED
from pipeline.themes.topic_names import name_topic

RECENT_DAYS = 7
ALPHA = 0.001  # family-wise, per night
_LEAST = 6  # respondents of the last days
_GROWTH = 2.0  # least ratio of the share now to the share before
_WEEKS_BEFORE = 2  # weeks of answers the last days are compared with, at least
_TOGETHER = 1  # days between the starts of two topics of one theme that are one event, at most
_N_GROUPS = 5


def emerging_themes(
    feedback: pl.DataFrame,
    units: pl.DataFrame,
    themes: pl.DataFrame,
    *,
    business_date: date,
    timezone: str,
    segments: Sequence[str] = (),
    not_news: frozenset[str] = frozenset(),
) -> list[dict[str, Any]]:
    """Return one row per emerging theme, as summary.json shows it, sorted by theme_id.

    Parameters
    ----------
    feedback, units : pl.DataFrame
        Every respondent in the window (source, feedback_id, score, received_at, segments) and their units.
    themes : pl.DataFrame
        The night's themes: theme_id, name, status; hidden ones are left out.
    business_date : date
        The last of the recent days.
    timezone : str
        Where a day begins.
    segments : sequence of str
        Columns of `feedback` that say where respondents come from.
    not_news : frozenset of str
        New themes that somebody made: parts of a split.

    Returns
    -------
    list of dict
        theme_id, name, kind (new | growing), inside (None), keywords (none: the theme has its own), first_day (of its
        growth) and last_day, n_feedback and n_units of those days, share and share_before (of respondents with
        an opinion, since the first day and before), p (Holm-adjusted), groups [{column, value, n, of}]: how many of
        the n respondents are of a group that has `of` among all respondents of those days, feedback [{source,
        feedback_id}] (the newest 100). The units are those rows of units.csv that have the theme_id and a
        received_at in these days.
    """
    days = _people(feedback, units, timezone, segments)
    start = business_date - timedelta(days=RECENT_DAYS - 1)
    mentions = units.filter(pl.col("theme_id").is_not_null()).select("theme_id", *KEY).join(days, on=KEY, how="inner")
    open_themes = themes.filter(~pl.col("hidden") & pl.col("status").is_in(["new", "continuing", "returned"]))
    growing = _growing(mentions, days, start, open_themes["theme_id"].to_list())
    found = []
    for theme in open_themes.sort("theme_id").iter_rows(named=True):
        theme_id = theme["theme_id"]
        own = mentions.filter(pl.col("theme_id") == theme_id)
        if own.is_empty():
            continue
        if theme_id in growing and theme_id not in not_news:
            kind = "new" if theme["status"] == "new" else "growing"
            what = {"theme_id": theme_id, "name": theme["name"], "kind": kind, "inside": None, "keywords": []}
            since = _growing_since(own, days, business_date)
            found.append(what | _figures(own, days, since, growing[theme_id]))
    return found


def emerging_topics(
    feedback: pl.DataFrame,
    units: pl.DataFrame,
    embeddings: np.ndarray,
    themes: pl.DataFrame,
    *,
    business_date: date,
    timezone: str,
    segments: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Return one row per topic that grows, inside a theme or across themes, the most certain first.

    Parameters
    ----------
    feedback, themes, business_date, timezone, segments
        As for :func:`emerging_themes`.
    units : pl.DataFrame
        All units with theme_id, unassigned_reason, unit_text, tokens, pairs and sentiment.
    embeddings : ndarray, (n_units, dim)
        Row i is unit i.

    Returns
    -------
    list of dict
        Rows as of :func:`emerging_themes`, with theme_id None: a topic is no theme. `name` says what it is about,
        `keywords` hold its words, `inside` is {theme_id, name} of the theme most of its units belong to, None where
        no theme holds half of them. Topics inside hidden themes, or in units of themes somebody ended, are left out.
    """
    hidden = themes.filter("hidden")["theme_id"].to_list()
    shown = (~pl.col("theme_id").is_in(hidden)).fill_null(pl.col("unassigned_reason") != ENDED)
    rows = np.flatnonzero(units.select(shown).to_series().to_numpy())
    units, embeddings = units[rows.tolist()], embeddings[rows]
    days = _people(feedback, units, timezone, segments)
    dated = units.select("theme_id", *KEY).join(days, on=KEY, how="left", maintain_order="left")
    names = dict(themes.select("theme_id", "name").iter_rows())
    found: list[dict[str, Any]] = []
    for topic, inside in _events(growing_topics(units, embeddings, days, business_date), units["theme_id"]):
        taken = [*names.values(), *(row["name"] for row in found)]
        name = name_topic(units, topic.rows, taken)
        theme = {"theme_id": inside, "name": names[inside]} if inside else None
        what: dict[str, Any] = {"theme_id": None, "name": name.name, "kind": "growing", "inside": theme}
        what["keywords"] = list(name.keywords)
        own = dated[np.union1d(topic.rows, topic.rows_before).tolist()]
        found.append(what | _figures(own, days, topic.first_day, topic.p))
    return found


def growth_p(n_recent: int, n_all: int, k_recent: int, k_all: int) -> float:
    """Return how often chance alone puts k_recent or more of a theme's k_all respondents among the n_recent.

    Examples
    --------
    >>> round(growth_p(100, 1000, 4, 20), 2), growth_p(100, 1000, 20, 20) < 1e-20
    (0.13, True)
    """
    return float(hypergeom.sf(k_recent - 1, n_all, k_all, n_recent))


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Return p values adjusted by Holm's step-down procedure.

    Examples
    --------
    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'c': 0.06, 'b': 0.06}
    """
    adjusted, worst = {}, 0.0
    for rank, (name, value) in enumerate(sorted(p.items(), key=lambda item: (item[1], item[0]))):
        worst = max(worst, min(1.0, (len(p) - rank) * value))
        adjusted[name] = worst
    return adjusted


def _people(feedback: pl.DataFrame, units: pl.DataFrame, timezone: str, segments: Sequence[str]) -> pl.DataFrame:
    """Return the respondents with an opinion and a date, with their day and their groups."""
    present = [name for name in segments if name in feedback.columns]
    return (
        feedback.filter(pl.col("received_at").is_not_null())
        .select(
            *KEY,
            pl.col("received_at").dt.convert_time_zone(timezone).dt.date().alias("day"),
            nps_group(pl.col("score")).alias("nps_group"),
            *present,
        )
        .join(units.select(*KEY).unique(), on=KEY, how="semi")
    )


def _growing(mentions: pl.DataFrame, people: pl.DataFrame, start: date, themes: Sequence[str]) -> dict[str, float]:
    """Return the adjusted p of each theme that grows."""
    first = people["day"].min()
    if not isinstance(first, date) or (start - first).days < 7 * _WEEKS_BEFORE:
        return {}
    recent = people["day"] >= start
    n_recent, n_all = int(recent.sum()), people.height
    counts = dict.fromkeys(themes, (0, 0))
    once = mentions.unique(["theme_id", *KEY])
    per_theme = once.group_by("theme_id").agg((pl.col("day") >= start).sum(), pl.len().alias("n"))
    counts |= {theme: (k, n) for theme, k, n in per_theme.iter_rows() if theme in counts}
    adjusted = holm({theme: growth_p(n_recent, n_all, k, n) for theme, (k, n) in counts.items()})
    found = {}
    for theme, (k, n) in counts.items():
        before = (n - k) / max(1, n_all - n_recent)
        doubled = k / max(1, n_recent) >= _GROWTH * before
        if adjusted[theme] < ALPHA and k >= _LEAST and doubled:
            found[theme] = adjusted[theme]
    return found


def _growing_since(own: pl.DataFrame, people: pl.DataFrame, business_date: date) -> date:
    """Return the day on which a theme's share most likely began to grow."""
    first = people["day"].min()
    assert isinstance(first, date)
    n_days = (business_date - first).days + 1

    def per_day(rows: pl.DataFrame) -> np.ndarray:
        at = rows.filter(pl.col("day") <= business_date).unique(KEY)["day"] - first
        return np.bincount(at.dt.total_days().to_numpy(), minlength=n_days)

    return first + timedelta(growth_start(per_day(own), per_day(people)))


def _events(topics: Sequence[GrowingTopic], theme_ids: pl.Series) -> list[tuple[GrowingTopic, str | None]]:
    """Return the topics with the theme each is inside; those of one theme that begin together are one."""
    found: list[tuple[GrowingTopic, str | None]] = []
    for topic in topics:
        inside = _inside(theme_ids[topic.rows.tolist()])
        for k, (other, theme) in enumerate(found):
            if inside and inside == theme and abs((topic.first_day - other.first_day).days) <= _TOGETHER:
                found[k] = (other.joined(topic), theme)
                break
        else:
            found.append((topic, inside))
    return found


def _inside(theme_ids: pl.Series) -> str | None:
    """Return the theme that holds at least half of the units."""
    known = theme_ids.drop_nulls().value_counts().sort("count", "theme_id", descending=[True, False])
    return str(known["theme_id"][0]) if known.height and 2 * known["count"][0] >= theme_ids.len() else None


def _figures(own: pl.DataFrame, people: pl.DataFrame, start: date, p: float) -> dict[str, Any]:
    news = own.filter(pl.col("day") >= start)
    then = people.filter(pl.col("day") >= start)
    respondents = news.unique(KEY)
    before = own.filter(pl.col("day") < start).unique(KEY).height
    n_before = people.height - then.height
    return {
        "first_day": start.isoformat(),
        "last_day": news["day"].max().isoformat(),  # type: ignore[union-attr]
        "n_feedback": respondents.height,
        "n_units": news.height,
        "share": respondents.height / then.height,
        "share_before": before / n_before if n_before else None,
        "p": p,
        "groups": _groups(respondents, then),
        "feedback": listed(respondents),
    }


def _groups(respondents: pl.DataFrame, people: pl.DataFrame) -> list[dict[str, Any]]:
    """Return where the respondents come from, the largest groups first, beside everybody of those days."""
    rows = []
    for column in [name for name in people.columns if name not in (*KEY, "day")]:
        everybody = dict(people.group_by(column).len().iter_rows())
        for value, n in respondents.group_by(column).len().iter_rows():
            if value not in (None, ""):
                rows.append({"column": column, "value": str(value), "n": n, "of": everybody[value]})
    rows.sort(key=lambda row: (-row["n"], row["column"] != "nps_group", row["column"], row["value"]))
    return rows[:_N_GROUPS]
