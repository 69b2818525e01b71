"""Find personal names on a parse: Sudachi's tags and dictionary, GiNZA's recogniser, and the words around.

A surname that Sudachi tags as one counts on its own. A given name, a rare name, and a name that is also a place, a
firm or a common noun needs the recogniser's agreement or a context: 様/さん, a title, 「担当の…」, 「娘の…」,
「…と申します」, 「…です」 where someone introduces himself, 「名前は…」, 「…っていう人」, a line of its own under a message,
or the question before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.mask.lexicon import GIVEN, SURNAME, SURNAME_NOUNS, is_full_name, is_romaji_name, name_kinds
from pipeline.mask.pattern import HESITATION, SPEAKER
from pipeline.mask.spans import MARK
from pipeline.mask.vocabulary import (
    AFFILIATION,
    ASKED,
    BRANDS,
    CALLED_SO,
    FIRM_END,
    HONORIFICS,
    LABELS,
    LATIN_BRANDS,
    NOT_ADDRESSED,
    NOT_GIVEN,
    PEOPLE,
    PLACE_LABELS,
    PLACE_WORDS,
    PREFECTURES,
    PROFESSION,
    RELATIVES,
    ROLES,
    SHOP,
    TITLES,
    WORKER,
)
from pipeline.mask.words import NO_WORDS, WordList

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span, Token


@dataclass(frozen=True, slots=True)
class _Parse:
    """A parsed text, with what is asked of it again and again."""

    doc: Doc
    text: str
    entities: dict[int, Span]
    closed: list[tuple[int, int]]
    asked: frozenset[int]

    def before(self, token: Token, length: int = 24) -> str:
        start = token.idx - length
        return self.text[: token.idx] if start <= 0 else "…" + self.text[start : token.idx]

    def after(self, token: Token, length: int = 24) -> str:
        end = token.idx + len(token)
        return self.text[end : end + length]

    def label(self, token: Token) -> str:
        return self.entities[token.i].label_ if token.i in self.entities else ""

    def is_open(self, token: Token) -> bool:
        return not any(start < token.idx + len(token) and token.idx < end for start, end in self.closed)


def find_names(doc: Doc, words: WordList = NO_WORDS) -> list[tuple[int, int]]:
    """Return the character spans of personal names in a parsed text, without the honorific, in order.

    Parameters
    ----------
    doc : Doc
        From `pipeline.parse.Parser`.
    words : WordList
        A name that is, or stands inside, one of its kept words is left out.
    """
    parse = _parse(doc)
    named = {token.i for token in doc if parse.is_open(token) and _is_name(token, parse)}
    named |= _taken_apart(parse)
    named |= _given_names(parse, named)
    named |= _beside_the_named(parse, named)
    known = {doc[i].text for i in named if len(doc[i]) > 1 or doc[i].text in SURNAME_NOUNS}
    named |= {t.i for t in doc if t.text in known and parse.is_open(t) and _is_again(t, parse)}
    return [span for span in _merged(parse, sorted(named)) if not words.keeps(parse.text, *span)]


def _parse(doc: Doc) -> _Parse:
    text = doc.text  # built anew at every access
    closed = [match.span() for pattern in (MARK, WORKER) for match in pattern.finditer(text)]
    asked = frozenset(match.end() for match in _QUESTION.finditer(text))
    return _Parse(doc, text, {token.i: ent for ent in doc.ents for token in ent}, closed, asked)


# --- what a word is --------------------------------------------------------------------------------------------------


def _is_name(token: Token, parse: _Parse) -> bool:
    text, tag = token.text, token.tag_
    if re.fullmatch(r"[A-Za-z]{3,}", text):
        return _is_latin_name(token, parse)
    if not tag.startswith(_NOMINAL) or _cannot_be(token, parse):
        return _is_introduced(token, parse)
    if PROFESSION.search(_compound(token)) and "人名-姓" not in tag:
        return False
    if _is_by_tag(token, parse) or _is_introduced(token, parse):
        return True
    return _is_by_dictionary(token, parse) or (is_full_name(text) and _introduces(token, parse))


_NOMINAL = ("名詞", "代名詞", "接尾辞-名詞", "形状詞")


def _cannot_be(token: Token, parse: _Parse) -> bool:
    text = token.text
    if text in BRANDS and not _is_given(parse.doc, token.i):
        return True
    if text in PEOPLE or re.fullmatch(r"[\W\dA-Za-z]|\d+", text):
        return True
    if len(text) > 2 and FIRM_END.search(text):
        return True
    return _names_a_place(token, parse) or bool(_TRAVELLED.match(parse.after(token)))


def _is_by_tag(token: Token, parse: _Parse) -> bool:
    """What the parse itself took for a name, or for a place where the words around speak of a person."""
    text, tag, label = token.text, token.tag_, parse.label(token)
    address, role = _is_addressed(token, parse), _has_role(token, parse)
    if "人名" in tag:
        if "姓" in tag and len(text) > 1 and not re.fullmatch(r"[ァ-ヴー]{2}", text):
            return label not in {"Company", "Province"} or address or role
        return address or role or (label == "Person" and len(text) > 1)
    if "固有名詞-地名" in tag:
        if address:
            return label != "Company"
        if role:
            staff = SURNAME in name_kinds(text) and text not in PREFECTURES and not _has_relative(token, parse)
            return (staff or label not in PLACE_LABELS) and not _leads_to_place(token)
        stands = _signs(token, parse) or (_opens(token, parse) and _next(token) in {"です", "でございます"})
        return label == "Person" and stands
    if address and label == "Person":
        return bool(re.fullmatch(r"[一-龥々]{1,3}", text)) and token.i == parse.entities[token.i].start
    return label == "Person" and "固有名詞" in tag and role and "店" not in text


def _is_by_dictionary(token: Token, parse: _Parse) -> bool:
    """What the dictionary has as a name too, in a place where a person is named."""
    text, kinds, label = token.text, name_kinds(token.text), parse.label(token)
    proper = "固有名詞" in token.tag_
    if _answers(token, parse):
        return bool(kinds) or proper or is_full_name(text)
    if not kinds and not (proper and label == "Person"):
        return False
    if _is_addressed(token, parse):
        return text not in NOT_ADDRESSED
    if SURNAME in kinds and _has_role(token, parse) and not _leads_to_place(token) and re.match("[がはにをもとへ、。]", parse.after(token)):
        return proper or text in SURNAME_NOUNS
    place = label in PLACE_LABELS or _leads_to_place(token)
    if _is_stated(token, parse) or _is_said_of(token, parse):
        plain = token.tag_ == "名詞-普通名詞-一般" and text not in NOT_GIVEN and re.fullmatch(r"[一-龥々]{2,3}|[ぁ-ん]{2,4}|[ァ-ヴー]{2,5}", text)
        return proper or text in SURNAME_NOUNS or bool(plain) or label == "Person"
    if SURNAME in kinds:
        surname = proper or text in SURNAME_NOUNS or kinds == {SURNAME}
        a_firm = token.tag_ == "名詞-固有名詞-一般"  # 松下, 本田: the recogniser takes every one for a person
        if proper and label == "Person" and not (a_firm or place) and len(text) > 1:
            return True
        if surname and _signs(token, parse):
            return True
        if (surname and _follows_a_mark(token, parse)) or _is_corrected(token, parse):
            return True
        if surname and (_introduces(token, parse) or _follows_a_verb(token, parse) or _closes_in_brackets(token, parse)):
            return not place or text not in PREFECTURES or _is_beside_a_mark(token, parse)
        if token.i + 1 < len(parse.doc) and parse.doc[token.i + 1].tag_ == "名詞-固有名詞-人名-名" and _opens(token, parse):
            return True
        if surname and _opens(token, parse) and _PERSONAL.match(parse.after(token)):
            return True
    if GIVEN in kinds and re.fullmatch(r"[ぁ-ん]{3,4}", text) and _begins_a_line(token, parse):
        return bool(re.match(r"です(?!か)|と(?:申|言い)", parse.after(token)))
    if GIVEN in kinds and _has_relative(token, parse) and not place:
        if text in NOT_GIVEN:
            return False
        bracket = re.search(r"[（(]$", parse.before(token)) and re.match(r"[）)]", parse.after(token))
        kanji = token.pos_ == "PROPN" or len(text) == 1
        return proper or kanji or bool(bracket) or (token.tag_ == "名詞-普通名詞-一般" and bool(re.fullmatch(r"[ぁ-ん]{2,4}", text)))
    return False


def _is_latin_name(token: Token, parse: _Parse) -> bool:
    """Tanakaさん, 担当のKevin, 名前はTAKAHASHI YUKO, Shota Ninomiyaです."""
    text = token.text
    if text.lower() in LATIN_BRANDS or text in _UNITS or not (text[0].isupper() or is_romaji_name(text)):
        return False
    run, at_start = _latin_run(token, parse)
    last = run[-1]
    romaji = any(is_romaji_name(t.text) for t in run)
    if any(t.text.lower() in LATIN_BRANDS for t in run):
        return False
    if _answers(run[0], parse) or _is_stated(run[0], parse, last) or _is_said_of(run[0], parse, last):
        return True
    if _is_addressed(last, parse):
        person = parse.label(token) == "Person" or any(w in TITLES for w in (_next(last), _next(last, 2)))
        return romaji or person or len(run) > 1 or _has_role(run[0], parse)
    if _has_role(run[0], parse):
        return text[0].isupper() and (romaji or parse.label(token) == "Person" or _introduces(last, parse, at_start))
    alone = at_start and re.match(r"[ \t。.]*(?:\n|$)", parse.after(last)) and "\n" in parse.text
    if alone and len(run) in (2, 3) and all(t.text[0].isupper() for t in run):
        return True
    person = romaji or (parse.label(token) == "Person" and all(t.text[0].isupper() for t in run))
    return person and (bool(alone) or (len(run) > 1 and _introduces(last, parse, at_start)))


_UNITS = frozenset(["GB", "MB", "KB", "TB", "AM", "PM", "OK", "NG", "QR", "PC", "TV", "LINE", "URL", "ID", "IP", "SIM"])


def _latin_run(token: Token, parse: _Parse) -> tuple[list[Token], bool]:
    """Return the words in Latin letters that stand together, and whether they open a sentence or a line."""
    doc = parse.doc
    first = last = token.i
    while (before := _latin_neighbour(doc, first, -1)) is not None:
        first = before
    while (after := _latin_neighbour(doc, last, 1)) is not None:
        last = after
    run = [t for t in doc[first : last + 1] if not t.is_space]
    return run, _opens(run[0], parse)


def _latin_neighbour(doc: Doc, i: int, step: int) -> int | None:
    j = i + step
    if 0 <= j < len(doc) and doc[j].text == " ":
        j += step
    if not 0 <= j < len(doc) or not re.fullmatch(r"[A-Za-z]{2,}", doc[j].text):
        return None
    left, right = (doc[i], doc[j]) if step > 0 else (doc[j], doc[i])
    return j if doc.text[left.idx + len(left) : right.idx] in (" ", "") else None


# --- the words around ------------------------------------------------------------------------------------------------

_QUESTION = re.compile(
    rf"(?:名前|氏名|苗字|名字|名義|フルネーム|お客様名|搭乗者名)[^\n]{{0,30}}\n{SPEAKER}(?:{HESITATION}){{0,3}}(?:私[はが]?、?)?"
)
_TRAVELLED = re.compile(
    r"の?[0-9]{1,3}(?:番|号)(?!室)|(?:空港|駅|経由|行き|方面|周辺|付近|あたり|市内|在住|出身)"
    r"|から(?:乗|出|帰|来|の便|飛)|[にで](?:着|到着|乗|降)|まで(?:行|の便|乗)"
)
_CLINIC = re.compile(r"(?:動物|総合|記念|中央|こども|皮膚|胃腸|産科|産婦人科|ペット)[^、。]{0,4}(?:病院|医院|クリニック)")
_GREETING = "どうも|もしもし|こんにちは|こんばんは|すみません|すいません|お世話になって(?:い|おり)?ます|先ほどの|さっきの"
_OPENING = re.compile(rf"(?:^|[。、!?！？:：\n「」]|\][の、。 ]?|{HESITATION}|{AFFILIATION}|{_GREETING}|(?:仮名|かな|カナ|カタカナ|漢字|ローマ字)で)\s*$")
_PERSONAL = re.compile(
    r"から(?:お?電話|連絡|返事|返信|メール|説明|謝罪|折り返)|の(?:携帯|電話|連絡先|妻です|夫です|母です|父です|家族です|娘です|息子です|家内|代理)"
    r"|(?:宛|あて)(?:て|の|に)"
)
_SAYS_SO = re.compile(
    r"\s*(?:です(?!か)|でございます|でした|と申|ともうし|と言い|といい|だけど|ですが|ですけど|だと(?:言|申)|って(?:言い|申し|いいま)|と(?:書い|読み|読ん)"
    r"|で(?:$|[。」\n])|で(?:予約|取っ|とっ|申し?込|登録|契約|入っ|伝票|お願い))"
)
_BESIDE = re.compile(r"\s*[、。(（「]?\s*(?:\[|〒|(?:tel|電話|携帯|ケータイ|連絡先))", re.IGNORECASE)
_CALLED = re.compile(
    r"\s*(?:って|っていう|という|とかいう|といった|と言う|っつう)(?:名前の|名札の|お名前の)?"
    r"(?:人|方|かた|店員|担当|スタッフ|者|オペレータ|男性|女性|おじさん|おばさん|お兄さん|お姉さん|若い|係|職員|看護師|先生|ドライバー|社員|営業)"
)
_ALTERNATIVES = "|".join(sorted(RELATIVES | LABELS | ROLES, key=lambda word: (-len(word), word)))
_SAYING = re.compile(
    rf"(?:私|わたし|僕|俺|自分|うち|相手|こちら|本人|予約名|登録名|宛名|名札|{_ALTERNATIVES})"
    r"(?:の名前|の氏名|さん|の方)?[はがも、:：]{1,2}\s*(?:えっと、?|えーと、?)?$"
)
_SAID = re.compile(r"\s*(?:です|でした|だ|と|って|で[、。\n]|、|。|さん|様|でございます|のほう|の方|が|$|\n)")
_REPORTED = re.compile(r"と(?:申し|もうし)ます(?!上)|と申す|という者(?:です|が)")


_HEAD = re.compile(r"(?:副|支)?(?:店|部|課|係|院|所|室|社|会|園|校|塾|駅|支店|局|班|工場|センター)長")


def _is_addressed(token: Token, parse: _Parse) -> bool:
    if _HEAD.match(parse.after(token)):
        return True
    for offset in (1, 2, 3):
        later = _next(token, offset)
        if later in HONORIFICS or later in TITLES:
            return True
        if offset + token.i >= len(token.doc) or not (
            later.isspace() or "人名" in token.nbor(offset).tag_
        ):
            return False
    return False


def _has_role(token: Token, parse: _Parse) -> bool:
    """担当の田中, 担当田中, 名前は田中, 担当者:田中, 母(和子."""
    before = parse.doc[max(0, token.i - 3) : token.i]
    words = [t.text for t in before if not t.is_space]
    if not words:
        return False
    if words[-1] in ROLES:
        return True
    if len(words) < 2:
        return False
    return (words[-1] in {"の", "、", "(", "（", ":", "：", "「"} and words[-2] in ROLES) or (
        words[-1] in {"は", "が"} and words[-2] in LABELS
    )


def _has_relative(token: Token, parse: _Parse) -> bool:
    """娘のひなた, 息子(れん, with a particle or mark after it."""
    before = [t.text for t in parse.doc[max(0, token.i - 2) : token.i]]
    near = len(before) == 2 and before[0] in RELATIVES and before[1] in {"の", "(", "（", "、"}
    return near and bool(re.match(r"(?:[もがはをとに、)）。]|です|$)", parse.after(token)))


def _is_introduced(token: Token, parse: _Parse) -> bool:
    """「Xと申します」「Xという者です」, whatever X is in the dictionary."""
    if token.pos_ not in {"NOUN", "PROPN"} or PROFESSION.search(token.text) or _names_a_place(token, parse):
        return False
    if token.text in BRANDS or re.search(r"[店社会部課局]$", token.text):
        return False
    if _REPORTED.match(parse.after(token)):
        return not (token.i and token.nbor(-1).tag_ in {"連体詞", "形状詞-一般"})
    said = re.match(r"と(?:い|言)います(?![がけ])", parse.after(token))
    return bool(said and ("固有名詞" in token.tag_ or name_kinds(token.text)))


def _introduces(token: Token, parse: _Parse, opens: bool | None = None) -> bool:
    """「はい、林です」「経理の円谷です」「遠山、[電話]」: a sentence begins with the word and is nearly done with it."""
    if not (_opens(token, parse) if opens is None else opens):
        return False
    after = parse.after(token)
    return bool(_SAYS_SO.match(after) or _BESIDE.match(after))


def _follows_a_verb(token: Token, parse: _Parse) -> bool:
    """「担当いたします中山でございます」「先日お電話した平野です」."""
    verb = re.search(r"(?:します|ました|ております|してい?る|した|ている)$", parse.before(token))
    return bool(verb and re.match(r"です(?!か)|でございます|と申", parse.after(token)))


def _is_beside_a_mark(token: Token, parse: _Parse) -> bool:
    return bool(re.search(r"\][のを、。 ]*$", parse.before(token)) or _BESIDE.match(parse.after(token)))


def _follows_a_mark(token: Token, parse: _Parse) -> bool:
    """「連絡先[電話] 浜口」「[住所]、片岡です」."""
    before = re.search(r"\[(?:電話|住所|メール|番号|郵便番号)\][、, ]?[（(]?$", parse.before(token, 12))
    return bool(before and re.match(r"$|[\n。、)）]|まで|宛|様|です|と申", parse.after(token)))


def _closes_in_brackets(token: Token, parse: _Parse) -> bool:
    """「直してください(野村)」."""
    return bool(re.search(r"[（(]$", parse.before(token)) and re.match(r"[）)][。\s]*(?:$|\n)", parse.after(token)))


def _is_corrected(token: Token, parse: _Parse) -> bool:
    """「宛名が富永じゃなくて冨長に」: one surname put right by another."""
    doc, text = parse.doc, token.text
    if wrong := _NOT_SO.match(parse.after(token)):
        after = next((t for t in doc[token.i + 1 : token.i + 8] if t.idx >= token.idx + len(text) + wrong.end()), None)
        return after is not None and _may_be_surname(after)
    if not _RATHER.search(parse.before(token)):
        return False
    return any(_may_be_surname(t) and _NOT_SO.match(parse.after(t)) for t in doc[max(0, token.i - 6) : token.i])


_NOT_SO = re.compile(r"(?:さん|様)?(?:じゃな|ではな|でな)[くい](?:て|って)?、?")
_RATHER = re.compile(rf"{_NOT_SO.pattern}$")


def _may_be_surname(token: Token) -> bool:
    return token.text not in BRANDS and SURNAME in name_kinds(token.text)


def _is_stated(token: Token, parse: _Parse, last: Token | None = None) -> bool:
    """「名前は西です」「妻が千鶴、」「私が津田で」."""
    return bool(_SAYING.search(parse.before(token)) and _SAID.match(parse.after(last or token)))


def _is_said_of(token: Token, parse: _Parse, last: Token | None = None) -> bool:
    """「八木っていう人に」."""
    return bool(_CALLED.match(parse.after(last or token)))


def _answers(token: Token, parse: _Parse) -> bool:
    """Tell whether the word opens the line after 「お名前をお願いします」."""
    return token.idx in parse.asked and not ASKED.match(parse.text, token.idx)


def _opens(token: Token, parse: _Parse) -> bool:
    """「石川です」「会員番号[番号]の石川です」「サポートの児玉です」."""
    return bool(_OPENING.search(parse.before(token)))


def _begins_a_line(token: Token, parse: _Parse) -> bool:
    return bool(re.search(r"(?:^|\n|[^\s:]{1,10}[:「])\s*$", parse.before(token)))


def _signs(token: Token, parse: _Parse) -> bool:
    """Tell whether the word is a line of its own, as under a message."""
    if "\n" not in parse.text:
        return False
    above = re.search(r"\n[\s\-–—―ー(（]*$", parse.before(token))
    return bool(above and re.match(r"[ \t]*(?:[)）より拝]{0,2}[ \t]*)(?:\n|$)", parse.after(token)))


def _names_a_place(token: Token, parse: _Parse) -> bool:
    """A shop, a firm or a place is named after the person: 高橋歯科, 田中商店, but not 田中店長."""
    later = _next(token)
    if later in TITLES or re.match(r"(?:副|支)?店長", parse.after(token, 4)):
        return False
    named_after = SHOP.match(later) or _CLINIC.match(parse.after(token, 10))
    return bool(later and named_after and not parse.doc[token.i + 1].is_space)


def _leads_to_place(token: Token) -> bool:
    """「母の福岡の実家」「夫の大阪へ」."""
    return _next(token) in {"へ", "まで", "から"} or (_next(token) == "の" and _next(token, 2) in PLACE_WORDS)


def _is_again(token: Token, parse: _Parse) -> bool:
    """Tell whether a word seen as a name elsewhere in the text is one here too."""
    if _names_a_place(token, parse):
        return False
    if token.text in SURNAME_NOUNS or name_kinds(token.text) == {GIVEN}:
        return _is_addressed(token, parse) or _introduces(token, parse) or _has_role(token, parse) or "人名" in token.tag_
    return "人名" in token.tag_ or not (_leads_to_place(token) or parse.label(token) in PLACE_LABELS)


def _taken_apart(parse: _Parse) -> set[int]:
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
        stands = _opens(token, parse) and (_SAYS_SO.match(parse.after(later)) or _PERSONAL.match(parse.after(later)))
        if stands or _next(later) in HONORIFICS or _HEAD.match(parse.after(later)):
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


def _beside_the_named(parse: _Parse, named: set[int]) -> set[int]:
    """松下 in 「松下と山崎さんが来た」: a possible surname joined to a name."""
    doc = parse.doc
    return {
        i - 2
        for i in named
        if i > 1 and doc[i - 1].text in ("と", "や", "、", "・") and i - 2 not in named and _may_be_surname(doc[i - 2])
        if "固有名詞" in doc[i - 2].tag_ and parse.is_open(doc[i - 2]) and parse.label(doc[i - 2]) not in PLACE_LABELS
    }


def _given_names(parse: _Parse, named: set[int]) -> set[int]:
    """The rest of a full name: what a Person entity or 様/さん closes after a surname, and a surname before it."""
    doc = parse.doc
    more: set[int] = set()
    for ent in doc.ents:
        inside = {t.i for t in ent if t.text not in HONORIFICS and not t.is_space}
        if ent.label_ == "Person" and inside & named and not SHOP.search(ent.text):
            more |= {i for i in inside if doc[i].text not in TITLES and doc[i].tag_.startswith("名詞")}
    for i in named:
        if SURNAME not in name_kinds(doc[i].text):
            continue
        more |= _closed_by_honorific(doc, i) | _following_given(doc, i)
    return {i for i in more if parse.is_open(doc[i])}


def _is_given(doc: Doc, i: int) -> bool:
    """Tell whether a given name follows over a space: スズキ ハナコ is no car."""
    return i + 2 < len(doc) and doc[i + 1].text in (" ", "\u3000") and doc[i + 2].tag_ == "名詞-固有名詞-人名-名"


def _closed_by_honorific(doc: Doc, i: int) -> set[int]:
    for j in range(i + 1, min(i + 4, len(doc))):
        if doc[j].text in HONORIFICS:
            return {k for k in range(i + 1, j) if not doc[k].is_space}
        nominal = doc[j].is_space or doc[j].pos_ in {"NOUN", "PROPN"}
        if not nominal or not re.fullmatch(r"[一-龥々]{1,2}|[ぁ-んァ-ヴー]{1,4}|[ \t]", doc[j].text):
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


def _merged(parse: _Parse, named: list[int]) -> list[tuple[int, int]]:
    """Neighbouring name tokens as one span, over a space or a middle dot."""
    spans: list[tuple[int, int]] = []
    for i in named:
        start, end = parse.doc[i].idx, parse.doc[i].idx + len(parse.doc[i])
        if spans and re.fullmatch(r"[ \t\u3000・=＝.]?", parse.text[spans[-1][1] : start]):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _next(token: Token, offset: int = 1) -> str:
    return token.nbor(offset).text if token.i + offset < len(token.doc) else ""


def _compound(token: Token) -> str:
    """The token with the nouns glued to it, up to the honorific: 衛+生士 is a profession."""
    text = token.text
    for later in token.doc[token.i + 1 : token.i + 4]:
        if later.text in HONORIFICS or later.text in TITLES or not later.tag_.startswith("名詞"):
            break
        text += later.text
    return text
