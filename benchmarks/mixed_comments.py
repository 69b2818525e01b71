"""Whether praise and complaint in one comment are told apart: python -m benchmarks.mixed_comments.

data/mixed_comments.txt holds comments written for this project, each with praise and complaint, in the order and
with the joints that people use (が, けど, のに, 〜て, a comma, a full stop). ``{+…}`` is praise and ``{-…}`` complaint.
Neither the sentiment model nor the segmenter's rules of cutting learned from them, but the least probability at
which a unit is cut (`pipeline.turns.SURE`) and the places where it may be were chosen on them.
"""

import json
import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from models.sentiment import POLARITIES, SentimentClassifier
from pipeline.cleanse import normalise_text
from pipeline.parse import shared_parser
from pipeline.segment import Annotation, annotate
from pipeline.turns import cut_at_turns

DATA = Path(__file__).parent / "data" / "mixed_comments.txt"
RESULT = Path(__file__).parent / "results" / "mixed_comments.json"
_MARKED = re.compile(r"\{([+-])([^{}]*)\}")


class Mixed(NamedTuple):
    """A comment, and (start, end, polarity) of its parts."""

    text: str
    parts: list[tuple[int, int, str]]


def main() -> dict[str, Any]:
    """Measure with the cut at turns and without, write the result beside this script and return it."""
    comments = [read(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    classifier = SentimentClassifier.from_pretrained()
    grammar = annotate([comment.text for comment in comments], shared_parser())
    result = {
        "n_comments": len(comments),
        "n_parts": sum(len(comment.parts) for comment in comments),
        "by grammar alone": figures(comments, grammar, classifier),
        "cut where polarity turns": figures(comments, cut_at_turns(grammar, classifier.predict_proba), classifier),
        "conditions": {"model": classifier.model_id, "python": platform.python_version()},
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return result


def read(line: str) -> Mixed:
    """Return the comment of a marked line, with its marks taken out."""
    text, parts, position = "", [], 0
    for match in _MARKED.finditer(line):
        text += line[position : match.start()]
        parts.append((len(text), len(text) + len(match[2]), "positive" if match[1] == "+" else "negative"))
        text, position = text + match[2], match.end()
    text += line[position:]
    if normalise_text(text) != text:
        raise ValueError(f"not normalised: {line}")
    return Mixed(text, parts)


def figures(
    comments: Sequence[Mixed], annotations: Sequence[Annotation], classifier: SentimentClassifier
) -> dict[str, Any]:
    """Return in how many comments no unit holds both, in how many both are found, and how many parts are read right."""
    texts = sorted({unit.text for annotation in annotations for unit in annotation.units})
    read_as = dict(zip(texts, (POLARITIES[k] for k in classifier.predict_proba(texts).argmax(axis=1)), strict=True))
    apart = both = right = n_units = 0
    for comment, annotation in zip(comments, annotations, strict=True):
        held: list[set[str]] = [set() for _ in annotation.units]
        for start, end, polarity in comment.parts:
            shares = [(min(end, u.end) - max(start, u.start)) / (end - start) for u in annotation.units]
            best = max(range(len(shares)), key=shares.__getitem__)
            if shares[best] >= 0.5:
                held[best].add(polarity)
                right += read_as[annotation.units[best].text] == polarity
        apart += all(len(polarities) < 2 for polarities in held)
        both += {"positive", "negative"} <= {read_as[unit.text] for unit in annotation.units}
        n_units += len(annotation.units)
    n_parts = sum(len(comment.parts) for comment in comments)
    return {
        "held apart": round(apart / len(comments), 4),
        "both polarities found": round(both / len(comments), 4),
        "polarity of parts right": round(right / n_parts, 4),
        "units per part": round(n_units / n_parts, 4),
    }


if __name__ == "__main__":
    print(json.dumps(main(), ensure_ascii=False, indent=2))
