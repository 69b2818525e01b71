"""The four answers a reader comes for: what NPS is, what got worse, what lowers it most, and for whom.

Written by rule from the summary. Each says how certain it is; where nothing is certain, it says that.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pipeline.loyalty.measures import SIGNIFICANT, UNCERTAIN_BELOW
from pipeline.loyalty.priorities import CHANCE, CLEAR, FEW
from pipeline.report.night import impacts, priorities, ranked_themes
from pipeline.report.wording import Words, count, percent, points

NEXT = 2
"""Themes named after the one that lowers NPS most."""

NAMED = 3
"""Further notices named in the headline; the others are counted."""

SAME_TIME = 3
"""Notices whose first days lie at most so many days apart may be of one event."""

_HARMFUL = ("mend", "deep")
_TESTED = ("new_theme", "growing_theme", "volume_spike", "negative_spike")


@dataclass(frozen=True)
class Verdict:
    """How certain one thing that an answer says is.

    Attributes
    ----------
    of : str
        Its key in the catalogue's section certain_of.
    certainty : str
        Its code in the catalogue's section certainty.
    few : bool
        Whether it is of fewer than thirty people, and for reference only.
    """

    of: str
    certainty: str
    few: bool = False


@dataclass(frozen=True)
class Sentence:
    """One answer of the headline.

    Attributes
    ----------
    label, text : str
        What is asked, and the answer.
    verdicts : tuple of Verdict
        How certain what it says is, the answer itself first; none where nothing was tested.
    after : str
        What is told beside the answer.
    figures : str
        Intervals and counts behind it, for those who check.
    theme_id : str or None
        The theme whose customers say it themselves.
    side : str or None
        The sentiment of what they are quoted with; None: any.
    alert : dict or None
        The alert that is told, whose respondents are quoted.
    """

    label: str
    text: str
    verdicts: tuple[Verdict, ...] = ()
    theme_id: str | None = None
    side: str | None = None
    after: str = ""
    figures: str = ""
    alert: dict[str, Any] | None = None

    @property
    def certainty(self) -> str | None:
        """The code of the first verdict, None where there is none."""
        return self.verdicts[0].certainty if self.verdicts else None

    def told(self, t: Words) -> str:
        """Return the answer with its certainty and its figures, on one line."""
        words = [
            t("certain_one", of=t(f"certain_of.{one.of}"), word=t.certain(one.certainty, few=one.few))
            for one in self.verdicts
        ]
        text = self.text + (t("certain_told", words=t.listed(words)) if words else "")
        for part in (self.after, t("figures_told", figures=self.figures) if self.figures else ""):
            text = t("joined", first=text, then=part) if part else text
        return text


def write_headline(summary: dict[str, Any], t: Words) -> list[Sentence]:
    """Return the night's answers: NPS, what got worse, what lowers NPS most, and for whom."""
    nps, news, impact = _nps_sentence(summary, t), _news_sentence(summary, t), _impact_sentence(summary, t)
    told = [sentence.theme_id for sentence in (news, impact) if sentence.theme_id]
    sentences = [nps, news, impact, *_segment_sentence(summary, told, t)]
    return [
        replace(one, text=one.text.strip(), after=one.after.strip(), figures=one.figures.strip()) for one in sentences
    ]


def window_days(summary: dict[str, Any]) -> int:
    """Return how many days the night covers."""
    start, end = (date.fromisoformat(summary["window"][key][:10]) for key in ("from", "to"))
    return (end - start).days + 1


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


def alert_story(alert: dict[str, Any], summary: dict[str, Any], t: Words) -> str:
    """Return that a notice began when the night's first one did, and may be of the same event; else nothing."""
    first = summary["alerts"][0]
    return t("alert.same_time", name=first["name"]) if alert is not first and _same_time(first, alert) else ""


def outlying_weeks(summary: dict[str, Any], t: Words) -> str:
    """Return the weeks whose NPS differs from all other weeks' beyond chance, in words; empty where none does."""
    weeks = zip(summary["trends"]["weeks"], summary["trends"].get("nps", []), strict=False)  # older nights have none
    return "".join(
        t(f"nps.week_{'low' if nps['difference'] < 0 else 'high'}", week=t.short_date(week),
          score=points(nps["score"]), n=count(nps["n"]), gap=f"{abs(nps['difference']):.1f}")
        for week, nps in weeks
        if nps.get("p_adjusted") is not None and nps["p_adjusted"] < SIGNIFICANT and nps["n"] >= UNCERTAIN_BELOW
    )


def segment_name(column: str, value: str, t: Words) -> str:
    """Return a segment as it is told: the column's label and the value."""
    return t("headline.segment_name", column=t.label(column), value=value)


def _alert_text(alert: dict[str, Any], t: Words) -> str:
    kind, n = alert["kind"], count(alert.get("n_feedback"))
    name, day = alert.get("name") or kind, t.short_date(alert.get("first_day"))
    if kind == "growing_theme":
        share, before = percent(alert["share"]), percent(alert["share_before"])
        if alert.get("inside"):
            name, inside = t("alert.topic_name", name=name), t("alert.inside", name=alert["inside"]["name"])
        else:
            name, inside = t("alert.theme_name", name=name), ""
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
    days, n = window_days(summary), count(nps["n"])
    now = t("headline.now", days=days, score=points(nps["score"]))
    if nps["n"] < UNCERTAIN_BELOW:
        now += t("headline.small_n", least=UNCERTAIN_BELOW)
    figures = t("headline.now_figures", days=days, interval=t.points_interval(nps["low"], nps["high"]), n=n)
    periods = summary["periods"]
    if periods["difference"]["value"] is not None:
        certainty = _certainty(periods["difference"]["p"], _few(periods))
        verdicts = _verdicts("change", certainty)
        text, figures = now + _period_text(periods, t), figures + _period_figures(periods, t)
        return Sentence(label, text, verdicts, after=outlying_weeks(summary, t), figures=figures)
    if previous and previous["nps"] is not None:
        day, before = t.short_date(previous["business_date"]), points(previous["nps"])
        text = now + t("headline.previous", day=day, before=before, n=count(previous["n"]))
        return Sentence(label, text, figures=figures)
    return Sentence(label, now + t("headline.no_previous"), figures=figures)


def _few(periods: dict[str, Any]) -> bool:
    return bool(periods["now"]["uncertain"] or periods["before"]["uncertain"])


def _period_text(periods: dict[str, Any], t: Words) -> str:
    now, before, gap = periods["now"], periods["before"], periods["difference"]
    change = round(gap["value"], 1)
    return t(
        "headline.up" if change > 0 else "headline.down" if change < 0 else "headline.unmoved", days=periods["days"],
        now=points(now["nps"]), before=points(before["nps"]), change=f"{abs(change):.1f}",
    )


def _period_figures(periods: dict[str, Any], t: Words) -> str:
    gap = periods["difference"]
    return t(
        "headline.period_figures", days=periods["days"], n_now=count(periods["now"]["n"]),
        n_before=count(periods["before"]["n"]), interval=t.points_interval(gap["low"], gap["high"]),
    )


def _certainty(p: float | None, few: bool) -> str | None:
    return None if p is None else FEW if few else CLEAR if p < SIGNIFICANT else CHANCE


def _verdicts(of: str, certainty: str | None, few: bool = False) -> tuple[Verdict, ...]:
    return (Verdict(of, certainty, few),) if certainty else ()


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
        verdicts = _verdicts("growing_theme", _certainty(row["p_adjusted"], row["uncertain"]))
        verdicts += _impact_verdict(theme, summary, "negative")
        return Sentence(label, text, verdicts, row["theme_id"], "negative", _about(theme, summary, t))
    for status in ("new", "returned"):
        found = [theme for theme in themes if theme["status"] == status]
        if found:
            more = "_more" if len(found) > 1 else ""
            n, first = count(found[0]["n_feedback"]), found[0]
            text = t(f"headline.{status}{more}", name=first["name"], n=n, more=len(found))
            verdicts = _impact_verdict(first, summary, None)
            about = _about(first, summary, t)
            return Sentence(t("headline.news_label"), text, verdicts, first["theme_id"], after=about)
    return Sentence(label, t("headline.quiet"))


def _alert_sentence(summary: dict[str, Any], t: Words) -> Sentence:
    first = summary["alerts"][0]
    own = next((theme for theme in ranked_themes(summary) if theme["theme_id"] == first.get("theme_id")), None)
    side = alert_side(first, summary)
    few = (first.get("n_feedback") or 0) < UNCERTAIN_BELOW
    verdicts = _verdicts(first["kind"], CLEAR, few) if first["kind"] in _TESTED else ()
    verdicts += _impact_verdict(own, summary, side) if own else ()
    after = (_about(own, summary, t) if own else "") + _further(summary["alerts"], t)
    return Sentence(
        t("headline.worse_label" if side else "headline.news_label"), t("headline.alert", first=alert_text(first, t)),
        verdicts, first.get("theme_id"), side, after, alert=first,
    )


def _further(alerts: list[dict[str, Any]], t: Words) -> str:
    """Name the other notices: first those that began when the first did, and may be of the same event."""
    first, others = alerts[0], alerts[1:]
    near = [alert for alert in others if _same_time(first, alert)]
    far = [alert for alert in others if not _same_time(first, alert)]
    return "".join(
        t(f"headline.{key}", names=_alert_names(part, t)) for key, part in (("same_time", near), ("more_alerts", far))
        if part
    )


def _same_time(first: dict[str, Any], other: dict[str, Any]) -> bool:
    if not {first["kind"], other["kind"]} <= set(_TESTED) or not (first.get("name") and other.get("name")):
        return False
    days = [str(alert.get("first_day") or "")[:10] for alert in (first, other)]
    if not all(days):
        return False
    return abs((date.fromisoformat(days[0]) - date.fromisoformat(days[1])).days) <= SAME_TIME


def _alert_names(alerts: list[dict[str, Any]], t: Words) -> str:
    names = []
    for alert in alerts[:NAMED]:
        name, n, day = alert.get("name"), alert.get("n_feedback"), t.short_date(alert.get("first_day"))
        if not name or n is None:
            names.append(t.name("alert_kinds", alert["kind"]))
        elif alert.get("inside"):
            names.append(t("headline.alert_inside", name=name, inside=alert["inside"]["name"], day=day, n=count(n)))
        else:
            names.append(t("headline.alert_name", name=name, day=day, n=count(n)))
    more = len(alerts) - NAMED
    return t.listed(names) + (t("headline.alerts_left", n=more) if more > 0 else "")


def _about(theme: dict[str, Any], summary: dict[str, Any], t: Words) -> str:
    """Return how people speak of a theme over the whole period."""
    told = {side: people_told(theme, side, t) for side in ("negative", "positive")}
    return t("headline.leaning", days=window_days(summary), n=count(theme["n_feedback"]), **told)


def people_told(theme: dict[str, Any], side: str, t: Words) -> str:
    """Return how many speak of a theme negatively, or positively, and how many of those gave a score."""
    word, said = t.name("sentiments", side), theme[f"{side}_mentions"]
    if not theme[side]:
        return t("people_side", side=word, n=count(theme[side]))
    return t("people_scored", side=word, n=count(theme[side]), scored=count(said["nps_n"]))


def _impact_verdict(theme: dict[str, Any], summary: dict[str, Any], side: str | None) -> tuple[Verdict, ...]:
    """Return how certain the impact of a theme's complaints (of the given side's words) on NPS is."""
    sides = {one["side"]: one for one in impacts(theme, summary)}
    found = sides.get(side or "negative")
    return _verdicts("impact", found["certainty"], found["n"] < UNCERTAIN_BELOW) if found else ()


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
    theme = themes[row["theme_id"]]
    text = t(
        "headline.harm", name=row["name"], people=people_told(theme, "negative", t), n=count(row["n"]),
        nps=points(row["nps"]), harm=f"{-row['impact']:.1f}",
    )
    figures = t(
        "headline.harm_figures", impact=points(row["impact"]), nps=points(row["nps"]), n=count(row["n"]),
        interval=t.points_interval(row["impact_low"], row["impact_high"]),
        detractors=count(theme["by_group"]["detractor"]["negative"]),
    )
    after = [t("headline.next", name=other["name"], impact=points(other["impact"])) for other in harmful[1 : NEXT + 1]]
    then = t("headline.then", names=t.listed(after)) if after else ""
    verdicts = _verdicts("impact", FEW if row["uncertain"] else CLEAR)
    return Sentence(label, text, verdicts, row["theme_id"], "negative", t("headline.no_cause") + then, figures)


def _segment_sentence(summary: dict[str, Any], theme_ids: list[str], t: Words) -> list[Sentence]:
    """Tell where NPS fell or that it fell nowhere, where it is lower, and who speaks of the themes that were told."""
    values = [(segment["column"], value) for segment in summary["segments"] for value in segment["values"]]
    if not values:
        return []
    label, after = t("headline.segment_label"), _who_speaks(summary, values, theme_ids, t)
    days = summary["periods"]["days"]
    fell, lower = _fallen(summary), _lowest(values)
    steady = t("headline.none_fell", days=days) if _compared(summary) and not fell else ""
    if not fell and not lower:
        n = sum(value["n"] >= UNCERTAIN_BELOW for _, value in values)
        return [Sentence(label, t("headline.no_segment", n=count(n)), after=after)]
    text, figures = "", ""
    verdicts: tuple[Verdict, ...] = ()
    if fell:
        text += t("headline.segment_fell", segment=segment_name(fell["column"], fell["value"], t), days=days,
                  before=points(fell["nps_before"]), now=points(fell["nps_now"]))
        figures += t("headline.fell_figures", days=days, n_before=count(fell["n_before"]), n_now=count(fell["n_now"]),
                     interval=t.points_interval(fell["difference_low"], fell["difference_high"]))
        verdicts += _verdicts("fell", CLEAR)
    if lower:
        column, value = lower
        before = "segment_before" if _low_before(column, value["value"], summary) else "segment"
        text += steady + t(f"headline.{before}", segment=segment_name(column, value["value"], t), n=count(value["n"]),
                           days=window_days(summary), nps=points(value["nps"]), gap=f"{-value['difference']:.1f}")
        interval = t.points_interval(value["difference_low"], value["difference_high"])
        figures += t("headline.segment_figures", value=value["value"], n=count(value["n"]), interval=interval)
        verdicts += _verdicts("lower", CLEAR)
    return [Sentence(label, text, verdicts, after=after, figures=figures)]


def _compared(summary: dict[str, Any]) -> bool:
    return any(row["p_adjusted"] is not None for row in summary["periods"].get("segments", []))


def _fallen(summary: dict[str, Any]) -> dict[str, Any] | None:
    """Return the change of the segment whose NPS fell most beyond chance."""
    rows = [
        row for row in summary["periods"].get("segments", [])
        if not row["uncertain"] and row["p_adjusted"] is not None and row["p_adjusted"] < SIGNIFICANT
        and row["difference"] < 0
    ]
    return min(rows, key=lambda row: (row["difference"], row["column"], row["value"]), default=None)


def _lowest(values: list[tuple[str, dict[str, Any]]]) -> tuple[str, dict[str, Any]] | None:
    """Return the segment with the lowest NPS of those that are below the others beyond chance."""
    lower = [
        (value["nps"], column, value) for column, value in values
        if value["difference"] is not None and value["difference"] < 0
        and value["p_adjusted"] is not None and value["p_adjusted"] < SIGNIFICANT and not value["uncertain"]
    ]
    found = min(lower, key=lambda found: found[:2], default=None)
    return found[1:] if found else None


def _low_before(column: str, value: str, summary: dict[str, Any]) -> bool:
    """Return whether a segment's NPS was below everybody's in the earlier of the two periods already."""
    everybody = summary["periods"]["before"]["nps"]
    rows = [row for row in summary["periods"].get("segments", []) if (row["column"], row["value"]) == (column, value)]
    return bool(rows) and everybody is not None and rows[0]["nps_before"] is not None and (
        rows[0]["nps_before"] < everybody
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
