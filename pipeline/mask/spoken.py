"""Numbers and codes as they are said: digits in any script, letters by their names, hesitation between them."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from pipeline.mask.numbers import is_product_code
from pipeline.mask.pattern import COUNTER, HESITATION, LETTER

KANA_DIGIT = (
    "ゼロ|ぜろ|零|レイ|れい|マル|まる|イチ|いち|ニイ|にい|ニー?|にー?|サン|さん|ヨン|よん|シ(?![ァ-ヴ])|ゴー?|ごー?|ロク|ろく|ナナ|なな|シチ|しち"
    "|ハチ|はち|キュウ|きゅう|キュー|きゅー|ク(?![ァ-ヴ])"
)
_SIGN = "ハイフン|はいふん|アンダーバー|アンダースコア|ピリオド|スラッシュ|スペース|マイナス|シャープ|ドット"
_GAP = re.compile(rf"(?:[-_. の・、,/と]|に、|(?:{_SIGN})|{HESITATION}|それから|あと、?){{0,5}}")
_COUNTED = re.compile(rf" ?(?:{COUNTER}|号室|号棟|段|種類|点|ヶ|ギガ|メガ|パー|代|連|泊|食|口[でをに]|箱|本|袋|名[様で、。]|室|曲|話|章|行|便|番(?:搭乗|ホーム|窓口|ゲート|線|目|出口))")
_PRICE = re.compile(r"[¥$][0-9,.]*$|(?:第|約|税込|残り|合計|全部で|あと|定価|[Vv]er\.?|バージョン|築|HTTP|エラー|ステータス|iPhone|Windows|PS|iOS|Android|IPv) ?$")
_MEASURE = re.compile(r"[0-9]+(?:[KMGT]B?|[kmc]?m|m?l|[km]?g|[VWALXx]|mAh|k?Wh?|k?Hz|px|[KMG]?bps|%|h|min|LDK|DK|K)", re.IGNORECASE)
_NO_CODE = frozenset(["HTTP", "OS", "IOS", "GB", "MB", "TB", "PC", "TV", "NO", "VER", "OK", "NG", "AM", "PM", "KB", "CM", "KM", "KG", "USB", "SMS"])
_KANJI = "〇零一二三四五六七八九"
_REPEATED = r"が、?(?:ふたつ|二つ|2つ|みっつ|三つ|3つ|よっつ|四つ|4つ|2個|3個|続)"
_ATOM = re.compile(
    r"(?P<code>(?<![A-Za-z0-9])(?:[A-Za-z]{1,6}[0-9]|[0-9]+[A-Za-z])[A-Za-z0-9_]*)"
    rf"|(?P<many>(?:{KANA_DIGIT}|[0-9{_KANJI}]){_REPEATED})"
    r"|(?P<amount>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+\.[0-9]{1,2}(?![0-9.]))"
    r"|(?P<digits>[0-9]+)"
    rf"|(?P<kanji>(?<![一-龥々第])[{_KANJI}百十]+(?![一-龥々]|つ|人|度|緒))"
    rf"|(?P<kana>(?:(?<![ぁ-んァ-ヴー一-龥])|(?<=[はがのもで])|(?<=じゃあ)|(?<=えーと)|(?<=えっと))(?:{KANA_DIGIT})(?:[・、ー ]?(?:{KANA_DIGIT}))*(?=[^ぁ-んー]|の|で|に|は|が|と|って|$))"
    r"|(?P<letters>(?<![A-Za-z])[A-Za-z]{1,4}(?![A-Za-z]))"
    rf"|(?P<named>(?<![ァ-ヴー])(?:{LETTER})(?=[^ァ-ヴー]|$))"
)
_FILLED = re.compile(rf"(?:{HESITATION}|[、。,. 「」?!]|です(?:か|ね)?|でした|で|の|と|が|番|は|もう一つ|最初|最後|次|ほう|方|次が|以上|になります|でございます(?:ね)?|になりますね|そうです|ええ|ハイフン|下|後ろ|続いて|よ|ね|ます|だ|って)*")
_CORRECTED = re.compile(
    rf"(?P<wrong>[0-9{_KANJI}]{{1,11}}|(?:{KANA_DIGIT}){{1,6}})(?:番|の(?:ほう|方))?(?:じゃ|では|で)な(?:く|い)(?:て|って|んで)?、?(?:{HESITATION})?(?P<right>[0-9{_KANJI}]{{1,11}}|(?:{KANA_DIGIT}){{1,6}})"
)


class _Atom(NamedTuple):
    start: int
    end: int
    kind: str
    n: int  # digits, or letters


def spoken_values(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where numbers and codes stand in a sentence that belongs to an answer, in order.

    Two digits or more, or at least three letters said one by one; a single digit only where the sentence says nothing
    else. What is counted or priced (3 日, 980円), a model's or an error's code and a version are no answer.
    """
    corrections = [span for match in _CORRECTED.finditer(text, start, end) for span in (match.span("wrong"), match.span("right"))]
    yield from corrections
    groups = list(_groups(text, start, end))
    alone = len(groups) > 0 and bool(_FILLED.fullmatch(_without(text, start, end, groups)))
    for group in groups:
        if any(a < group[-1].end and group[0].start < b for a, b in corrections):
            continue
        digits = sum(atom.n for atom in group if atom.kind in {"digits", "kanji", "kana", "code"})
        letters = sum(atom.n == 1 for atom in group if atom.kind in {"letters", "named"})
        unsure = all(atom.kind == "kana" for atom in group) and digits < 3 and not alone
        if (digits >= 2 and not unsure) or (alone and digits) or (letters >= 3 and digits + letters >= 3):
            yield group[0].start, group[-1].end


def only_a_value(text: str, start: int, end: int) -> bool:
    """Tell a sentence of nothing but digits: what is said when a number is told in pieces."""
    groups = list(_groups(text, start, end))
    atoms = [atom for group in groups for atom in group]
    plain = all(atom.kind in {"digits", "kanji", "kana"} for atom in atoms)
    return plain and sum(atom.n for atom in atoms) >= 3 and bool(_FILLED.fullmatch(_without(text, start, end, groups)))


def _groups(text: str, start: int, end: int) -> Iterator[list[_Atom]]:
    group: list[_Atom] = []
    for atom in _atoms(text, start, end):
        if group and not _GAP.fullmatch(text, group[-1].end, atom.start):
            yield from _trimmed(group)
            group = []
        group.append(atom)
    yield from _trimmed(group)


def _trimmed(group: list[_Atom]) -> Iterator[list[_Atom]]:
    """Leave letters that no digit joins at an end, unless they are said one by one."""
    if all(atom.kind in {"letters", "named"} for atom in group):
        if len(group) >= 3 and all(atom.n == 1 for atom in group):
            yield group
        return
    while group and group[-1].kind in {"letters", "named"} and group[-1].n > 1:
        group = group[:-1]
    if group:
        yield group


def _atoms(text: str, start: int, end: int) -> Iterator[_Atom]:
    for match in _ATOM.finditer(text, start, end):
        first, last = match.span()
        kind, word = match.lastgroup or "", match.group()
        if kind == "amount" or (kind == "code" and _MEASURE.fullmatch(word)):
            continue
        if kind in {"letters", "named"}:
            if word.upper() not in _NO_CODE:
                yield _Atom(first, last, kind, len(word) if kind == "letters" else 1)
            continue
        if kind == "many":
            yield _Atom(first, last, "digits", 2)
            continue
        counted = _COUNTED.match(text, last, min(end, last + 8)) and kind != "code"
        if counted or _PRICE.search(text, max(start, first - 10), first) or is_product_code(text, first):
            continue
        n = len(re.findall(KANA_DIGIT, word)) if kind == "kana" else sum(c.isdigit() or c in _KANJI for c in word)
        yield _Atom(first, last, kind, n)


def _without(text: str, start: int, end: int, groups: list[list[_Atom]]) -> str:
    rest, position = "", start
    for group in groups:
        rest += text[position : group[0].start]
        position = group[-1].end
    return rest + text[position:end]
