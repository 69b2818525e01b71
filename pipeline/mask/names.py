"""Find personal names on a parse: Sudachi's tags and dictionary, GiNZA's recogniser, and the words around.

A surname that Sudachi tags as one counts on its own. A given name, a rare name, and a name that is also a place, a
firm or a common noun needs the recogniser's agreement or a context: 様/さん, a title, 「担当の…」, 「娘の…」,
「…と申します」, 「…です」 where someone introduces himself, 「名前は…」, 「…っていう人」, a line of its own under a message,
or the question before it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.mask.context import (
    PERSONAL,
    TRAVELLED,
    Parsed,
    answers,
    begins_a_line,
    closes_in_brackets,
    follows_a_mark,
    follows_a_verb,
    has_relative,
    has_role,
    introduces,
    is_addressed,
    is_beside_a_mark,
    is_corrected,
    is_introduced,
    is_said_of,
    is_stated,
    leads_to_place,
    names_a_place,
    opens,
    parsed,
    signs,
    word_after,
)
from pipeline.mask.joined import beside_the_named, given_names, is_again, is_given, merged, taken_apart
from pipeline.mask.lexicon import GIVEN, SURNAME, SURNAME_NOUNS, is_full_name, is_romaji_name, name_kinds
from pipeline.mask.phrases import named_by_phrase
from pipeline.mask.vocabulary import (
    BRANDS,
    FIRM_END,
    HONORIFICS,
    LATIN_BRANDS,
    NOT_ADDRESSED,
    NOT_GIVEN,
    PEOPLE,
    PLACE_LABELS,
    PREFECTURES,
    PROFESSION,
    TITLES,
)
from pipeline.mask.words import NO_WORDS, WordList
from pipeline.parse import part_of_speech

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token




def find_names(doc: Doc, words: WordList = NO_WORDS) -> list[tuple[int, int]]:
    """Return the character spans of personal names in a parsed text, without the honorific, in order.

    Parameters
    ----------
    doc : Doc
        From `pipeline.parse.Parser`, parsed or not.
    words : WordList
        A name that is, or stands inside, one of its kept words is left out.

    Raises
    ------
    ParseNeeded
        If the text is not parsed, and words and tags do not tell whether a word is a name.
    """
    parse = parsed(doc)
    named = {token.i for token in doc if parse.is_open(token) and _is_name(token, parse)}
    named |= taken_apart(parse)
    named |= given_names(parse, named)
    named |= beside_the_named(parse, named)
    known = {doc[i].text for i in named if len(doc[i]) > 1 or doc[i].text in SURNAME_NOUNS}
    named |= {t.i for t in doc if t.text in known and parse.is_open(t) and is_again(t, parse)}
    spans = _joined([*merged(parse, sorted(named)), *_by_phrase(parse)])
    return [span for span in spans if not words.keeps(parse.text, *span)]


def _by_phrase(parse: Parsed) -> list[tuple[int, int]]:
    return [(a, b) for a, b in named_by_phrase(parse.text) if not any(x < b and a < y for x, y in parse.closed)]


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans in order, those that overlap as one."""
    whole: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if whole and start < whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    return whole


# --- what a word is --------------------------------------------------------------------------------------------------
def _is_name(token: Token, parse: Parsed) -> bool:
    text, tag = token.text, token.tag_
    if re.fullmatch(r"[A-Za-z]{3,}", text):
        return _is_latin_name(token, parse)
    if not tag.startswith(_NOMINAL) or _cannot_be(token, parse):
        return is_introduced(token, parse)
    if PROFESSION.search(_compound(token)) and "人名-姓" not in tag:
        return False
    if _is_by_tag(token, parse) or is_introduced(token, parse):
        return True
    return _is_by_dictionary(token, parse) or (is_full_name(text) and introduces(token, parse))


_NOMINAL = ("名詞", "代名詞", "接尾辞-名詞", "形状詞")


def _cannot_be(token: Token, parse: Parsed) -> bool:
    text = token.text
    if text in BRANDS and not is_given(parse.doc, token.i):
        return True
    if text in PEOPLE or re.fullmatch(r"[\W\dA-Za-z]|\d+", text):
        return True
    if len(text) > 2 and FIRM_END.search(text):
        return True
    return names_a_place(token, parse) or bool(TRAVELLED.match(parse.after(token)))


def _is_by_tag(token: Token, parse: Parsed) -> bool:
    """What the parse itself took for a name, or for a place where the words around speak of a person."""
    text, tag, label = token.text, token.tag_, parse.label
    address, role = is_addressed(token, parse), has_role(token, parse)
    if "人名" in tag:
        if "姓" in tag and len(text) > 1 and not re.fullmatch(r"[ァ-ヴー]{2}", text):
            return address or role or label(token) not in {"Company", "Province"}
        return address or role or (len(text) > 1 and label(token) == "Person")
    if "固有名詞-地名" in tag:
        if address:
            return label(token) != "Company"
        if role:
            staff = SURNAME in name_kinds(text) and text not in PREFECTURES and not has_relative(token, parse)
            return not leads_to_place(token) and (staff or label(token) not in PLACE_LABELS)
        stands = signs(token, parse) or (opens(token, parse) and word_after(token) in {"です", "でございます"})
        return stands and label(token) == "Person"
    if address:
        entity = parse.entity(token) if re.fullmatch(r"[一-龥々]{1,3}", text) else None
        return entity is not None and entity.label_ == "Person" and token.i == entity.start
    return "固有名詞" in tag and role and "店" not in text and label(token) == "Person"


def _is_by_dictionary(token: Token, parse: Parsed) -> bool:
    """What the dictionary has as a name too, in a place where a person is named."""
    text, kinds, label = token.text, name_kinds(token.text), parse.label
    proper = "固有名詞" in token.tag_
    if answers(token, parse):
        return bool(kinds) or proper or is_full_name(text)
    stated = is_stated(token, parse) or is_said_of(token, parse)
    addressed = is_addressed(token, parse)
    if not kinds and not (proper and (stated or addressed) and label(token) == "Person"):
        return False
    if addressed:
        return text not in NOT_ADDRESSED
    if SURNAME in kinds and has_role(token, parse) and not leads_to_place(token) and re.match("[がはにをもとへ、。]", parse.after(token)):
        return proper or text in SURNAME_NOUNS
    if stated:
        plain = token.tag_ == "名詞-普通名詞-一般" and text not in NOT_GIVEN and re.fullmatch(r"[一-龥々]{2,3}|[ぁ-ん]{2,4}|[ァ-ヴー]{2,5}", text)
        return proper or text in SURNAME_NOUNS or bool(plain) or label(token) == "Person"
    if SURNAME in kinds:
        surname = proper or text in SURNAME_NOUNS or kinds == {SURNAME}
        a_firm = token.tag_ == "名詞-固有名詞-一般"  # 松下, 本田: the recogniser takes every one for a person
        if proper and not a_firm and len(text) > 1 and label(token) == "Person" and not _is_place(token, parse):
            return True
        if surname and signs(token, parse):
            return True
        if (surname and follows_a_mark(token, parse)) or is_corrected(token, parse):
            return True
        if surname and (introduces(token, parse) or follows_a_verb(token, parse) or closes_in_brackets(token, parse)):
            return text not in PREFECTURES or is_beside_a_mark(token, parse) or not _is_place(token, parse)
        if token.i + 1 < len(parse.doc) and parse.doc[token.i + 1].tag_ == "名詞-固有名詞-人名-名" and opens(token, parse):
            return True
        if surname and opens(token, parse) and PERSONAL.match(parse.after(token)):
            return True
    if GIVEN in kinds and re.fullmatch(r"[ぁ-ん]{3,4}", text) and begins_a_line(token, parse):
        return bool(re.match(r"です(?!か)|と(?:申|言い)", parse.after(token)))
    if GIVEN in kinds and text not in NOT_GIVEN and has_relative(token, parse) and not _is_place(token, parse):
        bracket = re.search(r"[（(]$", parse.before(token)) and re.match(r"[）)]", parse.after(token))
        kana = token.tag_ == "名詞-普通名詞-一般" and bool(re.fullmatch(r"[ぁ-ん]{2,4}", text))
        return proper or len(text) == 1 or bool(bracket) or kana or part_of_speech(token) == "PROPN"
    return False


def _is_place(token: Token, parse: Parsed) -> bool:
    return leads_to_place(token) or parse.label(token) in PLACE_LABELS


def _is_latin_name(token: Token, parse: Parsed) -> bool:
    """Tanakaさん, 担当のKevin, 名前はTAKAHASHI YUKO, Shota Ninomiyaです."""
    text = token.text
    if text.lower() in LATIN_BRANDS or text in _UNITS or not (text[0].isupper() or is_romaji_name(text)):
        return False
    run, at_start = _latin_run(token, parse)
    last = run[-1]
    romaji = any(is_romaji_name(t.text) for t in run)
    if any(t.text.lower() in LATIN_BRANDS for t in run):
        return False
    if answers(run[0], parse) or is_stated(run[0], parse, last) or is_said_of(run[0], parse, last):
        return True
    if is_addressed(last, parse):
        titled = any(word in TITLES for word in (word_after(last), word_after(last, 2)))
        known = romaji or titled or len(run) > 1 or has_role(run[0], parse)
        return known or parse.label(token) == "Person"
    if has_role(run[0], parse):
        known = romaji or introduces(last, parse, at_start)
        return text[0].isupper() and (known or parse.label(token) == "Person")
    alone = at_start and re.match(r"[ \t。.]*(?:\n|$)", parse.after(last)) and "\n" in parse.text
    if alone and len(run) in (2, 3) and all(t.text[0].isupper() for t in run):
        return True
    if not alone and not (len(run) > 1 and introduces(last, parse, at_start)):
        return False
    return romaji or (all(t.text[0].isupper() for t in run) and parse.label(token) == "Person")


_UNITS = frozenset(["GB", "MB", "KB", "TB", "AM", "PM", "OK", "NG", "QR", "PC", "TV", "LINE", "URL", "ID", "IP", "SIM"])


def _latin_run(token: Token, parse: Parsed) -> tuple[list[Token], bool]:
    """Return the words in Latin letters that stand together, and whether they open a sentence or a line."""
    doc = parse.doc
    first = last = token.i
    while (before := _latin_neighbour(doc, first, -1)) is not None:
        first = before
    while (after := _latin_neighbour(doc, last, 1)) is not None:
        last = after
    run = [t for t in doc[first : last + 1] if not t.is_space]
    return run, opens(run[0], parse)


def _latin_neighbour(doc: Doc, i: int, step: int) -> int | None:
    j = i + step
    if 0 <= j < len(doc) and doc[j].text == " ":
        j += step
    if not 0 <= j < len(doc) or not re.fullmatch(r"[A-Za-z]{2,}", doc[j].text):
        return None
    left, right = (doc[i], doc[j]) if step > 0 else (doc[j], doc[i])
    return j if doc.text[left.idx + len(left) : right.idx] in (" ", "") else None


def _compound(token: Token) -> str:
    """The token with the nouns glued to it, up to the honorific: 衛+生士 is a profession."""
    text = token.text
    for later in token.doc[token.i + 1 : token.i + 4]:
        if later.text in HONORIFICS or later.text in TITLES or not later.tag_.startswith("名詞"):
            break
        text += later.text
    return text
