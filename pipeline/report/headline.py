"""The four answers a reader comes for: what NPS is, what got worse, what lowers it most, and for whom.

Written by rule from the summary. Each says how certain it is; where nothing is certain, it says that.
"""

from dataclasses import dataclass, replace
from typing import Any

from pipeline.loyalty.measures import SIGNIFICANT, UNCERTAIN_BELOW
from pipeline.loyalty.priorities import CHANCE, CLEAR, FEW
from pipeline.report.night import impacts, priorities, ranked_themes
from pipeline.report.wording import Words, count, percent, points

NEXT = 2
"""Themes named after the one that lowers NPS most."""

_HARMFUL = ("mend", "deep")
_TESTED = ("new_theme", "growing_theme", "volume_spike", "negative_spike")


@dataclass(frozen=True)
class Sentence:
    """One answer of the headline.

    Attributes
    ----------
    label, text : str
        What is asked, and the answer.
    certainty : str or None
        Its code in the catalogue's section certainty; None where nothing was tested.
    after : str
        What is told beside the answer, and is not what the certainty is of.
    theme_id : str or None
        The theme whose customers say it themselves.
    side : str or None
        The sentiment of what they are quoted with; None: any.
    alert : dict or None
        The alert that is told, whose respondents are quoted.
    """

    label: str
    text: str
    certainty: str | None = None
    theme_id: str | None = None
    side: str | None = None
    after: str = ""
    alert: dict[str, Any] | None = None

    def told(self, t: Words) -> str:
        """Return the answer with its certainty, on one line."""
        certainty = t("certain_told", word=t.certain(self.certainty)) if self.certainty else ""
        return t("joined", first=self.text + certainty, then=self.after) if self.after else self.text + certainty


def write_headline(summary: dict[str, Any], t: Words) -> list[Sentence]:
    """Return the night's answers: NPS, what got worse, what lowers NPS most, and for whom."""
    nps, news, impact = _nps_sentence(summary, t), _news_sentence(summary, t), _impact_sentence(summary, t)
    told = [sentence.theme_id for sentence in (news, impact) if sentence.theme_id]
    sentences = [nps, news, impact, *_segment_sentence(summary, told, t)]
    return [replace(sentence, text=sentence.text.strip(), after=sentence.after.strip()) for sentence in sentences]


def alert_text(alert: dict[str, Any], t: Words) -> str:
    """Return what one alert says, with its n, and the smaller topics in it whose names say more than its own."""
    name = alert.get("name") or ""
    topics = [
        topic for topic in alert.get("topics", [])
        if topic["n_feedback"] < alert["n_feedback"] and not all(word in name for word in topic["name"].split("・"))
    ]
    return _alert_text(alert, t) + "".join(
        t("alert.topic", name=topic["name"], day=t.short_date(topic["first_day"]), n=count(topic["n_feedback"]))
        for topic in topics
    )


def alert_side(alert: dict[str, Any], summary: dict[str, Any]) -> str | None:
    """Return ``"negative"`` where an alert tells of anger, or of a theme with more blame than praise."""
    if alert["kind"] == "negative_spike":
        return "negative"
    about = alert.get("theme_id") or (alert.get("inside") or {}).get("theme_id")
    heard = next((theme for theme in summary["themes"] if theme["theme_id"] == about), None)
    return "negative" if heard and heard["negative"] > heard["positive"] else None


def segment_name(column: str, value: str, t: Words) -> str:
    """Return a segment as it is told: the column's label and the value."""
    return t("headline.segment_name", column=t.label(column), value=value)


def _alert_text(alert: dict[str, Any], t: Words) -> str:
    kind, n = alert["kind"], count(alert.get("n_feedback"))
    name, day = alert.get("name") or kind, t.short_date(alert.get("first_day"))
    if kind == "growing_theme":
        share, before = percent(alert["share"]), percent(alert["share_before"])
        inside = t("alert.inside", name=alert["inside"]["name"]) if alert.get("inside") else ""
        return t("alert.growing_theme", inside=inside, name=name, day=day, share=share, n=n, before=before)
    if kind == "theme_shift":
        refused = "_refused" if alert["refused"] else ""
        return t(f"alert.theme_shift{refused}", kept=percent(alert["units_kept"]))
    if kind in ("volume_spike", "negative_spike"):
        known = alert.get("expected") is not None
        usual = t("alert.usual", n=n, expected=f"{alert['expected']:.1f}") if known else t("of_n", n=n)
        return t(f"alert.{kind}", name=name, day=day, usual=usual)
    return t(f"alert.{kind if kind in ('new_theme', 'watch') else 'other'}", name=name, day=day, n=n)


def _nps_sentence(summary: dict[str, Any], t: Words) -> Sentence:
    """Tell NPS, and how it moved: the last weeks against those before, which nobody counts in both of."""
    label, nps, previous = t("headline.nps_label"), summary["nps"], summary["previous"]
    if not nps["n"]:
        n = summary["n_feedback"]
        heard = t("headline.heard", n=count(n)) if n else t("headline.nobody")
        return Sentence(label, t("headline.no_score", heard=heard))
    interval = t.points_interval(nps["low"], nps["high"])
    now = t("headline.now", score=points(nps["score"]), interval=interval, n=count(nps["n"]))
    if nps["n"] < UNCERTAIN_BELOW:
        now += t("headline.small_n", least=UNCERTAIN_BELOW)
    periods = summary["periods"]
    if periods["difference"]["value"] is not None:
        certainty = _certainty(periods["difference"]["p"], _few(periods))
        return Sentence(label, now + _period_text(periods, t), certainty)
    if previous and previous["nps"] is not None:
        day, before = t.short_date(previous["business_date"]), points(previous["nps"])
        return Sentence(label, now + t("headline.previous", day=day, before=before, n=count(previous["n"])))
    return Sentence(label, now + t("headline.no_previous"))


def _few(periods: dict[str, Any]) -> bool:
    return bool(periods["now"]["uncertain"] or periods["before"]["uncertain"])


def _period_text(periods: dict[str, Any], t: Words) -> str:
    now, before, gap = periods["now"], periods["before"], periods["difference"]
    change = round(gap["value"], 1)
    return t(
        "headline.up" if change > 0 else "headline.down" if change < 0 else "headline.unmoved", days=periods["days"],
        now=points(now["nps"]), n_now=count(now["n"]), before=points(before["nps"]), n_before=count(before["n"]),
        change=f"{abs(change):.1f}", interval=t.points_interval(gap["low"], gap["high"]),
    )


def _certainty(p: float | None, few: bool) -> str | None:
    return None if p is None else FEW if few else CLEAR if p < SIGNIFICANT else CHANCE


def _news_sentence(summary: dict[str, Any], t: Words) -> Sentence:
    """Tell the first alert; else the complaint that grew beyond chance, a new theme, or that nothing is new."""
    label, themes = t("headline.worse_label"), ranked_themes(summary)
    if "question" in summary:
        n, of = count(summary["n_feedback"]), count(summary["question"]["n_period"])
        return Sentence(t("headline.answer_label"), t("headline.answer", n=n, of=of))
    if summary["alerts"]:
        return _alert_sentence(summary, t)
    if not summary["previous"] and themes:
        return Sentence(label, t("headline.first_night", n=len(themes)))
    if grown := _grown(summary, themes):
        row, theme = grown
        before, now, days = percent(row["share_before"]), percent(row["share_now"]), summary["periods"]["days"]
        text = t("headline.grown", name=row["name"], days=days, before=before, now=now, n=count(row["n_now"]))
        certainty = _certainty(row["p_adjusted"], row["uncertain"])
        return Sentence(label, text, certainty, row["theme_id"], "negative", _about(theme, summary, t))
    for status in ("new", "returned"):
        found = [theme for theme in themes if theme["status"] == status]
        if found:
            more = "_more" if len(found) > 1 else ""
            n, first = count(found[0]["n_feedback"]), found[0]
            text = t(f"headline.{status}{more}", name=first["name"], n=n, more=len(found))
            return Sentence(t("headline.news_label"), text, None, first["theme_id"], after=_about(first, summary, t))
    return Sentence(label, t("headline.quiet"))


def _alert_sentence(summary: dict[str, Any], t: Words) -> Sentence:
    first, others = summary["alerts"][0], len(summary["alerts"]) - 1
    own = next((theme for theme in ranked_themes(summary) if theme["theme_id"] == first.get("theme_id")), None)
    side = alert_side(first, summary)
    after = (_about(own, summary, t) if own else "") + (t("headline.more_alerts", n=others) if others else "")
    return Sentence(
        t("headline.worse_label" if side else "headline.news_label"), t("headline.alert", first=alert_text(first, t)),
        CLEAR if first["kind"] in _TESTED else None, first.get("theme_id"), side, after, first,
    )


def _about(theme: dict[str, Any], summary: dict[str, Any], t: Words) -> str:
    """Return how people speak of a theme, and that its impact is not known where it is not."""
    told = t("headline.leaning", n=count(theme["n_feedback"]), negative=count(theme["negative"]),
             positive=count(theme["positive"]))
    sides = impacts(theme, summary)
    unclear = bool(sides) and all(side["certainty"] != CLEAR for side in sides)
    return told + (t("headline.impact_unclear") if unclear else "")


def _grown(
    summary: dict[str, Any], themes: list[dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return the change, and the theme, of the complaint whose share grew most beyond chance."""
    by_id = {theme["theme_id"]: theme for theme in themes}
    grown = [
        (row, theme) for row in summary["periods"]["themes"]
        if row["p_adjusted"] is not None and row["p_adjusted"] < SIGNIFICANT and row["difference"] > 0
        and (theme := by_id.get(row["theme_id"])) and theme["negative"] > theme["positive"]
    ]
    return max(grown, key=lambda found: (found[0]["difference"], found[0]["theme_id"]), default=None)


def _impact_sentence(summary: dict[str, Any], t: Words) -> Sentence:
    """Tell of the first priority: the theme whose complaints lower NPS most, and of those after it."""
    label, themes = t("headline.impact_label"), {theme["theme_id"]: theme for theme in ranked_themes(summary)}
    if not themes:
        return Sentence(label, t("headline.no_themes"))
    rows = priorities(summary)
    harmful = [row for row in rows if row["action"] in _HARMFUL]
    if not harmful:
        return Sentence(label, t("headline.no_harm", n=count(len(rows))))
    row = harmful[0]
    text = t(
        "headline.harm", name=row["name"], n=count(row["n"]), nps=points(row["nps"]), harm=f"{-row['impact']:.1f}",
        detractors=count(themes[row["theme_id"]]["by_group"]["detractor"]["negative"]),
        interval=t.interval(f"{-row['impact_high']:.1f}", f"{-row['impact_low']:.1f}"),
    )
    after = [t("headline.next", name=other["name"], harm=f"{-other['impact']:.1f}") for other in harmful[1 : NEXT + 1]]
    then = t("headline.then", names=t.listed(after)) if after else ""
    return Sentence(label, text, FEW if row["uncertain"] else CLEAR, row["theme_id"], "negative", then)


def _segment_sentence(summary: dict[str, Any], theme_ids: list[str], t: Words) -> list[Sentence]:
    """Tell where NPS fell, where it is lower, and who speaks of the themes that were told; each only beyond chance."""
    values = [(segment["column"], value) for segment in summary["segments"] for value in segment["values"]]
    if not values:
        return []
    fell, lower = _fallen(summary, t), _lowest(values, t)
    n = sum(value["n"] >= UNCERTAIN_BELOW for _, value in values)
    steady = t("headline.none_fell", days=summary["periods"]["days"]) if _compared(summary) and not fell else ""
    text = (fell + lower) or t("headline.no_segment", n=count(n))
    after = (steady if lower else "") + _who_speaks(summary, values, theme_ids, t)
    return [Sentence(t("headline.segment_label"), text, CLEAR if fell or lower else None, after=after)]


def _compared(summary: dict[str, Any]) -> bool:
    return any(row["p_adjusted"] is not None for row in summary["periods"].get("segments", []))


def _fallen(summary: dict[str, Any], t: Words) -> str:
    rows = [
        row for row in summary["periods"].get("segments", [])
        if not row["uncertain"] and row["p_adjusted"] is not None and row["p_adjusted"] < SIGNIFICANT
        and row["difference"] < 0
    ]
    if not rows:
        return ""
    row = min(rows, key=lambda row: (row["difference"], row["column"], row["value"]))
    return t(
        "headline.segment_fell", segment=segment_name(row["column"], row["value"], t), days=summary["periods"]["days"],
        before=points(row["nps_before"]), n_before=count(row["n_before"]), now=points(row["nps_now"]),
        n_now=count(row["n_now"]), interval=t.points_interval(row["difference_low"], row["difference_high"]),
    )


def _lowest(values: list[tuple[str, dict[str, Any]]], t: Words) -> str:
    lower = [
        (value["nps"], column, value) for column, value in values
        if value["difference"] is not None and value["difference"] < 0
        and value["p_adjusted"] is not None and value["p_adjusted"] < SIGNIFICANT and not value["uncertain"]
    ]
    if not lower:
        return ""
    _, column, value = min(lower, key=lambda found: found[:2])
    return t(
        "headline.segment", segment=segment_name(column, value["value"], t), n=count(value["n"]),
        nps=points(value["nps"]), gap=f"{-value['difference']:.1f}",
        interval=t.points_interval(value["difference_low"], value["difference_high"]),
    )


def _who_speaks(
    summary: dict[str, Any], values: list[tuple[str, dict[str, Any]]], theme_ids: list[str], t: Words
) -> str:
    """Return who speaks more of the themes told, or that nobody is known to."""
    names = {theme["theme_id"]: theme["name"] for theme in summary["themes"]}
    found, even = [], []
    for theme_id in dict.fromkeys(theme_ids):
        more = [
            (found["p_adjusted"], segment_name(column, value["value"], t), found)
            for column, value in values for found in value["themes"] if found["theme_id"] == theme_id
        ]
        if more:
            _, who, row = min(more, key=lambda one: one[:2])
            lift = f"{row['lift']:.1f}" if row["lift"] is not None else None
            key = "headline.speaks" if lift else "headline.speaks_alone"
            found.append(t(key, name=names[theme_id], segment=who, n=count(row["n"]), lift=lift))
        elif theme_id in names:
            even.append(t("headline.quoted", name=names[theme_id]))
    return "".join(found) + (t("headline.speaks_even", names=t.listed(even)) if even else "")
