"""From feedback to opinion units: one parse per distinct comment, remembered."""

import dataclasses
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import polars as pl

from models.bundled import Progress
from pipeline import segment
from pipeline.cache import Cache, computed
from pipeline.mask import NO_WORDS, WordList, mask_patterns
from pipeline.parse import BATCH, parser_version, shared_parser
from pipeline.segment import Annotation, OpinionUnit
from pipeline.shards import SHARD_SIZE, Run, in_this_process
from pipeline.turns import Polarity, clause_signs, cut_at_turns, turns

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
_CLAUSE = {"text": pl.Utf8} | {name: UNIT_SCHEMA[name] for name in ("start", "end", "tokens", "pairs")}
_UNIT = pl.Struct(_CLAUSE | {"clauses": pl.List(pl.Struct(_CLAUSE))})
_ANNOTATION = pl.Struct({"text": pl.Utf8, "units": pl.List(_UNIT)})


@dataclasses.dataclass(frozen=True)
class Annotator:
    """What finds personal names and opinions, and where what it found is kept.

    Attributes
    ----------
    cache, secret
        Where annotations are kept, and the key of the texts' hashes.
    user_dictionary : Path, optional
        A compiled Sudachi user dictionary.
    words : WordList
        The deployment's own words. Other lists are another namespace: what was kept under old ones is not read again.
    run : callable
        Computes the shards: in this process or in workers.
    shard_size : int
        Texts in a shard; as many whole batches of the parser as it holds, so that it cannot change a figure.
    """

    cache: Cache
    secret: bytes
    user_dictionary: Path | None = None
    words: WordList = NO_WORDS
    run: Run = in_this_process
    shard_size: int = SHARD_SIZE

    @property
    def namespace(self) -> str:
        """Name what an annotation depends on beside its text."""
        parts = [f"segment:{segment.VERSION}", parser_version(self.user_dictionary), self.words.digest]
        return "|".join(filter(None, parts))

    def annotated(self, texts: pl.Series, progress: Progress | None = None) -> Iterator[pl.DataFrame]:
        """Yield the annotation of each text, one row each: text, masked, and its units; in slices of the texts.

        A masked text is a text too: its annotation is kept under both, so that feedback read back from
        the store, where only masked texts are, is not parsed again.
        """
        written = texts.to_list()
        if self.words.mask:  # a word put on the list after a text was stored
            written = [mask_patterns(text, self.words) for text in written]
        kept = computed(
            written,
            self.namespace,
            partial(annotate_shard, user_dictionary=self.user_dictionary, words=self.words),
            cache=self.cache,
            secret=self.secret,
            run=self.run,
            shard_size=max(1, self.shard_size // BATCH) * BATCH,
            also_under=_masked_text,
            progress=progress,
        )
        return (_decoded(values) for values in kept)


def mask_names(texts: pl.Series, annotator: Annotator, *, progress: Progress | None = None) -> pl.Series:
    """Return each text with personal names masked; what no earlier night has seen is parsed."""
    masked = [annotations["text"] for annotations in annotator.annotated(texts, progress)]
    return pl.concat(masked).alias(texts.name) if masked else texts


def opinion_units(feedback: pl.DataFrame, annotator: Annotator, polarity: Polarity) -> pl.DataFrame:
    """Return the table of units, sorted by source, feedback and position; a response without opinion has none.

    Parameters
    ----------
    polarity : callable
        Returns probabilities of negative, neutral, positive, float (n, 3), of texts; see :mod:`pipeline.turns`.
    """
    tables, start = [pl.DataFrame(schema=UNIT_SCHEMA)], 0
    for annotations in annotator.annotated(feedback["text"]):
        annotations = _cut(annotations, polarity)
        rows = feedback.slice(start, annotations.height).select("source", "feedback_id", "received_at")
        tables.append(_units_table(rows, annotations["units"]))
        start += annotations.height
    return pl.concat(tables).sort("source", "feedback_id", "unit_index")


def annotate_shard(texts: list[str], *, user_dictionary: Path | None, words: WordList) -> list[bytes]:
    """Return the annotation of each text as JSON: its text with names masked, and its units."""
    annotations = segment.annotate(texts, shared_parser(user_dictionary), words=words)
    return [_to_bytes(annotation) for annotation in annotations]


def _units_table(rows: pl.DataFrame, units: pl.Series) -> pl.DataFrame:
    """Return the units of some responses, one row each, as UNIT_SCHEMA."""
    said = rows.with_columns(units.alias("unit")).filter(units.list.len() > 0)
    said = said.with_columns(unit_index=pl.int_ranges(pl.col("unit").list.len().cast(pl.Int64)))
    table = said.explode("unit", "unit_index").unnest("unit").rename({"text": "unit_text"})
    return table.select(*UNIT_SCHEMA)


def _decoded(values: list[bytes]) -> pl.DataFrame:
    written = pl.Series("annotation", values, pl.Binary).cast(pl.Utf8)
    return pl.DataFrame(written.str.json_decode(_ANNOTATION)).unnest("annotation")


def _masked_text(value: bytes) -> str:
    return str(json.loads(value)["text"])


def _to_bytes(annotation: Annotation) -> bytes:
    return json.dumps(dataclasses.asdict(annotation), ensure_ascii=False, separators=(",", ":")).encode()


def _cut(annotations: pl.DataFrame, polarity: Polarity) -> pl.DataFrame:
    """Return the annotations with the units cut whose polarity turns."""
    clauses = pl.element().struct.field("clauses").list.eval(pl.element().struct.field("text"))
    said = annotations["units"].list.eval(clauses).to_list()
    signs = clause_signs([unit for units in said for unit in units or ()], polarity)
    turning = pl.Series([any(turns(unit, signs) for unit in units or ()) for units in said], dtype=pl.Boolean)
    if not turning.any():
        return annotations
    numbered = annotations.with_row_index("place")
    some = numbered.filter(turning)
    found = [Annotation(row["text"], tuple(map(_unit, row["units"]))) for row in some.iter_rows(named=True)]
    units = [[dataclasses.asdict(unit) for unit in a.units] for a in cut_at_turns(found, polarity)]
    cut = some.with_columns(pl.Series("units", units, _ANNOTATION.fields[1].dtype))
    return pl.concat([numbered.filter(~turning), cut]).sort("place").drop("place")


def _unit(data: dict) -> OpinionUnit:
    sequences = {"tokens": tuple(data["tokens"]), "pairs": tuple(data["pairs"])}
    return OpinionUnit(**data | sequences | {"clauses": tuple(map(_unit, data.get("clauses", ())))})
