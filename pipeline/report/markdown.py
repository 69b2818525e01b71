"""The night as Markdown, for the Prefect artifact: figures and theme names, no customer's sentence."""

import re
from collections.abc import Sequence
from typing import Any

from pipeline.report.headline import alert_text, write_headline
from pipeline.report.night import Night, accounting, badge, is_significant, is_uncertain, ranked_themes
from pipeline.report.transitions import transition_lines
from pipeline.report.wording import (
    GROUPS,
    STATUSES,
    count,
    full_date,
    percent,
    percent_interval,
    points,
    points_interval,
)


def render_markdown(night: Night) -> str:
    """Return the report as Markdown: headline, NPS, themes, alerts, accounting."""
    summary = night.summary
    parts = [
        f"# {_escape(night.title)}",
        f"{full_date(night.business_date)}　期間 {full_date(summary['window']['from'])}〜"
        f"{full_date(summary['window']['to'])}",
        "\n".join(f"- {_escape(sentence.text)}" for sentence in write_headline(summary)),
        "## NPS",
        _nps_table(summary),
        "## テーマ",
        _theme_table(summary),
        "## 警報",
        "\n".join(f"- {_escape(alert_text(alert))}" for alert in summary["alerts"]) or "警報はありません。",
        *_transitions(summary),
        "## データの内訳",
        _accounting_table(summary),
    ]
    return "\n\n".join(parts) + "\n"


def _transitions(summary: dict[str, Any]) -> list[str]:
    lines = transition_lines(summary)
    return ["## テーマの移り変わり", "\n".join(f"- {_escape(line)}" for line in lines)] if lines else []


def _nps_table(summary: dict[str, Any]) -> str:
    nps = summary["nps"]
    groups = "、".join(f"{GROUPS[key]} {count(nps[key + 's'])}" for key in ("detractor", "passive", "promoter"))
    return _table(
        ("NPS", "95%区間", "n", "内訳"),
        [(points(nps["score"]), points_interval(nps["low"], nps["high"]), count(nps["n"]), groups)],
    )


def _theme_table(summary: dict[str, Any]) -> str:
    themes = ranked_themes(summary)
    if not themes:
        return "テーマはありません。"
    rows = []
    for theme in themes:
        mark = badge(theme, summary)
        rows.append((
            str(theme["rank"]),
            _escape(theme["name"]) + (f" **{STATUSES[mark]}**" if mark else ""),
            f"{percent(theme['share'])}（{percent_interval(theme['share_low'], theme['share_high'])}）",
            count(theme["n_feedback"]) + ("（参考値）" if is_uncertain(theme) else ""),
            " / ".join(count(theme[key]) for key in ("negative", "neutral", "positive")),
            _impact(theme),
        ))
    header = ("順位", "テーマ", "言及率（95%区間）", "n", "否定的 / どちらでもない / 肯定的", "NPSへの影響（95%区間）")
    return _table(header, rows)


def _impact(theme: dict[str, Any]) -> str:
    if theme["impact"] is None:
        return "計算なし"
    text = f"{points(theme['impact'])}（{points_interval(theme['impact_low'], theme['impact_high'])}）"
    return text if is_significant(theme) else text + " 有意でない"


def _accounting_table(summary: dict[str, Any]) -> str:
    keys = ("read", "analysed", "no_opinion", "duplicate", "quarantined", "outside_window", "carried_over")
    header = ("ソース", "読み込み", "分析", "意見なし", "重複", "隔離", "期間外", "以前の夜から")
    rows = [
        (_escape(row["name"] or "合計"), *(count(row[key]) for key in keys)) for row in accounting(summary)
    ]
    return _table(header, rows)


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _escape(text: str) -> str:
    """Return the text so that Markdown shows it as it is, on one line."""
    flat = re.sub(r"\s+", " ", text)
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]()#+!|~$-])", r"\\\1", flat)
