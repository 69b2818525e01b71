"""Names of parents: what the themes of a group have in common, as their names and units tell it.

Three kinds of name compete: that of a group which a table knows (「料金・特典」), a topic of every trade, and a
noun that the units of every theme of the group use. A name is good as far as all the themes tell it and the
night's other themes do not. Where they have nothing in common, the two that speak for most of the group's
units stand side by side (「待ち時間・予約」), with など where the others have a third of the units or more.
"""

import itertools
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field

from pipeline.themes.naming import N_KEYWORDS, NUMBERED, ThemeName, may_stand, name_pieces, numbered
from pipeline.themes.topics import GROUPS, TOPICS
from pipeline.themes.vocabulary import is_noun
from pipeline.themes.word_counts import N_PAIRS

N_TEXTS = 400  # texts of a theme that are listened to
_FITS = 0.25  # share of a theme's units from which it tells a group of topics
_SHARED = 0.12  # share of every theme's units that must use a topic's words, or a noun, that names the group
_MOST = 2 / 3  # of a group's units that two themes must have for their names to stand for all
_TWICE = 2.0  # how much more of a topic, or of a noun, the group must speak than the others


@dataclass(frozen=True)
class Member:
    """A theme as it is heard: its name, how many units it has, and some of their texts."""

    name: ThemeName
    n_units: int
    texts: tuple[str, ...]
    _shares: dict[str, float] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, name: ThemeName, texts: Sequence[str]) -> "Member":
        """Return the theme with at most 400 of its texts, the same in whatever order they come."""
        ordered = sorted(texts)
        return cls(name, len(texts), tuple(ordered[:: max(1, -(-len(ordered) // N_TEXTS))]))

    def tells(self, words: re.Pattern[str]) -> float:
        """Return the share of its units in which the pattern is found; 1 where its name holds it."""
        return 1.0 if words.search(self.name.name) else self.share(words)

    def share(self, words: re.Pattern[str]) -> float:
        """Return the share of its units in which the pattern is found."""
        if words.pattern not in self._shares:  # every group of themes asks for it
            found = sum(bool(words.search(text)) for text in self.texts)
            self._shares[words.pattern] = found / max(1, len(self.texts))
        return self._shares[words.pattern]


def name_parent(children: Sequence[Member], others: Sequence[Member], taken: Set[str]) -> ThemeName:
    """Return the name of a group of themes, with keywords and pairs of all of them.

    Parameters
    ----------
    children : sequence of Member
        The group's themes, the largest first.
    others : sequence of Member
        The night's other themes.
    taken : set of str
        Names that the parent may not take.
    """
    options = itertools.chain(_in_common(children, others), _side_by_side(children), _first_of_all(children))
    name = next((option for option in options if may_stand(option, taken)), None) or numbered(taken)
    return ThemeName(
        name,
        _in_turn([child.name.keywords for child in children], N_KEYWORDS),
        _in_turn([child.name.pairs for child in children], N_PAIRS),
    )


def _in_common(children: Sequence[Member], others: Sequence[Member]) -> Iterator[str]:
    """Yield what all or most of the themes tell and the others do not, the best first."""
    scored: dict[str, float] = {}
    for name, words in GROUPS:
        told = [child.tells(words) for child in children]
        fitting = [share for share in told if share >= _FITS]
        if told[0] >= _FITS and 2 * len(fitting) > len(children):
            scored[name] = _worth(told, [other.tells(words) for other in others])
    for names, words in TOPICS:
        told, elsewhere = [child.tells(words) for child in children], [other.tells(words) for other in others]
        if min(told) >= _SHARED and _mean(told) >= _TWICE * _mean(elsewhere):
            scored |= dict.fromkeys(names, _worth(told, elsewhere))
    for noun in dict.fromkeys(word for child in children for word in _nouns(child.name)):
        words = re.compile(re.escape(noun))
        told, elsewhere = [child.share(words) for child in children], [other.share(words) for other in others]
        if min(told) >= _SHARED and _mean(told) >= _TWICE * _mean(elsewhere):
            scored[noun] = max(scored.get(noun, 0.0), _worth(told, elsewhere))
    yield from sorted(scored, key=lambda name: (-round(scored[name], 9), name))


def _worth(told: Sequence[float], elsewhere: Sequence[float]) -> float:
    here, there = _mean(told), _mean(elsewhere)
    return here * here / (here + there)


def _side_by_side(children: Sequence[Member]) -> Iterator[str]:
    """Yield two themes' first words joined by ・, the pair that most of the group's units speak of first."""
    heads = {head: k for k, child in reversed(list(enumerate(children))) if (head := _head(child.name))}
    reach = {head: _reach(head, own, children) for head, own in heads.items()}
    ranked = sorted(heads, key=lambda head: (-reach[head], heads[head]))
    for one, other in itertools.combinations(ranked, 2):
        if one not in other and other not in one:
            own = children[heads[one]].n_units + children[heads[other]].n_units
            most = own >= _MOST * sum(child.n_units for child in children)
            yield f"{one}・{other}" if most else f"{one}・{other}など"


def _first_of_all(children: Sequence[Member]) -> Iterator[str]:
    yield from (f"{head}など" for child in children if (head := _head(child.name)))


def _reach(head: str, own: int, children: Sequence[Member]) -> float:
    """Return how many units a theme's first words speak for: its own, and those of the others that use them."""
    pieces = [re.compile(re.escape(piece)) for piece in name_pieces(head)]
    heard = [min((child.share(piece) for piece in pieces), default=0.0) for child in children]
    return sum(child.n_units * (1.0 if k == own else heard[k]) for k, child in enumerate(children))


def _head(name: ThemeName) -> str:
    """Return the first words of a theme's name; of one without words, its first keyword that is a noun."""
    if NUMBERED.fullmatch(name.name):
        return next((word for word in name.keywords if len(word) > 1 and is_noun(word)), "")
    return name.name.split("・")[0]


def _nouns(name: ThemeName) -> list[str]:
    return [word for word in (*name.name.split("・"), *name.keywords) if len(word) > 1 and is_noun(word)]


def _in_turn(lists: Sequence[Sequence[str]], n: int) -> tuple[str, ...]:
    """Return the first of each list, then the second of each, …, n different ones at most."""
    ranks = itertools.zip_longest(*lists)
    return tuple(dict.fromkeys(word for rank in ranks for word in rank if word is not None))[:n]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(1, len(values))
