"""A made-up night of a grocery delivery service that does not exist, for the tests of the report."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from pipeline.report import Night

HOSTILE = [
    "</script><svg onload=alert(1)>送料が高いです",
    '"><img src=x onerror=alert(1)> 送料が無料になる金額が上がってつらい',
    "=HYPERLINK(\"http://example.com\",\"配送料\")が高すぎる",
    "{{ 7*7 }} 送料のせいで少しだけ頼むことができない",
]

# theme, sentiment, intent, score, text
_VOICES: list[tuple[str, str, str, int | None, str]] = [
    ("t01", "negative", "complaint", 3, "指定した時間に届かず、二時間も家で待たされました"),
    ("t01", "negative", "complaint", 2, "時間指定の意味がないくらい配送が遅い"),
    ("t01", "negative", "complaint", 2, "時間指定の意味がないくらい、配送が遅い！"),
    ("t01", "negative", "request", 5, "遅れるときは、せめて前もって連絡がほしい"),
    ("t01", "positive", "praise", 9, "雨の日でも時間どおりに来てくれて助かっています"),
    ("t01", "negative", "complaint", 6, "先週から配送の遅れが続いていて、夕食の支度に間に合わない"),
    ("t01", "neutral", "question", None, "配送状況はどこで確認できますか"),
    ("t02", "positive", "praise", 10, "トマトもレタスも、店で選ぶより新鮮です"),
    ("t02", "positive", "praise", 9, "魚の鮮度がよく、刺身でも安心して食べられる"),
    ("t02", "negative", "complaint", 4, "葉物がしおれていることが何度かあった"),
    ("t02", "positive", "praise", 10, "野菜がいつもみずみずしく、子どもがよく食べるようになった"),
    ("t02", "neutral", "fact", 7, "週に一度、野菜と牛乳を頼んでいます"),
    ("t03", "negative", "complaint", 5, HOSTILE[0]),
    ("t03", "negative", "complaint", 6, HOSTILE[1]),
    ("t03", "negative", "complaint", 3, HOSTILE[2]),
    ("t03", "negative", "request", 4, HOSTILE[3]),
    ("t03", "neutral", "request", 8, "月額で送料が無料になるプランがあるとうれしい"),
    ("t04", "positive", "praise", 9, "前回の注文をそのまま繰り返せるのが便利"),
    ("t04", "negative", "complaint", 6, "更新してから検索が重く、商品がなかなか見つからない"),
    ("t04", "positive", "praise", 10, "アプリの画面が見やすく、母でも迷わず使えています"),
    ("t04", "negative", "complaint", 7, "カートに入れた商品が勝手に消えることがある"),
    ("t05", "positive", "praise", 10, "電話に出た方がとても丁寧で、すぐに返金してくれた"),
    ("t05", "negative", "complaint", 1, "問い合わせの電話がつながらず、三日待っても折り返しがない"),
    ("t05", "positive", "praise", 9, "[氏名]さんの説明がわかりやすく、安心できました"),
    ("t06", "positive", "praise", 9, "有機の調味料まで揃っていて、ここだけで買い物が済む"),
    ("t06", "neutral", "request", 8, "小麦を使わないパンの種類を増やしてほしい"),
    ("t06", "positive", "praise", 8, "季節の果物の品ぞろえが楽しみ"),
    ("t07", "negative", "complaint", 4, "新しい保冷箱のふたが閉まらず、牛乳がぬるくなっていた"),
    ("t07", "negative", "complaint", 2, "保冷箱が大きすぎて、玄関に置く場所がない"),
    ("t07", "negative", "complaint", None, "箱を変えてから、冷凍の餃子がとけて届きました"),
    ("t08", "negative", "complaint", 5, "卵が二つ割れていて、ほかの品まで汚れていた"),
    ("t08", "negative", "request", 7, "重い飲み物の下にパンを入れないでほしい"),
    ("", "neutral", "fact", 8, "知人の紹介で始めました"),
    ("", "neutral", "fact", None, "引っ越しのためしばらく休みます"),
]

# id, name, parent, status, keywords, pairs, previous share, nps, impact (value, low, high, p), weekly,
# then per group (detractor, passive, promoter, unscored): negative, neutral, positive
_THEMES: list[tuple[Any, ...]] = [
    ("t01", "配送の遅れ", "配送", "continuing", ["配送", "遅れる", "時間指定", "待つ", "連絡"],
     ["配送→遅い", "連絡→来る+ない", "時間→守る+ない"], 0.148, -48.6, (-4.9, -6.8, -3.0, 0.0001),
     [4, 5, 6, 5, 7, 8, 9, 10, 14, 19], [(41, 2, 2), (9, 5, 3), (2, 1, 8), (11, 3, 1)]),
    ("t02", "野菜と魚の鮮度", "商品", "continuing", ["野菜", "新鮮", "鮮度", "魚", "みずみずしい"],
     ["野菜→新鮮", "魚→良い", "葉物→しおれる"], 0.190, 41.5, (4.2, 2.3, 6.1, 0.0001),
     [8, 9, 7, 8, 9, 8, 7, 9, 8, 7], [(8, 1, 3), (4, 6, 11), (1, 1, 38), (2, 2, 5)]),
    ("t03", "送料の高さ", "料金", "continuing", ["送料", "高い", "無料", "金額", "<b>得</b>"],
     ["送料→高い", "金額→上がる"], 0.121, -22.0, (-1.6, -3.1, -0.1, 0.081),
     [5, 6, 5, 6, 6, 7, 5, 6, 6, 5], [(22, 2, 0), (10, 4, 1), (6, 2, 2), (4, 1, 0)]),
    ("t04", "アプリの使いやすさ", "アプリ", "continuing", ["アプリ", "検索", "画面", "注文", "カート"],
     ["検索→重い", "画面→見る+やすい"], 0.098, 6.1, (0.6, -0.7, 1.9, 0.412),
     [4, 4, 5, 4, 4, 6, 5, 4, 4, 5], [(9, 1, 1), (5, 3, 6), (2, 1, 11), (3, 1, 1)]),
    ("t05", "電話窓口の対応", "問い合わせ", "continuing", ["電話", "丁寧", "つながる", "折り返し", "返金"],
     ["電話→つながる+ない", "説明→わかる+やすい"], 0.061, -4.0, (-0.1, -1.2, 1.0, 0.871),
     [3, 2, 3, 4, 3, 2, 3, 3, 4, 3], [(10, 1, 0), (2, 1, 2), (0, 1, 9), (2, 1, 3)]),
    ("t06", "品ぞろえ", "商品", "returned", ["種類", "品ぞろえ", "有機", "調味料", "果物"],
     ["種類→増やす", "品ぞろえ→楽しみ"], None, 38.5, (1.4, 0.4, 2.4, 0.021),
     [0, 0, 0, 0, 2, 4, 5, 6, 7, 7], [(1, 1, 1), (1, 5, 5), (0, 1, 13), (0, 2, 1)]),
    ("t07", "新しい保冷箱", "配送", "new", ["保冷箱", "ふた", "とける", "大きい", "置く"],
     ["ふた→閉まる+ない", "餃子→とける"], None, -71.4, (-1.5, -2.5, -0.5, 0.014),
     [0, 0, 0, 0, 0, 0, 0, 0, 0, 17], [(10, 1, 0), (2, 1, 0), (0, 1, 0), (2, 0, 0)]),
    ("t08", "梱包と商品の破損", None, "continuing", ["割れる", "卵", "梱包", "つぶれる"],
     [], 0.019, None, (None, None, None, None), [], [(3, 0, 0), (2, 1, 0), (0, 0, 1), (1, 0, 0)]),
]
_GROUPS = ("detractor", "passive", "promoter", "unscored")
_N_ANALYSED = 388
_FIGURES = ("nps", "nps_n", "impact", "impact_low", "impact_high", "p_adjusted")


def make_night() -> Night:
    """Return a night with eight themes, hostile texts, quarantine and two sources."""
    themes = [_theme(row) for row in _THEMES] + [_silent_theme()]
    summary = {
        "schema_version": 1,
        "title": "つむぎ便 NPS調査",
        "business_date": "2024-11-21",
        "window": {"from": "2024-09-13", "to": "2024-11-21"},
        "versions": {"kikitori": "0.1.0", "embedding": "e5-small", "sentiment": "1", "segmenter": "3",
                     "parser": "ginza 5.2"},
        "sources": [
            {"name": "survey", "read": 421, "analysed": 312, "no_opinion": 88, "duplicate": 16, "quarantined": 5,
             "outside_window": 31, "carried_over": 0},
            {"name": "calls", "read": 83, "analysed": 61, "no_opinion": 14, "duplicate": 6, "quarantined": 2,
             "outside_window": 4, "carried_over": 15},
        ],
        "n_feedback": 490, "n_analysed": _N_ANALYSED, "n_units": 871, "n_unassigned": 74,
        "nps": {"score": -6.3, "low": -14.1, "high": 1.6, "n": 412, "promoters": 121, "passives": 144,
                "detractors": 147, "mean": 6.9,
                "distribution": [6, 4, 9, 13, 12, 61, 42, 65, 79, 62, 59]},
        "previous": {"business_date": "2024-11-20", "nps": -2.4, "n": 403},
        "themes": themes,
        "alerts": [{"kind": "new_theme", "theme_id": "t07", "name": "新しい保冷箱", "first_day": "2024-11-18",
                    "n_feedback": 17}],
        "stability": {"continuing": 6, "new": 1, "returned": 1, "retired": 1, "kept_share": 0.94},
        **_insights(),
    }
    theme_table = pl.DataFrame(
        [{key: t[key] for key in ("theme_id", "name", "parent_id", "status", "first_seen", "keywords", "pairs")}
         for t in themes]
    )
    return Night("つむぎ便 NPS調査", "2024-11-21", summary, _units(), theme_table, _quarantine())


def make_empty_night() -> Night:
    """Return a night on which nothing could be analysed: no score, no theme, no unit."""
    full = make_night()
    nps = {"score": None, "low": None, "high": None, "n": 0, "promoters": 0, "passives": 0, "detractors": 0,
           "mean": None, "distribution": [0] * 11}
    source = dict.fromkeys(("read", "analysed", "no_opinion", "duplicate", "quarantined", "outside_window",
                            "carried_over"), 0)
    summary = full.summary | {
        "sources": [source | {"name": "survey", "read": 3, "quarantined": 3}], "n_feedback": 0, "n_analysed": 0,
        "n_units": 0, "n_unassigned": 0, "nps": nps, "previous": None, "themes": [], "alerts": [], **_no_insights(),
    }
    return Night(full.title, full.business_date, summary, full.units.clear(), full.themes.clear(),
                 full.quarantine.clear())


def _theme(row: tuple[Any, ...]) -> dict[str, Any]:
    theme_id, name, parent, status, keywords, pairs, before, nps, (impact, low, high, p), weekly, cells = row
    by_group = {
        group: {"n_feedback": sum(cell), "negative": cell[0], "neutral": cell[1], "positive": cell[2]}
        for group, cell in zip(_GROUPS, cells, strict=True)
    }
    n = sum(cell["n_feedback"] for cell in by_group.values())
    share = n / _N_ANALYSED
    margin = 1.96 * (share * (1 - share) / _N_ANALYSED) ** 0.5
    return {
        "theme_id": theme_id, "name": name, "parent_id": f"p-{parent}" if parent else None, "parent_name": parent,
        "status": status, "first_seen": "2024-11-18" if status == "new" else "2024-08-01", "keywords": keywords,
        "pairs": pairs, "n_feedback": n, "n_units": n + n // 4, "share": share, "share_low": max(0.0, share - margin),
        "share_high": share + margin, **{key: sum(cell[key] for cell in by_group.values())
                                         for key in ("positive", "neutral", "negative")},
        "by_group": by_group, "nps": nps, "nps_n": n - by_group["unscored"]["n_feedback"], "impact": impact,
        "impact_low": low, "impact_high": high, "p_adjusted": p, "previous_share": before,
        "negative_mentions": {"nps": nps, "nps_n": min(63, sum(cell[0] for cell in cells)), "impact": impact, "impact_low": low, "impact_high": high,
                              "p_adjusted": p},
        "positive_mentions": {"nps": 20.0, "nps_n": min(41, sum(cell[2] for cell in cells)), "impact": 0.9, "impact_low": -0.4, "impact_high": 2.2,
                              "p_adjusted": 0.3} if impact is not None else dict.fromkeys(_FIGURES) | {"nps_n": 0},
        "weekly": [
            {"week": (date(2024, 9, 16) + timedelta(weeks=i)).isoformat(), "n_feedback": k}
            for i, k in enumerate(weekly)
        ],
    }


def _insights() -> dict[str, Any]:
    """What pipeline.insight adds to the summary, in its shape."""
    driver = {"effect": -2.4, "effect_low": -3.1, "effect_high": -1.7, "points": -4.1, "points_low": -6.0, "points_high": -2.2, "p_adjusted": 0.0001}
    late = {"theme_id": "t01", "name": "配送の遅れ", "side": "negative", "n": 63, "weight": 0.21} | driver
    fresh = late | {"theme_id": "t02", "name": "野菜と魚の鮮度", "side": "positive", "effect": 1.9, "points": 5.2,
                    "points_low": 3.0, "points_high": 7.4, "n": 57, "weight": 0.18}
    priority = {"share": 0.227, "n_feedback": 88, "trend": 1.4, "share_change": 0.06, "uncertain": False,
                "certainty": "clear", "p_adjusted": 0.0001}
    mend = priority | {"theme_id": "t01", "name": "配送の遅れ", "side": "negative", "n": 63, "nps": -48.6, "impact": -4.9,
                       "impact_low": -6.8, "impact_high": -3.0, "action": "mend", "priority": 6.86, "rank": 1}
    keep = priority | {"theme_id": "t02", "name": "野菜と魚の鮮度", "side": "positive", "n": 57, "nps": 41.5, "impact": 4.2,
                       "impact_low": 2.3, "impact_high": 6.1, "action": "keep", "priority": 4.2, "rank": 2, "trend": 1.0}
    gap = {"difference": 0.06, "difference_low": 0.01, "difference_high": 0.11, "p_adjusted": 0.02}
    level = {"nps": -9.1, "low": -20.0, "high": 2.0, "n": 190, "uncertain": False}
    segment = {"value": "アプリ", "n_feedback": 170, "n": 140, "nps": -12.0, "low": -24.0, "high": 0.5,
               "difference": -8.6, "difference_low": -24.0, "difference_high": 7.0, "p_adjusted": 0.4,
               "uncertain": False, "themes": [{"theme_id": "t04", "name": "アプリの使いやすさ", "n": 21, "lift": 2.4,
                                               "lift_low": 1.3, "lift_high": 4.4, "p_adjusted": 0.01}]}
    share = {"share": 0.6, "low": 0.5, "high": 0.7, "k": 60, "n": 100}
    quadrant = {"share": 0.25, "share_low": 0.2, "share_high": 0.3, "revenue": 120000.0, "revenue_share": 0.25,
                "uncertain": False, "themes": [], "n": 40}
    return {
        "drivers": {"n": 412, "r2": 0.52, "baseline": -6.0,
                    "rows": [late | {"uncertain": False}, fresh | {"uncertain": False}]},
        "priorities": [mend, keep],
        "mismatches": [{"kind": "promoter_complains", "source": "survey", "feedback_id": "A-1004", "score": 9,
                        "unit_index": 0, "certainty": 0.94, "words": -0.6, "expected_score": 3.1, "gap": 2.61}],
        "mismatches_left_out": 5,
        "segments": [{"column": "channel", "values": [segment]}],
        "periods": {
            "days": 28, "now": level | {"from": "2024-10-25", "to": "2024-11-21"},
            "before": level | {"from": "2024-09-27", "to": "2024-10-24"},
            "difference": {"value": -3.0, "low": -12.0, "high": 6.0, "p": 0.5},
            "mix_and_rate": [{"column": "channel", "mix": -1.0, "mix_low": -2.0, "mix_high": 0.1, "rate": -2.0,
                              "rate_low": -9.0, "rate_high": 5.0}],
            "segments": [{"column": "channel", "value": "アプリ", "nps_now": -30.0, "n_now": 70, "nps_before": -8.0,
                          "n_before": 66, "difference": -22.0, "difference_low": -40.0, "difference_high": -4.0,
                          "p_adjusted": 0.2, "uncertain": False}],
            "themes": [{"theme_id": "t01", "name": "配送の遅れ", "n_now": 52, "n_before": 31, "share_now": 0.27,
                        "share_before": 0.17, "uncertain": False} | gap,
                       *({"theme_id": row[0], "name": row[1], "n_now": 20, "n_before": 20, "share_now": 0.1,
                          "share_before": 0.1, "uncertain": False} | gap | {"difference": 0.0, "p_adjusted": 0.9}
                         for row in _THEMES[1:])],
        },
        "trends": {"weeks": ["2024-11-01", "2024-11-08", "2024-11-15"], "n_analysed": [40, 42, 45],
                   "first_day": "2024-09-13",
                   "nps": [{"score": score, "low": score - 14.0, "high": score + 14.0, "n": 130}
                           for score in (-1.5, -8.2, -9.6)],
                   "themes": [{"theme_id": "t01", "name": "配送の遅れ", "n_feedback": [8, 12, 16],
                               "negative": [6, 9, 12], "low": [None, 2.0, 3.1], "high": [None, 14.0, 15.2],
                               "daily": [0] * 70}]},
        "measures": {"csat": share | {"mean": 3.6, "least": 4}, "ces": None, "dwb": None, "behaviour": {
            "n": 300, "repeat_rate": share, "churn": share | {"days": 180}, "revenue_per_customer": 12000.0,
            "lifetime_value": {"value": 40000.0, "average_order": 4000.0, "orders_per_year": 4.0,
                               "lifetime_years": 2.5, "n": 290},
            "top_fifth_share": 0.63, "by_group": {"detractor": {"n": 40, "revenue": 90000.0, "share": 0.3}}}},
        "loyalty_map": {
            "n": 160, "definition": {"attitude_min": 7, "orders_min": 3, "high_tiers": []},
            "quadrants": [quadrant | {"quadrant": name} for name in ("loyal", "captive", "attached", "distant")],
            "captive_themes": [{"theme_id": "t01", "name": "配送の遅れ", "n": 12, "negative": 11, "revenue": 48000.0}],
        },
    }


def _no_insights() -> dict[str, Any]:
    nothing = {"nps": None, "low": None, "high": None, "n": 0, "uncertain": True, "from": "2024-10-25",
               "to": "2024-11-21"}
    return {
        "drivers": {"n": 0, "r2": None, "baseline": None, "rows": []}, "priorities": [], "mismatches": [],
        "mismatches_left_out": 0,
        "segments": [], "loyalty_map": None,
        "periods": {"days": 28, "now": nothing, "before": nothing, "mix_and_rate": [], "themes": [], "segments": [],
                    "difference": {"value": None, "low": None, "high": None, "p": None}},
        "trends": {"weeks": [], "n_analysed": [], "first_day": "2024-09-13", "themes": [],
                   "nps": []},
        "measures": {"csat": None, "ces": None, "dwb": None, "behaviour": None},
    }


def _silent_theme() -> dict[str, Any]:
    row = ("t09", "夏の保冷剤", "配送", "retired", ["保冷剤"], [], 0.01, None, (None,) * 4, [], [(0, 0, 0)] * 4)
    return _theme(row)


def _units() -> pl.DataFrame:
    names = {row[0]: (row[1], row[2]) for row in _THEMES}
    rows = []
    for i, (theme_id, sentiment, intent, score, text) in enumerate(_VOICES):
        theme, parent = names.get(theme_id, (None, None))
        group = None if score is None else "detractor" if score <= 6 else "passive" if score <= 8 else "promoter"
        rows.append({
            "feedback_id": f"A-{1000 + i}" if score is not None else f"C-{1000 + i}",
            "source": "survey" if score is not None else "calls",
            "received_at": datetime(2024, 11, 20, 3, tzinfo=UTC) - timedelta(days=i % 9),
            "unit_index": 0, "unit_text": text, "theme_id": theme_id or None, "theme": theme, "parent_theme": parent,
            "similarity": round(0.93 - 0.005 * i, 4) if theme else None, "sentiment": sentiment,
            "sentiment_score": {"negative": -0.82, "neutral": 0.03, "positive": 0.88}[sentiment], "intent": intent,
            "nps_score": score, "nps_group": group,
            "unassigned_reason": None if theme else "どのテーマとも似ていない",
            "channel": ("アプリ", "ウェブ", "電話")[i % 3],
        })
    return pl.DataFrame(rows, schema_overrides={"received_at": pl.Datetime("us", "UTC"), "nps_score": pl.Int64})


def _quarantine() -> pl.DataFrame:
    rows = [("survey", "survey-1121.csv", row, f"A-{row}", "score", "score must be a whole number from 0 to 10", value)
            for row, value in ((17, "とても良い"), (33, "11"), (58, "=2+5"), (90, "<b>9</b>"))]
    rows.append(("survey", "survey-1121.csv", 112, None, "received_at", "no such date or time", "2024/13/45"))
    rows += [("calls", "calls-1121.csv", row, None, "", "the row has 6 cells, the header 7", "") for row in (8, 9)]
    columns = ["source", "file", "row", "feedback_id", "column", "reason", "value"]
    return pl.DataFrame(rows, schema=columns, orient="row")
