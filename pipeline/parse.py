"""Sudachi's words and sentences for every text; GiNZA's parse for those of which a rule asks for it.

Words, tags and forms settle nearly everything, at a tenth of the price of the networks that give dependencies, parts
of speech and names. So a text is first read as words alone (:meth:`Parser.words`), and a rule that needs more asks
through :func:`named_entities`, :func:`part_of_speech` or :func:`head`, which raise :class:`ParseNeeded` where there is
no parse yet; :meth:`Parser.parsed` then adds it. Measured departures from ``spacy.load("ja_ginza")``: matrix products
go through NumPy's BLAS (spaCy's wheel carries a generic kernel: 18 against 75 GFLOPS on one core); the name recogniser
runs only where a name is possible at all; sub-tokens and phrases are not made. Sentences are marked before the parse,
so that no dependency leads out of a line, a bullet or a sentence.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span, Token
from thinc.api import NumpyOps

MAX_BYTES = 40_000  # Sudachi refuses a text over 49,149 bytes
BATCH = 64  # texts that pass the networks together
_UNUSED = ("compound_splitter", "attribute_ruler", "bunsetu_recognizer")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_CAN_BE_NAMED = re.compile(
    r"さん|さま|サマ|様|氏|くん|クン|君|ちゃん|チャン|殿|女史|嬢|[店部課係院所室支]長|主任|専務|常務|先生|医師|看護師|教授|弁護士"
    r"|税理士|チーフ|リーダー|マネー?ジャー|コーチ|トレーナー"
)

# Whatever may follow a sentence's end mark and still belongs to it: 「すごい！(笑)😊」.
_FACE = (
    r"(?:[m\\ヽ٩Σ]?[(（](?=[^()（）\n]{0,9}[\^_;*`´∀ωДд▽><TｪД・。])[^()（）ぁ-んァ-ヶ一-龯0-9\n]{2,10}[)）][mノ/;]?|\^\^;?)"
)
_ASIDE = r"[(（](?:笑|泣|汗|涙|怒|苦笑|爆笑|爆|謎|[wｗ]+)[)）]"
_PICTURE = r"(?:[\U0001F300-\U0001FAFF\u2600-\u27bf\u2b50\u203c\u2049][\ufe0e\ufe0f\u200d\U0001F3FB-\U0001F3FF]*|[♪♡♥☆★])"
_LAUGH = r"(?:[wｗ]++(?![A-Za-z0-9.])|(?<![爆苦失微談大冷])笑++(?![いうえおっむみわ顔話声])|泣(?=$|[\s。、]))"
_JAPANESE = r"(?<=[ぁ-んァ-ヶー一-龯々!?！？。)）])"
_TAIL = rf"(?:{_FACE}|{_ASIDE}|{_PICTURE}|{_LAUGH}|[。｡!?！？、〜~…])*+"  # possessive: no backtracking
_ATOM = re.compile(
    r"(?P<quote>「[^「」\n]{1,200}」|『[^『』\n]{1,200}』)"
    rf"|(?P<face>(?:{_FACE}|{_ASIDE}){_TAIL})"
    r"|(?P<aside>[(（][^()（）\n]{1,100}[)）])"
    r"|(?P<line>[ \t\u3000]*\n\s*)"
    rf"|(?P<trail>(?:…|‥|\.\.+|・・+|。。+|、、+)[…。.、・]*{_TAIL})"
    rf"|(?P<end>(?:[。｡!?！？]|(?<=[^\d\sA-Za-z])[.．](?!\d)|(?<=[A-Za-z\])])\.(?=\s|$)){_TAIL}[」』]?)"
    rf"|(?P<picture>{_PICTURE}{_TAIL})"
    rf"|(?P<laugh>{_JAPANESE}{_LAUGH}{_TAIL})"
    r"|(?P<space>(?<=\S)[ \t\u3000]+(?=\S)(?<![!-~] ))"
    r"|(?P<item>(?<=\S)(?:[●■◆]|(?=[①-⑳])))"
    r"|(?P<dot>(?<=\S)・(?=\S))"
)
_BULLET = re.compile(r"[・･\-‐–—*●■◆○◇□▪•★☆※→▶✓✔]|\d{1,2}[.)．、）](?!\d)|[①-⑳]|[(（]\d{1,2}[)）]")
_LAUGHED = re.compile(_JAPANESE + _LAUGH)
_REPORTED = re.compile(r"と(?:思|おも|言|い|感|聞|の|か|書)|って")
_FINAL_FORMS = ("終止形", "連体形", "命令形", "意志推量形")
_NOT_FINAL = frozenset(["な", "の", "ん", "為る"])


class ParseNeeded(Exception):
    """A rule asks for what only the parse of the text can tell."""


def shared_parser(user_dictionary: Path | None = None) -> "Parser":
    """Return the process' one parser with this dictionary: loading it takes some seconds."""
    return _shared(user_dictionary)


@cache
def _shared(user_dictionary: Path | None) -> "Parser":
    return Parser(user_dictionary)


def parser_version(user_dictionary: Path | None = None) -> str:
    """Name the versions of GiNZA, SudachiPy and the dictionary, and the user dictionary's name and hash."""
    names = ("ginza", "ja-ginza", "SudachiPy", "SudachiDict-core")
    parts = [f"{name} {version(name)}" for name in names]
    if user_dictionary is not None:
        digest = sha256(user_dictionary.read_bytes()).hexdigest()[:12]
        parts.append(f"{user_dictionary.name} {digest}")
    return ", ".join(parts)


class Parser:
    """The Japanese parser; loading takes some seconds, so make one and keep it.

    Parameters
    ----------
    user_dictionary : Path, optional
        A compiled Sudachi user dictionary.

    Examples
    --------
    >>> [token.norm_ for token in next(Parser().pipe(["問合せが遅い"]))]
    ['問い合わせ', 'が', '遅い']
    """

    def __init__(self, user_dictionary: Path | None = None) -> None:
        self.user_dictionary = user_dictionary
        self._nlp = spacy.load("ja_ginza", exclude=list(_UNUSED))
        self._nlp.tokenizer = _Tokenizer(self._nlp.tokenizer, user_dictionary)
        self._nlp.add_pipe("kikitori_sentences", first=True)
        self._nlp.add_pipe("kikitori_names", after="ner")
        self._nlp.disable_pipe("ner")  # run by kikitori_names
        _use_numpy_blas(self._nlp)

    @property
    def version(self) -> str:
        """Name what the parse depends on; see :func:`parser_version`."""
        return parser_version(self.user_dictionary)

    def pipe(self, texts: Iterable[str], *, batch_size: int = BATCH) -> Iterator[Doc]:
        """Yield one parsed Doc per text, in order; its characters are the text's.

        A text of more than `MAX_BYTES` bytes is parsed in pieces that are joined again.
        """
        pieces: list[Doc] = []
        for doc, last in self._nlp.pipe(_in_pieces(texts), as_tuples=True, batch_size=batch_size):
            pieces.append(doc)
            if last:
                yield _joined(pieces)
                pieces = []

    def words(self, texts: Iterable[str]) -> Iterator[Doc]:
        """Yield one Doc per text, in order, with words, tags and forms, and no parse."""
        pieces: list[Doc] = []
        for piece, last in _in_pieces(texts):
            pieces.append(self._nlp.tokenizer(piece))
            if last:
                yield _joined(pieces)
                pieces = []


def split_long(text: str, max_bytes: int = MAX_BYTES) -> list[str]:
    """Return pieces of at most so many bytes that join to the text, cut after sentence ends where possible."""
    if len(text.encode("utf-8", "replace")) <= max_bytes:
        return [text]
    size = max_bytes // 4  # no character takes more than 4 bytes
    pieces, start = [], 0
    while start < len(text):
        end = min(len(text), start + size)
        if end < len(text):
            window = text[start:end]
            cut = max(window.rfind(mark) for mark in "。！？!?\n、 ")
            end = start + cut + 1 if cut > 0 else end
        pieces.append(text[start:end])
        start = end
    return pieces


def named_entities(doc: Doc) -> list[Span]:
    """Return the names the recogniser finds; none where no name is possible.

    Raises
    ------
    ParseNeeded
        If the recogniser has not read the text yet.
    """
    if not _can_be_named(doc):
        return []
    _ask_for_parse(doc)
    return list(doc.ents)


def part_of_speech(token: Token) -> str:
    """Return the parse's part of speech, such as NOUN.

    Raises
    ------
    ParseNeeded
        If the text has no parse yet.
    """
    _ask_for_parse(token.doc)
    return token.pos_


def head(token: Token) -> int:
    """Return the number of the token that the parse puts above this one.

    Raises
    ------
    ParseNeeded
        If the text has no parse yet.
    """
    _ask_for_parse(token.doc)
    return int(token.head.i)


def _ask_for_parse(doc: Doc) -> None:
    if not doc.has_annotation("DEP"):
        raise ParseNeeded


def sentence_starts(doc: Doc) -> list[int]:
    """Return the token numbers at which sentences begin, from Sudachi's tags and the marks alone.

    A sentence ends at 。！？, at a line's end unless the line is plainly unfinished, before a bullet, and after
    …, a space, an emoji, a kaomoji, 笑 or w where what stands before could end a sentence. 「…」 is not cut.
    """
    text = doc.text  # built anew at every access
    written = len(text.rstrip())
    begins = [token.idx for token in doc]
    starts = {0} if begins else set()
    position = 0
    while match := _ATOM.search(text, position):
        position = max(match.end(), position + 1)
        kind = match.lastgroup
        if kind == "quote":
            if match.end() == written and not text[: match.start()].strip():
                position = match.start() + 1  # the whole comment stands in quotation marks
            continue
        if kind != "aside" and _ends_sentence(doc, text, begins, match):
            starts.add(_first_at_or_after(begins, match.start() if kind == "item" else match.end()))
    return sorted(start for start in starts if start < len(begins))


def bullet_length(text: str) -> int:
    """Return how many characters of a bullet or item number open the text, 0 for none."""
    bare = text.lstrip()
    match = _BULLET.match(bare)
    if not match or bare == match.group():
        return 0
    return len(text) - len(bare[match.end() :].lstrip())


def _ends_sentence(doc: Doc, text: str, begins: list[int], match: re.Match[str]) -> bool:
    kind = match.lastgroup
    if kind == "item":
        return True
    after = text[match.end() : match.end() + 12]
    last = _last_word(doc, begins, match.start())
    if kind == "line":
        return bool(_BULLET.match(after)) or last is None or not _is_unfinished(last)
    if kind == "end":
        if match.group()[0] in "!?！？":
            number = _first_at_or_after(begins, match.end())
            goes_on = number < len(doc) and doc[number].tag_ in ("助詞-格助詞", "助詞-係助詞") and after[:2] != "でも"
            if goes_on or _REPORTED.match(after) or text.endswith("Yahoo", 0, match.start()):
                return False
        return last is not None
    if last is None:
        return False
    if kind == "dot":
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        return line.lstrip().startswith("・") and _is_final(last)
    nominal = kind in ("face", "picture", "laugh") and last.tag_.startswith(("名詞", "接尾辞-名詞"))
    return nominal or _is_final(last)


def _is_final(token: Token) -> bool:
    """Return whether a sentence could end with this word."""
    tag = token.tag_
    if tag == "助詞-終助詞" or tag.endswith("形状詞可能") or tag.startswith(("形状詞", "副詞")):
        return True
    if tag.startswith(("動詞", "形容詞", "助動詞", "接尾辞-形容詞", "接尾辞-動詞")):
        form = (token.morph.get("Inflection", []) or [""])[0]
        return token.text not in _NOT_FINAL and any(name in form for name in _FINAL_FORMS)
    return False


def _is_unfinished(token: Token) -> bool:
    tag = token.tag_
    if tag in ("助詞-格助詞", "助詞-係助詞", "助詞-準体助詞", "連体詞", "接頭辞", "補助記号-読点"):
        return True
    return tag == "助動詞" and token.text == "な"


def _last_word(doc: Doc, begins: list[int], position: int) -> Token | None:
    """Return the last token before a character position that is no mark but a comma."""
    number = _first_at_or_after(begins, position) - 1
    for token in reversed(doc[max(0, number - 5) : number + 1]):
        if token.idx < position and (token.text in "、," or not token.tag_.startswith(("補助記号", "空白", "記号"))):
            return token
    return None


def _first_at_or_after(begins: list[int], position: int) -> int:
    low, high = 0, len(begins)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if begins[middle] < position else (low, middle)
    return low


def _in_pieces(texts: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Yield what Sudachi takes at once, and whether a text ends with it."""
    for text in texts:
        pieces = split_long(_SURROGATE.sub("\ufffd", text))
        for number, piece in enumerate(pieces, 1):
            yield piece, number == len(pieces)


def _joined(docs: list[Doc]) -> Doc:
    if len(docs) == 1:
        return docs[0]
    return Doc.from_docs(docs, ensure_whitespace=False, exclude=["user_data"])  # type: ignore[call-arg]  # spaCy takes it, its stub does not say so


class _Tokenizer:
    """Sudachi in mode C, which never fails: what it cannot align becomes words between spaces."""

    def __init__(self, japanese: Any, user_dictionary: Path | None) -> None:
        self._japanese = japanese
        self._japanese.need_subtokens = False
        self._japanese.tokenizer = _Sudachi(user_dictionary)

    def __call__(self, text: str) -> Doc:
        try:
            return self._japanese(text)
        except (ValueError, AssertionError, KeyError):
            words = re.findall(r"\s+|\S+", text)
            doc = Doc(self._japanese.vocab, words=words, spaces=[False] * len(words))
            for token in doc:
                token.tag_, token.lemma_, token.norm_ = "名詞-普通名詞-一般", token.text, token.text
            return doc


class _Sudachi:
    """Sudachi, told where a laugh ends: 「いいですね笑また」 is not 「笑ま・た」."""

    def __init__(self, user_dictionary: Path | None) -> None:
        from sudachipy import Config, Dictionary, SplitMode

        config = Config(system="core", user=[str(user_dictionary)] if user_dictionary else [])
        self._tokenizer = Dictionary(config=config).create(mode=SplitMode.C)

    def tokenize(self, text: str) -> list[Any]:
        edges = [0, *(edge for match in _LAUGHED.finditer(text) for edge in match.span()), len(text)]
        return [
            word
            for start, end in itertools.pairwise(edges)
            if end > start
            for word in self._tokenizer.tokenize(text[start:end])
        ]


@Language.component("kikitori_sentences")
def _mark_sentences(doc: Doc) -> Doc:
    for start in sentence_starts(doc):
        doc[start].is_sent_start = True
    return doc


@Language.factory("kikitori_names")
def _make_names(nlp: Language, name: str) -> "Names":
    return Names(nlp.get_pipe("ner"))


class Names:
    """The name recogniser, run only on texts with a proper noun or an honorific: elsewhere is no name to mask."""

    def __init__(self, recogniser: Any) -> None:
        self._recogniser = recogniser

    def __call__(self, doc: Doc) -> Doc:
        """Return the text with its names, found where one is possible."""
        return next(iter(self.pipe([doc])))

    def pipe(self, docs: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """Yield the texts, in order, with the names of those in which one is possible."""
        batch: list[Doc] = []
        for doc in docs:
            batch.append(doc)
            if len(batch) >= batch_size:
                yield from self._read(batch)
                batch = []
        yield from self._read(batch)

    def recognised(self, docs: list[Doc]) -> None:
        """Let the network read some texts."""
        self._recogniser.set_annotations(docs, self._recogniser.predict(docs))

    def _read(self, docs: list[Doc]) -> list[Doc]:
        if named := [doc for doc in docs if _can_be_named(doc)]:
            self.recognised(named)
        return docs


def _can_be_named(doc: Doc) -> bool:
    return bool(_CAN_BE_NAMED.search(doc.text)) or any("固有名詞" in token.tag_ for token in doc)


def _use_numpy_blas(nlp: Language) -> None:
    ops = NumpyOps(use_blis=False)
    for _, component in nlp.pipeline:
        if hasattr(component, "model"):
            for layer in component.model.walk():
                layer.ops = ops
