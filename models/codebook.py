"""Named themes: where the words of a codebook lie among the vectors of a deployment.

A team's categories come as names, a line of description and perhaps example phrases. The prior's maps take
such texts and opinions into one space (:mod:`models.theme_prior`), where a theme is the mean of its words.
The units nearest to it give it anchors, small groups of members, so that discovery beside the codebook
knows what is explained; they hardly move it (letting themes wander to their units, as in k-means or EM from
the names, did worse on domains left out).

What comes out is a :class:`models.themes.KnownTheme`: a codebook theme is placed by the same rule as all. Among
the codebook's themes the units' words then have their say beside the vectors (:class:`Reading`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.theme_prior import ThemePrior, theme_texts, unit
from models.themes import PLAIN_SPREAD, SAMPLE, KnownTheme, ThemeModel, content_sample, facets
from models.wording import Wording

Floats = NDArray[np.float32]

_WORDS = 100.0  # units' worth that a theme's own words weigh
_STRAGGLERS = 0.1  # share of a theme's units, the farthest, that are no examples
_HOLDS = 0.43  # cosine to a theme's words from which a unit is an example: under it, complete codebooks grow themes

# What the plain cosine, shared pieces and learned wording count beside the cosines of a vector's place, and how sharply
# all together tell themes apart: a conditional logit on domains left out.
_PLAIN, _OVERLAP, _WORDING = 1.5, 0.095, 1.4
_SHARPNESS = 2.95
# Score and chance of its theme from which a unit too far from all is taken in: then 0.61 of them are right.
_REACH, _SURE = 1.0, 0.35
_CHUNK = 2048


@dataclass(frozen=True)
class CodebookTheme:
    """One named theme.

    Attributes
    ----------
    name : str
        What the team calls it.
    description : str
        One line; may be empty.
    examples : tuple of str
        Phrases as customers write them.
    parent : str or None
        The name of the group it belongs to.
    theme_id : str or None
        Its permanent id, where it has one already.
    """

    name: str
    description: str = ""
    examples: tuple[str, ...] = ()
    parent: str | None = None
    theme_id: str | None = None


def settle(
    themes: Sequence[CodebookTheme],
    encode: Callable[[list[str]], Floats],
    embeddings: NDArray[np.floating],
    *,
    prior: ThemePrior | None,
) -> list[KnownTheme]:
    """Return the looks of named themes among unit vectors (n, dim), in the order of the themes.

    Parameters
    ----------
    themes : sequence of CodebookTheme
        At least one.
    encode : callable
        Texts to unit vectors, by the encoder of the embeddings.
    embeddings : ndarray, (n, dim)
        The deployment's units; none are needed. Their order does not matter.
    prior : ThemePrior or None
        The map into theme space, if there is one for this encoder.
    """
    with threadpool_limits(1):
        vectors = np.asarray(embeddings, np.float32)
        vectors = vectors[content_sample(vectors, SAMPLE, 0)]
        words = [_vectors(theme, encode) for theme in themes]
        space = _Space.of(vectors, [texts for texts, _ in words], prior)
        anchors = [np.concatenate([space.moved(texts), examples]) for texts, examples in words]
        own = unit(np.stack([space.map(rows).mean(axis=0) for rows in anchors]))
        points = space.map(vectors)
        cosine = points.astype(np.float64) @ own.T
        examples = [_examples(cosine, k, space.holds) for k in range(len(themes))]
        return [_look(vectors, points, chosen, rows) for chosen, rows in zip(examples, anchors, strict=True)]


class Reading:
    """Tells the themes of a codebook apart by the units' words, beside what their vectors say.

    Parameters
    ----------
    themes : sequence of CodebookTheme
        The codebook.
    wording : Wording
        How pieces of text are weighed and compared.
    spread : float
        How large cosines are beside those of theme space: 1, or PLAIN_SPREAD without a prior.
    """

    def __init__(self, themes: Sequence[CodebookTheme], wording: Wording, *, spread: float = 1.0) -> None:
        self.wording = wording
        self.spread = spread
        self._texts = [[*theme_texts(theme.name, theme.description), *theme.examples] for theme in themes]
        sums = [wording.transform(texts).sum(axis=0) for texts in self._texts]
        self._vectors = unit(np.stack(sums)) if sums else np.zeros((0, wording.vectors.shape[1]))

    def scores(
        self, model: ThemeModel, texts: Sequence[str], embeddings: NDArray[np.floating], labels: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return how well each unit fits each theme of the codebook by vector and words, (n, n_themes).

        Parameters
        ----------
        labels : ndarray of int, (n_themes,)
            The model's label of each theme of the codebook; −1: it does not know it, and its score is −inf.
        """
        said = _OVERLAP * self.wording.overlap(texts, self._texts)
        said += _WORDING * (self.wording.transform(texts) @ self._vectors.T)
        found = np.full(said.shape, -np.inf)
        known = np.flatnonzero(labels >= 0)
        plain = _PLAIN * model.plain_cosines(embeddings)[:, labels[known]]
        found[:, known] = model.scores(embeddings)[:, labels[known]] + self.spread * (plain + said[:, known])
        return found

    def tell_apart(
        self,
        model: ThemeModel,
        labels: NDArray[np.int64],
        texts: Sequence[str],
        embeddings: NDArray[np.floating],
        places: Mapping[int, int],
    ) -> NDArray[np.int64]:
        """Return the labels after the units of the codebook's themes have gone where vector and words point.

        A unit too far from every theme, and least far from one of the codebook, is taken in where its theme is sure.

        Parameters
        ----------
        labels : ndarray of int, (n,)
            Where the vectors alone put the units, −1 = nowhere; those of other themes stay there.
        places : mapping
            The label of each theme by its place in the codebook, as far as the model knows it.
        """
        columns = np.array([places.get(column, -1) for column in range(len(self._texts))], np.int64)
        labels = labels.copy()
        rows = np.flatnonzero(np.isin(labels, [*places.values(), -1])) if places else np.zeros(0, np.int64)
        for start in range(0, len(rows), _CHUNK):
            block = rows[start : start + _CHUNK]
            scores = self.scores(model, [texts[row] for row in block], embeddings[block], columns)
            best = columns[scores.argmax(axis=1)]
            taken = (labels[block] >= 0) | self._sure(scores)
            far = np.flatnonzero(taken & (labels[block] < 0))
            taken[far] = np.isin(model.scores(embeddings[block[far]]).argmax(axis=1), columns)
            labels[block] = np.where(taken, best, labels[block])
        return labels

    def _sure(self, scores: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell of each unit whether its best theme fits it well, and markedly better than the others."""
        best = scores.max(axis=1, keepdims=True)
        chance = 1 / np.exp(_SHARPNESS / self.spread * (scores - best)).sum(axis=1)
        return np.asarray((best[:, 0] >= self.spread * _REACH) & (chance >= _SURE), np.bool_)


def _examples(cosine: NDArray[np.float64], theme: int, holds: float) -> NDArray[np.int64]:
    """Return the units that are examples of a theme; without stragglers, whose group would be an anchor."""
    mine = np.flatnonzero((cosine.argmax(axis=1) == theme) & (cosine[:, theme] >= holds))
    return mine[cosine[mine, theme] >= np.quantile(cosine[mine, theme], _STRAGGLERS)] if len(mine) else mine


@dataclass(frozen=True)
class _Space:
    """Where units and texts are compared."""

    prior: ThemePrior | None
    mean: Floats
    text_mean: Floats

    @classmethod
    def of(cls, vectors: Floats, texts: Sequence[Floats], prior: ThemePrior | None) -> "_Space":
        if prior is not None:
            return cls(prior, prior.mean(vectors), prior.text_center)
        pooled = np.concatenate(texts)
        text_mean = pooled.mean(axis=0)
        mean = vectors.sum(axis=0) / (len(vectors) + 30) if len(vectors) else text_mean
        # One theme's words have no mean of their own to speak of.
        return cls(None, mean, text_mean if len(texts) > 3 else mean)

    @property
    def holds(self) -> float:
        """The cosine from which a unit is an example of a theme; cosines of centred vectors are smaller."""
        return _HOLDS if self.prior is not None else _HOLDS * PLAIN_SPREAD

    def moved(self, texts: Floats) -> Floats:
        """Return texts' vectors as seen from the units' mean: names and opinions are two kinds of text."""
        return (texts - self.text_mean + self.mean).astype(np.float32)

    def map(self, vectors: Floats) -> Floats:
        """Return the vectors in theme space."""
        if self.prior is not None:
            return self.prior.transform(vectors, self.mean)
        return unit(vectors - self.mean).astype(np.float32)


def _vectors(theme: CodebookTheme, encode: Callable[[list[str]], Floats]) -> tuple[Floats, Floats]:
    """Return the vectors of a theme's name and description, and of its examples."""
    texts = encode(theme_texts(theme.name, theme.description))
    examples = encode(list(theme.examples)) if theme.examples else np.zeros((0, texts.shape[1]), np.float32)
    return texts, examples


def _look(vectors: Floats, points: Floats, rows: NDArray[np.int64], words: Floats) -> KnownTheme:
    """Return a theme's look: its units' mean held back by its words; means of small groups, and the words."""
    total = vectors[rows].sum(axis=0) + _WORDS * words.mean(axis=0)
    groups = facets(points[rows])
    small = [vectors[rows[groups == group]].mean(axis=0) for group in range(1 + int(groups.max(initial=-1)))]
    anchors = np.concatenate([words, unit(np.stack(small))] if small else [words])
    return KnownTheme((total / (len(rows) + _WORDS)).astype(np.float32), anchors.astype(np.float32))
