"""Make texts comparable and safe: one spelling, no personal data, every response once."""

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass

import polars as pl

from pipeline.mask import find_names, mask_patterns, mask_personal_data, replace_spans

__all__ = [
    "Cleansed",
    "cleanse",
    "find_names",
    "mask_patterns",
    "mask_personal_data",
    "normalise_text",
    "replace_spans",
]

_JAPANESE = r"[\u3040-\u30ff\u3400-\u9fff々〆ー。、！？「」『』・]"
_SPACE_BETWEEN = re.compile(rf"(?<={_JAPANESE})[ \t]+(?={_JAPANESE})")
_REPEATED_MARK = re.compile(r"([!?！？。、・ー〜~…])\1{1,}")
_LAUGHTER = re.compile(r"([wｗ笑])\1{2,}")
_INVISIBLE = re.compile(r"[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


@dataclass(frozen=True)
class Cleansed:
    """Feedback fit for use, and how many duplicates each source held."""

    feedback: pl.DataFrame
    n_duplicate: dict[str, int]


def normalise_text(text: str) -> str:
    """Return the text in one spelling (NFKC), without spaces inside Japanese and without repeated marks.

    Line breaks stay. Applying it twice changes nothing more.

    Examples
    --------
    >>> normalise_text("顧客 ロイヤリティ を 高める！！！！")
    '顧客ロイヤリティを高める!'
    """
    before = None
    while text != before:
        before = text
        text = unicodedata.normalize("NFKC", text).replace("\r\n", "\n").replace("\r", "\n")
        text = _INVISIBLE.sub("", text)
        text = re.sub(r"[ \t]*\n[ \t\n]*", "\n", text)
        text = re.sub(r"[ \t]{2,}", " ", text)
        text = _SPACE_BETWEEN.sub("", text)
        text = _REPEATED_MARK.sub(r"\1", text)
        text = _LAUGHTER.sub(r"\1\1", text).strip()
    return text


def cleanse(feedback: pl.DataFrame, *, customer_key: bytes) -> Cleansed:
    """Return the feedback normalised, masked by pattern, with hashed customers, every response once.

    A duplicate is the same source and id (the version received last stays), or the same known customer
    with the same words and score on the same day. Two customers who write the same words are two respondents.
    """
    texts = [mask_patterns(normalise_text(text or "")) for text in feedback["text"]]
    customers = [None if name is None else hash_customer(name, customer_key) for name in feedback["customer"]]
    clean = feedback.with_columns(
        pl.Series("text", texts, pl.Utf8), pl.Series("customer", customers, pl.Utf8)
    ).sort("source", "feedback_id", "received_at", "score", "text", nulls_last=False)
    once = clean.unique(["source", "feedback_id"], keep="last", maintain_order=True)
    twin = ["source", "customer", "text", "score", pl.col("received_at").dt.date().alias("day")]
    position = pl.int_range(pl.len()).over(twin)
    comparable = pl.col("customer").is_not_null() & (pl.col("text") != "")
    once = once.filter(~comparable | (position == 0))
    before = dict(feedback.group_by("source").len().iter_rows())
    after = dict(once.group_by("source").len().iter_rows())
    return Cleansed(once, {source: n - after.get(source, 0) for source, n in before.items()})


def hash_customer(customer: str, key: bytes) -> str:
    """Return the keyed hash of a customer id: HMAC-SHA256, 16 hex digits."""
    return hmac.new(key, customer.strip().encode(), hashlib.sha256).hexdigest()[:16]
