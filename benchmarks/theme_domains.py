"""Measure discovery and codebooks on domains of our corpus that the theme prior has not seen.

    python -m benchmarks.theme_domains [--maps 2]

A prior and a wording are trained without nine domains and their relatives in the mixed files. ``discovery``:
V-measure, adjusted Rand index and the number of themes found over that of the corpus. ``codebook``: the share of
units that get their theme from names and descriptions alone, by vectors and by vectors and words, and the themes
discovered beside. ``one_theme_missing``: the same with one theme struck from the codebook (the largest, third and
fifth in turn): the share of them that discovery finds (F1 over 0.4 between a new theme and the one left out). Large
domains are drawn down to 405 units, as in a survey.
The result is benchmarks/results/theme_domains.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_rand_score, f1_score, v_measure_score

from models.codebook import CodebookTheme, Reading, settle
from models.corpus import load_corpus, load_theme_sets
from models.embedding import Encoder
from models.theme_prior import LabelledSet, ThemePrior, theme_texts, train
from models.themes import ThemeModel
from models.wording import Wording
from models.wording_training import WordedSet, worded_sets
from models.wording_training import train as train_wording

RESULT = Path(__file__).parent / "results" / "theme_domains.json"
HELD = ("mail_order", "parcel", "store", "streaming", "clinic", "beauty", "fintech", "restaurant", "mobility")
RELATED = {"online_shop", "game", "grocery", *HELD}
UNITS = 405


def main() -> None:
    """Train without the domains, measure on them and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--maps", type=int, default=2)
    maps = parser.parse_args().maps
    encoder = Encoder.from_pretrained()
    sets, texts = vectors_of(encoder)
    prior = train([part for name, part in sets.items() if not set(name.split(".")) & RELATED], n_maps=maps)
    worded = {part.name: part for part in worded_sets()}
    wording = train_wording([part for name, part in worded.items() if not set(name.split(".")) & RELATED])
    rows = {name: figures(sets[name], texts[name], prior, worded[name], wording) for name in HELD}
    mean = {key: round(float(np.mean([row[key] for row in rows.values()])), 4) for key in rows[HELD[0]]}
    result = {"encoder": encoder.model_id, "maps": maps, "mean": mean, "domains": rows}
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(mean, indent=2))


def vectors_of(encoder: Encoder) -> tuple[dict[str, LabelledSet], dict[str, dict[str, np.ndarray]]]:
    """Return every set of themes as vectors, by name, and the vectors of its texts."""
    opinions, sets, texts = load_corpus(), {}, {}
    vectors = encoder.encode([opinion.text for opinion in opinions])
    for part in load_theme_sets():
        names = tuple(part.definitions)
        words = [text for name in names for text in theme_texts(name, part.definitions[name])]
        texts[part.name] = dict(zip(words, encoder.encode(words), strict=True))
        looks = np.stack([texts[part.name][word] for word in words]).reshape(len(names), 3, -1)
        rows = [row for row, opinion in enumerate(opinions) if part.holds(opinion)]
        labels = np.array([names.index(opinions[row].theme) for row in rows])
        sets[part.name] = LabelledSet(names, vectors[rows], labels, looks)
    return sets, texts


def figures(
    part: LabelledSet, texts: dict[str, np.ndarray], prior: ThemePrior, worded: WordedSet, wording: Wording
) -> dict[str, float]:
    """Return the figures of one domain."""
    drawn = np.random.default_rng(0).permutation(len(part.labels))[:UNITS]
    units, labels = part.embeddings[drawn], part.labels[drawn]
    words = list(texts)
    themes = [CodebookTheme(name, words[3 * k + 1]) for k, name in enumerate(part.names)]
    found = ThemeModel(prior=prior).fit(units)
    placed, beside, model = with_codebook(themes, texts, units, prior)
    said = [worded.opinions[row] for row in drawn]
    read = Reading(themes, wording).tell_apart(model, placed, said, units, {k: k for k in range(len(themes))})
    missing = []
    for theme in np.argsort(-np.bincount(labels), kind="stable")[[0, 2, 4]]:
        rest = [known for k, known in enumerate(themes) if k != theme]
        others, new, _ = with_codebook(rest, texts, units, prior)
        scores = [f1_score(labels == theme, others == len(rest) + k) for k in range(new)]
        missing.append(max(scores, default=0.0) > 0.4)
    return {
        "discovery_v": round(float(v_measure_score(labels, found.labels_)), 4),
        "discovery_ari": round(float(adjusted_rand_score(labels, found.labels_)), 4),
        "themes_found_per_theme": round(len(found.centroids_) / len(themes), 4),
        "codebook_accuracy_by_vectors": round(float((placed == labels).mean()), 4),
        "codebook_accuracy": round(float((read == labels).mean()), 4),
        "discovered_beside": beside,
        "one_theme_missing_found": round(float(np.mean(missing)), 4),
    }


def with_codebook(
    themes: list[CodebookTheme], texts: dict[str, np.ndarray], units: np.ndarray, prior: ThemePrior
) -> tuple[np.ndarray, int, ThemeModel]:
    """Return the units' themes by their vectors, how many were discovered beside the codebook, and the model."""
    known = settle(themes, lambda words: np.stack([texts[word] for word in words]), units, prior=prior)
    model = ThemeModel(prior=prior).fit(units, known=known)
    return model.labels_, len(model.centroids_) - len(themes), model


if __name__ == "__main__":
    main()
