"""From feedback to opinion units: one parse per distinct comment, remembered."""

import dataclasses
import json
from collections.abc import Sequence

import polars as pl

from models.bundled import Progress
from pipeline import segment
from pipeline.cache import Cache, cached
from pipeline.mask import NO_WORDS, WordList, mask_patterns
from pipeline.parse import Parser
from pipeline.segment import Annotation, OpinionUnit

UNIT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "source": pl.Utf8,
    "feedback_id": pl.Utf8,
    "unit_index": pl.Int64,
    "unit_text": pl.Utf8,
    "start": pl.Int64,
    "end": pl.Int64,
    "tokens": pl.List(pl.Utf8),
    "pairs": pl.List(pl.Utf8),
    "received_at": pl.Datetime("us", "UTC"),
}


def annotate_texts(
    texts: Sequence[str],
    parser: Parser,
    *,
    cache: Cache,
    secret: bytes,
    words: WordList = NO_WORDS,
    progress: Progress | None = None,
) -> list[Annotation]:
    """Return each text with personal names masked and its opinion units, in the order of the texts.

    A masked text is a text too: its annotation is kept under both, so that feedback read back from
    the store, where only masked texts are, is not parsed again. Other word lists are another namespace: what was
    kept under the old ones is not read again.
    """
    namespace = "|".join(filter(None, [f"segment:{segment.VERSION}", parser.version, words.digest]))
    if words.mask:  # a word put on the list after a text was stored
        texts = [mask_patterns(text, words) for text in texts]

    def compute(chunk: list[str]) -> list[bytes]:
        return [_to_bytes(annotation) for annotation in segment.annotate(chunk, parser, words=words)]

    values = cached(texts, namespace, compute, cache=cache, secret=secret, progress=progress)
    annotations = [_from_bytes(value) for value in values]
    masked = {
        annotation.text: value
        for text, annotation, value in zip(texts, annotations, values, strict=True)
        if annotation.text != text
    }
    cached(list(masked), namespace, lambda chunk: [masked[text] for text in chunk], cache=cache, secret=secret)
    return annotations


def opinion_units(feedback: pl.DataFrame, annotations: Sequence[Annotation]) -> pl.DataFrame:
    """Return the table of units, sorted by source, feedback and position; annotation i belongs to row i."""
    rows = [
        {"source": source, "feedback_id": feedback_id, "unit_index": index, "received_at": moment} | _columns(unit)
        for source, feedback_id, moment, annotation in zip(
            feedback["source"], feedback["feedback_id"], feedback["received_at"], annotations, strict=True
        )
        for index, unit in enumerate(annotation.units)
    ]
    return pl.DataFrame(rows, schema=UNIT_SCHEMA).sort("source", "feedback_id", "unit_index")


def _columns(unit: OpinionUnit) -> dict:
    return {
        "unit_text": unit.text,
        "start": unit.start,
        "end": unit.end,
        "tokens": list(unit.tokens),
        "pairs": list(unit.pairs),
    }


def _to_bytes(annotation: Annotation) -> bytes:
    return json.dumps(dataclasses.asdict(annotation), ensure_ascii=False, separators=(",", ":")).encode()


def _from_bytes(value: bytes) -> Annotation:
    data = json.loads(value)
    return Annotation(data["text"], tuple(map(_unit, data["units"])))


def _unit(data: dict) -> OpinionUnit:
    sequences = {"tokens": tuple(data["tokens"]), "pairs": tuple(data["pairs"])}
    return OpinionUnit(**data | sequences | {"clauses": tuple(map(_unit, data["clauses"]))})
