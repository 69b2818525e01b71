"""How many units of each theme hold each word, run of characters and pair."""

import math
import re
from collections import Counter
from collections.abc import Sequence

from pipeline.themes.phrases import pair_phrase
from pipeline.themes.vocabulary import MARK, unit_terms

N_PAIRS = 5
_N_TERMS = 300  # terms of a theme that are looked at for its name


class WordCounts:
    """Counts of the themes 0 … n_themes − 1; row i of every argument is unit i.

    Parameters
    ----------
    texts, tokens, pairs, labels
        A unit's text, its content words in normalized form, its pairs of noun and predicate such as
        「返信→遅い」, and its theme (−1 = none).
    n_themes : int

    Attributes
    ----------
    size : list of int
        Units of each theme.
    texts : list of list of str
        Their texts, marks of masked words taken out.
    terms, pairs : list of Counter
        Units of each theme that hold a term, a pair.
    """

    def __init__(
        self,
        texts: Sequence[str],
        tokens: Sequence[Sequence[str]],
        pairs: Sequence[Sequence[str]],
        labels: Sequence[int],
        n_themes: int,
    ) -> None:
        self.size = [0] * n_themes
        self._shares: dict[tuple[str, int], float] = {}
        self._told: dict[str, list[float]] = {}
        self._ranked: dict[int, list[tuple[str, float]]] = {}
        self.terms: list[Counter[str]] = [Counter() for _ in range(n_themes)]
        self.pairs: list[Counter[str]] = [Counter() for _ in range(n_themes)]
        self.texts: list[list[str]] = [[] for _ in range(n_themes)]
        for text, words, links, label in zip(texts, tokens, pairs, labels, strict=True):
            if not 0 <= label < n_themes:
                continue
            clean = MARK.sub("\n", text)
            self.size[label] += 1
            self.texts[label].append(clean)
            self.terms[label].update(set(unit_terms(clean, words)))
            self.pairs[label].update(set(links))
        self.total: Counter[str] = Counter()
        for counts in self.terms:
            self.total.update(counts)
        self.mean = sum(self.total.values()) / max(1, n_themes)

    def weight(self, term: str, theme: int) -> float:
        """Return the class-based TF-IDF of a term."""
        count = self.terms[theme][term]
        return count / max(1, self.size[theme]) * math.log(1 + self.mean / max(1, self.total[term]))

    def ranked(self, theme: int) -> list[tuple[str, float]]:
        """Return the theme's terms, best first; those that a few units share come before all others."""
        if theme in self._ranked:
            return self._ranked[theme]
        counts = self.terms[theme]
        weights = [(not self.is_shared(term, theme), -self.weight(term, theme), -len(term), term) for term in counts]
        best = [(term, -weight) for _, weight, _, term in sorted(weights)[:_N_TERMS]]
        shared = [term for term, _ in best if counts[term] >= 2]
        self._ranked[theme] = [(t, w) for t, w in best if not any(self._stands_for(o, t, counts) for o in shared)]
        return self._ranked[theme]

    def is_shared(self, term: str, theme: int) -> bool:
        """Tell whether enough units use a term for it to name the theme."""
        return self.terms[theme][term] >= max(2, min(5, self.size[theme] // 25))

    def is_said(self, term: str, theme: int) -> bool:
        """Tell whether enough units use a term for it to be a keyword: two, where the theme is not tiny."""
        return self.terms[theme][term] >= (2 if self.size[theme] >= 10 else 1)

    @staticmethod
    def _stands_for(longer: str, term: str, counts: Counter[str]) -> bool:
        """Tell whether a compound is what most units mean by one of its parts: 再利用ボックス, not ボックス."""
        return len(longer) > len(term) and term in longer and 3 * counts[longer] >= counts[term]

    def share(self, term: str, theme: int) -> float:
        """Return the share of the theme's units whose text holds the string."""
        key = (term, theme)
        if key not in self._shares:
            self._shares[key] = sum(term in text for text in self.texts[theme]) / max(1, self.size[theme])
        return self._shares[key]

    def told(self, words: re.Pattern[str], theme: int) -> float:
        """Return the share of the theme's units in which a pattern is found."""
        return self._told_shares(words)[theme]

    def told_elsewhere(self, words: re.Pattern[str], theme: int) -> float:
        """Return the mean of that share over the other themes."""
        shares = self._told_shares(words)
        return (sum(shares) - shares[theme]) / max(1, len(shares) - 1)

    def leads(self, term: str, theme: int) -> bool:
        """Tell whether no other theme's units use the string twice as often."""
        return 2 * self.share(term, theme) >= max(self.share(term, other) for other in range(len(self.size)))

    def lift(self, term: str, theme: int) -> float:
        """Return the share of the term's units that belong to this theme."""
        return self.terms[theme][term] / max(1, self.total[term])

    def common_pairs(self, theme: int) -> list[str]:
        """Return the theme's most frequent pairs that say something."""
        found = [(p, n) for p, n in self.pairs[theme].items() if n >= 2 and pair_phrase(p)]
        return [p for p, _ in sorted(found, key=lambda item: (-item[1], item[0]))[:N_PAIRS]]

    def _told_shares(self, words: re.Pattern[str]) -> list[float]:
        if words.pattern not in self._told:
            found = [sum(bool(words.search(text)) for text in texts) for texts in self.texts]
            self._told[words.pattern] = [n / max(1, size) for n, size in zip(found, self.size, strict=True)]
        return self._told[words.pattern]
