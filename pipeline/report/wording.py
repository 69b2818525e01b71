"""Japanese words and the way numbers and dates are written, for every form of the report."""

import re
from datetime import date, datetime

NONE = "—"
GROUPS = {"detractor": "批判者", "passive": "中立者", "promoter": "推奨者", "unscored": "点数なし"}
SENTIMENTS = {"negative": "否定的", "neutral": "どちらでもない", "positive": "肯定的"}
INTENTS = {"praise": "称賛", "complaint": "不満", "request": "要望", "question": "質問", "fact": "事実"}
STATUSES = {"new": "新", "continuing": "継続", "returned": "復活", "dormant": "休止", "retired": "終了"}
ACTIONS = {
    "mend": "まず直す",
    "deep": "少ないが深い",
    "keep": "強みとして守る",
    "frequent": "多いが影響は見えない",
    "minor": "様子を見る",
}
SIDES = {"negative": "否定的な声", "positive": "肯定的な声"}
MISMATCHES = {"promoter_complains": "推奨者の不満", "detractor_praises": "批判者の称賛"}
ALERTS = {
    "new_theme": "新しいテーマ",
    "volume_spike": "件数の急増",
    "negative_spike": "否定的な声の急増",
    "watch": "見張りの語句",
}
MEASURES = {"csat": "CSAT（満足）", "ces": "CES（手間の少なさ）", "dwb": "DWB（また買う）"}
QUADRANTS = {
    "loyal": "好きで、よく買う",
    "captive": "好きではないが、よく買う",
    "attached": "好きだが、あまり買わない",
    "distant": "好きでなく、あまり買わない",
}
_REASONS = (
    (r"score must be a whole number from (\d+) to (\d+)", r"点数は\1〜\2の整数でなければなりません"),
    (r"(csat|ces|dwb) must be a whole number from (\d+) to (\d+)", r"\1は\2〜\3の整数でなければなりません"),
    (r"date must look like (.+)", r"日時の書き方が読めません（例：\1）"),
    (r"no such date or time", "存在しない日時です"),
    (r"must be a number of at least 0", "0以上の数でなければなりません"),
    (r"orders must be a whole number of at least 0", "注文回数は0以上の整数でなければなりません"),
    (r"the customer has another row with a later purchase", "同じ顧客の、購入日が新しい行を使いました"),
    (r"the id is missing", "IDがありません"),
    (r"the row has (\d+) cells, the header (\d+)", r"列の数が見出しと合いません（行は\1列、見出しは\2列）"),
    (r"the line is not a JSON object", "JSONとして読めない行です"),
    (r"erased on request", "申し出により消去した方の行です"),
    (r"the list is not JSON from here on", "ここから先はJSONとして読めません"),
    (r"a quotation mark is opened and never closed", "引用符が閉じていません"),
    (r"a cell is longer than (.+) characters", r"セルが長すぎます（上限は\1文字）"),
    (r"bytes that are not text in the file's encoding", "文字コードの壊れた部分があります"),
    (r"the mail is larger than (\d+) MB", r"メールが大きすぎます（上限は\1MB）"),
    (r"not a readable mail \(.+\)", "メールとして読めません"),
)
COLUMNS = {
    "feedback_id": "回答ID",
    "source": "ソース",
    "received_at": "受付日時",
    "unit_index": "意見の番号",
    "unit_text": "意見",
    "theme_id": "テーマID",
    "theme": "テーマ",
    "parent_theme": "上位テーマ",
    "similarity": "テーマとの近さ",
    "sentiment": "感情",
    "sentiment_score": "感情スコア",
    "intent": "意図",
    "nps_score": "NPSの点数",
    "nps_group": "NPSグループ",
    "unassigned_reason": "テーマに入れなかった理由",
    "near_duplicate": "同じ文面の組",
    "file": "ファイル",
    "row": "行",
    "column": "列",
    "reason": "理由",
    "value": "値",
}
_WEEKDAYS = "月火水木金土日"


def count(n: int | None) -> str:
    """Return ``1,234``."""
    return NONE if n is None else f"{n:,}"


def points(value: float | None) -> str:
    """Return NPS points with their sign: ``+3.2``, ``−4.1``, ``0.0``."""
    if value is None:
        return NONE
    rounded = round(value, 1) + 0.0
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "0.0"


def percent(share: float | None) -> str:
    """Return a share in [0, 1] as ``12.3%``."""
    return NONE if share is None else f"{100 * share:.1f}%"


def points_interval(low: float | None, high: float | None) -> str:
    """Return ``−18.0〜−6.5``."""
    return NONE if low is None or high is None else f"{points(low)}〜{points(high)}"


def percent_interval(low: float | None, high: float | None) -> str:
    """Return ``10.1〜14.9%``."""
    return NONE if low is None or high is None else f"{100 * low:.1f}〜{100 * high:.1f}%"


def full_date(iso: str | None) -> str:
    """Return ``2024年11月21日（木）`` for an ISO date or time; anything else as it is."""
    day = _parse(iso)
    if day is None:
        return iso or NONE
    return f"{day.year}年{day.month}月{day.day}日（{_WEEKDAYS[day.weekday()]}）"


def short_date(iso: str | None) -> str:
    """Return ``11月21日`` for an ISO date or time; anything else as it is."""
    day = _parse(iso)
    return f"{day.month}月{day.day}日" if day else (iso or NONE)


def week_start(week: str) -> str:
    """Return the Monday of ``2024-W47`` (or of an ISO date's own label) as ``11/18``; anything else as it is."""
    found = re.fullmatch(r"(\d{4})-?W(\d{2})", week)
    day = date.fromisocalendar(int(found[1]), int(found[2]), 1) if found else _parse(week)
    return f"{day.month}/{day.day}" if day else week


def reason_words(reason: str) -> str:
    """Return a quarantine reason of pipeline.read in Japanese; one it does not know as it is."""
    for pattern, words in _REASONS:
        if found := re.fullmatch(pattern, reason):
            return found.expand(words)
    return reason


def day_of(value: object) -> str | None:
    """Return the ISO date in a datetime, a date or an ISO text; None where there is none."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    return str(value)[:10] if value not in (None, "") else None


def _parse(iso: str | None) -> date | None:
    try:
        return date.fromisoformat(iso[:10]) if iso else None
    except ValueError:
        return None
