"""What can be a name: Sudachi's own entries for a word, read apart from the one the parse chose.

The tokenizer settles on one reading: 松下 comes out as a company, 宮本 as a place, 林 as a wood. The dictionary also
has them as surnames, and that is evidence where the words around speak for a person.
"""

import itertools
import re
from functools import cache, lru_cache
from typing import Any

from pipeline.mask.kana import SURNAMES_READ

SURNAME, GIVEN = "姓", "名"
# Given names of today that the dictionary does not have in kana.
_TODAY = """
    ひなた ひまり こはる れん はると りく そうた ゆうと みなと いちか つむぎ ひより ゆずき のあ あかり
    ももか ここな ゆづき さな たける だいき はやと ゆうま あさひ かなた りお りこ りの ゆいと あんな
    みつき せな いろは うた ひなの ひな ももこ はるき はるか こうた けいた りょうた しゅん かんた
    そうすけ だいすけ ゆうすけ しょう しゅう りゅう かい らん るい るな みれい ゆあ ゆな えな こころ
    さえ いおり しずく ちひろ あおと あやと
    あおい みなみ さくら かおり ゆかり みどり ひかり のぞみ めぐみ まどか さやか あすか ほのか はるな まゆみ なおみ くみこ ようこ けいこ ゆうこ
    ともこ あきこ みちこ かずこ ゆみこ じゅんこ きょうこ りょうこ さとこ のりこ まさこ ゆりこ まりこ みゆき さゆり あゆみ いずみ しおり みほ
    みき ゆき ゆみ まみ えみ えり まり ゆり あや さや まや あい まい めい ゆい ゆうか あやか ももこ ちなつ ちなみ ことね ことは いちご りん れい れな
    ゆうな みゆ みお まお なお なつき なつみ あかね あきら たろう じろう いちろう はなこ ゆうた しょうた そうた りょうた けんた けんじ しんじ ゆうじ
    こうじ たかし ひろし たけし さとし つよし あつし きよし つとむ いさむ すすむ まもる わたる たくや たつや かずや ともや てつや なおき ゆうき
    だいち たいち はるま ゆうま れお りお いつき みつる しげる すぐる とおる まさる みのる のぼる かおる しのぶ はじめ けん こう しん じん
    しおん ともよ かよこ ひでこ ののか かれん かりん せいや たいが としひろ なおや はやて ゆうだい ゆうたろう りきや さちこ ひろみ あけみ しょうへい こうへい
    こたろう りんたろう けんたろう そういちろう ハツエ トメ ウメ キヨ ハナ ヨシ タケ フミ ミツ チヨ スエ ツル カメ マツ イネ
"""
_KANA_GIVEN = frozenset(_TODAY.split())
# Words of landscape and direction that are surnames of their own: a name where someone introduces himself.
SURNAME_NOUNS = frozenset("林森原泉東西南北堀谷星辻関岸畑浜沖柳梅松竹菊藤桂楠榎桜岡島沢乾巽平堤峰峯滝脇庄郡")
_DIGRAPH = {"sh": "シ", "ch": "チ", "ts": "ツ", "j": "ジ", "f": "フ"}
_ROWS = {
    "": "アイウエオ", "k": "カキクケコ", "s": "サシスセソ", "t": "タチツテト", "n": "ナニヌネノ", "h": "ハヒフヘホ", "m": "マミムメモ",
    "y": "ヤ*ユ*ヨ", "r": "ラリルレロ", "w": "ワ***ヲ", "g": "ガギグゲゴ", "z": "ザジズゼゾ", "d": "ダヂヅデド", "b": "バビブベボ",
    "p": "パピプペポ",
}  # fmt: skip
_SYLLABLE = re.compile(r"(sh|ch|ts|[kstnhmrgzdbp]y|[kstnhmyrwgzdbpjf]?)([aiueo])|([nm])(?![aiueoy])|([kstpc])(?=\4|ch)|(h)(?![aiueoy])")


_VARIANT = str.maketrans("髙﨑邊邉齋齊濵濱德塚眞惠廣澤櫻嶋嶌國圓", "高崎辺辺斎斎浜浜徳塚真恵広沢桜島島国円")
_TO_KATAKANA = str.maketrans({chr(code): chr(code + 0x60) for code in range(0x3041, 0x3097)})


@lru_cache(maxsize=200_000)
def name_kinds(word: str) -> frozenset[str]:
    """Return which of 姓 and 名 the dictionary has for a word, whatever the parse took it for."""
    spellings = {word, word.translate(_VARIANT)}
    entries = {entry.part_of_speech()[3] for spelling in spellings for entry in _dictionary().lookup(spelling)}
    listed = {GIVEN} if word in _KANA_GIVEN else set()
    if word.translate(_TO_KATAKANA) in SURNAMES_READ:
        listed.add(SURNAME)
    return frozenset(entries & {SURNAME, GIVEN} | listed)


def is_surname(word: str) -> bool:
    """Tell a surname, alone or with a given name after it."""
    return SURNAME in _kinds(word) or bool(_surname_of(word))


def is_given_name(word: str) -> bool:
    """Tell a given name, alone or after a surname."""
    return GIVEN in _kinds(word) or bool(_surname_of(word))


def is_person_name(word: str) -> bool:
    """Tell a surname, a given name or both, with or without a space between, in kanji, either kana or Latin letters."""
    if re.fullmatch(r"[A-Za-z ]+", word):
        return all(map(is_romaji_name, word.split()))
    return bool(_kinds(word)) or bool(_surname_of(word))


def surname_of(word: str) -> str:
    """Return the surname that a full name begins with, "" if the word is no full name."""
    return _surname_of(word)


@lru_cache(maxsize=20_000)
def _surname_of(word: str) -> str:
    if is_word(word):  # 道路 is no 道 路
        return ""
    for cut in range(min(len(word) - 1, 5), 0, -1):
        left, right = word[:cut].strip(), word[cut:].strip(" ・")
        shortest = 2 if re.match(r"[ぁ-んァ-ヴ]", left) else 1
        if min(len(left), len(right)) >= shortest and SURNAME in _kinds(left) and GIVEN in _kinds(right):
            return left
    return ""


def _kinds(word: str) -> frozenset[str]:
    """Return the kinds of a word; of one in hiragana also as katakana, since the dictionary has few names in it."""
    return name_kinds(word) | (name_kinds(word.translate(_TO_KATAKANA)) if len(word) > 1 else frozenset())


def is_full_name(word: str) -> bool:
    """Tell an unspaced full name in katakana: サイトウミキ."""
    if not re.fullmatch(r"[ァ-ヴー]{4,12}", word):
        return False
    cuts = range(2, len(word) - 1)
    return any(SURNAME in name_kinds(word[:cut]) and GIVEN in name_kinds(word[cut:]) for cut in cuts)


@lru_cache(maxsize=20_000)
def is_romaji_name(word: str) -> bool:
    """Tell a surname or given name in Latin letters, long vowels written or not: TAKAHASHI, Shota, Ryo."""
    return 3 <= len(word) <= 14 and any(name_kinds(kana) for kana in _kana(word.lower()))


def _kana(romaji: str) -> list[str]:
    """Return the katakana spellings of a word in romaji, none if it is not one."""
    parts: list[tuple[str, ...]] = []
    position = 0
    while position < len(romaji):
        match = _SYLLABLE.match(romaji, position)
        if not match:
            return []
        position = match.end()
        parts.append(_syllable(match))
    if sum(len(part) > 1 for part in parts) > 4:
        return []
    return ["".join(spelling) for spelling in itertools.product(*parts)]


def _syllable(match: re.Match[str]) -> tuple[str, ...]:
    consonant, vowel, nasal, double, _ = match.groups()
    if nasal:
        return ("ン",)
    if double:
        return ("ッ",)
    if vowel is None:  # Ohno: a long vowel
        return ("",)
    kana = _mora(consonant, vowel)
    return (kana, kana + "ウ") if vowel in "ou" else (kana,)


def _mora(consonant: str, vowel: str) -> str:
    column = "aiueo".index(vowel)
    if consonant in _DIGRAPH:
        first = _DIGRAPH[consonant]
        plain = {"シ": "i", "チ": "i", "ツ": "u", "ジ": "i", "フ": "u"}[first]
        return first if vowel == plain else first + "ァィゥェォ"[column] if first in "ツフ" else first + "ャィュェョ"[column]
    if len(consonant) == 2:
        return _ROWS[consonant[0]][1] + "ャィュェョ"[column]
    return _ROWS[consonant][column]


@lru_cache(maxsize=20_000)
def is_word(word: str) -> bool:
    """Tell what the dictionary has as anything but a proper noun."""
    return any("固有名詞" not in entry.part_of_speech() for entry in _dictionary().lookup(word))


@lru_cache(maxsize=20_000)
def is_quality(word: str) -> bool:
    """Tell an adjective in -na, as 丁寧 and 親切, though parts of it may be names; and the name of an era."""
    eras = {"明治", "大正", "昭和", "平成", "令和"}
    return word in eras or (len(word) > 1 and any(entry.part_of_speech()[0] == "形状詞" for entry in _dictionary().lookup(word)))


@lru_cache(maxsize=20_000)
def readings(word: str) -> list[str]:
    """Return how the dictionary reads a word, in katakana, none if it does not have it."""
    return sorted({entry.reading_form() for entry in _dictionary().lookup(word)} - {""})


@cache
def _dictionary() -> Any:
    from sudachipy import Dictionary  # some tenths of a second: only where a name is looked for

    return Dictionary(dict="core")
