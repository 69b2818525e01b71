"""Names and keywords of themes, in the customers' own words.

Words are ranked by class-based TF-IDF (Grootendorst 2022, arXiv:2203.05794), counted once per unit, so that
one long complaint does not name a theme. Names of five kinds compete: a topic of every trade that the units'
words tell (「梱包」), the name our corpus gives the nearest known theme, as far as the units use its words
(「料金・見積もり」), a dependency pair that many units share (「返信が遅い」), two nouns joined by の as the units
join them (「フロントの対応」), and a noun of their own (「再利用ボックス」). The one that covers most of the theme's
units and fewest of the others' wins.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace

from pipeline.themes.phrases import pair_phrase, shown_pair
from pipeline.themes.topics import TOPICS
from pipeline.themes.vocabulary import GENERIC, JUDGING, KANA, MARK, RUN, SCRIPTS, WORD, as_words, is_keyword, is_noun
from pipeline.themes.word_counts import WordCounts

MAX_LENGTH = 20
N_KEYWORDS = 5

# Corpus themes that no word gives away: taken on likeness alone, under these names.
_WORDLESS = {
    "総合・再利用意向": ("総合評価", "全体の感想"),
    "利用状況・属性（事実）": ("利用状況", "利用の背景"),
}
_NEAR = 0.80  # cosine of a theme to the corpus theme whose name it may take
_UNHEARD = 0.02  # share of units up to which a word counts as not used
_TOLD, _HINTED = 0.25, 0.12  # shares of units that tell a topic: many, or few with hardly any elsewhere
_OWN = 0.15  # share of units that use a noun of their own
_NEUTRAL = 0.93  # cosine to a corpus theme from which a name that holds in every trade is taken unheard
_NAMELESS = "その他の話題"
NUMBERED = re.compile(_NAMELESS + r"\d+")
_PLAIN = re.compile(r"(?=.*[ぁ-んァ-ヴ一-鿿])[ぁ-んァ-ヴー一-鿿々〆A-Za-z0-9・-]+")  # a proposed name, no sentence
# Nouns that only say something about another noun.
_NOT_ALONE = as_words(
    """
    対応 連絡 場所 担当 専用 充実 続き 文字 枠 顔 注文 購入 変更 指定 到着 動作 質 量 種類 提案 機械
    """
)
_JOINED = re.compile(
    r"([一-鿿ァ-ヴーA-Za-z]{2,8})の"
    r"([一-鿿ァ-ヴー]{1,6}[きぎしちみりけせえれ]?[一-鿿]?)(?=[がはをもに、。]|$)"
)
# Second nouns of 「AのB」 that say what about A is meant, though they name nothing by themselves.
_ASPECTS = as_words(
    """
    対応 態度 説明 質 量 味 種類 値段 価格 高さ 多さ 速さ 早さ 遅れ 時間
    画面 操作 手続き 見やすさ 広さ 大きさ 処分 指定 変更 案内 掃除 清潔さ 内容 使い方 仕方 連絡
    表示 品質 鮮度 温度 音 匂い 臭い 色 更新 不具合
    """
)


@dataclass(frozen=True)
class ThemeName:
    """What a theme is called; pairs are its most frequent dependency pairs, as the units write them."""

    name: str
    keywords: tuple[str, ...]
    pairs: tuple[str, ...]


@dataclass(frozen=True)
class ThemeSample:
    """What somebody who is asked for a name gets to see: a name so far, keywords, masked texts."""

    name: str
    keywords: tuple[str, ...]
    texts: tuple[str, ...]


NameProposer = Callable[[Sequence[ThemeSample]], Sequence[str | None]]


def name_themes(
    words: WordCounts,
    *,
    nearest: Sequence[Sequence[tuple[str, float]]] = (),
    kept: dict[int, str] | None = None,
    taken: Iterable[str] = (),
) -> list[ThemeName]:
    """Return a name of at most 20 characters, 5 keywords and 5 pairs for each theme that was counted.

    Parameters
    ----------
    words : WordCounts
        Of the night's units.
    nearest : sequence, optional
        For each theme the nearest names of the corpus with their cosine.
    kept : dict, optional
        Names that stand already and that no other theme may take.
    taken : iterable of str
        Further names that no theme may take.

    Returns
    -------
    list of ThemeName
        Names differ from one another. Independent of the order of the units.
    """
    n_themes = len(words.size)
    kept = dict(kept or {})
    taken = {*taken, *kept.values()}
    named: dict[int, ThemeName] = {}
    for theme in range(n_themes):
        if theme in kept:
            name = kept[theme]
        else:
            candidates = _candidates(words, theme, words.ranked(theme), nearest[theme] if theme < len(nearest) else ())
            name = next((c for c in candidates if may_stand(c, taken)), None) or numbered(taken)
        taken.add(name)
        shown = (shown_pair(pair, words.texts[theme]) for pair in words.common_pairs(theme))
        named[theme] = ThemeName(name, theme_keywords(words, theme), tuple(dict.fromkeys(shown)))
    return [named[theme] for theme in range(n_themes)]


def theme_keywords(words: WordCounts, theme: int) -> tuple[str, ...]:
    """Return up to 5 keywords of a theme, the most telling first."""
    terms = [term for term, _ in words.ranked(theme) if is_keyword(term)]
    return tuple(_keywords(sorted(terms, key=lambda term: not words.is_said(term, theme)))[:N_KEYWORDS])


def may_stand(name: str, taken: Iterable[str] = ()) -> bool:
    """Tell whether a name keeps the rules: 2 to 20 characters, no mark, no number alone, no empty word, not taken."""
    plain = not MARK.search(name) and name not in GENERIC | JUDGING | _NOT_ALONE and bool(WORD.search(name))
    return plain and 2 <= len(name) <= MAX_LENGTH and name not in taken and "\n" not in name


def with_proposals(
    names: Sequence[ThemeName],
    labels: Sequence[int],
    samples: Sequence[ThemeSample],
    propose: NameProposer,
    taken: Iterable[str] = (),
) -> list[ThemeName]:
    """Return the names with those proposed for some labels, as far as a proposal keeps the rules.

    A proposal is one line of Japanese words, joined by の, particles or ・, that may stand as a name.
    """
    found, held = list(names), {*taken, *(name.name for name in names)}
    for label, proposal in zip(labels, propose(samples), strict=True):
        if proposal and _PLAIN.fullmatch(proposal) and may_stand(proposal, held):
            held.add(proposal)
            found[label] = replace(found[label], name=proposal)
    return found


def heard(name: str, texts: Sequence[str]) -> bool:
    """Tell whether some of a name's words stand in at least 2 % of the texts, or tell its topic."""
    told = next((words for names, words in TOPICS if name in names), None)
    if told:
        return sum(bool(told.search(text)) for text in texts) >= max(1.0, 0.1 * len(texts))
    runs = RUN.findall(name) or WORD.findall(name)
    return any(sum(run in text for text in texts) >= max(1.0, 0.02 * len(texts)) for run in runs)


def numbered(taken: Set[str]) -> str:
    """Return a name for what no word names: その他の話題1, その他の話題2, …"""
    return next(name for k in range(1, len(taken) + 2) if (name := f"{_NAMELESS}{k}") not in taken)


def _keywords(terms: Iterable[str]) -> list[str]:
    """Return the first five terms of which none holds another."""
    chosen: list[str] = []
    for term in terms:
        if not any(term in other or other in term for other in chosen):
            chosen.append(term)
        if len(chosen) == N_KEYWORDS:
            break
    return chosen


def _candidates(
    words: WordCounts, theme: int, ranked: Sequence[tuple[str, float]], nearest: Sequence[tuple[str, float]]
) -> Iterator[str]:
    """Yield names, the best first; what few units support comes last, before nothing at all."""
    nouns = [term for term, _ in ranked if is_noun(term)]
    shared = [noun for noun in nouns if words.is_shared(noun, theme)]
    scored: dict[str, float] = {}
    for found in (
        _wordless(nearest), _corpus_names(words, theme, nearest), _topics(words, theme), _phrases(words, theme),
        _joined(words, theme), _own_nouns(words, theme, shared), _unheard(nearest),
    ):  # fmt: skip
        for name, score in found.items():
            scored[name] = max(score, scored.get(name, 0.0))
    yield from sorted(scored, key=lambda name: (-round(scored[name], 9), name))
    yield from [noun for noun in shared if len(noun) > 1]
    yield from [part for name, cosine in nearest if cosine >= 0.9 for part in _parts(name)[:1]]


def _wordless(nearest: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Return the names of a theme of the whole, where it is the nearest of all."""
    name, cosine = nearest[0] if nearest else ("", 0.0)
    return {title: 0.6 - rank / 100 for rank, title in enumerate(_WORDLESS.get(name, ()))} if cosine >= _NEAR else {}


def _corpus_names(words: WordCounts, theme: int, nearest: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Return corpus names cut to the (at most two) parts that the theme's units speak of."""
    scored: dict[str, float] = {}
    for name, cosine in nearest:
        if cosine < _NEAR or name in _WORDLESS:
            continue
        support = {part: _support(words, theme, part) for part in _parts(name)}
        spoken = sorted((part for part in support if support[part] > 0), key=lambda part: (-support[part], part))[:2]
        if spoken and 5 * support[spoken[-1]] < support[spoken[0]]:
            spoken = spoken[:1]
        if spoken:
            total = min(0.6, sum(support[part] for part in spoken))
            scored["・".join(spoken)] = max(scored.get("・".join(spoken), 0.0), 0.3 * cosine + total)
    return {name: score for name, score in scored.items() if score >= 0.3 * _NEAR + 0.08}


def _topics(words: WordCounts, theme: int) -> dict[str, float]:
    """Return the topics of every trade that the units' words tell, each under the name its customers use."""
    found = {}
    for names, told in TOPICS:
        share, elsewhere = words.told(told, theme), words.told_elsewhere(told, theme)
        if (share >= _TOLD and share >= 1.5 * elsewhere) or (share >= _HINTED and share >= 3 * elsewhere):
            used = max(names, key=lambda name: (words.share(name, theme), -names.index(name)))
            found[used] = share * share / (share + elsewhere)
    return found


def _unheard(nearest: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Return names that hold in every trade, of the corpus themes that are nearest by far."""
    everywhere = {name for names, _ in TOPICS for name in names}
    near = [(part, cosine) for name, cosine in nearest if cosine >= _NEUTRAL for part in _parts(name)]
    return {part: 0.1 + cosine / 100 for part, cosine in near if part in everywhere}


def _phrases(words: WordCounts, theme: int) -> dict[str, float]:
    """Return the pairs that at least a tenth of the units share, as phrases."""
    found: Counter[str] = Counter()
    for pair, count in words.pairs[theme].items():
        phrase = pair_phrase(pair, words.texts[theme]) if count >= 3 else None
        if phrase and len(phrase) <= MAX_LENGTH:
            found[phrase] += count
    size = max(1, words.size[theme])
    return {phrase: 1.5 * n / size for phrase, n in found.items() if n >= 0.1 * size}


def _joined(words: WordCounts, theme: int) -> dict[str, float]:
    """Return two nouns joined by の, as units join them: フロントの対応."""
    found: Counter[str] = Counter()
    for text in words.texts[theme]:
        found.update({f"{a}の{b}" for a, b in _JOINED.findall(text) if is_noun(a) and (is_noun(b) or b in _ASPECTS)})
    size = max(1, words.size[theme])
    return {name: 2 * n / size for name, n in found.items() if n >= max(3, 0.06 * size)}


def _own_nouns(words: WordCounts, theme: int, shared: Sequence[str]) -> dict[str, float]:
    """Return nouns that many of the theme's units use and few others: the longer, the more they tell."""
    found = {}
    for noun in shared[:8]:
        share, lift = words.share(noun, theme), words.lift(noun, theme)
        if len(noun) > 1 and share >= _OWN and lift >= 0.4:
            found[noun] = share * lift * (1.3 if len(noun) > 3 else 1.0)
    return found


def _parts(name: str) -> list[str]:
    return [part for part in re.split(r"[・、]", re.sub(r"（[^）]*）", "", name)) if part]


def _support(words: WordCounts, theme: int, part: str) -> float:
    """Return the share of units that use a name's words; 0 where one of them is hardly heard, or more elsewhere."""
    pieces = name_pieces(part)
    shares = [words.share(piece, theme) for piece in pieces]
    led = shares and min(shares) > _UNHEARD and all(words.leads(piece, theme) for piece in pieces)
    return min(shares) if led and part not in GENERIC else 0.0


def name_pieces(part: str) -> list[str]:
    """Cut a name into the words to listen for: スタッフ and 対応, 料理 and 味, but 預かり時間 whole."""
    pieces = [piece for piece in re.split(r"[のと・]", part) if piece]
    return [run for piece in pieces for run in (SCRIPTS.findall(piece) if not KANA.search(piece) else [_stem(piece)])]


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 2 and re.search(r"[さいうくすつむる]$", word) else word


