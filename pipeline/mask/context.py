"""What the words around a word say about it: that a person is addressed, introduced, called, asked for.

Every rule reads a parsed text; none says yes for a word by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.mask.lexicon import SURNAME, name_kinds
from pipeline.mask.pattern import HESITATION, SPEAKER
from pipeline.mask.spans import MARK
from pipeline.mask.vocabulary import (
    AFFILIATION,
    ASKED,
    BRANDS,
    HONORIFICS,
    LABELS,
    PLACE_WORDS,
    PROFESSION,
    RELATIVES,
    ROLES,
    SHOP,
    TITLES,
    WORKER,
)
from pipeline.parse import named_entities, part_of_speech

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span, Token


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed text, with what is asked of it again and again."""

    doc: Doc
    text: str
    closed: list[tuple[int, int]]
    asked: frozenset[int]

    def before(self, token: Token, length: int = 24) -> str:
        start = token.idx - length
        return self.text[: token.idx] if start <= 0 else "…" + self.text[start : token.idx]

    def after(self, token: Token, length: int = 24) -> str:
        end = token.idx + len(token)
        return self.text[end : end + length]

    def entity(self, token: Token) -> Span | None:
        """Return the recogniser's entity that holds the word; asks for the parse where a name is possible."""
        return next((entity for entity in named_entities(self.doc) if entity.start <= token.i < entity.end), None)

    def label(self, token: Token) -> str:
        entity = self.entity(token)
        return entity.label_ if entity else ""

    def is_open(self, token: Token) -> bool:
        return not any(start < token.idx + len(token) and token.idx < end for start, end in self.closed)


def parsed(doc: Doc) -> Parsed:
    text = doc.text  # built anew at every access
    closed = [match.span() for pattern in (MARK, WORKER) for match in pattern.finditer(text)]
    asked = frozenset(match.end() for match in _QUESTION.finditer(text))
    return Parsed(doc, text, closed, asked)


_QUESTION = re.compile(
    rf"(?:名前|氏名|苗字|名字|名義|フルネーム|お客様名|搭乗者名)[^\n]{{0,30}}\n{SPEAKER}(?:{HESITATION}){{0,3}}(?:私[はが]?、?)?"
)
TRAVELLED = re.compile(
    r"の?[0-9]{1,3}(?:番|号)(?!室)|(?:空港|駅|経由|行き|方面|周辺|付近|あたり|市内|在住|出身)"
    r"|から(?:乗|出|帰|来|の便|飛)|[にで](?:着|到着|乗|降)|まで(?:行|の便|乗)"
)
_CLINIC = re.compile(r"(?:動物|総合|記念|中央|こども|皮膚|胃腸|産科|産婦人科|ペット)[^、。]{0,4}(?:病院|医院|クリニック)")
_GREETING = "どうも|もしもし|こんにちは|こんばんは|すみません|すいません|お世話になって(?:い|おり)?ます|先ほどの|さっきの"
_OPENING = re.compile(rf"(?:^|[。、!?！？:：\n「」]|\][の、。 ]?|{HESITATION}|{AFFILIATION}|{_GREETING}|(?:仮名|かな|カナ|カタカナ|漢字|ローマ字)で)\s*$")
PERSONAL = re.compile(
    r"から(?:お?電話|連絡|返事|返信|メール|説明|謝罪|折り返)|の(?:携帯|電話|連絡先|妻です|夫です|母です|父です|家族です|娘です|息子です|家内|代理)"
    r"|(?:宛|あて)(?:て|の|に)"
)
SAYS_SO = re.compile(
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


HEAD = re.compile(r"(?:副|支)?(?:店|部|課|係|院|所|室|社|会|園|校|塾|駅|支店|局|班|工場|センター)長")


def is_addressed(token: Token, parse: Parsed) -> bool:
    if HEAD.match(parse.after(token)):
        return True
    for offset in (1, 2, 3):
        later = word_after(token, offset)
        if later in HONORIFICS or later in TITLES:
            return True
        if offset + token.i >= len(token.doc) or not (
            later.isspace() or "人名" in token.nbor(offset).tag_
        ):
            return False
    return False


def has_role(token: Token, parse: Parsed) -> bool:
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


def has_relative(token: Token, parse: Parsed) -> bool:
    """娘のひなた, 息子(れん, with a particle or mark after it."""
    before = [t.text for t in parse.doc[max(0, token.i - 2) : token.i]]
    near = len(before) == 2 and before[0] in RELATIVES and before[1] in {"の", "(", "（", "、"}
    return near and bool(re.match(r"(?:[もがはをとに、)）。]|です|$)", parse.after(token)))


def is_introduced(token: Token, parse: Parsed) -> bool:
    """「Xと申します」「Xという者です」, whatever X is in the dictionary."""
    if PROFESSION.search(token.text) or names_a_place(token, parse):
        return False
    if token.text in BRANDS or re.search(r"[店社会部課局]$", token.text):
        return False
    if _REPORTED.match(parse.after(token)):
        told = not (token.i and token.nbor(-1).tag_ in {"連体詞", "形状詞-一般"})
    else:
        said = re.match(r"と(?:い|言)います(?![がけ])", parse.after(token))
        told = bool(said and ("固有名詞" in token.tag_ or name_kinds(token.text)))
    return told and part_of_speech(token) in {"NOUN", "PROPN"}


def introduces(token: Token, parse: Parsed, opening: bool | None = None) -> bool:
    """「はい、林です」「経理の円谷です」「遠山、[電話]」: a sentence begins with the word and is nearly done with it."""
    if not (opens(token, parse) if opening is None else opening):
        return False
    after = parse.after(token)
    return bool(SAYS_SO.match(after) or _BESIDE.match(after))


def follows_a_verb(token: Token, parse: Parsed) -> bool:
    """「担当いたします中山でございます」「先日お電話した平野です」."""
    verb = re.search(r"(?:します|ました|ております|してい?る|した|ている)$", parse.before(token))
    return bool(verb and re.match(r"です(?!か)|でございます|と申", parse.after(token)))


def is_beside_a_mark(token: Token, parse: Parsed) -> bool:
    return bool(re.search(r"\][のを、。 ]*$", parse.before(token)) or _BESIDE.match(parse.after(token)))


def follows_a_mark(token: Token, parse: Parsed) -> bool:
    """「連絡先[電話] 浜口」「[住所]、片岡です」."""
    before = re.search(r"\[(?:電話|住所|メール|番号|郵便番号)\][、, ]?[（(]?$", parse.before(token, 12))
    return bool(before and re.match(r"$|[\n。、)）]|まで|宛|様|です|と申", parse.after(token)))


def closes_in_brackets(token: Token, parse: Parsed) -> bool:
    """「直してください(野村)」."""
    return bool(re.search(r"[（(]$", parse.before(token)) and re.match(r"[）)][。\s]*(?:$|\n)", parse.after(token)))


def is_corrected(token: Token, parse: Parsed) -> bool:
    """「宛名が富永じゃなくて冨長に」: one surname put right by another."""
    doc, text = parse.doc, token.text
    if wrong := _NOT_SO.match(parse.after(token)):
        after = next((t for t in doc[token.i + 1 : token.i + 8] if t.idx >= token.idx + len(text) + wrong.end()), None)
        return after is not None and may_be_surname(after)
    if not _RATHER.search(parse.before(token)):
        return False
    return any(may_be_surname(t) and _NOT_SO.match(parse.after(t)) for t in doc[max(0, token.i - 6) : token.i])


_NOT_SO = re.compile(r"(?:さん|様)?(?:じゃな|ではな|でな)[くい](?:て|って)?、?")
_RATHER = re.compile(rf"{_NOT_SO.pattern}$")


def may_be_surname(token: Token) -> bool:
    return token.text not in BRANDS and SURNAME in name_kinds(token.text)


def is_stated(token: Token, parse: Parsed, last: Token | None = None) -> bool:
    """「名前は西です」「妻が千鶴、」「私が津田で」."""
    return bool(_SAYING.search(parse.before(token)) and _SAID.match(parse.after(last or token)))


def is_said_of(token: Token, parse: Parsed, last: Token | None = None) -> bool:
    """「八木っていう人に」."""
    return bool(_CALLED.match(parse.after(last or token)))


def answers(token: Token, parse: Parsed) -> bool:
    """Tell whether the word opens the line after 「お名前をお願いします」."""
    return token.idx in parse.asked and not ASKED.match(parse.text, token.idx)


def opens(token: Token, parse: Parsed) -> bool:
    """「石川です」「会員番号[番号]の石川です」「サポートの児玉です」."""
    return bool(_OPENING.search(parse.before(token)))


def begins_a_line(token: Token, parse: Parsed) -> bool:
    return bool(re.search(r"(?:^|\n|[^\s:]{1,10}[:「])\s*$", parse.before(token)))


def signs(token: Token, parse: Parsed) -> bool:
    """Tell whether the word is a line of its own, as under a message."""
    if "\n" not in parse.text:
        return False
    above = re.search(r"\n[\s\-–—―ー(（]*$", parse.before(token))
    return bool(above and re.match(r"[ \t]*(?:[)）より拝]{0,2}[ \t]*)(?:\n|$)", parse.after(token)))


def names_a_place(token: Token, parse: Parsed) -> bool:
    """A shop, a firm or a place is named after the person: 高橋歯科, 田中商店, but not 田中店長."""
    later = word_after(token)
    if later in TITLES or HEAD.match(parse.after(token)) or re.match(r"(?:副|支)?店長", parse.after(token, 4)):
        return False
    named_after = SHOP.match(later) or _CLINIC.match(parse.after(token, 10))
    return bool(later and named_after and not parse.doc[token.i + 1].is_space)


def leads_to_place(token: Token) -> bool:
    """「母の福岡の実家」「夫の大阪へ」."""
    return word_after(token) in {"へ", "まで", "から"} or (word_after(token) == "の" and word_after(token, 2) in PLACE_WORDS)


def word_after(token: Token, offset: int = 1) -> str:
    return token.nbor(offset).text if token.i + offset < len(token.doc) else ""
