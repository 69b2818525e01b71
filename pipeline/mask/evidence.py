"""What a tagger reads of each word of a conversation: the word, its neighbours, its turn, and the rest of the text."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from models.speakers import desk_odds
from pipeline.mask.lexicon import is_person_name, is_romaji_name, name_kinds
from pipeline.mask.pattern import COUNTER, LETTER
from pipeline.mask.questions import asked
from pipeline.mask.spans import MARK
from pipeline.mask.spoken import KANA_DIGIT
from pipeline.mask.turns import sentences, turns
from pipeline.mask.vocabulary import HONORIFICS, RELATIVES, ROLES

WINDOW = 3
_MEMORY = 3  # turns in which a question is still open
_PIECE = re.compile(rf"(?P<mark>{MARK.pattern})|(?P<line>\n)|(?P<words>(?:(?!{MARK.pattern})[^\n])+)")
_SHAPES = (
    (re.compile(r"[一-龥々ヶ〇髙﨑]"), "K"),
    (re.compile(r"[ぁ-ん]"), "H"),
    (re.compile(r"[ァ-ヴー]"), "T"),
    (re.compile(r"[0-9]"), "9"),
    (re.compile(r"[A-Z]"), "A"),
    (re.compile(r"[a-z]"), "a"),
)
_KANA_DIGITS = re.compile(rf"(?:{KANA_DIGIT})+の?")
_KANJI_DIGITS = re.compile(r"[〇零一二三四五六七八九十百]+")
_LETTERS = re.compile(rf"(?:{LETTER})|[A-Za-z]")
_COUNTED = re.compile(COUNTER)
_ADDRESSED = HONORIFICS | {"ちゃん", "くん", "先生", "氏"}
_NOMINAL = ("名詞", "接尾辞", "接頭辞", "形状詞", "記号", "補助記号", "空白", "副詞", "感動詞")
_TOPICS = tuple(
    (name, re.compile(words))
    for name, words in (
        ("name", r"名前|氏名|名字|苗字|名義|宛名|フルネーム|ふりがな|フリガナ|カナ|旧姓|契約者|様分"),
        ("spelling", r"漢字|どういう字|どんな字|どのような字|綴り|スペル|書きます|書いて"),
        ("phone", r"電話|携帯|連絡先|TEL|FAX|直通|内線"),
        ("card", r"カード|有効期限|セキュリティ"),
        ("account", r"口座|支店|普通|当座|記号|ゆうちょ|振込|銀行"),
        ("birth", r"生年月日|誕生|生まれ|生れ|昭和|平成|大正|令和|年生"),
        ("secret", r"暗証|パスワード|パスコード|合言葉|PIN|質問の答|認証|コード|キー"),
        ("address", r"住所|届け先|送り先|お住まい|番地|丁目|設置"),
        ("postal", r"郵便|〒"),
        ("mail", r"メール|アドレス|アット|ドット|@"),
        ("plate", r"ナンバー|車両|車は"),
        ("social", r"アカウント|ニックネーム|ID|ハンドル|ユーザー|インスタ|LINE|フレンド"),
        ("number", r"番号|No|ナンバー|管理|受付|伝票|会員|契約|証券|注文|予約|末尾|下4桁|下四桁"),
    )
)


class Word(NamedTuple):
    """A word as the dictionary cuts it, or a mark that stands for what was masked."""

    start: int
    end: int
    text: str
    norm: str
    tag: str
    reading: str


def words_of(text: str) -> list[Word]:
    """Return the words of a text of one width; a mark is one word, and so is a line's end."""
    return list(_words(text))


def evidence(text: str, words: Sequence[Word]) -> list[list[str]]:
    """Return the features of each word, by name.

    Parameters
    ----------
    text : str
        Of one width; personal data may be masked already.
    words : sequence of Word
        From `words_of`.
    """
    basic = [_described(word.text, word.norm, word.tag) for word in words]
    turn_features = _turn_features(text, words)
    runs = _digit_runs(words)
    told = _told_elsewhere(words)
    left, right = _borders(words)
    padded = [_EDGE] * WINDOW + basic + [_EDGE] * WINDOW
    found: list[list[str]] = []
    for i in range(len(words)):
        near = padded[i : i + 2 * WINDOW + 1]
        me, before, after = near[WINDOW], near[WINDOW - 1], near[WINDOW + 1]
        features = [f"{at}n={n.norm}" for at, n in zip(_OFFSETS, near, strict=True)]
        features += [f"{at}t={n.tag}" for at, n in zip(_OFFSETS[1:-1], near[1:-1], strict=True)]
        features += [f"{at}s={n.shape}" for at, n in zip(_OFFSETS[2:-2], near[2:-2], strict=True)]
        features += [f"{at}k={n.kind}" for at, n in zip(_OFFSETS[1:-1], near[1:-1], strict=True) if n.kind]
        features += [
            f"t-={before.tag}|{me.tag}",
            f"t+={me.tag}|{after.tag}",
            f"n-={before.norm}|{me.kind}{me.shape}",
            f"n+={me.kind}{me.shape}|{after.norm}",
            f"nn={before.norm}|{after.norm}",
            f"n--={near[WINDOW - 2].norm}|{before.norm}",
            f"n++={after.norm}|{near[WINDOW + 2].norm}",
            f"l={left[i]}",
            f"r={right[i]}",
            f"lr={left[i]}|{right[i]}",
            f"lk={left[i]}|{me.kind}{me.coarse}",
            f"rk={right[i]}|{me.kind}{me.coarse}",
        ]
        features += told[i]
        features += runs[i]
        for feature in turn_features[i]:
            features += (feature, f"{feature}|{me.coarse}{me.kind}")
        found.append(features)
    return found


# --- words -----------------------------------------------------------------------------------------------------------


@cache
def _tokenizer() -> Any:
    from sudachipy import Dictionary, SplitMode

    return Dictionary(dict="core").create(mode=SplitMode.C)


def _words(text: str) -> Iterator[Word]:
    for piece in _PIECE.finditer(text):
        start = piece.start()
        if piece.lastgroup == "words":
            for token in _tokenizer().tokenize(piece.group()):
                begin, end = start + token.begin(), start + token.end()
                tag = "-".join(part for part in token.part_of_speech()[:4] if part != "*")
                tag += "-未知" if token.is_oov() else ""
                yield Word(begin, end, text[begin:end], token.normalized_form(), tag, token.reading_form())
        else:
            kind = "改行" if piece.lastgroup == "line" else "伏字"
            yield Word(start, piece.end(), piece.group(), piece.group() if kind == "伏字" else kind, kind, "")


class _Described(NamedTuple):
    norm: str
    tag: str
    shape: str
    coarse: str
    kind: str


_EDGE = _Described("端", "端", "", "", "")
_OFFSETS = tuple(range(-WINDOW, WINDOW + 1))


@lru_cache(maxsize=50_000)
def _described(text: str, norm: str, tag: str) -> _Described:
    shape = _shape(text)
    return _Described(norm, tag, shape + str(min(len(text), 5)), shape[:2], _kind(text, tag))


def _shape(text: str) -> str:
    letters = "".join(next((name for pattern, name in _SHAPES if pattern.match(c)), c if not c.isalnum() else "o") for c in text)
    return re.sub(r"(.)\1+", r"\1", letters)[:4]


def _kind(text: str, tag: str) -> str:
    """Return what a list or the dictionary knows a word as, beside what the tokenizer chose."""
    if tag in {"伏字", "改行"}:
        return ""
    if text in _ADDRESSED:
        return "h"
    if text in RELATIVES:
        return "f"
    if text in ROLES:
        return "r"
    kinds = name_kinds(text)
    if kinds:
        return "".join(sorted({"姓": "S", "名": "G"}[kind] for kind in kinds))
    if _KANA_DIGITS.fullmatch(text):
        return "d"
    if _KANJI_DIGITS.fullmatch(text):
        return "j"
    if _LETTERS.fullmatch(text):
        return "l"
    if len(text) > 2 and re.fullmatch(r"[ぁ-んァ-ヴー]+", text) and is_person_name(text):
        return "p"
    if re.fullmatch(r"[A-Za-z]{3,}", text) and is_romaji_name(text):
        return "e"
    return ""


# --- the rest of the text --------------------------------------------------------------------------------------------


def _told_elsewhere(words: Sequence[Word]) -> list[list[str]]:
    """Return what the other places of a word tell: that it is said again, called 様, or read as another word is written."""
    called = {a.text for a, b in pairwise(words) if b.text in _ADDRESSED or b.norm in {"様", "さん"}}
    counts = Counter(word.text for word in words)
    written = {word.text for word in words}
    read = Counter(word.reading for word in words if re.search(r"[一-龥]", word.text))
    found: list[list[str]] = []
    for i, word in enumerate(words):
        told: list[str] = []
        wordy = len(word.text) > 1 or re.match(r"[一-龥]", word.text)
        if wordy and word.tag.startswith("名詞"):
            after = words[i + 1].text if i + 1 < len(words) else ""
            if word.text in called and after not in _ADDRESSED:
                told.append("called")
            if counts[word.text] > 1:
                told.append("again")
            katakana = _katakana(word.text)
            if len(katakana) > 1 and read[katakana] and katakana != word.reading + "!":
                told.append("readas")
            if re.search(r"[一-龥]", word.text) and (word.reading in written or _hiragana(word.reading) in written):
                told.append("saidas")
        found.append(told)
    return found


_TO_KATAKANA = str.maketrans({chr(c): chr(c + 0x60) for c in range(0x3041, 0x3097)})
_TO_HIRAGANA = str.maketrans({chr(c + 0x60): chr(c) for c in range(0x3041, 0x3097)})


def _katakana(text: str) -> str:
    return text.translate(_TO_KATAKANA) if re.fullmatch(r"[ぁ-んァ-ヴー]+", text) else ""


def _hiragana(text: str) -> str:
    return text.translate(_TO_HIRAGANA)


def _borders(words: Sequence[Word]) -> tuple[list[str], list[str]]:
    """Return for each word the nearest word before and after it that is no noun or sign: what frames a name."""
    left, right = [], []
    last = "端"
    for word in words:
        left.append(last)
        if not word.tag.startswith(_NOMINAL):
            last = word.norm
    last = "端"
    for word in reversed(words):
        right.append(last)
        if not word.tag.startswith(_NOMINAL):
            last = word.norm
    return left, right[::-1]


_DIGITS = re.compile(rf"[0-9]+|[〇零一二三四五六七八九十百]+|(?:{KANA_DIGIT})+|[A-Za-z]+|(?:{LETTER})")
_BETWEEN = frozenset(["ハイフン", "アンダーバー", "ドット", *"-ーの、,./_・とに@: "])


def _digit_runs(words: Sequence[Word]) -> list[list[str]]:
    """Return for each word of a run of digits and letters how long the run is and what stands at its ends."""
    found: list[list[str]] = [[] for _ in words]
    i = 0
    while i < len(words):
        if not is_digits(words[i]):
            i += 1
            continue
        last = i
        j = i + 1
        while j < len(words) and j - last <= 2:
            if is_digits(words[j]):
                last = j
            elif words[j].text not in _BETWEEN:
                break
            j += 1
        text = "".join(word.text for word in words[i : last + 1])
        digits = sum(len(word.text) for word in words[i : last + 1] if is_digits(word))
        pieces = sum(map(is_digits, words[i : last + 1]))
        before = words[i - 1].norm if i else "端"
        after = words[last + 1].norm if last + 1 < len(words) else "端"
        counted = bool(last + 1 < len(words) and _COUNTED.match(words[last + 1].text))
        has = "".join(sign for sign in "-の,.:/" if sign in text)
        features = [
            f"run={min(digits, 16)}",
            f"run={min(digits, 16)}|{has}",
            f"runp={min(pieces, 6)}",
            f"run-={before}",
            f"run+={after}",
            f"runc={counted}|{min(digits, 5)}",
            f"runs={_shape(text)}",
            f"run-+={before}|{after}",
        ]
        for k in range(i, last + 1):
            found[k] += features
        i = last + 1
    return found


@lru_cache(maxsize=50_000)
def _digit_text(text: str) -> bool:
    return bool(_DIGITS.fullmatch(text)) or (bool(re.search(r"[0-9]", text)) and bool(re.fullmatch(r"[0-9A-Za-z-]+", text)))


def is_digits(word: Word) -> bool:
    """Tell digits in any script, letters and codes."""
    return word.tag not in {"伏字", "改行"} and _digit_text(word.text)


# --- turns -----------------------------------------------------------------------------------------------------------


class _Stretch(NamedTuple):
    start: int
    end: int
    turn: int
    speaker: str
    features: tuple[str, ...]


def _turn_features(text: str, words: Sequence[Word]) -> list[list[str]]:
    """Return for each word what its sentence and the open questions tell."""
    stretches = _stretches(text)
    found: list[list[str]] = []
    at = 0
    seen = 0
    topic, topic_end = "", -100
    topics = list(_topic_places(text))
    k = 0
    for word in words:
        while at < len(stretches) and stretches[at].end <= word.start:
            at, seen = at + 1, 0
        inside = at < len(stretches) and stretches[at].start <= word.start
        features = list(stretches[at].features) if inside else ["label"]
        features.append(f"at={min(seen, 4)}")
        if inside:
            rest = len(text[word.end : stretches[at].end].rstrip("。、 .?」"))
            features.append(f"rest={min(rest // 2, 4)}")
            seen += 1
        while k < len(topics) and topics[k][1] <= word.start:
            topic_end, topic = topics[k][1], topics[k][2]
            k += 1
        distance = word.start - topic_end
        if distance < 40:
            same_line = text.find("\n", topic_end, word.start) < 0
            features.append(f"topic={topic}|{'near' if distance < 6 else 'line' if same_line else 'far'}")
        found.append(features)
    return found


def _topic_places(text: str) -> list[tuple[int, int, str]]:
    return sorted((match.start(), match.end(), name) for name, pattern in _TOPICS for match in pattern.finditer(text))


def _stretches(text: str) -> list[_Stretch]:
    found: list[_Stretch] = []
    open_kinds: dict[str, tuple[int, str]] = {}  # what was asked, in which turn and by whom
    spoken = turns(text)
    only_text = len(spoken) == 1
    for number, turn in enumerate(spoken):
        for start, end in sentences(text, turn):
            sentence = text[start:end]
            waiting = [
                f"ask={kind}{'' if asker != turn.speaker or not asker else '='}{min(number - when, 2)}"
                for kind, (when, asker) in open_kinds.items()
                if number - when <= _MEMORY
            ]
            odds = desk_odds(sentence)
            features = (*waiting, f"desk={round(max(-3.0, min(3.0, odds)))}", f"long={min((turn.end - turn.start) // 12, 4)}")
            features += ("alone",) if only_text else ()
            found.append(_Stretch(start, end, number, turn.speaker, features if waiting else (*features, "ask=none")))
            for kind in asked(sentence):
                open_kinds[f"{kind.reader}{kind.mark[1:2]}"] = (number, turn.speaker)
    return found
