"""Our labelled corpus of Japanese customer opinions; its data card is corpus/README.md."""

import csv
import importlib.resources
import tomllib
from dataclasses import dataclass
from pathlib import Path

POLARITY_CODES = {"neg": "negative", "neu": "neutral", "pos": "positive"}


@dataclass(frozen=True)
class Opinion:
    """One labelled opinion unit; domain is the name of its file."""

    text: str
    theme: str
    polarity: str
    intent: str
    domain: str


@dataclass(frozen=True)
class ThemeSet:
    """Themes among which people choose when they sort one company's feedback.

    Attributes
    ----------
    name : str
        A domain, such as ``lodging``, or a part of a mixed file, such as ``services.parcel``.
    definitions : dict
        One line of description by theme name.
    files : tuple of str
        The files, without ``.tsv``, whose opinions are sorted into these themes.
    """

    name: str
    definitions: dict[str, str]
    files: tuple[str, ...]

    def holds(self, opinion: Opinion) -> bool:
        """Tell whether an opinion is of one of these files and of one of these themes."""
        return opinion.domain in self.files and opinion.theme in self.definitions


def load_theme_sets(folder: Path | None = None) -> list[ThemeSet]:
    """Return the sets of themes that ``themes.toml`` defines beside the corpus, by name.

    ``files`` in a section names the files it is for; without it, the one its name begins with.

    Raises
    ------
    ValueError
        If the folder has no themes.toml.
    """
    if folder is None:
        with importlib.resources.as_file(importlib.resources.files("models") / "corpus") as shipped:
            return load_theme_sets(shipped)
    try:
        data = tomllib.loads((folder / "themes.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"no themes.toml in {folder}: expected [DOMAIN] with a description by theme") from None
    sets = []
    for name, section in sorted(data.items()):
        parts = {f"{name}.{key}": part for key, part in section.items() if isinstance(part, dict)} or {name: section}
        sets += [ThemeSet(key, definitions=part, files=tuple(part.pop("files", [name]))) for key, part in parts.items()]
    return sets


def load_corpus(folder: Path | None = None) -> list[Opinion]:
    """Return every opinion of the corpus, each distinct text once, in the order of the files' names.

    Raises
    ------
    ValueError
        If a line has an unknown polarity; the message names file and line.
    """
    if folder is None:
        with importlib.resources.as_file(importlib.resources.files("models") / "corpus") as shipped:
            return load_corpus(shipped)
    opinions: dict[str, Opinion] = {}
    for path in sorted(folder.glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), start=2):
                if row["polarity"] not in POLARITY_CODES:
                    raise ValueError(f"{path.name} line {number}: polarity must be neg, neu or pos")
                polarity = POLARITY_CODES[row["polarity"]]
                opinion = Opinion(row["text"], row["theme"], polarity, row["intent"], path.stem)
                opinions.setdefault(opinion.text, opinion)
    return list(opinions.values())
