"""Personal data out of Japanese text: patterns that need no parse, and names that need one.

A masked string becomes a typed mark such as ``[電話]``. Marks are never masked again, and both steps repeat until
nothing is left to mask, so masking twice is masking once. Prefectures and cities alone, shop and brand names,
toll-free numbers, amounts, versions, error codes and dates of visit stay readable.

`patterns` runs the tables of `contacts`, `numbers` and `addresses`; `names` reads a parse, with what `lexicon` knows
of surnames and given names and what `context`, `joined` and `phrases` make of the words around; `dialogue` masks a
conversation while both sides are in view, with rules and with a `tagger` that learned from labelled conversations
(`learn`), whose view of a word is `evidence`; `words` holds a deployment's own lists; `spans` is about places in a text.
"""

from pipeline.mask.dialogue import mask_conversation, mask_messages
from pipeline.mask.names import find_names
from pipeline.mask.patterns import mask_patterns
from pipeline.mask.spans import NAME_MARK, fold, replace_spans
from pipeline.mask.words import NO_WORDS, WordList

__all__ = [
    "NAME_MARK",
    "NO_WORDS",
    "WordList",
    "find_names",
    "mask_conversation",
    "mask_messages",
    "mask_patterns",
    "mask_personal_data",
    "replace_spans",
]


def mask_personal_data(text: str, words: WordList = NO_WORDS) -> str:
    """Return the text with every personal string replaced by a typed mark.

    Needs the parse for names, and loads GiNZA on first use; over many texts prefer `pipeline.segment.annotate`,
    which finds names on the parse it needs anyway.
    """
    from pipeline.parse import shared_parser  # loads GiNZA: only when a name is asked for

    while True:
        masked = mask_patterns(text, words)
        folded, starts, ends = fold(masked)
        (doc,) = shared_parser().pipe([folded])
        spans = [(starts[start], ends[end - 1]) for start, end in find_names(doc, words)]
        masked, _ = replace_spans(masked, spans)
        if masked == text:
            return text
        text = masked
