"""Names of more than one word: taken apart by the tokenizer, beside another, given after surname, met again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.mask.context import (
    HEAD,
    PERSONAL,
    SAYS_SO,
    Parsed,
    has_role,
    introduces,
    is_addressed,
    leads_to_place,
    may_be_surname,
    names_a_place,
    opens,
    word_after,
)
from pipeline.mask.lexicon import GIVEN, SURNAME, SURNAME_NOUNS, name_kinds
from pipeline.mask.vocabulary import BRANDS, CALLED_SO, HONORIFICS, PEOPLE, PLACE_LABELS, SHOP, TITLES
from pipeline.parse import named_entities, part_of_speech

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token


def is_again(token: Token, parse: Parsed) -> bool:
    """Tell whether a word seen as a name elsewhere in the text is one here too."""
    if names_a_place(token, parse):
        return False
    if token.text in SURNAME_NOUNS or name_kinds(token.text) == {GIVEN}:
        return is_addressed(token, parse) or introduces(token, parse) or has_role(token, parse) or "人名" in token.tag_
    return "人名" in token.tag_ or not (leads_to_place(token) or parse.label(token) in PLACE_LABELS)


def taken_apart(parse: Parsed) -> set[int]:
    """A surname or a name in kana that the tokenizer cut: ご担当中・村様, 三・輪です, こ・はるちゃん; and 南様 in one."""
    doc, found = parse.doc, set()
    for i, token in enumerate(doc):
        if token.text in ("ちゃん", "くん", "チャン", "クン"):
            found |= _called(doc, i)
        elif len(token) == 2 and token.text[1] == "様" and SURNAME in name_kinds(token.text[0]) and token.text[0] in SURNAME_NOUNS:
            found.add(i)
        if i + 1 == len(doc) or doc[i + 1].idx != token.idx + len(token):
            continue
        later, joined = doc[i + 1], token.text + doc[i + 1].text
        if not re.fullmatch(r"[一-龥々]{2,3}", joined) or joined in PEOPLE or SURNAME not in name_kinds(joined):
            continue
        stands = opens(token, parse) and (SAYS_SO.match(parse.after(later)) or PERSONAL.match(parse.after(later)))
        if stands or word_after(later) in HONORIFICS or HEAD.match(parse.after(later)):
            found |= {i, i + 1}
    return {i for i in found if parse.is_open(doc[i])}


def _called(doc: Doc, i: int) -> set[int]:
    """The kana before ちゃん or くん: a name of two to four letters in one token or two."""
    taken: list[int] = []
    for j in range(i - 1, max(-1, i - 3), -1):
        if not re.fullmatch(r"[ぁ-んー]{1,4}|[ァ-ヴー]{2,5}", doc[j].text) or doc[j].tag_.startswith("助詞"):
            break
        taken.insert(0, j)
    word = "".join(doc[j].text for j in taken)
    return set(taken) if 2 <= len(word) <= 5 and word not in CALLED_SO and word not in BRANDS else set()


def beside_the_named(parse: Parsed, named: set[int]) -> set[int]:
    """松下 in 「松下と山崎さんが来た」: a possible surname joined to a name."""
    doc = parse.doc
    return {
        i - 2
        for i in named
        if i > 1 and doc[i - 1].text in ("と", "や", "、", "・") and i - 2 not in named and may_be_surname(doc[i - 2])
        if "固有名詞" in doc[i - 2].tag_ and parse.is_open(doc[i - 2]) and parse.label(doc[i - 2]) not in PLACE_LABELS
    }


def given_names(parse: Parsed, named: set[int]) -> set[int]:
    """The rest of a full name: what a Person entity or 様/さん closes after a surname, and a surname before it."""
    doc = parse.doc
    more: set[int] = set()
    for ent in named_entities(doc) if named else ():
        inside = {t.i for t in ent if t.text not in HONORIFICS and not t.is_space}
        if ent.label_ == "Person" and inside & named and not SHOP.search(ent.text):
            more |= {i for i in inside if doc[i].text not in TITLES and doc[i].tag_.startswith("名詞")}
    for i in named:
        if SURNAME not in name_kinds(doc[i].text):
            continue
        more |= _closed_by_honorific(doc, i) | _following_given(doc, i)
    return {i for i in more if parse.is_open(doc[i])}


def is_given(doc: Doc, i: int) -> bool:
    """Tell whether a given name follows over a space: スズキ ハナコ is no car."""
    return i + 2 < len(doc) and doc[i + 1].text in (" ", "\u3000") and doc[i + 2].tag_ == "名詞-固有名詞-人名-名"


def _closed_by_honorific(doc: Doc, i: int) -> set[int]:
    for j in range(i + 1, min(i + 4, len(doc))):
        if doc[j].text in HONORIFICS:
            return {k for k in range(i + 1, j) if not doc[k].is_space}
        if not re.fullmatch(r"[一-龥々]{1,2}|[ぁ-んァ-ヴー]{1,4}|[ \t]", doc[j].text):
            return set()
        if not doc[j].is_space and part_of_speech(doc[j]) not in {"NOUN", "PROPN"}:
            return set()
    return set()


def _following_given(doc: Doc, i: int) -> set[int]:
    """鈴木ヨシ, 楠木 まどか, 山田 花: a given name after the surname, over one space."""
    j = i + 1
    if j < len(doc) and doc[j].text in (" ", "\u3000"):
        j += 1
    if j >= len(doc) or doc[j].text in BRANDS or doc[j].text in HONORIFICS:
        return set()
    word = doc[j]
    proper = "人名" in word.tag_ or (GIVEN in name_kinds(word.text) and (len(word) > 1 or j > i + 1))
    closing = j + 1 == len(doc) or re.match(r"[\s、。,.()（）\[」様で]|です|さん|と|が|は|の|も|に|氏|へ", doc[j + 1].text)
    return {j} if proper and closing else set()


def merged(parse: Parsed, named: list[int]) -> list[tuple[int, int]]:
    """Neighbouring name tokens as one span, over a space or a middle dot."""
    spans: list[tuple[int, int]] = []
    for i in named:
        start, end = parse.doc[i].idx, parse.doc[i].idx + len(parse.doc[i])
        if spans and re.fullmatch(r"[ \t\u3000・=＝.]?", parse.text[spans[-1][1] : start]):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans
