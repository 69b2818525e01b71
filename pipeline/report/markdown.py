"""The night as Markdown, for the Prefect artifact: figures and theme names, no customer's sentence."""

import re
from collections.abc import Sequence
from typing import Any

from pipeline.loyalty.measures import UNCERTAIN_BELOW
from pipeline.report.analysis import analysis_tables
from pipeline.report.headline import alert_text, people_told, write_headline
from pipeline.report.night import ACCOUNTED, Night, accounting, badge, children_of, impacts, is_uncertain, ranked_themes
from pipeline.report.notices import notice_lines
from pipeline.report.transitions import transition_lines
from pipeline.report.wording import Words, count, percent, points


def render_markdown(night: Night) -> str:
    """Return the report as Markdown: headline, NPS, themes, alerts, accounting."""
    summary, t = night.summary, night.words
    start, end = (t.full_date(summary["window"][key]) for key in ("from", "to"))
    parts = [
        f"# {_escape(night.title)}",
        t("markdown.window", day=t.full_date(night.business_date), start=start, end=end),
        *[f"**{_escape(notice)}**" for notice in notice_lines(summary, t)],
        _list([sentence.told(t) for sentence in write_headline(summary, t)]),
        f"## {t('nps.title')}",
        _nps_table(summary, t),
        f"## {t('nav.themes')}",
        _theme_table(summary, t),
        f"## {t('markdown.alerts')}",
        _list([alert_text(alert, t) for alert in summary["alerts"]]) or t("markdown.no_alerts"),
        *_transitions(summary, t),
        *_analysis(night, t),
        f"## {t('accounting.title')}",
        _accounting_table(summary, t),
        *_remarks(night, t),
    ]
    return "\n\n".join(parts) + "\n"


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {_escape(line)}" for line in lines)


def _transitions(summary: dict[str, Any], t: Words) -> list[str]:
    lines = transition_lines(summary, t)
    return [f"## {t('transition.title')}", _list(lines)] if lines else []


def _analysis(night: Night, t: Words) -> list[str]:
    parts = []
    for table in analysis_tables(night.summary, night.units, t):
        columns, rows = table.told(quotes=False)
        header = tuple(_escape(column.header) for column in columns)
        parts += [f"## {table.title}", _escape(table.note), _table(header, [tuple(map(_escape, row)) for row in rows])]
    return parts


def _nps_table(summary: dict[str, Any], t: Words) -> str:
    nps, groups = summary["nps"], ("detractor", "passive", "promoter")
    told = t.listed(f"{t.name('groups', key)} {count(nps[key + 's'])}" for key in groups)
    return _table(
        ("NPS", t("nps.interval"), "n", t("markdown.breakdown")),
        [(points(nps["score"]), t.points_interval(nps["low"], nps["high"]), count(nps["n"]), told)],
    )


def _theme_table(summary: dict[str, Any], t: Words) -> str:
    themes = ranked_themes(summary)
    if not themes:
        return t("markdown.no_themes")
    rows = []
    for theme in themes:
        mark = badge(theme, summary)
        n = count(theme["n_feedback"])
        rows.append((
            str(theme["rank"] or ""),
            "└ " * theme["depth"] + _escape(theme["name"]) + (f" **{t.name('statuses', mark)}**" if mark else ""),
            f"{percent(theme['share'])} ({t.percent_interval(theme['share_low'], theme['share_high'])})",
            t("markdown.few", n=n) if is_uncertain(theme) else n,
            " / ".join(count(theme[key]) for key in ("negative", "neutral", "positive")),
            _impact(theme, summary, t),
        ))
    header = (t("themes.rank"), t("themes.name"), t("themes.share"), "n", t("markdown.sentiment"), t("themes.impact"))
    return _table(header, rows)


def _impact(theme: dict[str, Any], summary: dict[str, Any], t: Words) -> str:
    told = [
        t("markdown.impact", people=people_told(theme, side["side"], t), impact=points(side["impact"]),
          interval=t.points_interval(side["impact_low"], side["impact_high"]),
          certainty=t.certain(side["certainty"], few=side["n"] < UNCERTAIN_BELOW))
        for side in impacts(theme, summary)
    ]
    return " · ".join(told) or t("themes.by_child" if children_of(theme, summary) else "not_computed")


def _accounting_table(summary: dict[str, Any], t: Words) -> str:
    header = (t("accounting.source"), *(t(f"accounting.{key}") for key in ACCOUNTED))
    rows = [
        (_escape(t.label(row["name"]) if row["name"] else t("total")), *(count(row[key]) for key in ACCOUNTED))
        for row in accounting(summary)
    ]
    return _table(header, rows)


def _remarks(night: Night, t: Words) -> list[str]:
    copies, remarks = night.summary.get("near_duplicates", {}), []
    if copies.get("n_groups"):
        remarks.append(t("markdown.copies", n=count(copies["n_feedback"]), groups=count(copies["n_groups"])))
    if night.n_erased:
        remarks.append(t("markdown.erased", n=count(night.n_erased)))
    return remarks


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _escape(text: str) -> str:
    """Return the text so that Markdown shows it as it is, on one line."""
    flat = re.sub(r"\s+", " ", text)
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = re.sub(r"([\\`*_{}\[\]()#+!|~$-])", r"\\\1", flat)
    return escaped.replace("://", "&#58;//").replace("www.", "www&#46;")  # no link by itself either
