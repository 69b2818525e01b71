"""The few quotes that stand for a theme: those that say something of it by themselves, and each another thing.

Four things make an opinion quotable: it judges (the sentiment model reads praise or complaint, and is fairly sure),
it is a whole thought (does not begin by pointing at something unsaid, does not stop halfway), it is read in one go
(12 to 60 characters), and it uses a word of its theme. What has more of them comes first; among equals, what is most
like the theme.

What stands as evidence must be read surely: only whole thoughts whose sentiment is sure, no question and no request
(they ask, and do not blame), none that compares, jokes or resigns itself, which the same words may mean either way.
"""

import re
from collections.abc import Iterable
from typing import Any

import polars as pl

from pipeline.loyalty import KEY

N_QUOTES = 3
SHORTEST, AT_ONCE, READABLE = 12, 60, 140
"""Characters: of a quote that says something, of one that is read in one go, of one that is read at all."""

JUDGES = 0.8
"""Least |P(positive) − P(negative)| of an opinion that is taken for a judgement."""

TOO_ALIKE = 0.5
"""Quotes whose character pairs overlap by more (Jaccard) are taken only when nothing else is left."""

_READ = 1_000  # units most like the theme that are looked at
_CANDIDATES = 80

# それが… points at something that a reader of the quote has not read; 緑の、 and あと、 begin in the middle of a talk.
_POINTS_BACK = (
    r"^[\s「『（(・…、。,.]*(?:"
    r"[こそあど](?:れ|の|こ|っち|ちら|う(?:いう|やって|して|なる)|んな)"
    r"|でも|けど|けれど|だけど|だが|しかし|ただ[、,し]|なので|だから|それ|そして|また[、,]|あと[^で]|で[、,]|が[、,]|って|んで|ので"
    r"|する|じゃあ|えっと|えー|あのー?|まあ?[、,]|はい|いえ|いや[、,]|うん|ええ|そう"
    r"|.{1,4}の[、,]|(?:ほか|他|別)[のはに]|あ[、,]|逆に"
    r")"
)
# を, って or から at the end: the verb is missing. 「…っていうやつ」 names a thing and says nothing of it.
_STOPS_HALFWAY = (
    r"(?:[をへ]|って|やつ|から|ので|けれど|けれども|けど|のに|たら|れば|なら|ながら|て|には|では|という|とか|し)[。、…]*$"
)
# 「…について意見です」 and 「…のことで」 open a talk.
_OPENS = (
    r"(?:について|に関して|に関する|のことで|の件で|って(?:いう)?(?:やつ|もの|の)|"
    r"(?:意見|質問|感想|要望|相談|連絡|報告|申し上げ|述べ)(?:が|を|の)?(?:です|ます|します|したい|いたします|あり)?(?:です|ます)?)[。、…\s]*$"
)
# 「…のほうが楽だった」 praises another thing; with （笑） or 仕方ない words and mood may part.
_EITHER_WAY = (
    r"(?:ほう|方|より)が|(?:笑|爆笑|泣)[）)]|[^\s]笑[。、！!\s]*$|(?:w{2,}|ｗ+)[。、！!\s]*$"
    r"|(?:仕方|しかた|しょうが|しようが)(?:が|も|は)?(?:ない|ありません)|やむを得"
)
_ASKS = ("question", "request")


def choose_quotes(
    units: pl.DataFrame, n: int = N_QUOTES, *, words: Iterable[str] = (), sure: bool = False,
    prefer: pl.Expr | None = None,
) -> list[dict[str, Any]]:
    """Return up to `n` of a theme's units, the most quotable, by different respondents, unlike one another.

    Parameters
    ----------
    units : pl.DataFrame
        source, feedback_id, unit_index, unit_text, similarity and, where known, sentiment and sentiment_score.
    words : iterable of str
        The theme's keywords, in dictionary form.
    sure : bool
        Whether only units that are surely read may stand for the theme; then there may be fewer, or none.
    prefer : pl.Expr, optional
        A whole number per unit; units with a higher one come first.

    Returns
    -------
    list of dict
        Rows of `units`; the same in whatever order these come. The same words are never taken twice.
    """
    chosen: list[dict[str, Any]] = []
    known = units.filter(_surely_read(units)) if sure else units
    candidates = _ranked(known, words, prefer if prefer is not None else pl.lit(0)).head(_CANDIDATES).to_dicts()
    for limit in (TOO_ALIKE, 1.0):
        for row in candidates:
            if len(chosen) < n and all(_differ(row, other, limit) for other in chosen):
                chosen.append(row)
    return chosen


def stem_pattern(word: str) -> str:
    """Return the pattern of a word in dictionary form as it stands in a text: of what inflects, its stem.

    A stem of one character counts only where kana follow (高い → 高く, but not 高齢).

    Examples
    --------
    >>> stem_pattern("遅れる"), stem_pattern("高い"), stem_pattern("配送")
    ('遅れ', '高[ぁ-ん]', '配送')
    """
    stem = word[:-1]
    if word[-1:] not in tuple("うくぐすつぬぶむるい") or not stem:
        return re.escape(word)
    return re.escape(stem) + ("[ぁ-ん]" if len(stem) == 1 else "")


def _surely_read(units: pl.DataFrame) -> pl.Expr:
    text = pl.col("unit_text").str.strip_chars()
    readable = text.str.len_chars().is_between(SHORTEST, READABLE) & _whole(text) & ~text.str.contains(_EITHER_WAY)
    asks = pl.col("intent").cast(pl.Utf8).is_in(_ASKS) if "intent" in units.columns else pl.lit(False)
    return readable & _judges(units) & ~asks.fill_null(False)


def _whole(text: pl.Expr) -> pl.Expr:
    return ~text.str.contains(_POINTS_BACK) & ~text.str.contains(_STOPS_HALFWAY) & ~text.str.contains(_OPENS)


def _ranked(units: pl.DataFrame, words: Iterable[str], prefer: pl.Expr) -> pl.DataFrame:
    """Return the units, the most quotable first."""
    text = pl.col("unit_text").str.strip_chars()
    length = text.str.len_chars()
    patterns = [stem_pattern(word) for word in words if len(word) > 1]
    own = text.str.contains("|".join(patterns)) if patterns else pl.lit(False)
    good = [_judges(units), _whole(text), length.is_between(SHORTEST, AT_ONCE), own]
    nearest = ["similarity", *KEY, "unit_index"]
    return (
        units.filter(length > 0)
        .sort(nearest, descending=[True, False, False, False], nulls_last=True)
        .head(_READ)
        .with_columns(
            _readable=length.is_between(SHORTEST, READABLE),
            _preferred=prefer,
            _good=pl.sum_horizontal([part.fill_null(False).cast(pl.Int64) for part in good]),
        )
        .sort(
            ["_readable", "_preferred", "_good", *nearest],
            descending=[True, True, True, True, False, False, False],
            nulls_last=True,
        )
        .drop("_readable", "_preferred", "_good")
    )


def _judges(units: pl.DataFrame) -> pl.Expr:
    if "sentiment" not in units.columns:
        return pl.lit(False)
    sure = pl.col("sentiment_score").abs() >= JUDGES if "sentiment_score" in units.columns else pl.lit(True)
    return (pl.col("sentiment").cast(pl.Utf8) != "neutral") & sure


def _differ(row: dict[str, Any], other: dict[str, Any], limit: float) -> bool:
    if (row["source"], row["feedback_id"]) == (other["source"], other["feedback_id"]):
        return False
    a, b = _words_only(row["unit_text"]), _words_only(other["unit_text"])
    return a != b and _overlap(a, b) <= limit


def _words_only(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower() or text


def _overlap(a: str, b: str) -> float:
    pairs_a, pairs_b = ({t[i : i + 2] for i in range(max(1, len(t) - 1))} for t in (a, b))
    return len(pairs_a & pairs_b) / len(pairs_a | pairs_b)
