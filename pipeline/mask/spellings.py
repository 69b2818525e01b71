"""Names spelled out: kanji explained (「佐藤の佐」「さんずいに度」), kana by words (「朝日のア」), letters one by one."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from pipeline.mask.lexicon import readings
from pipeline.mask.pattern import LETTER

_KANJI = "一-龥々"
_RADICAL = (
    r"(?:(?:にん|ごん|て|き|いと|かね|つち|ひ|おんな|こ|ゆみ|うま|いし|た|め|しめす|ころも|けもの|さかな|とり|のぎ|こめ|やま|おう|くるま|あし|かい|りっしん|ぎょうにん)べん"
    r"|(?:き|て|いと|かね|つち|ひ|おんな|ゆみ|うま|いし|しめす|ころも|けもの|さかな|とり|こめ|やま|おう|くるま|かい|にく)へん|[木言手糸金土日火女子弓馬石米山王車貝魚鳥月田目示衣人水禾犬食足舟虫耳片](?:へん|べん|偏)|[草竹雨山穴](?:かんむり|冠)"
    r"|(?:くさ|たけ|う|あめ|わ|やま|あな|たけ)かんむり|さんずい|にすい|れっか|りっとう|おおざと|こざとへん|こざと|もんがまえ|くにがまえ|しんにょう|しんにゅう|なべぶた|にくづき|まだれ|がんだれ|やまいだれ"
    r"|はしごだか|はしご高|立つ崎|たつさき|つちよし|土の吉|さむらいの吉|旧字(?:体)?の[一-龥]|新字の[一-龥])"
)
# What explains a letter only beside another explanation.
_REMARK = re.compile(r"点が?(?:一つ|二つ|1つ|2つ|ひとつ|ふたつ)|(?:難しい|簡単な|普通の|画数の多い)(?:ほう|方)(?=[の、。でにがは])")
_WORD = rf"(?:お?[{_KANJI}]{{1,5}}(?:の[{_KANJI}]{{1,3}})?[ぁ-ん]{{0,3}}|[ァ-ヴーA-Za-z]{{2,8}}|[ぁ-んー]{{2,6}})"
_SHOWN = rf"(?:(?P<x>[{_KANJI}])(?![{_KANJI}])|(?P<k>[ァ-ヴぁ-ん])(?=[にと、。,でが」』\s]|です|の[、。]|$)|(?P<l>[A-Za-z])(?![A-Za-z]))"
_ITEM = re.compile(rf"(?=(?P<w>{_WORD})の(?:漢字の)?{_SHOWN})")
_RADICAL_ITEM = re.compile(rf"{_RADICAL}(?:[にとのが、]{{1,2}}(?:点が?[二2一1ふひ][一-龥ぁ-ん]{{0,2}}つ|点[二2]つ|{_WORD}の[{_KANJI}]|[{_KANJI}]{{1,3}}[いるしく]?|[ァ-ヴぁ-ん]{{1,4}}(?=[、。で])))?(?:の[{_KANJI}]{{1,2}}(?:です)?)?")
_LETTERS = re.compile(
    rf"(?<![A-Za-zァ-ヴー])(?:[A-Za-z]|{LETTER})(?:(?:[・、,. -]|、 )(?:(?:[A-Za-z](?![A-Za-z])|{LETTER}))){{2,}}(?![A-Za-zァ-ヴー])"
)
# What joins one explained letter to the next, and a last word that is only named: 「…の藤に花」「…と書いて」.
_JOINT = re.compile(r"(?:に|と|で|の|、|。|,| |「|」|あと|それに|次[がは]|それから|です、?|漢字[がは]|下[はの]|名前は|えー?っ?と、?|はい、|は){0,4}")
_TAIL = re.compile(rf"(?:に|と)、?(?:[{_KANJI}]{{1,2}}|[{_KANJI}]{{1,2}}[いるしきく]{{1,2}})(?=で|です|、|。|と(?:書|読)|って|$)")
_CLOSED = re.compile(r"で(?:す(?!か)|、|。|\n|$)|に、?(?=[^し])|と(?:書|読)|って書|」|。")
_HEAD = re.compile(rf"(?:[{_KANJI}]{{1,3}}[いるしきくえすつむぶぐみ]{{0,2}}(?:に|と|、)、?|[{_KANJI}]{{1,4}}の[ぁ-んァ-ヴ{_KANJI}]{{1,4}}[はが])$")
_PHRASE = re.compile(
    rf"(?:(?:[{_KANJI}]{{1,3}}の)?[{_KANJI}]{{1,3}}[みいるしきく]{{0,2}}に、?(?:[{_KANJI}]{{1,2}}の)?[{_KANJI}]{{1,2}}[みいるしきく]{{0,2}}"
    rf"|(?:[{_KANJI}]{{1,4}}[いるしきく]{{0,2}}に、?)?(?:[ぁ-んァ-ヴーA-Za-z]{{1,5}})?(?P<w>[{_KANJI}]{{2,4}})の(?P<x>[{_KANJI}]))(?=と(?:書|読)|って(?:書|読)|です|で(?:[、。\s]|$)|[。\n]|$)"
)
_READ_SO = re.compile(r"(?:と|って)書いて、?「?(?P<v>[ぁ-んー]{2,6}?|[ァ-ヴー]{2,8}|[一-龥]{1,4})(?=です|と(?:読|いい|言い|申)|って|。|」|、|$)")
_SOUND = re.compile(rf"(?<![{_KANJI}])(?P<w>お?[{_KANJI}]{{1,3}}[ぁ-ん]{{0,2}}?)の(?P<p>[ぁ-ん]{{1,4}}?)(?=に(?:[{_KANJI}ぁ-ん])|[、。]|一文字|(?:と|って)書|です|で|$|\n)")
_HANGING = re.compile(rf"(?:に、?お?[{_KANJI}]{{1,3}}[いるくしむぶ]?(?:の[ぁ-ん]{{1,4}}?)?|一文字)(?=に|で|です|、|。|(?:と|って)書|一文字|$|\n)")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_KATAKANA = str.maketrans({chr(code): chr(code + 0x60) for code in range(0x3041, 0x3097)})
_VOICED = dict(zip("ガギグゲゴザジズゼゾダヂヅデドバビブベボパピプペポ", "カキクケコサシスセソタチツテトハヒフヘホハヒフヘホ", strict=True))
_NO_WORD = frozenset(["こちら", "そちら", "あちら", "どちら", "この", "その", "あの", "どの", "ほか", "もの", "こと", "私", "うち", "最初", "最後", "今回", "前回", "次", "上", "下", "左", "右", "数字", "ため", "よう", "プラン", "タイプ", "コース", "クラス", "ランク"])


def spelled_out(text: str, least: int = 2) -> Iterator[tuple[int, int]]:
    """Yield where names are spelled out in a text of one width: whole runs of explained letters, in order.

    One kanji shown in a word of two or more (「錦鯉の錦」), a radical, two words that begin with the kana they stand for,
    or three letters said one by one are enough; what hangs on them by に or と goes with them. Where the spelling was
    asked for, a `least` of 1 takes a single word with its kana, too.
    """
    strong = [(*match.span(), 2) for match in _RADICAL_ITEM.finditer(text)]
    strong += [(match.start(), match.end(), 2) for match in _LETTERS.finditer(text) if _is_spelling(match.group())]
    strong += [(*match.span(), 1) for match in _REMARK.finditer(text)]
    strong += [(*match.span(), 2) for match in _PHRASE.finditer(text) if not match["x"] and re.match(r"と書きます", text[match.end() :])]
    strong += _items(text)
    strong += _read_out(text)
    strong.sort()
    for run in _runs(text, strong):
        if sum(weight for *_, weight in run) >= least:
            start, end = run[0][0], max(end for _, end, _ in run)
            while head := _HEAD.search(text, max(0, start - 8), start):
                start = head.start()
            while tail := _TAIL.match(text, end):
                end = tail.end()
            yield start, end


def explained(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where 「鬼に頭」「大きい場所の場」 stands, said beside a name, and the reading in 「…と書いて…」."""
    for match in _PHRASE.finditer(text, start, end):
        if match["x"] and match["x"] not in match["w"]:
            continue
        if match.start() == start or re.match(r"[、。「 ]|[はがで](?=.)", text[match.start() - 1]):
            yield match.span()
    for match in _READ_SO.finditer(text, start, end):
        yield match.span("v")


def _read_out(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield 「真ん中のなか」「理由のゆう」 and what 「に」 hangs on them: a word, and the part of its reading that is meant."""
    for match in _SOUND.finditer(text):
        word, part = match["w"], match["p"].translate(_KATAKANA)
        if word not in _NO_WORD and any(part in reading for reading in _read(word.removeprefix("お"))):
            end = match.end("p")
            while more := _HANGING.match(text, end):
                end = more.end()
            weight = 2 if end > match.end("p") or re.match(r"一文字|[とって]{1,2}書", text[end:]) else 1
            yield match.start(), end, weight


def _items(text: str) -> Iterator[tuple[int, int, int]]:
    for match in _ITEM.finditer(text):
        start, word = match.start("w"), match["w"]
        end = match.end("x") if match["x"] else match.end("k") if match["k"] else match.end("l")
        if match["x"]:
            fits = (match["x"] in word and len(word) > 1) or (word.endswith("数字") and match["x"] in "一二三四五六七八九十百千万")
            weight = 2 if _CLOSED.match(text, end) else 1
        else:
            fits, weight = _begins_with(word, match["k"] or match["l"]), 1
        if fits and word not in _NO_WORD and not (start and re.match(rf"[{_KANJI}]", text[start - 1]) and re.match(rf"[{_KANJI}]", word)):
            yield start, end, weight


def _runs(text: str, items: list[tuple[int, int, int]]) -> Iterator[list[tuple[int, int, int]]]:
    run: list[tuple[int, int, int]] = []
    reach = 0
    for item in items:
        if run and item[0] > reach and not _joined(text, reach, item[0]):
            yield run
            run, reach = [], 0
        if not run or item[0] >= reach:
            run.append(item)
        else:
            run[-1] = (run[-1][0], max(run[-1][1], item[1]), max(run[-1][2], item[2]))
        reach = max(reach, item[1])
    if run:
        yield run


def _joined(text: str, start: int, end: int) -> bool:
    return bool(_JOINT.fullmatch(text, start, end)) or bool(re.fullmatch(rf"[にと]、?[{_KANJI}]{{1,2}}[いるしき]{{0,2}}[、にと]{{1,2}}", text[start:end]))


def _begins_with(word: str, letter: str) -> bool:
    """Tell 朝日のア, さくらのS: the word is read with the letter first."""
    if letter.isascii():
        return (word.isascii() and word[0].lower() == letter.lower()) or any(_romaji(r[0]) == letter.lower() for r in _read(word))
    kana = letter.translate(_KATAKANA)
    return any(_VOICED.get(reading[0], reading[0]) == _VOICED.get(kana, kana) for reading in _read(word))


def _read(word: str) -> list[str]:
    katakana = word.translate(_KATAKANA)
    return [katakana] if re.fullmatch(r"[ァ-ヴー]+", katakana) else readings(word)


@lru_cache(maxsize=256)
def _romaji(kana: str) -> str:
    rows = {"アイウエオ": "", "カキクケコ": "k", "サシスセソ": "s", "タチツテト": "t", "ナニヌネノ": "n", "ハヒフヘホ": "h", "マミムメモ": "m",
            "ヤユヨ": "y", "ラリルレロ": "r", "ワ": "w", "ガギグゲゴ": "g", "ザズゼゾ": "z", "ジ": "j", "ダデド": "d", "バビブベボ": "b", "パピプペポ": "p"}  # fmt: skip
    for row, consonant in rows.items():
        if kana in row:
            return consonant or "aiueo"["アイウエオ".index(kana)]
    return ""


def _is_spelling(run: str) -> bool:
    """Three letters or more that are no list in the alphabet's order: A、B、C are plans."""
    letters = re.findall(r"[A-Za-z]|[ァ-ヴー]+", run)
    if all(letter.isascii() for letter in letters):
        steps = [_ALPHABET.index(b.lower()) - _ALPHABET.index(a.lower()) for a, b in pairwise(letters)]
        return any(step != 1 for step in steps)
    return True
