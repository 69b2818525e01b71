"""Plain sentences on what changed, what lowers NPS and for whom, written by rule from the summary."""

from dataclasses import dataclass
from typing import Any

from pipeline.loyalty.measures import SIGNIFICANT, UNCERTAIN_BELOW
from pipeline.report.night import is_significant, ranked_themes
from pipeline.report.wording import Words, count, percent, points


@dataclass(frozen=True)
class Sentence:
    """One line of the headline: what it is about, what it says, and the theme whose customers say it themselves.

    `complaint` tells whether only what they complain of belongs to it.
    """

    label: str
    text: str
    theme_id: str | None = None
    complaint: bool = False


def write_headline(summary: dict[str, Any], t: Words) -> list[Sentence]:
    """Return the night's sentences: NPS, the theme that lowers it most, what is new, and whose NPS is lower."""
    news = t("headline.answer_label" if "question" in summary else "headline.news_label")
    return [
        Sentence(t("headline.nps_label"), _nps_sentence(summary, t)),
        _impact_sentence(summary, t),
        Sentence(news, _news_sentence(summary, t), summary["alerts"][0].get("theme_id") if summary["alerts"] else None),
        *_segment_sentence(summary, t),
    ]


def alert_text(alert: dict[str, Any], t: Words) -> str:
    """Return what one alert says, with its n, and the topics in it whose names say more than its own."""
    name = alert.get("name") or ""
    topics = [topic for topic in alert.get("topics", []) if not all(word in name for word in topic["name"].split("・"))]
    return _alert_text(alert, t) + "".join(
        t("alert.topic", name=topic["name"], day=t.short_date(topic["first_day"]), n=count(topic["n_feedback"]))
        for topic in topics
    )


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


def _nps_sentence(summary: dict[str, Any], t: Words) -> str:
    nps, previous = summary["nps"], summary["previous"]
    if not nps["n"]:
        n = summary["n_feedback"]
        return t("headline.no_score", heard=t("headline.heard", n=count(n)) if n else t("headline.nobody"))
    interval = t.points_interval(nps["low"], nps["high"])
    now = t("headline.now", score=points(nps["score"]), interval=interval, n=count(nps["n"]))
    if nps["n"] < UNCERTAIN_BELOW:
        now += t("headline.small_n", least=UNCERTAIN_BELOW)
    if not previous or previous["nps"] is None:
        return t("headline.no_previous", now=now)
    return t(
        "headline.compared", now=now, day=t.short_date(previous["business_date"]), before=points(previous["nps"]),
        n=count(previous["n"]), moved=_moved(nps, previous["nps"], t),
    )


def _moved(nps: dict[str, Any], before: float, t: Words) -> str:
    change = round(nps["score"], 1) - round(before, 1)
    if abs(change) < 0.05:
        return t("headline.unmoved")
    moved = t("headline.up" if change > 0 else "headline.down", change=f"{abs(change):.1f}")
    return t("headline.unclear" if nps["low"] <= before <= nps["high"] else "headline.clear", moved=moved)


def _impact_sentence(summary: dict[str, Any], t: Words) -> Sentence:
    """Tell of the first priority whose complaints lower NPS, of one that enough people speak of if there is any."""
    label, themes = t("headline.impact_label"), ranked_themes(summary)
    if not themes:
        return Sentence(label, t("headline.no_themes"))
    complaints = {theme["theme_id"]: theme["negative_mentions"] for theme in themes}
    harmful = [
        (row, said) for row in summary["priorities"]
        if row["action"] in ("mend", "deep") and (said := complaints.get(row["theme_id"]))
        and is_significant(said) and said["impact"] < 0
    ]
    if not harmful:
        tested = sum(said["impact"] is not None for said in complaints.values())
        return Sentence(label, t("headline.no_harm", n=count(tested)))
    row, said = next((found for found in harmful if found[1]["nps_n"] >= UNCERTAIN_BELOW), harmful[0])
    return Sentence(label, _gain(row["name"], said, t), row["theme_id"], complaint=True)


def _gain(name: str, said: dict[str, Any], t: Words) -> str:
    return t(
        "headline.gain", name=name, n=count(said["nps_n"]), nps=points(said["nps"]), gain=points(-said["impact"]),
        interval=t.points_interval(-said["impact_high"], -said["impact_low"]),
        few=t("headline.small_n", least=UNCERTAIN_BELOW) if said["nps_n"] < UNCERTAIN_BELOW else "",
    )


def _segment_sentence(summary: dict[str, Any], t: Words) -> list[Sentence]:
    """Tell of the segment whose NPS is lowest, if one is lower than the others' beyond chance."""
    lower = [
        (value["nps"], segment["column"], value)
        for segment in summary["segments"] for value in segment["values"]
        if value["difference"] is not None and value["difference"] < 0
        and value["p_adjusted"] is not None and value["p_adjusted"] < SIGNIFICANT and not value["uncertain"]
    ]
    if not lower:
        return []
    _, column, value = min(lower, key=lambda found: found[:2])
    text = t(
        "headline.segment", column=column, value=value["value"], n=count(value["n"]), nps=points(value["nps"]),
        gap=f"{-value['difference']:.1f}",
        interval=t.points_interval(value["difference_low"], value["difference_high"]),
    )
    return [Sentence(t("headline.segment_label"), text)]


def _news_sentence(summary: dict[str, Any], t: Words) -> str:
    themes = ranked_themes(summary)
    if "question" in summary:
        return t("headline.answer", n=count(summary["n_feedback"]), of=count(summary["question"]["n_period"]))
    if summary["alerts"]:
        first, others = alert_text(summary["alerts"][0], t), len(summary["alerts"]) - 1
        return t("headline.more_alerts", first=first, n=others) if others else t("headline.one_alert", first=first)
    if not summary["previous"] and themes:
        return t("headline.first_night", n=len(themes))
    for status in ("new", "returned"):
        found = [theme for theme in themes if theme["status"] == status]
        if found:
            more = "_more" if len(found) > 1 else ""
            n = count(found[0]["n_feedback"])
            return t(f"headline.{status}{more}", name=found[0]["name"], n=n, more=len(found))
    return t("headline.quiet")
