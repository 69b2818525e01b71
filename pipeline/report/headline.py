"""Three plain sentences on what changed, written by rule from the summary."""

from dataclasses import dataclass
from typing import Any

from pipeline.report.night import SMALL_N, is_significant, ranked_themes
from pipeline.report.wording import count, percent, points, points_interval, short_date


@dataclass(frozen=True)
class Sentence:
    """One line of the headline: what it is about, and what it says."""

    label: str
    text: str


def write_headline(summary: dict[str, Any]) -> list[Sentence]:
    """Return the night's three sentences: NPS, the theme that lowers it most, what is new."""
    return [
        Sentence("NPS", _nps_sentence(summary)),
        Sentence("NPSを下げるもの", _impact_sentence(summary)),
        Sentence("新しい動き", _news_sentence(summary)),
    ]


def alert_text(alert: dict[str, Any]) -> str:
    """Return what one alert says, with its n."""
    if alert["kind"] == "new_theme":
        since = f"最初の声は{short_date(alert['first_day'])}、n={count(alert['n_feedback'])}"
        return f"新しいテーマ「{alert['name']}」が見つかりました（{since}）"
    if alert["kind"] == "growing_theme":
        now = f"直近7日 {percent(alert['share'])}、n={count(alert['n_feedback'])}"
        return f"「{alert['name']}」が増えています（{now}、それまでは{percent(alert['share_before'])}）"
    if alert["kind"] == "theme_shift":
        kept = f"テーマの構成が大きく変わり、前回と同じテーマに残る意見は{percent(alert['units_kept'])}でした"
        return kept + ("。これまでのテーマを引き続き使っています" if alert["refused"] else "")
    return f"「{alert.get('name') or alert['kind']}」（n={count(alert.get('n_feedback'))}）"


def _nps_sentence(summary: dict[str, Any]) -> str:
    nps, previous = summary["nps"], summary["previous"]
    if not nps["n"]:
        heard = f"回答 {count(summary['n_feedback'])}件" if summary["n_feedback"] else "回答そのものがありません"
        return f"期間内に点数のある回答がないため、NPSは計算していません（{heard}）。"
    interval = points_interval(nps["low"], nps["high"])
    now = f"NPSは{points(nps['score'])}（95%区間 {interval}、n={count(nps['n'])}）"
    if nps["n"] < SMALL_N:
        now += f"、n が{SMALL_N}に満たないため参考値"
    if not previous or previous["nps"] is None:
        return f"{now}です。比べられる前回の値はありません。"
    before = f"前回（{short_date(previous['business_date'])}、{points(previous['nps'])}、n={count(previous['n'])}）"
    return f"{now}で、{before}から{_moved(nps, previous['nps'])}"


def _moved(nps: dict[str, Any], before: float) -> str:
    change = round(nps["score"], 1) - round(before, 1)
    if abs(change) < 0.05:
        return "変わっていません。"
    moved = f"{abs(change):.1f}ポイント{'上がりました' if change > 0 else '下がりました'}"
    if nps["low"] <= before <= nps["high"]:
        return f"{moved}が、前回の値は今回の区間の中にあり、はっきりした変化とは言えません。"
    return f"{moved}。前回の値は今回の区間の外にあります。"


def _impact_sentence(summary: dict[str, Any]) -> str:
    themes = ranked_themes(summary)
    if not themes:
        return "期間内の意見からは、まだテーマが見つかっていません。"
    harmful = [t for t in themes if is_significant(t) and t["impact"] < 0]
    if not harmful:
        tested = sum(t["impact"] is not None for t in themes)
        return f"NPSを有意に下げていると言えるテーマはありません（{count(tested)}テーマを検定）。"
    worst = min(harmful, key=lambda t: (t["impact"], t["theme_id"]))
    interval = points_interval(worst["impact_low"], worst["impact_high"])
    detractors = worst["by_group"]["detractor"]["n_feedback"]
    return (
        f"「{worst['name']}」が最もNPSを押し下げています（影響 {points(worst['impact'])}ポイント、"
        f"95%区間 {interval}）。触れた{count(worst['n_feedback'])}人のうち否定的な人は{count(worst['negative'])}人、"
        f"点数のある{count(worst['nps_n'])}人のうち批判者は{count(detractors)}人です。"
    )


def _news_sentence(summary: dict[str, Any]) -> str:
    themes = ranked_themes(summary)
    if summary["alerts"]:
        first, *others = [alert_text(alert) for alert in summary["alerts"]]
        return first + (f"。ほかにも{len(others)}件の知らせがあります。" if others else "。")
    if not summary["previous"] and themes:
        return f"初めての集計です。{len(themes)}テーマが見つかり、次回からはここで変化をお知らせします。"
    for status, words in (("new", "新しく現れた"), ("returned", "再び現れた")):
        found = [t for t in themes if t["status"] == status]
        if found:
            more = f"など{len(found)}件" if len(found) > 1 else ""
            return f"{words}テーマは「{found[0]['name']}」{more}です（n={count(found[0]['n_feedback'])}）。"
    return "新しいテーマや警報はありません。"
