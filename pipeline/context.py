"""The polarity of an opinion unit, read again in its comment.

「一週間かかった」 alone says little; behind 「丁寧でしたが」 it is a complaint. So every unit's polarity is moved by what stands
beside it: an affine map from what its neighbours were read as, one for each way in which two units are joined (a
contrast, an addition, a cause, a full stop, …). The map is learned from whole comments of ours
(:mod:`pipeline.context_training`); a comment with one unit is left as it was read.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.sentiment import INTENTS, POLARITIES, SentimentClassifier
from pipeline.encode import Encoded
from pipeline.loyalty import KEY
from pipeline.opinions import UNIT_SCHEMA
from pipeline.segment import Annotation

Floats = NDArray[np.floating]
WEIGHTS = Path(__file__).parent.parent / "models" / "weights" / "context.json"
_BLOCK = 65_536  # units at a time: memory that does not grow with the window

# How a unit is joined to the one before it, by what stands between them, first that fits.
_JOINTS = {
    "contrast": r"が[、,\s]*$|けど|けれど|のに|ものの|くせに|[反半]面|一方|わりに|割に|とはいえ|なのに|逆に|が[、,]",
    "contrast, new sentence": r"でも|ただ|しかし|だが",
    "addition": r"し[、,\s]*$|また|さらに|しかも|それに|あと|おまけに|その上|そのうえ|加えて|そして|それと",
    "cause": r"ので|から|ため|だから|なので|おかげ|せいで",
    "new sentence": r"[。．.！!？?\n…]",
    "comma": r"[、,]",
    "nothing": r"",
}
JOINTS = tuple(_JOINTS)
_READ = 4  # columns of `readings`
N_FEATURES = 2 * _READ * len(JOINTS) + 4


@dataclass(frozen=True)
class Context:
    """Learned weights, float64 (N_FEATURES, 3): what each feature of a unit's place adds to its polarity logits."""

    weight: Floats

    @property
    def id(self) -> str:
        """Names the weights: equal ids move polarity alike."""
        return f"context-{hashlib.sha256(self.weight.tobytes()).hexdigest()[:12]}"

    @classmethod
    def from_json(cls, path: Path = WEIGHTS) -> "Context":
        """Return the weights of a file.

        Raises
        ------
        ValueError
            If they belong to other joints.
        """
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["joints"] != list(JOINTS):
            raise ValueError(f"{path.name} was learned for other joints; run python -m pipeline.context_training")
        return cls(np.array(stored["weight"], np.float64))

    def to_json(self, path: Path, card: dict) -> None:
        """Write the weights with three decimals, and what is to be known of them."""
        stored = {"joints": JOINTS, **card, "weight": self.weight.round(3).tolist()}
        path.write_text(json.dumps(stored, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def in_context(encoded: Encoded, units: pl.DataFrame, feedback: pl.DataFrame, context: Context) -> Encoded:
    """Return the units with polarity logits that heed their neighbours; those of intent and the vectors stay.

    Parameters
    ----------
    encoded : Encoded
        Row i belongs to row i of `units`.
    units : pl.DataFrame
        As :func:`pipeline.opinions.opinion_units` returns them: sorted, with offsets into the text.
    feedback : pl.DataFrame
        With source, feedback_id and text.
    """
    if not units.height:
        return encoded
    read, place = readings(encoded), places(units, feedback)
    logits = encoded.logits.copy()
    for start in range(0, units.height, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, units.height))
        logits[rows, : len(POLARITIES)] += (features(read, place, rows) @ context.weight).astype(np.float32)
    return Encoded(encoded.embeddings, logits)


def as_tables(annotations: Sequence[Annotation]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the units of annotated texts and the texts, as tables of a source without a name, numbered from 0."""
    rows = [
        {"source": "", "feedback_id": str(number), "unit_index": index, "unit_text": unit.text}
        | {"start": unit.start, "end": unit.end, "tokens": unit.tokens, "pairs": unit.pairs}
        for number, annotation in enumerate(annotations)
        for index, unit in enumerate(annotation.units)
    ]
    texts = {
        "source": "",
        "feedback_id": [str(i) for i in range(len(annotations))],
        "text": [a.text for a in annotations],
    }
    return pl.DataFrame(rows, schema=UNIT_SCHEMA), pl.DataFrame(texts)


def polarity_in_context(
    annotations: Sequence[Annotation], classifier: SentimentClassifier, context: Context
) -> list[Floats]:
    """Return for each annotated text the probabilities of its units, float32 (n_units, 3) each, as a night has them."""
    units, feedback = as_tables(annotations)
    embeddings, logits = classifier.encode_with_logits(units["unit_text"].to_list())
    encoded = in_context(Encoded(embeddings, classifier.calibrated(logits)), units, feedback, context)
    counts = [len(annotation.units) for annotation in annotations]
    return np.split(encoded.polarity, np.cumsum(counts)[:-1])


def readings(encoded: Encoded) -> Floats:
    """Return what a unit's neighbours see of it, float64 (n_units, 4): 1, P(negative), P(positive), P(request)."""
    polarity, request = encoded.polarity, encoded.intent[:, INTENTS.index("request")]
    return np.column_stack([np.ones(len(polarity)), polarity[:, 0], polarity[:, 2], request])


@dataclass(frozen=True)
class Places:
    """Where units stand.

    Attributes
    ----------
    first, last : ndarray of int, (n_units,)
        The rows of the first and the last unit of the same comment.
    joint : ndarray of int, (n_units,)
        How a unit is joined to the one before it, a place in :data:`JOINTS`; no matter for a first one.
    """

    first: NDArray[np.integer]
    last: NDArray[np.integer]
    joint: NDArray[np.integer]


def places(units: pl.DataFrame, feedback: pl.DataFrame) -> Places:
    """Return where each unit stands in its comment, and how it is joined to the one before."""
    texts = feedback.select(*KEY, "text")
    table = units.select(*KEY, "start", "end").join(texts, on=KEY, how="left", maintain_order="left")
    before = pl.col("end").shift(1).over(KEY)
    between = pl.col("text").str.slice(before, pl.col("start") - before)
    kinds = pl.when(False).then(0)
    for number, pattern in enumerate(_JOINTS.values()):
        kinds = kinds.when(pl.col("between").str.contains(pattern)).then(number)
    row = pl.int_range(pl.len())
    table = table.with_columns(between=between, row=row).select(
        row.first().over(KEY).alias("first"),
        pl.col("row").max().over(KEY).alias("last"),
        kinds.otherwise(len(JOINTS) - 1).alias("joint"),
    )
    return Places(*(table[name].to_numpy() for name in ("first", "last", "joint")))


def features(read: Floats, place: Places, rows: NDArray[np.integer]) -> Floats:
    """Return what stands beside some units, float64 (n_rows, N_FEATURES); all zero for a unit alone in its comment."""
    first, last = place.first[rows], place.last[rows]
    found = np.zeros((len(rows), N_FEATURES))
    before, after = np.flatnonzero(first < rows), np.flatnonzero(rows < last)
    for side, at, neighbours, joints in (
        (0, before, rows[before] - 1, place.joint[rows[before]]),
        (1, after, rows[after] + 1, place.joint[rows[after] + 1]),
    ):
        columns = _READ * (side * len(JOINTS) + joints)
        found[at[:, None], columns[:, None] + np.arange(_READ)] = read[neighbours]
    total = np.zeros_like(read)
    np.add.at(total, place.first, read)  # a comment's sum does not depend on the others
    others = total[first] - read[rows]
    several = first < last
    found[several, -4:-2] = others[several, 1:3] / others[several, :1]
    found[:, -2] = several & (rows == first)
    found[:, -1] = several & (rows == last)
    return found
