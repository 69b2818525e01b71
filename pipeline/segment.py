"""From a comment to its opinion units: clauses about one thing, with offsets, words and dependency pairs.

A first, honest version: sentences, then clauses at contrast and addition, found on GiNZA's tokens. Conditions
and causes (〜ので, 〜から, 〜たら) stay with the clause they belong to.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from spacy.tokens import Doc, Token

from pipeline.mask import find_names, replace_spans
from pipeline.parse import Parser

VERSION = "1"
_SENTENCE_END = re.compile(r"[。！？!?\n]+[」』）)]?|(?<=[^A-Za-z])[wｗ]{1,}(?=[\s、。]|$)|[\U0001F300-\U0001FAFF♪☆★]+")
_SPLITTING = {"が", "けど", "けれど", "けれども", "けども", "のに", "し", "ものの"}
_OPENING = {"ただ", "ただし", "でも", "しかし", "けど", "一方", "反面", "また", "それに", "あと", "だけど"}
_EDGE = " \t\n、。,.!?！？・…〜~「」『』-―ー*●■◆○◇※→"
_NOTHING = re.compile(
    r"(?:特に|とくに|とくには|特には|いまのところ|今のところ)?(?:なし|無し|ない(?:です)?|無い(?:です)?|ありません|ございません)(?:です)?"
    r"|特に|none|n/?a|nothing|no|なにも(?:ない|ありません)|特記事項(?:なし|無し)|同上|以上(?:です)?",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"(?:いつも|日頃より|大変|本当に|どうも|この度は|先日は)*(?:お世話に(?:なって(?:い|おり)?ます|なりました|なります)"
    r"|(?:利用|使わせて|使用)?(?:いただき|頂き)?ありがとう(?:ございます|ございました)?|よろしく(?:お願い(?:し|致し|いたし)ます)?"
    r"|お疲れ様です|こんにちは|こんばんは|はじめまして|失礼します|はい|いいえ|もしもし|わかりました|了解です)"
)
_MARK = re.compile(r"\[[^\]]{1,6}\]")
_CONTENT = {"NOUN", "PROPN", "VERB", "ADJ"}
_PREDICATE = {"VERB", "ADJ", "AUX"}
_NEGATION = {"ない", "ぬ", "無い"}


@dataclass(frozen=True)
class OpinionUnit:
    """One clause about one thing; start and end are character offsets into the masked text."""

    text: str
    start: int
    end: int
    tokens: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Annotation:
    """A text with its personal names masked, and its opinion units; none means no opinion."""

    text: str
    units: tuple[OpinionUnit, ...]


def annotate(texts: Sequence[str], parser: Parser) -> list[Annotation]:
    """Return the masked text and the opinion units of each text, from one parse of each."""
    return [_annotate(doc) for doc in parser.pipe(texts)]


def split_opinions(texts: Sequence[str]) -> list[list[OpinionUnit]]:
    """Return the opinion units of each text, with the shared parser."""
    return [list(annotation.units) for annotation in annotate(texts, _shared_parser())]


@cache
def _shared_parser() -> Parser:
    return Parser()


def _annotate(doc: Doc) -> Annotation:
    masked, moved = replace_spans(doc.text, find_names(doc))
    units = []
    for start, end in _clauses(doc):
        tokens = [token for token in doc if start <= token.idx < end]
        left, right = moved[start], moved[end]
        while left < right and masked[left] in _EDGE:
            left += 1
        while right > left and masked[right - 1] in _EDGE:
            right -= 1
        text = masked[left:right]
        if _says_something(text):
            units.append(OpinionUnit(text, left, right, _words(tokens), _pairs(tokens)))
    return Annotation(masked, tuple(units))


def _clauses(doc: Doc) -> Iterator[tuple[int, int]]:
    """Yield character spans of clauses; a clause without a predicate joins the one after it."""
    for start, end in _sentences(doc.text):
        cuts = [token.idx + len(token) for token in doc if start < token.idx < end and _ends_clause(token, end)]
        opens = [token.idx for token in doc if start < token.idx < end and _opens_clause(token)]
        edges = sorted({start, *cuts, *opens, end})
        left = start
        for right in edges[1:]:
            if right == end or _has_predicate(doc, left, right):
                yield left, right
                left = right


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if text[start : match.end()].count("「") > text[start : match.end()].count("」"):
            continue
        yield start, match.end()
        start = match.end()
    if start < len(text):
        yield start, len(text)


def _ends_clause(token: Token, end: int) -> bool:
    if token.i + 1 >= len(token.doc) or token.doc[token.i + 1].idx >= end:
        return False
    if token.tag_ == "助詞-接続助詞" and token.text in _SPLITTING:
        return True
    follows = token.doc[token.i + 1].text
    if token.text == "のに":
        return True
    if follows in ("、", ",") and token.pos_ in ("NOUN", "ADJ") and token.tag_.endswith("形状詞可能"):
        return True
    return token.tag_ == "助詞-接続助詞" and token.text in ("て", "で") and _new_subject(token, end)


def _new_subject(token: Token, end: int) -> bool:
    """Return whether a subject of its own stands before the next predicate and one before this."""
    after = [other for other in token.doc[token.i + 1 :] if other.idx < end]
    subject_after = any(other.dep_ == "nsubj" for other in after)
    before = token.doc[max(0, token.i - 12) : token.i]
    return subject_after and any(other.dep_ == "nsubj" for other in before)


def _opens_clause(token: Token) -> bool:
    before = token.doc[token.i - 1].text if token.i else ""
    if before not in ("、", ",", " "):
        return False
    pair = token.text + (token.doc[token.i + 1].text if token.i + 1 < len(token.doc) else "")
    return token.text in _OPENING or pair == "でも"


def _has_predicate(doc: Doc, left: int, right: int) -> bool:
    return any(
        left <= token.idx < right and (token.pos_ in ("VERB", "ADJ") or token.tag_.endswith("形状詞可能"))
        for token in doc
    )


def _says_something(text: str) -> bool:
    bare = _MARK.sub("", text)
    letters = re.sub(r"[\W_]+", "", bare)
    if len(letters) < 2 and not re.search(r"[\u4e00-\u9fff]", letters):
        return False
    bare = bare.strip(_EDGE)
    return not (_NOTHING.fullmatch(bare) or _GREETING.fullmatch(bare))


def _words(tokens: Sequence[Token]) -> tuple[str, ...]:
    return tuple(
        token.norm_ for token in tokens if _is_content(token) and re.search(r"[^\W\d_]", token.text) and token.norm_
    )


def _is_content(token: Token) -> bool:
    return (
        token.pos_ in _CONTENT
        and token.ent_type_ != "Person"
        and "人名" not in token.tag_
        and "非自立" not in token.tag_
        and "数詞" not in token.tag_
        and "接尾辞" not in token.tag_
    )


def _pairs(tokens: Sequence[Token]) -> tuple[str, ...]:
    """Return subject or object → predicate, with a negation kept: 使い方→分かる+ない."""
    inside = {token.i for token in tokens}
    found = []
    for token in tokens:
        if token.dep_ in ("nsubj", "obj", "obl") and token.head.i in inside and _is_content(token):
            if token.head.pos_ not in _PREDICATE and not token.head.tag_.endswith("形状詞可能"):
                continue
            negated = any(child.lemma_ in _NEGATION and child.i in inside for child in token.head.children)
            found.append(f"{token.norm_}→{token.head.norm_}{'+ない' if negated else ''}")
    return tuple(dict.fromkeys(found))
