"""Make texts comparable and safe: one spelling, no personal data, every response once."""

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from pipeline.mask import NO_WORDS, WordList, find_names, mask_patterns, mask_personal_data, replace_spans

__all__ = [
    "Cleansed",
    "cleanse",
    "find_names",
    "hash_customer",
    "mask_patterns",
    "mask_personal_data",
    "normalise_text",
    "replace_spans",
]

_SLICE = 20_000  # texts
_KNOWN_TEXTS = 50_000  # distinct texts remembered: short comments come again and again


@dataclass(frozen=True)
class Cleansed:
    """Feedback fit for use, and how many duplicates each source held.

    Attributes
    ----------
    feedback : pl.DataFrame
        The columns that came, sorted by (source, feedback_id).
    n_duplicate : dict of str to int
        Rows left out, for every source that came, 0 included.
    """

    feedback: pl.DataFrame
    n_duplicate: dict[str, int]


def normalise_text(text: str) -> str:
    """Return the text in one spelling: NFKC, no spaces inside Japanese, no repeated marks, nothing invisible.

    Line breaks stay. A space that separates two sentences (「対応が早い　値段も安い」) becomes 「。」, any other
    between Japanese characters goes. Applying it twice changes nothing more.

    Examples
    --------
    >>> normalise_text("顧客 ロイヤリティ を 高める！！！！")
    '顧客ロイヤリティを高める!'
    """
    before = None
    while text != before:
        before = text
        text = unicodedata.normalize("NFKC", _BREAK.sub("\n", text.translate(_BEFORE_NFKC)))
        text = _INVISIBLE.sub("", text)
        if _ANY_REPEATED.search(text):
            for pattern, replacement in _REPEATED:
                text = pattern.sub(replacement, text)
        text = "\n".join(filter(None, map(_close_up, text.split("\n"))))
    return text


def cleanse(
    feedback: pl.DataFrame, *, customer_key: bytes, timezone: str = "UTC", words: WordList = NO_WORDS
) -> Cleansed:
    """Return the feedback normalised, masked by pattern, with hashed customers, every response once.

    A duplicate is the same source and id (the version received last stays, then the larger score and text), or
    the same known customer with the same words and score on the same day. Two customers who write the same
    words are two respondents. What stays does not depend on the order of the rows.

    Parameters
    ----------
    feedback : pl.DataFrame
        As `pipeline.read.read_source` gives it.
    customer_key : bytes
        The secret of the customers' hashes.
    timezone : str
        Where a day begins and ends.
    words : WordList
        The deployment's own words to mask or to keep.
    """
    customers = {name: hash_customer(name, customer_key) for name in feedback["customer"].unique() if name}
    clean = feedback.with_columns(
        _masked(feedback["text"], words),
        pl.Series("customer", [customers.get(name) for name in feedback["customer"]], pl.Utf8),
    )
    once = _without_twins(_latest_versions(clean), timezone).sort("source", "feedback_id")
    before = dict(feedback.group_by("source").len().iter_rows())
    after = dict(once.group_by("source").len().iter_rows())
    return Cleansed(once, {source: n - after.get(source, 0) for source, n in sorted(before.items())})


def hash_customer(customer: str, key: bytes) -> str:
    """Return the keyed hash of a customer id: HMAC-SHA256, 16 hex digits, full and half width alike."""
    written = unicodedata.normalize("NFKC", customer).strip()
    return hmac.new(key, written.encode(), hashlib.sha256).hexdigest()[:16]


def _masked(texts: pl.Series, words: WordList) -> pl.Series:
    """Return the texts normalised and masked by pattern, in slices: a million of them as Python strings take 1 GB."""
    known = lru_cache(_KNOWN_TEXTS)(lambda text: mask_patterns(normalise_text(text or ""), words))
    slices = [
        pl.Series("text", [known(text) for text in texts.slice(start, _SLICE)], pl.Utf8)
        for start in range(0, max(1, len(texts)), _SLICE)
    ]
    return pl.concat(slices)


def _latest_versions(feedback: pl.DataFrame) -> pl.DataFrame:
    """Drop all but one version of each response; only those that came more than once are put in order."""
    key = ["source", "feedback_id"]
    again = feedback.select(key).is_duplicated()
    if not again.any():
        return feedback
    rank = ["received_at", "score", "text", "customer"]
    rest = sorted(set(feedback.columns) - {*key, *rank, "file", "row"})  # file and row last: they may be shuffled
    ordered = feedback.filter(again).sort(*key, *rank, *rest, "file", "row", nulls_last=False)
    return pl.concat([feedback.filter(~again), ordered.unique(key, keep="last", maintain_order=True)])


def _without_twins(feedback: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """Drop what one customer sent twice on a day; the one received last stays."""
    day = pl.col("received_at").dt.convert_time_zone(timezone).dt.date().alias("day")
    comparable = pl.col("customer").is_not_null() & (pl.col("text") != "")
    # Nearly always decided without the texts: a customer answers once a day.
    near = feedback.select("source", "customer", "score", day).is_duplicated() & feedback.select(comparable).to_series()
    if not near.any():
        return feedback
    ordered = feedback.filter(near).sort("received_at", "feedback_id", descending=[True, False], nulls_last=True)
    nth = pl.int_range(pl.len()).over("source", "customer", "text", "score", day)
    return pl.concat([feedback.filter(~near), ordered.filter(nth == 0)])


# ① would join the digits that follow it (①5回 → 15回); ～ would become the ~ of addresses on the web.
_BEFORE_NFKC = {0x2460 + i: f"({i + 1})" for i in range(20)} | {0xFF5E: "〜"} | dict.fromkeys(range(0xD800, 0xE000))
_BREAK = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_INVISIBLE = re.compile(
    "[\0-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_ANY_REPEATED = re.compile(r"(.)\1|!\?!|\?!\?")
_REPEATED = [
    (re.compile(pattern), replacement)
    for pattern, replacement in [
        (r"\.{3,}|・{2,}|…{2,}", "…"),
        (r"(!\?|\?!)\1+", r"\1"),
        (r"([!?。、ー〜♪♡♥❤‼⁉■□◆◇●○◎▼▽▲△※])\1+", r"\1"),
        (r"([\U0001f300-\U0001faff])\1+", r"\1"),
        (r"([-=+#─━―—–])\1{2,}", r"\1"),
        (r"(?<![A-Za-z0-9.@/])[wW]{2,}(?![A-Za-z0-9.@])", "w"),
        (r"笑{2,}", "笑"),
        (r"([ぁ-ゖァ-ヺ])\1{3,}", r"\1\1\1"),
    ]
]
_JAPANESE = r"[\u3001-\u30ff\u3400-\u9fff\uf900-\ufaff々〆]"
_SPACES = re.compile(r"[ \t]+")
_SPACE = re.compile(rf"(?<={_JAPANESE})[ \t]+(?={_JAPANESE})")
_FORM = re.compile(r"[^\s\d]:")
_POLITE_END = re.compile(r".*(?:です|ます|でした|ました|ません|ください)")
_SENTENCE = re.compile(rf"{_POLITE_END.pattern}|.{{4,}}[いただるうくすむぶつぐよねん]")


def _close_up(line: str) -> str:
    """Return a line without spaces inside Japanese; where they part whole sentences, with a full stop."""
    line = _SPACES.sub(" ", line).strip()
    parts = _SPACE.split(line)
    if len(parts) == 1 or _FORM.search(line):  # 「担当：架空 電話：…」: the space ends a field
        return line
    shortest = 2 if _POLITE_END.fullmatch(parts[-2]) else 5
    sentences = all(_SENTENCE.fullmatch(part) for part in parts[:-1]) and len(parts[-1]) >= shortest
    return ("。" if sentences else "").join(parts)
