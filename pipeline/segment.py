"""From a comment to its opinion units: clauses about one thing, with offsets, words and dependency pairs.

A sentence is cut at contrast (が, けど, のに, ものの, 一方, 反面), at addition (し, 上に, だけでなく, comma lists),
at 〜て and 連用形 only where another subject follows that the first clause is not the cause of, and where a
sentence ends without a mark. Conditions and causes (ので, から, たら, ば, と) stay with their main clause, and so does
a mere background (「先日購入したのですが」). The rules read Sudachi's tags; a text is parsed only where tags do not tell
whether a topic stands inside a relative clause, or whether a word is somebody's name.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from spacy.tokens import Doc, Token

from pipeline.heads import heads, modified
from pipeline.mask import NO_WORDS, WordList, find_names, replace_spans
from pipeline.parse import BATCH, ParseNeeded, Parser, bullet_length, head, sentence_starts, shared_parser

VERSION = "6"


@dataclass(frozen=True)
class OpinionUnit:
    """One clause about one thing; start and end are character offsets into the masked text.

    ``clauses`` are the parts between which its polarity might turn, two or more or none: whether it does is for a
    model to read (:mod:`pipeline.turns`).
    """

    text: str
    start: int
    end: int
    tokens: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()
    clauses: tuple["OpinionUnit", ...] = ()


@dataclass(frozen=True)
class Annotation:
    """A text with its personal names masked, and its opinion units; none means no opinion."""

    text: str
    units: tuple[OpinionUnit, ...]


def annotate(texts: Sequence[str], parser: Parser, *, words: WordList = NO_WORDS) -> list[Annotation]:
    """Return the masked text and the opinion units of each text, from its words, or its parse where a rule asks.

    Parameters
    ----------
    texts : sequence of str
        Comments, normalised and with patterns of personal data masked.
    parser : Parser
        The one parser; each text passes it once.
    words : WordList
        The deployment's own words; a kept one is no name.

    Examples
    --------
    >>> [unit.text for unit in annotate(["料理は最高、でも待たされた"], Parser())[0].units]
    ['料理は最高', '待たされた']
    """
    found: list[Annotation] = []
    for start in range(0, len(texts), BATCH):  # the parse's last bits depend on what is parsed together
        docs = list(parser.words(texts[start : start + BATCH]))
        read = [_read(doc, words) for doc in docs]
        asking = [doc.text for doc, annotation in zip(docs, read, strict=True) if annotation is None]
        parsed = (_annotate(doc, words) for doc in parser.pipe(asking))
        found.extend(annotation or next(parsed) for annotation in read)
    return found


def split_opinions(texts: Sequence[str]) -> list[list[OpinionUnit]]:
    """Return the opinion units of each text, with the shared parser."""
    return [list(annotation.units) for annotation in annotate(texts, shared_parser())]


# ── Words as the rules see them ──────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Word:
    i: int
    text: str
    norm: str
    tag: str
    form: str
    start: int
    end: int
    token: Token
    masked: bool
    quoted: bool


_QUOTED = re.compile(r"「[^「」\n]{1,200}」|『[^『』\n]{1,200}』")
_MASK = re.compile(r"\[[^\[\]\n]{1,8}\]")
_NOMINAL = ("名詞", "代名詞", "接尾辞-名詞", "形状詞", "助詞-準体助詞")
_OPENS = ("名詞", "代名詞", "動詞", "形容詞", "形状詞", "副詞", "連体詞", "接続詞", "感動詞", "接頭辞")
_MARKS = ("補助記号", "空白", "記号")


def _words(doc: Doc, text: str, names: Sequence[tuple[int, int]]) -> list[_Word]:
    hidden = [*names, *(match.span() for match in _MASK.finditer(text))]
    covered = {position for start, end in hidden for position in range(start, end)}
    quoted = {position for match in _QUOTED.finditer(text) for position in range(*match.span())}
    return [
        _Word(
            token.i,
            token.text,
            token.norm_,
            token.tag_,
            (token.morph.get("Inflection", []) or [""])[0],
            token.idx,
            token.idx + len(token),
            token,
            token.idx in covered,
            token.idx in quoted,
        )
        for token in doc
    ]


def _read(doc: Doc, kept: WordList) -> Annotation | None:
    """Return the annotation where words and tags suffice for it, None where a rule asks for the parse."""
    try:
        return _annotate(doc, kept)
    except ParseNeeded:
        return None


def _annotate(doc: Doc, kept: WordList) -> Annotation:
    if not len(doc):
        return Annotation(doc.text, ())
    names = find_names(doc, kept)
    text = doc.text  # built anew at every access
    masked, moved = replace_spans(text, names)
    words = _words(doc, text, names)
    starts = sentence_starts(doc)
    opening = set(starts)

    def unit_of(first: int, last: int, inner: bool) -> OpinionUnit | None:
        start, end = _trimmed(masked, moved[words[first].start], moved[words[last - 1].end], inner)
        if _is_empty(masked[start:end]):
            return None
        inside = range(first, last)
        return OpinionUnit(masked[start:end], start, end, _tokens(words, inside), _pairs(words, inside))

    units = []
    for first, last in _pieces(text, words, starts):
        inner = last < len(words) and last not in opening
        unit = unit_of(first, last, inner)
        if unit is not None:
            edges = list(itertools.pairwise([first, *_turning_points(words, first, last), last]))
            clauses = [unit_of(start, end, inner or end < last) for start, end in edges]
            if len(clauses) > 1 and None not in clauses:
                unit = replace(unit, clauses=tuple(filter(None, clauses)))
            units.append(unit)
    return Annotation(masked, () if _all_withheld(masked, units) else tuple(_opinions(units)))


def _pieces(text: str, words: list[_Word], starts: list[int]) -> list[tuple[int, int]]:
    """Return the clauses as ranges of words, in order, small fragments joined to a neighbour."""
    pieces: list[tuple[int, int]] = []
    carried: int | None = None
    for first, last in zip(starts, [*starts[1:], len(words)], strict=True):
        edges = [first, *_cuts(words, first, last), last]
        clauses = _with_predicates(words, list(itertools.pairwise(edges)))
        if carried is not None:
            clauses[0] = (carried, clauses[0][1])
            carried = None
        if len(clauses) == 1 and not _speaks(words, *clauses[0]):
            bulleted = bullet_length(text[words[clauses[0][0]].start : words[clauses[0][1] - 1].end]) > 0
            if not bulleted and _leads_on(words, *clauses[0]) and last < len(words):
                carried = clauses[0][0]
                continue
            if not bulleted and pieces and not _has_content(words, *clauses[0]):
                pieces[-1] = (pieces[-1][0], clauses[0][1])
                continue
        pieces.extend(clauses)
    return pieces


def _with_predicates(words: list[_Word], clauses: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join what neither states nor values anything to the clause after it, or at the end to the one before."""
    joined: list[tuple[int, int]] = []
    start = clauses[0][0]
    for _, end in clauses:
        if _speaks(words, start, end):
            joined.append((start, end))
            start = end
    if start < clauses[-1][1]:
        if joined:
            joined[-1] = (joined[-1][0], clauses[-1][1])
        else:
            joined.append((start, clauses[-1][1]))
    return joined


# ── Where a sentence is cut ──────────────────────────────────────────────────────────────────────────────────

_Rule = Callable[[list[_Word], list[_Word], bool], int | None]
_BRACKETS = frozenset("「『([（")
_LOOK_BACK, _LOOK_AHEAD = 60, 40
_CONTRAST = frozenset(["が", "けれど", "けど", "けども", "けれども"])
_TURN = frozenset(["反面", "半面", "一方", "一方で"])
_TAKES_TIME = frozenset(["時間", "手間", "必要", "使う", "役立つ", "便利", "苦労", "良い", "丁度", "慣れる", "御金", "費用"])
_CONJUNCTION = re.compile(
    r"でも(?!な)|しかし|ただし|ただ(?=[、,]|[^いのでじ])|だけど|けど|けれど|なのに|それなのに|しかも|それに(?!し)|それと|そして|さらに|一方"
    r"|加えて|おまけに|その上|そのうえ|とはいえ|逆に|反対に|もっとも、|むしろ|あとは?[、,]|また[、,]|次に、|but\b",
    re.IGNORECASE,
)
_AGAIN = re.compile(r"また(?!は|が|の)|もう(?!少)|次回|次も|今後|今度|ぜひ|是非|でも|ただ|しかし|けど|だけど|あと(?!で)|それと|特に")
_HELPERS = frozenset(
    ["居る", "有る", "呉れる", "貰う", "頂く", "下さる", "見る", "仕舞う", "来る", "行く", "置く", "欲しい", "上げる", "御座る", "成る", "良い", "無い"]
)
_FOLLOWS_FROM = frozenset(
    ["時間", "手間", "意味", "気", "気分", "気持ち", "気持", "声", "涙", "腹", "頭", "目", "耳", "手", "好感", "信頼", "違和感", "不信感", "安心感", "必要", "何", "何処", "何れ", "誰", "方", "事", "物", "所", "自信", "話", "会話", "内容", "食欲", "体調", "息", "心", "足", "身体", "体", "人", "差", "効果", "期待", "満足度", "やる気", "印象", "感じ", "私", "僕", "俺", "自分", "家族", "子供", "主人", "夫", "妻", "母", "父", "の", "こと"]
)
_NOT_ALSO = frozenset(["何", "誰", "不可", "一睡", "一度", "一つ", "少し", "今", "私", "自分"])
_PERSON = frozenset(["私", "僕", "俺", "自分", "家族", "子供", "主人", "夫", "妻", "母", "父", "娘", "息子", "我々", "うち", "個人", "今回", "前回", "先日", "今日", "昨日", "以前", "最近"])
_SEVERAL = frozenset(["よし", "良し", "最高", "最悪", "抜群"])
_DEPENDENT = frozenset(["日", "事", "こと", "時", "所", "為", "様", "物", "場合", "際", "件", "旨", "点", "筈", "訳", "間", "内", "度", "通り", "以上", "限り", "途端", "方", "人", "上", "割"])
_PROTECTED = re.compile(r"「[^「」]{1,200}」|『[^『』]{1,200}』|[(（][^()（）]{1,100}[)）]")


def _cuts(words: list[_Word], first: int, last: int) -> Iterator[int]:
    """Yield the word numbers at which a new clause begins inside a sentence."""
    return _boundaries(words, first, last, _cut_length)


def _turning_points(words: list[_Word], first: int, last: int) -> Iterator[int]:
    """Yield the word numbers inside a unit at which its polarity might turn."""
    return _boundaries(words, first, last, _turning)


def _boundaries(words: list[_Word], first: int, last: int, rule: _Rule) -> Iterator[int]:
    """Yield the word numbers at which a rule lets a new clause begin."""
    text = _surface(words, first, last)
    base = words[first].start
    inner = {i for match in _PROTECTED.finditer(text) for i in range(base + match.start() + 1, base + match.end())}
    left = first
    for i in range(first, last - 1):
        if i < left or words[i].start in inner:  # i < left: this word closes the clause before
            continue
        after = i + 1
        while after < last and words[after].tag.startswith(_MARKS) and words[after].text not in _BRACKETS:
            after += 1
        if after == last or after - i > 4 or words[i].tag.startswith(_MARKS):
            continue
        clause = words[max(left, i + 1 - _LOOK_BACK) : i + 1]
        rest = words[after : min(last, after + _LOOK_AHEAD)]
        comma = after > i + 1
        cut = rule(clause, rest, comma)
        if cut is not None:
            left = after + cut
            while left < last and words[left].tag.startswith(_MARKS) and words[left].text not in _BRACKETS:
                left += 1
            if left < last:
                yield left


def _cut_length(clause: list[_Word], rest: list[_Word], comma: bool) -> int | None:
    """Return how many words of the rest still close the clause, None where it goes on."""
    for rule in (_contrast, _turn, _addition, _new_subject, _comma_list, _unmarked_end, _conjunction):
        length = rule(clause, rest, comma)
        if length is not None:
            return length
    return None


def _turning(clause: list[_Word], rest: list[_Word], comma: bool) -> int | None:
    """Any contrast, whatever either side says; a noun and comma before another subject."""
    word = clause[-1]
    if len(clause) < 3 or len(rest) < 3:
        return None
    if _opposes(clause):
        return 1 if word.text == "けれど" and rest[0].text == "も" and not comma else 0
    if _ends_in(clause, "もの", "の") or _ends_in(clause, "くせ", "に") or (word.text in _TURN and comma):
        return 0
    if _ends_in(clause, "の", "に") and rest[0].text not in ("は", "も"):
        return 0 if _is_predicate_end(clause[-3]) else None
    nominal = comma and word.tag.startswith(("名詞", "形状詞", "副詞", "接尾辞")) and _has_subject(clause)
    return 0 if nominal and _subject(rest) else None


def _opposes(clause: list[_Word]) -> bool:
    """Return whether a clause ends in が or けど after a predicate; without a comma Sudachi takes that が for a case."""
    word, before = clause[-1], clause[-2] if len(clause) > 1 else None
    if word.tag == "助詞-格助詞" and word.text == "が":
        return before is not None and _is_predicate_end(before)
    return word.tag == "助詞-接続助詞" and word.text in _CONTRAST


def _contrast(clause: list[_Word], rest: list[_Word], comma: bool) -> int | None:
    """が, けど, けれど(も), but; ものの, くせに, のに: where what stands before is itself an opinion."""
    word = clause[-1]
    before = clause[:-1]
    length = None
    if _opposes(clause):
        length = 1 if word.text == "けれど" and rest[0].text == "も" and not comma else 0
    elif word.text.lower() == "but" and len(clause) > 2:
        return 0
    elif _ends_in(clause, "もの", "の") or _ends_in(clause, "くせ", "に"):
        before, length = clause[:-2], 0
    elif _ends_in(clause, "の", "に") and rest[0].text not in ("は", "も") and rest[0].norm not in _TAKES_TIME:
        before = clause[:-2]
        states = before and _is_predicate_end(before[-1]) and _values_at_end(before) and not _is_negated(before, -1)
        states = states and before[-1].norm != "たい"
        return 0 if states and _values(rest) else None
    if length is None or not before or not _is_predicate_end(before[-1]):
        return None
    rest = rest[length:]
    if _is_preface(before) or not rest:
        return None
    opposed = _topic(before) and _subject(rest)
    return length if _values_at_end(before) or (any(map(_is_asset, before)) and _subject(rest)) or opposed else None


def _turn(clause: list[_Word], rest: list[_Word], comma: bool) -> int | None:
    """反面, 一方, 上に, 代わりに, だけでなく after a predicate."""
    word = clause[-1]
    before = clause[-2] if len(clause) > 1 else None
    if before is None:
        return None
    if word.text in _TURN and _is_predicate_end(before) and rest[0].tag != "助動詞":
        return sum(1 for _ in _leading(rest, ("で", "、", "では", "は"))) if not comma else 0
    if _ends_in(clause, "上", "に") or _ends_in(clause, "うえ", "に") or _ends_in(clause, "代わり", "に"):
        return 0 if len(clause) > 2 and _is_predicate_end(clause[-3]) and _values(clause) else None
    if word.text in ("上", "うえ") and comma and _is_predicate_end(before):
        return 0
    joined = "".join(w.text for w in clause[-3:])
    if joined in ("だけでなく", "だけじゃなく") or (word.text == "か" and before.text == "ばかり"):
        return 0 if _values(clause[:-3]) and _subject(rest) else None
    return None


def _addition(clause: list[_Word], rest: list[_Word], comma: bool) -> int | None:
    """し after a predicate; 〜のと、 between two wishes."""
    word = clause[-1]
    if word.tag == "助詞-接続助詞" and word.text == "し":
        return 0
    if comma and _ends_in(clause, "の", "と") and _values(clause[:-2]):
        return 0
    return None


def _new_subject(clause: list[_Word], rest: list[_Word], comma: bool) -> int | None:
    """〜て, 〜で, 連用形 before a clause with a subject of its own that does not follow from this one."""
    if not _is_continuative(clause, rest, comma):
        return None
    subject = _subject(rest)
    if subject is None or not _has_subject(clause):
        return None
    noun, particle, tail = subject
    if particle == "も":
        unable = not comma and any(w.tag.startswith("動詞") and _is_negated(tail, j) for j, w in enumerate(tail[:4]))
        again = "副詞可能" in noun.tag or noun.text.startswith("何") or noun.norm in _NOT_ALSO
        return None if unable or again else 0
    if noun.norm in _FOLLOWS_FROM or not _values(clause):
        return None
    at = next((j for j, w in enumerate(tail) if w.tag.startswith("動詞") or _is_quality(w) or _values_word(w)), None)
    if at is None or (at + 1 < len(tail) and tail[at + 1].norm == "成る"):
        return None
    return 0 if _is_quality(tail[at]) or (particle == "は" and _values_word(tail[at])) else None


def _comma_list(clause: list[_Word], rest: list[_Word], comma: bool) -> int | None:
    """「味は良い、値段は高い」「料理最高、接客丁寧」「安い、早い」."""
    word = clause[-1]
    if not comma:
        several = len(clause) > 1 and word.text in _SEVERAL and clause[-2].tag.startswith("名詞")
        return 0 if several and rest[0].tag.startswith("名詞") and _values(rest) else None
    may_end = word.text not in ("な", "の", "か") or (word.text == "な" and word.tag == "助詞-終助詞")
    if may_end and _is_predicate_end(word) and not _is_filler(clause):
        return 0
    nominal = word.tag.startswith(("名詞", "形状詞", "副詞"))
    if nominal and _values_word(word, clause[-2] if len(clause) > 1 else None):
        stands_alone = word.text in _SEVERAL or word.norm in _FINAL_NOUNS
        return 0 if stands_alone or sum(1 for w in clause if _is_content(w)) > 1 else None
    return None


def _unmarked_end(clause: list[_Word], rest: list[_Word], comma: bool) -> int | None:
    """A sentence that ends without a mark: 「よかったですまた来ます」「味は良い値段は高い」."""
    word, follower = clause[-1], rest[0]
    if comma or not follower.tag.startswith(_OPENS) or follower.norm in _DEPENDENT:
        return None
    if follower.tag.startswith("動詞-非自立可能") and word.tag == "助詞-接続助詞":
        return None
    if _is_filler(clause) or rest[0].text in ("って", "っ"):
        return None
    if word.tag == "助詞-終助詞" and word.text not in ("か", "の"):
        return 0
    if not word.tag.startswith(("助動詞", "形容詞", "動詞", "接尾辞-形容詞")) or not _is_predicate_end(word):
        return None
    polite = any(w.norm in ("です", "ます") for w in clause[-3:] if w.tag == "助動詞") or word.text == "ください"
    if polite:
        return 0
    rest_text = "".join(w.text for w in rest[:4])
    if word.text in ("た", "い", "だ") or word.tag.startswith("形容詞"):
        again = _AGAIN.match(rest_text)
        if again and not follower.tag.startswith("名詞") and _values(clause):
            return 0
    subject = _subject(rest)
    topic = _topic(clause)
    if topic is None or subject is None or subject[1] not in "はも" or not _values_at_end(clause):
        return None
    return 0 if head(topic.token) <= word.i else None  # a topic does not stand inside a relative clause


def _conjunction(clause: list[_Word], rest: list[_Word], comma: bool) -> int | None:
    """「…、でも…」「…、しかも…」 after something that could stand alone."""
    if not comma or not _CONJUNCTION.match("".join(w.text for w in rest[:4])):
        return None
    return 0 if _values(clause) or _is_predicate_end(clause[-1]) else None


# ── What a run of words says ─────────────────────────────────────────────────────────────────────────────────

_VALUING = frozenset(
    ["助かる", "困る", "満足", "感謝", "感動", "感激", "驚く", "びっくり", "安心", "がっかり", "喜ぶ", "楽しむ", "気に入る", "待たす", "疲れる", "壊れる", "故障", "飽きる", "汚れる", "破れる", "遅れる", "間違う", "間違える", "違う", "優れる", "勧める", "お勧め", "期待", "苦しむ", "呆れる", "苛々", "いらいら", "怒る", "失望", "後悔", "納得", "充実", "行き届く", "似合う", "劣る", "固まる", "潰れる", "臭う", "最高", "最悪", "残念", "快適", "絶品", "抜群", "完璧", "微妙", "不満", "不便", "不安", "面倒", "苦痛", "一苦労", "ストレス", "迷惑", "無駄", "損", "御得", "お得", "得", "割高", "割安", "高評価", "好印象", "好感", "嫌", "駄目", "無理", "文句", "論外", "妥当", "当たり", "外れ", "正義", "難点", "欠点", "魅力", "価値", "丸聞こえ", "ごわごわ", "べたべた", "ぼろぼろ", "ふわふわ", "もちもち", "つるつる", "さらさら", "ぐちゃぐちゃ", "今一", "まあまあ", "其処其処", "そこそこ", "一寸", "もっと", "過ぎる", "下さる", "腹立つ", "むかつく", "うんざり", "清潔感", "高級感", "安定感", "不信感", "安心感", "達成感", "熱々", "出来立て", "焼き立て", "無愛想", "横柄", "良し", "よし", "普通", "定型文", "時代遅れ", "惜しい", "イマイチ", "不足", "混む", "空く", "痛む", "傷む", "冷める", "萎びる", "美味", "格安", "爽快", "退屈", "失礼", "乱暴", "雑", "適当", "不親切", "不愉快", "好き", "嫌い", "有り難う", "サクサク", "楽", "品切れ", "満席", "たらい回し", "繋がる", "分かる", "伝わる", "増える", "減る", "改善", "要望", "希望", "早まる", "親身"]
)
_NEUTRAL = frozenset(["同じ", "別", "新しい", "若い", "初めて", "必要", "可能", "逆", "様", "よう", "そう", "みたい", "多分", "結構", "大体", "平日", "次", "無い"])
_FINAL_NOUNS = frozenset(["残念", "不便", "便利", "快適", "満足", "不満", "親切", "丁寧", "普通", "微妙", "今一", "絶品", "完璧", "面倒", "大満足", "不親切"])
_STEP_BACK = ("助動詞", "助詞-終助詞", "助詞-準体助詞", "助詞-副助詞")


def _values_word(word: _Word, before: _Word | None = None) -> bool:
    """Return whether a word values: a quality, a negation, a wish, or a word of the list."""
    if word.masked or word.quoted:
        return False
    if word.norm in _VALUING or word.text in _VALUING:
        return word.norm != "下さる" or word.text.startswith(("ください", "下さい"))
    if word.tag.startswith(("形容詞", "形状詞-一般", "形状詞-タリ", "接尾辞-形容詞")) or "形状詞可能" in word.tag:
        return word.norm not in _NEUTRAL or word.norm == "無い"
    if word.tag == "助動詞" and word.norm in ("ない", "ず", "たい"):
        return before is None or before.norm != "知れる"
    if word.text == "少し":
        return before is not None and before.text == "もう"
    return word.text == "も" and before is not None and "助数詞" in before.tag


def _values(words: Sequence[_Word]) -> bool:
    return any(_values_word(w, words[i - 1] if i else None) for i, w in enumerate(words))


def _values_at_end(words: Sequence[_Word]) -> bool:
    """Return whether the last predicate values, seen through 〜と思う, 〜のです and helpers."""
    i = len(words) - 1
    while i >= 0:
        word = words[i]
        before = words[i - 1] if i else None
        if _values_word(word, before):
            return True
        thinking = word.norm in ("思う", "感じる") or (word.norm == "と" and word.tag == "助詞-格助詞")
        helping = word.tag.startswith("動詞-非自立可能") and before is not None and before.tag == "助詞-接続助詞"
        if not (word.tag.startswith(_STEP_BACK) or thinking or helping or word.text in ("は", "て", "で", "の", "し")):
            return bool(before is not None and before.text == "も" and i > 1 and "助数詞" in words[i - 2].tag)
        i -= 1
    return False


def _is_asset(word: _Word) -> bool:
    """Return whether a word by itself speaks well or ill of something: an adjective that is not just any."""
    return _is_quality(word) and _values_word(word)


def _is_quality(word: _Word) -> bool:
    return word.tag.startswith(("形容詞", "形状詞", "接尾辞-形容詞")) or "形状詞可能" in word.tag


def _is_predicate_end(word: _Word) -> bool:
    """Return whether a clause may end in this word: a predicate in a final or adnominal form."""
    if word.tag == "助詞-終助詞":
        return True
    if not word.tag.startswith(("動詞", "形容詞", "助動詞", "接尾辞-形容詞", "接尾辞-動詞")):
        return False
    if "命令形" in word.form:
        return word.norm in ("下さる", "為さる")
    return any(form in word.form for form in ("終止形", "連体形", "意志推量形"))


def _is_filler(clause: list[_Word]) -> bool:
    """「夜からですね、」「本がですね、」 close nothing."""
    for i in range(len(clause) - 1, max(0, len(clause) - 3), -1):
        if clause[i].norm == "です":
            return clause[i - 1].tag.startswith(("助詞-格助詞", "助詞-係助詞")) and clause[i].form.endswith("終止形-一般")
    return False


def _is_negated(words: Sequence[_Word], i: int) -> bool:
    """Return whether ない, ず or ん stands at or soon after word i."""
    first = i % len(words)
    return any(w.tag == "助動詞" and w.norm in ("ない", "ず") for w in words[first : first + 3])


def _is_continuative(clause: list[_Word], rest: list[_Word], comma: bool) -> bool:
    word, follower = clause[-1], rest[0]
    if not comma and (follower.tag.startswith(("助詞", "助動詞", "接尾辞")) or follower.norm in _HELPERS):
        return False
    if word.tag == "助詞-接続助詞":
        return word.text in ("て", "で")
    if word.text == "で" and word.tag in ("助動詞", "助詞-格助詞"):
        valued = len(clause) > 1 and (_is_quality(clause[-2]) or _values_word(clause[-2]))
        return valued or (word.tag == "助動詞" and len(clause) > 1 and clause[-2].text not in ("の", "ん"))
    if "連用形" not in word.form:
        return False
    if word.tag.startswith(("形容詞", "接尾辞-形容詞")) and word.text.endswith("く"):
        return comma or not follower.tag.startswith("動詞")
    return comma and word.tag.startswith(("動詞", "助動詞")) and word.text not in ("に", "と")


def _subject(words: Sequence[_Word]) -> tuple[_Word, str, Sequence[_Word]] | None:
    """Return noun, particle and what follows of the subject that opens a clause, None if it has none."""
    for i, word in enumerate(words[:14]):
        if (word.tag == "助詞-接続助詞" and word.text not in ("て", "で")) or (i and word.text in _TURN):
            return None
        subjective = word.text in ("は", "も", "が") and word.tag in ("助詞-係助詞", "助詞-格助詞")
        if i and subjective and words[i - 1].tag.startswith(_NOMINAL):
            counted = "助数詞" in words[i - 1].tag or "数詞" in words[i - 1].tag
            return None if counted and word.text == "も" else (words[i - 1], word.text, words[i + 1 :])
        if i and word.tag == "補助記号-読点" and not words[i - 1].tag.startswith(("副詞", "接続詞", "名詞-普通名詞-副詞可能")):
            return None
    return None


def _has_subject(words: Sequence[_Word]) -> bool:
    return any(
        word.text in ("は", "も", "が")
        and word.tag in ("助詞-係助詞", "助詞-格助詞")
        and words[i].tag.startswith(_NOMINAL)
        for i, word in enumerate(words[1:])
    )


def _topic(words: Sequence[_Word]) -> _Word | None:
    """Return the noun a clause speaks of with は or も, None if it has none or the writer speaks of himself."""
    for i, word in enumerate(words[1:]):
        if word.text in ("は", "も") and word.tag == "助詞-係助詞" and words[i].tag.startswith(_NOMINAL):
            return None if words[i].norm in _PERSON else words[i]
    return None


_PREFACE = re.compile(
    r"(?:すみません|すいません|申し訳(?:ない|ありません|ございません)|恐れ入ります|恐縮(?:です)?|お手数(?:です|をおかけします)|失礼(?:です)?"
    r"|(?:わがまま|細かい|贅沢|言いすぎ)(?:な話|なこと)?(?:かもしれない|かもしれません|です)|大変(?:だ|か)?とは?(?:思います|思う|存じます)?)(?:です|の)*$"
)


def _is_preface(words: Sequence[_Word]) -> bool:
    return bool(_PREFACE.search("".join(w.text for w in words[-12:])))


def _speaks(words: list[_Word], first: int, last: int) -> bool:
    """Return whether a clause states or values something."""
    latin = 0
    for i in range(first, last):
        word = words[i]
        if word.tag.startswith(("動詞", "形容詞", "助動詞")) or _values_word(word, words[i - 1] if i > first else None):
            return True
        latin += word.text.isascii() and word.text.isalpha()
    return latin > 2


def _has_content(words: list[_Word], first: int, last: int) -> bool:
    return any(_is_content(words[i]) for i in range(first, last))


def _leads_on(words: list[_Word], first: int, last: int) -> bool:
    """Return whether a fragment announces what follows: 「改善点：」「料理は」「うーん」."""
    ends = [word for word in words[first:last] if not word.tag.startswith("空白")]
    if not ends:
        return True
    return ends[-1].text in ":：、" or ends[-1].tag.startswith(("助詞", "感動詞", "接続詞"))


def _ends_in(clause: list[_Word], *texts: str) -> bool:
    return len(clause) > len(texts) and tuple(w.text for w in clause[-len(texts) :]) == texts


def _leading(rest: list[_Word], texts: tuple[str, ...]) -> Iterator[_Word]:
    for word in rest:
        if word.text not in texts:
            return
        yield word


def _surface(words: list[_Word], first: int, last: int) -> str:
    parts, position = [], words[first].start
    for word in words[first:last]:
        parts.append(" " * (word.start - position) + word.text)
        position = word.end
    return "".join(parts)


# ── Edges, and what is no opinion ────────────────────────────────────────────────────────────────────────────

_EDGE = " \t\n\u3000、。,.･・…‥〜~-‐–—―－*●■◆◇□▪•※→▶:：;；"
_FRONT = _EDGE + "ー)）」』!！?？"  # ー at an end is the length of a vowel
_OPENING = re.compile(
    r"(?:(?:それでも|ですが|だが|でも|しかし|ただし|ただ|だけど|けれども?|けど|なのに|それに|それと|そして|さらに|しかも|とはいえ|一方で?は?|あとは|あと|また|逆に|加えて"
    r"|おまけに|その上|そのうえ)[、, ]\s*|(?:でも|しかし|だけど|けど|しかも)(?=[^、 なし])|ただ(?=[^、 いのでじし])|それに(?=[^、 しつ])"
    r"|それと(?=[^、 は]))+"
)
_CLOSING = re.compile(
    r"(?:(?<=[いるたぬだすんようくつぐむぶ])(?:けれども|けれど|けども|けど|が)|(?<=[いるたぬだすんうくつむぶ])し"
    r"|(?<=[いるたなだすん])(?:ものの|反面|半面|一方で?は?|上に?|うえに?|のと)|(?<=[いるたすんうくつむぶ])のに|(?<=.)なのに)$"
)
_THANKS = r"(?:有難う|有り難う|ありがとう|ありがと)(?:ござい(?:ます|ました)|でした)?"
_MODEST = r"(?:いつも|いつもいつも|毎回|毎度|日頃(?:より|から)|日々|大変|たいへん|本当に|ほんとに|誠に|まことに|どうも|この度は?|このたびは?|今回は?|先日は?|本日は?|その節は|長い間|昨日は|今後とも?|これからも|引き続き|どうぞ|どうか|何卒|改めて|皆様?|皆さん|ご丁寧に|[、,])*"
_COURTESY = (
    rf"{_MODEST}(?:お世話に?(?:なって(?:い|おり)?ます|なりました|なります|様(?:です)?|さま(?:です)?)"
    r"|(?:(?:[ごお御]?(?:対応|連絡|返信|返事|回答|案内|利用|協力|説明|相談|教示|アンケート|忙しい(?:中|ところ)|時間)(?:を|に|して|の)*)?"
    rf"(?:使わせて|させて|して)?(?:いただき|頂き|いただいて|頂いて|くださり|下さり|くださって|下さって|くれて)?[、,]?{_MODEST}{_THANKS})"
    r"|(?:[ごお]?(?:検討|確認|対応|回答|連絡|返信|査収)(?:を|の(?:ほど|程)|ください|下さい)?、?(?:の(?:ほど|程))?[、,]?)?"
    r"(?:どうぞ|何卒|どうか)?(?:よろしく|宜しく)(?:お願い|おねがい|御願い)?(?:し|致し|いたし|申し上げ)?(?:ます|たします)?"
    r"|お疲れ様(?:です|でした)|おつかれさま(?:です|でした)|こんにちは|こんばんは|おはようございます|はじめまして|初めまして|失礼(?:いた|致)?します|失礼しました"
    r"|ごちそう(?:さま|様)(?:でした|です)?|ご馳走(?:さま|様)(?:でした|です)?|感謝(?:です|します|しています|いたします|しております|申し上げます)?"
    r"|応援して(?:い)?ます|拝啓|敬具|前略|草々|(?:以上)(?:です|になります|となります)?|すみません|すいません|もしもし|はい|いいえ|了解(?:です|しました)|承知しました|わかりました|分かりました)"
    r"[!！♪☆]*"
)
_GREETING = re.compile(rf"(?:{_COURTESY}[、,。 !！]*)+")
_GREETED = re.compile(
    rf"(?:{_MODEST}お世話に?(?:なって(?:い|おり)?ます|なりました|なります)|こんにちは|こんばんは|はじめまして|初めまして)[、,。]\s*"
)
_INTRODUCTION = re.compile(r".{0,25}\[氏名\](?:様)?(?:です|と申します|といいます|と言います)")
_WISH = (
    r"(?:(?:その他|他に?|ほかに?)?(?:[ごお御]?(?:意見|要望|希望|感想|質問|コメント|回答|連絡事項|伝えたいこと|言いたいこと|書くこと|言うこと|申し上げること|改善(?:点|してほしい(?:点|こと|ところ))|変えてほしい(?:点|こと))"
    r"(?:など|等)?(?:は|も|について(?:は)?)?))?"
)
_NOTHING = re.compile(
    rf"(?:えーと?|うーん|まあ)?{_WISH}(?:、)?(?:今(?:のところ|は|回は)|いまのところ|現在(?:は|のところ)?|現時点で(?:は)?)?、?"
    r"(?:特に|とくに|特には|とくには|別に|べつに|特段|格別|何も|なにも|なんにも|これと言って|これといって|全く|まったく)*"
    r"(?:なし|無し|ナシ|無|ない|無い|ありません|ございません|無いです|ないです|なしです|ありませんでした|思いつかない|思いつきません|思い当たりません|ないよ|ないね|ねえ)"
    r"(?:です|かな|ですね|と思います|です?けど|。)*"
    rf"|{_WISH}(?:特に|とくに|別に|べつに)|none|n\s*/?\s*a|nothing|nil|no comments?|no|nope|null|nan|test|テスト|同上|同じ(?:です)?|同左|上記(?:の(?:通り|とおり))?(?:です)?"
    r"|ノーコメント|特記事項(?:は|も)?(?:なし|無し|ありません|ございません)|未(?:回答|記入)|無回答|[xX×✕?？\d]+|あ+|ん+|うーん|えーと|[あ-ん]",
    re.IGNORECASE,
)
_CANNOT = (
    r"(?:(?<![がもを方])(?:分か|わか|判|解)(?:らない|らん|りません|りかねます|らず)|(?:判断|評価|判定|回答|返答|比較|コメント|採点|答え|返事|お答え)(?:は|が|を|も|に)?(?:まだ)?"
    r"(?:し|することが|する(?:こと|の)は|する)?(?:でき(?:ない|ません|かねます|かねる)|出来(?:ない|ません)|つきません|つかない|(?:し)?かねます|しづらい|しにくい|難しい|られない|られません)"
    r"|(?:何|なん)とも(?:言え|いえ)(?:ない|ません)|言え(?:ない|ません))(?:です|ので|ため|けど|が|から|かな|と思います|状態|状況|ところ|ね|の)*"
)
_NOT_YET = re.compile(
    r"まだ|未だ|これから|ばかり|したて|始めて間もない|始めたところ|(?:間|ま)もない|前なので|前で|途中|日が浅|未使用|未開封|未体験|使って(?:い)?(?:ない|ません)"
    r"|利用して(?:い)?(?:ない|ません)|届いて(?:い)?(?:ない|ません)|(?:もう少し|しばらく)(?:使って|様子|してから)|今のところ|現時点"
)
_JUDGED = re.compile(rf"(?:.*[^がもを])?{_CANNOT}", re.DOTALL)
_BARE_CANNOT = re.compile(rf"(?:よく|まだ|未だ|特に|正直|何とも|、|今は|今のところ)*{_CANNOT}")
_UNUSED_YET = re.compile(
    r"(?:まだ|未だ|一度も|実際に|[、])*(?:(?:使|買|使用|利用|試|着|開|食べ|飲|行|見|読)[^がはも]{0,6}て(?:い|お)?(?:ない|ません|りません)|未使用|未開封)(?:です|ので|の|ため|から|けど|が)*"
    r"|(?:これから|今から|今後)[^がはも]{0,4}(?:使|試|利用|着|食べ)[^がはも]{0,8}(?:です|ます|う|る)"
    r"|[^がはも]{0,8}(?:し|買っ|届い|始め|入っ|替え|使い始め)たばかり(?:です|なので|だから|のため|で)?"
)
_BOUGHT = re.compile(r"[^、。]{0,15}(?:購入|契約|入会|登録|注文|導入)(?:し|いたし|させていただき)?(?:まし)?た(?:ばかり)?(?:です)?|[^、。]{0,12}(?:買い|届き|始め)ました")


def _trimmed(text: str, start: int, end: int, inner: bool) -> tuple[int, int]:
    """Return the span without bullets, opening conjunctions and marks at its edges, nor the particle it was cut at."""
    before = (-1, -1)
    while before != (start, end):
        before = (start, end)
        start += bullet_length(text[start:end])
        while start < end and text[start] in _FRONT:
            start += 1
        while end > start and text[end - 1] in _EDGE:
            end -= 1
        if inner and (closing := _CLOSING.search(text[start:end])):
            end = start + closing.start()
        if (opening := _OPENING.match(text, start, end)) and opening.end() < end:
            start = opening.end()
        if greeted := _GREETED.match(text, start, end):
            start = greeted.end()
    return start, end


def _is_empty(text: str) -> bool:
    """Return whether nothing is left that speaks of anything."""
    letters = re.sub(r"[\W_ｗw]+", "", _MASK.sub("", text))
    if not letters or not re.search(r"[^\d]", letters) or letters in ("笑", "泣", "汗"):
        return True
    bare = re.sub(r"[!！?？♪☆★♡♥^\U0001F300-\U0001FAFF\u2600-\u27bf\ufe0f\u200d]+|[(（][^()（）]{1,8}[)）]$", "", text)
    bare = bare.strip(_EDGE + "「」『』()（）[]【】wｗ笑")
    return bool(
        not bare or _NOTHING.fullmatch(bare) or _GREETING.fullmatch(bare) or _INTRODUCTION.fullmatch(bare)
    )


def _all_withheld(text: str, units: Sequence[OpinionUnit]) -> bool:
    """Return whether a comment says only that its writer cannot judge (yet)."""
    kinds = [_withholds(unit.text) for unit in units]
    return bool(kinds) and any(kinds) and all(
        kind or _BOUGHT.fullmatch(unit.text) for kind, unit in zip(kinds, units, strict=True)
    )


def _withholds(text: str) -> bool:
    bare = text.strip(_EDGE + "!！?？wｗ笑()（）")
    if len(bare) > 60:
        return False
    if _BARE_CANNOT.fullmatch(bare) or _UNUSED_YET.fullmatch(bare):
        return True
    return bool(_NOT_YET.search(bare) and _JUDGED.fullmatch(bare))


def _opinions(units: Sequence[OpinionUnit]) -> Iterator[OpinionUnit]:
    yield from units


# ── Words and pairs ──────────────────────────────────────────────────────────────────────────────────────────

_FUNCTION = frozenset(
    ["為る", "有る", "居る", "成る", "無い", "言う", "思う", "事", "物", "所", "為", "様", "訳", "筈", "方", "時", "其れ", "此れ", "何", "何処", "誰", "私", "僕", "自分", "呉れる", "貰う", "頂く", "下さる", "見る", "仕舞う", "置く", "御座る", "致す", "出来る", "感じる", "今回", "今", "此の度", "上", "中", "点", "感じ", "笑い", "笑", "御", "お", "ご", "さん", "程", "位", "頃", "内", "通り", "限り", "仮名", "のだ", "欲しい", "願う", "因る", "於く", "就く", "対する", "関する", "出来", "良い", "様子", "場合", "者", "際"]
) - {"良い", "出来る", "欲しい", "様子"}
_AUXILIARY = frozenset(["為る", "有る", "居る", "成る", "呉れる", "貰う", "頂く", "下さる", "見る", "仕舞う", "置く", "御座る", "致す", "来る", "行く", "上げる", "続ける", "始める", "過ぎる", "出す", "切る"])
_EMPTY_VERBS = frozenset(["為る", "成る", "居る", "呉れる", "貰う", "頂く", "下さる", "思う", "言う", "致す", "御座る", "因る"])
_ENGLISH = frozenset(["the", "a", "an", "is", "was", "were", "are", "be", "and", "or", "but", "to", "of", "in", "on", "at", "it", "its", "i", "you", "we", "they", "he", "she", "this", "that", "for", "with", "not", "my"])


def _is_content(word: _Word) -> bool:
    """Return whether a word says something by itself: a noun, verb, adjective, no number, no mark."""
    if word.masked or not re.search(r"[^\W\d_]", word.text) or (len(word.text) == 1 and word.text.isascii()):
        return False
    if word.text.lower() in _ENGLISH or word.text == "へん":
        return False
    if word.tag.startswith("名詞"):
        return "数詞" not in word.tag and "助動詞語幹" not in word.tag and word.norm not in _FUNCTION
    if word.tag.startswith(("動詞", "形容詞", "形状詞-一般", "形状詞-タリ")):
        return word.norm not in _FUNCTION
    return word.norm in ("今一", "まあまあ", "其処其処", "べたべた", "ごわごわ", "がっかり", "びっくり", "いらいら", "うんざり")


def _tokens(words: list[_Word], inside: range) -> tuple[str, ...]:
    return tuple(words[i].norm for i in inside if _is_content(words[i]) and not _is_auxiliary(words, i))


def _is_auxiliary(words: list[_Word], i: int) -> bool:
    """Return whether a word only counts or helps: 3「分」, 待って「いる」, 高「すぎる」."""
    word, before = words[i], words[i - 1] if i else None
    if before is None:
        return False
    if "助数詞可能" in word.tag and "数詞" in before.tag:
        return True
    helper = word.tag.startswith(("動詞-非自立可能", "形容詞-非自立可能"))
    return helper and (before.tag == "助詞-接続助詞" or (word.norm in _AUXILIARY and before.end == word.start))


def _pairs(words: list[_Word], inside: range) -> tuple[str, ...]:
    """Return noun → predicate, with a negation kept: 使い方→分かる+ない; 悪い対応 gives 対応→悪い."""
    found = []
    head_of = heads(words, inside, lambda i: _is_predicate(words, i))
    for i in inside:
        word = words[i]
        if not _is_content(word):
            continue
        if i in head_of and "副詞可能" not in word.tag:
            if predicate := _predicate(words, head_of[i], inside):
                found.append(f"{word.norm}→{predicate}")
        elif _is_quality(word):
            noun = modified(words, i, inside)
            if noun is not None and _is_content(words[noun]):
                found.append(f"{words[noun].norm}→{_predicate(words, i, inside)}")
    return tuple(dict.fromkeys(found))


def _is_predicate(words: list[_Word], i: int) -> bool:
    word = words[i]
    if word.tag.startswith(("動詞", "形容詞", "形状詞")) or "形状詞可能" in word.tag or _values_word(word):
        return True
    return "サ変可能" in word.tag and i + 1 < len(words) and words[i + 1].norm in ("為る", "出来る", "致す")


def _predicate(words: list[_Word], i: int, inside: range) -> str:
    """Return the predicate's normalized form, 暗くなる as 暗い, with +ない where negated; "" for an empty verb."""
    name = words[i].norm
    if name == "成る" and i - 1 in inside:
        quality = i - 1 if _is_quality(words[i - 1]) else i - 2
        if quality in inside and _is_quality(words[quality]):
            name = words[quality].norm
    if name in _EMPTY_VERBS:
        return ""
    negations = 0
    for j in range(i + 1, min(inside.stop, i + 8)):
        word = words[j]
        if word.text == "へん":
            negations += 1
        if not word.tag.startswith(("助動詞", "助詞-接続助詞", "助詞-係助詞", "動詞-非自立可能", "形容詞-非自立可能", "接尾辞")):
            break
        if word.tag == "助詞-接続助詞" and word.text not in ("て", "で"):
            break
        denied = (word.tag == "助動詞" and word.norm in ("ない", "ず")) or (word.norm == "無い" and j > i)
        negations += denied and words[j - 1].norm != "知れる"
    return f"{name}+ない" if negations % 2 else name
