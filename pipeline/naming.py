"""Names and keywords of themes, from the units' own words: offline and deterministic.

Keywords by class-based TF-IDF (Grootendorst 2022, arXiv:2203.05794) over Sudachi normalised forms; a name is
the two most telling nouns, or a dependency pair where one says it better.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

MAX_LENGTH = 20
N_KEYWORDS = 5
_GENERIC = frozenset(
    ["事", "物", "為る", "居る", "有る", "成る", "思う", "言う", "良い", "無い", "出来る", "利用", "使う", "時", "所", "方", "人", "今回", "今", "自分", "感じ", "満足", "残念", "最高", "普通", "悪い", "凄い", "可愛い", "御座る", "頂く", "下さる", "貰う", "呉れる", "来る", "行く", "見る", "遣る", "毎回", "何時も", "本当", "全部", "全然", "少し", "一番", "次", "前", "後", "中", "欲しい", "願う", "助かる", "嬉しい", "有り難い", "気", "感", "様", "点", "年", "月", "日", "週", "円", "個", "回", "分", "家", "皆", "何", "誰", "其れ", "此れ", "此処", "是非", "一寸", "凄く"]
)


def keywords_by_theme(tokens_by_theme: Mapping[int, Sequence[Sequence[str]]]) -> dict[int, list[str]]:
    """Return up to five telling words per theme, most telling first.

    Parameters
    ----------
    tokens_by_theme : mapping of int to sequence of token lists
        For each theme, the content words of each of its units.
    """
    counts = {theme: Counter(word for unit in units for word in set(unit)) for theme, units in tokens_by_theme.items()}
    total: Counter[str] = sum(counts.values(), Counter())
    mean_size = sum(total.values()) / max(1, len(counts))
    result = {}
    for theme, words in counts.items():
        size = max(1, sum(words.values()))
        scored = [
            (-(n / size) * math.log(1 + mean_size / total[word]), word)
            for word, n in words.items()
            if word not in _GENERIC and len(word) > 1 and (n > 1 or size < 10)
        ]
        result[theme] = [word for _, word in sorted(scored)[:N_KEYWORDS]]
    return result


def name_themes(
    keywords: Mapping[int, Sequence[str]], pairs: Mapping[int, Sequence[str]], taken: Sequence[str] = ()
) -> dict[int, str]:
    """Return a distinct name of at most 20 characters for each theme, in the order of the mapping."""
    used = set(taken)
    names = {}
    for theme, words in keywords.items():
        candidates = [*_combined(words), *pairs.get(theme, ()), "その他"]
        fitting = [name for name in candidates if len(name) <= MAX_LENGTH]
        name = next((name for name in fitting if name not in used), None)
        number = 2
        while name is None:
            numbered = f"{fitting[0][: MAX_LENGTH - 3]} {number}"
            name = numbered if numbered not in used else None
            number += 1
        used.add(name)
        names[theme] = name
    return names


def frequent_pairs(pairs: Sequence[Sequence[str]], limit: int = 5) -> list[str]:
    """Return the dependency pairs said by most units, at least twice each."""
    counts = Counter(pair for unit in pairs for pair in set(unit))
    frequent = sorted((-n, pair) for pair, n in counts.items() if n > 1)
    return [pair for _, pair in frequent[:limit]]


def _combined(words: Sequence[str]) -> list[str]:
    first = [f"{words[0]}・{words[1]}"] if len(words) > 1 else []
    more = [f"{words[0]}・{word}" for word in words[2:]]
    return [*first, *words[:1], *more]
