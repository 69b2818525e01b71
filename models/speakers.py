"""Who speaks in a conversation that nobody marked: the desk or the customer, sentence by sentence.

A logistic regression on the hiragana of a sentence (words of service end in でございます, customers in んですけど) and
on a handful of cues gives each sentence its odds; a hidden Markov chain over the sentences joins them, with how often
speakers change at a line's end and inside a line. Hiragana alone keeps the weights free of any trade.

    python -m models.speakers tests/data/conversations.jsonl tests/data/conversations_dev3.jsonl

trains the weights of models/weights/speakers.json from conversations with known sides (these files and
models/corpus/dialogue), the turns of models/corpus/dialogue/turns.tsv and the customers' voices of models/corpus.
"""

import itertools
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from models.dialogue import load_dialogues

WEIGHTS = Path(__file__).parent / "weights" / "speakers.json"
TURNS = Path(__file__).parent / "corpus" / "dialogue" / "turns.tsv"
_CUES = (
    r"でござい|ございま", r"いたし(?:ま|か)|致し", r"かしこまり|承(?:知|り|って)|さよう|左様", r"恐れ入り|恐縮|恐れいり", r"お待ち(?:くだ|いただ)|お待たせ",
    r"お電話(?:を?いただ|ありがとう)|お問い?合わせ(?:いただ|ありがと)|ご利用(?:いただ|ありがと)", r"申し訳|ご迷惑|ご不便|お詫び", r"お客様|ご契約者様|ご本人様|[一-龥ァ-ヴ\]]様",
    r"[おご][一-龥ぁ-ん]{1,6}(?:いただ|頂|くださ|下さ|になり|でしょうか|ですか|ますか)", r"弊社|当社|当店|当行|当院|当館|私ども|わたくし", r"担当(?:の|が|いた)|(?:窓口|センター|サポート|デスク|フロント)(?:の|で)",
    r"でしょうか|ますか|ですか|ませんか", r"お願い(?:いたし|致し|でき)", r"お願いします", r"んです|のですが|んですけど|ですけど|けど|んだけど", r"(?:たい|ほしい|欲しい)(?:です|ん|の|$|。)",
    r"ちゃっ|じゃな|てる|てた|ってる|しちゃ|なきゃ", r"私|僕|俺|主人|うちの|娘|息子|母|父", r"(?:です|ます)(?:よ|よね|ね)(?:。|$)", r"思い?(?:ます|った|う)|感じ", r"すみません|もしもし|あの[、ー]|えっと|えーと|なんか",
    r"はい|ええ", r"困|ひど|残念|最悪|不満|遅い|高い|おかしい|腹", r"良かった|嬉し|助か|おいし|美味し|最高|気に入",
    r"いただ(?:け|い|き)|頂", r"くださ|下さ", r"くれ", r"もらえ|もらっ", r"ご案内|ご説明|ご確認|ご用件|ご希望|ご住所|お名前|ご予約|ご注文|お届け|お手続|お手元|お調べ|お伺い",
    r"(?:番号|名前|住所|月日|誕生日|暗証|電話|合言葉|口座|カード|コード|ID|漢字|氏名|お名|郵便|アドレス|綴り|スペル|名義)[^。]{0,14}(?:お願い|伺|うかが|教え|頂戴|よろし|いただ|聞かせ|知らせ|ください|[はも][。?]*$)",
    r"^(?:ありがとうございます|承知|かしこまり)", r"(?:様|さん)[、。]|(?:様|さん)(?:で|の)", r"(?:ですね|ますね)。?$",
    r"\[", r"なんで|どうして|いくら|いつ", r"[0-9]",
)  # fmt: skip
_CUE_PATTERNS = tuple(re.compile(cue) for cue in _CUES)
_QUOTED = re.compile(r"「[^「」]{0,200}」|『[^『』]{0,200}』")
_NOT_HIRAGANA = re.compile(r"[^ぁ-んー。?、\[\]]+")
_PIECE = re.compile(r"[^。?？！!\n]+[。?？！!]*")
# Log odds of the desk in one sentence above which somebody of it speaks: on conversations left out of training the
# least of 148 was 1.9, on 12 comments the most -0.8, on 575 voices of the corpus 1.4, the next 0.8.
_CLEAR = 1.0
_MIN_COUNT = 4  # a string of letters that fewer training sentences have is left out
_SEEN_AT_MOST = 4000  # of the corpus's voices
_FITTED: ContextVar[dict[str, Any] | None] = ContextVar("fitted", default=None)


class Piece(NamedTuple):
    """A sentence, and whether a line begins with it."""

    text: str
    opens_line: bool


class Speakers(NamedTuple):
    """What the words tell: each sentence's probability of being the customer's; whether the desk is heard at all."""

    pieces: list[Piece]
    customer: list[float]
    has_desk: bool


def tell_speakers(text: str) -> Speakers:
    """Return who speaks in a text without speaker marks.

    Examples
    --------
    >>> told = tell_speakers("お電話ありがとうございます。窓口でございます。\\n届かないんですけど。")
    >>> [round(p) for p in told.customer]
    [0, 0, 1]
    """
    model = _model()
    pieces = split_pieces(text)
    odds = [_odds(piece.text, model) for piece in pieces]  # of the desk
    flat = "\n" not in text.strip()
    changes = [model["change"]["flat" if flat else "line" if piece.opens_line else "inside"] for piece in pieces[1:]]
    return Speakers(pieces, join_speakers(odds, changes), max(odds, default=0.0) > _CLEAR)


def desk_odds(sentence: str) -> float:
    """Return the log odds that the desk and not the customer says a sentence."""
    return _odds(sentence, _model())


def split_pieces(text: str) -> list[Piece]:
    """Return a text's sentences in order."""
    return [
        Piece(match.group(), match.start() == first.start())
        for line in text.split("\n")
        for found in [list(_PIECE.finditer(line))]
        for first in found[:1]
        for match in found
        if match.group().strip()
    ]


def _odds(sentence: str, model: dict[str, Any]) -> float:
    weights = model["weights"]
    size = sum(weights.get(name, 0.0) for name in _features(sentence))
    return float(np.clip(model["bias"] + size, -model["most"], model["most"]))


def _features(sentence: str) -> set[str]:
    said = _QUOTED.sub("", sentence)
    letters = "^" + _NOT_HIRAGANA.sub("_", re.sub(r"\[[^\]]*\]", "_", said)) + "$"
    found = {letters[i : i + n] for n in (2, 3, 4, 5) for i in range(len(letters) - n + 1)}
    found |= {f"cue{i}" for i, cue in enumerate(_CUE_PATTERNS) if cue.search(said)}
    found.add(f"length{min(len(said) // 8, 6)}")
    return found


def join_speakers(odds: Sequence[float], changes: Sequence[float]) -> list[float]:
    """Return each sentence's probability of being the customer's, by the forward-backward algorithm.

    Parameters
    ----------
    odds : sequence of float
        Log odds of the desk.
    changes : sequence of float
        Between each sentence and the next, the probability that another one speaks.
    """
    n = len(odds)
    if not n:
        return []
    emission = [np.array([1.0, math.exp(value)]) for value in odds]
    matrices = [np.array([[1 - p, p], [p, 1 - p]]) for p in changes]
    forward = [emission[0] / emission[0].sum()]
    for i in range(1, n):
        step = emission[i] * (forward[-1] @ matrices[i - 1])
        forward.append(step / step.sum())
    backward = [np.ones(2)]
    for i in range(n - 1, 0, -1):
        step = matrices[i - 1] @ (emission[i] * backward[0])
        backward.insert(0, step / step.sum())
    posterior = [a * b / (a * b).sum() for a, b in zip(forward, backward, strict=True)]
    return [float(p[0]) for p in posterior]


@contextmanager
def fitted(weights: dict[str, Any]) -> Iterator[None]:
    """Tell speakers with other weights than the shipped ones inside a with block: what a benchmark compares."""
    token = _FITTED.set(weights)
    try:
        yield
    finally:
        _FITTED.reset(token)


def _model() -> dict[str, Any]:
    return _FITTED.get() or _shipped()


@cache
def _shipped() -> dict[str, Any]:
    model: dict[str, Any] = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return model


# --- training --------------------------------------------------------------------------------------------------------


def train(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the weights learned from conversations with known sides.

    Parameters
    ----------
    rows : iterable of dict
        With customer and agent (each side's turns), style and text; comments of one side are left out, and of mails it
        is not learned how often speakers change.
    """
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    rows = [row for row in rows if row["agent"] and row["customer"]]
    spoken = [row for row in rows if not row["style"].startswith("mail")]
    turns = [turn for row in rows for turn in ordered_turns(row)]
    sentences = [(piece.text, agent) for agent, turn in turns for piece in split_pieces(turn)]
    sentences += list(_written_turns()) * 2
    voices = _voices()
    counted = Counter(feature for text, _ in sentences for feature in _features(text))
    known = {feature for feature, n in counted.items() if n >= _MIN_COUNT}
    texts = [*sentences, *((voice, False) for voice in voices)]
    n_agent = sum(agent for _, agent in texts)
    voice_weight = (n_agent * 0.5) / max(1, len(voices))
    weights = [1.0] * len(sentences) + [voice_weight] * len(voices)
    vectorizer = DictVectorizer()
    matrix = vectorizer.fit_transform([dict.fromkeys(_features(text) & known, 1.0) for text, _ in texts])
    fitted = LogisticRegression(C=0.3, max_iter=2000).fit(matrix, [agent for _, agent in texts], sample_weight=weights)
    learned = dict(zip(vectorizer.get_feature_names_out(), fitted.coef_[0], strict=True))
    kept = {str(name): round(float(value), 3) for name, value in sorted(learned.items()) if abs(value) > 0.004}
    return {"bias": round(float(fitted.intercept_[0]), 3), "most": 5.0, "change": _changes(spoken), "weights": kept}


def ordered_turns(row: dict[str, Any]) -> list[tuple[bool, str]]:
    """Return a gold conversation's turns in order, each with whether the agent spoke."""
    found: list[tuple[int, bool, str]] = []
    for agent, said in ((True, row["agent"]), (False, row["customer"])):
        position = 0
        for turn in said:
            at = row["text"].find(turn, position)
            position = at + len(turn) if at >= 0 else position
            found.append((at if at >= 0 else position, agent, turn))
    return [(agent, turn) for _, agent, turn in sorted(found)]


def _changes(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return how often speakers change; a recogniser also breaks lines within a turn, as gold conversations do not."""
    line, flat = Counter[bool](), Counter[bool]()
    for row in rows:
        turns = ordered_turns(row)
        line.update(a != b for (a, _), (b, _) in itertools.pairwise(turns))
        sides = [agent for agent, turn in turns for _ in split_pieces(turn)]
        flat.update(a != b for a, b in itertools.pairwise(sides))
    return {
        "line": round((line[True] / line.total() + 0.5) / 2, 3),
        "inside": 0.02,  # a line is one speaker's
        "flat": round(flat[True] / flat.total(), 3),
    }


def _written_turns() -> Iterator[tuple[str, bool]]:
    for line in TURNS.read_text(encoding="utf-8").splitlines()[1:]:
        speaker, text = line.split("\t")
        yield text, speaker == "agent"


def _voices() -> list[str]:
    from models.corpus import load_corpus

    texts = [opinion.text for opinion in load_corpus()]
    return texts[:: max(1, len(texts) // _SEEN_AT_MOST)]


if __name__ == "__main__":
    labelled = [json.loads(line) for name in sys.argv[1:] for line in Path(name).read_text(encoding="utf-8").splitlines()]
    trained = train([*labelled, *load_dialogues()])
    WEIGHTS.write_text(json.dumps(trained, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
