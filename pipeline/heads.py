"""Which predicate a noun belongs to, read from Sudachi's tags: Japanese puts heads behind, and marks cases.

An opinion is one clause and rarely holds more than three predicates, so the particle behind a noun and the forms of
the predicates after it decide nearly every case without a parse. A noun with a particle of case belongs to the next
predicate; one with は or も passes over those that only modify a noun (「味は高い値段に合わない」: 味→合う+ない); nouns
before の, や and the like belong to another noun. The rules are those of cascaded chunking (Kudo & Matsumoto 2002,
aclanthology.org/W02-2016) without its classifier: the nearest head that can govern is taken.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

_PARTICLE = ("助詞-格助詞", "助詞-係助詞", "助詞-副助詞")
_TO_A_NOUN = frozenset(["や", "か", "など", "より", "ほど", "ぐらい", "として"])
_GIVING = frozenset(["為る", "致す", "下さる", "頂く", "貰う", "御座る", "出来る"])
_WEAK = ("動詞-非自立可能", "形容詞-非自立可能")


class Word(Protocol):
    """What is read of a word: surface, normalized form, Sudachi's tag and inflection, characters it covers."""

    text: str
    norm: str
    tag: str
    form: str
    start: int
    end: int


def heads(words: Sequence[Word], inside: range, is_predicate: Callable[[int], bool]) -> dict[int, int]:
    """Return the predicate each noun of a clause belongs to, by word numbers; a noun without one is left out.

    Parameters
    ----------
    words : sequence of Word
        Of the whole text.
    inside : range
        The clause.
    is_predicate : callable
        Tells of a word number whether the word by itself could be a predicate.
    """
    found = {}
    for noun in inside:
        if not words[noun].tag.startswith("名詞"):
            continue
        after = noun + 1
        while after in inside and words[after].tag.startswith("接尾辞-名詞"):
            after += 1
        behind = after
        while behind in inside and words[behind].tag.startswith(_PARTICLE):
            behind += 1
        if behind not in inside:
            continue
        particles = [words[i].text for i in range(after, behind)]
        if particles == ["に"] and "形状詞可能" in words[noun].tag:  # 「楽に移動する」 says how
            continue
        head = _head(words, inside, behind, particles, is_predicate)
        if head is not None:
            found[noun] = head
    return found


def modified(words: Sequence[Word], quality: int, inside: range) -> int | None:
    """Return the noun right behind an adjective that it describes: 対応 of 「悪い対応」; None if it describes none."""
    noun = quality + 1
    while noun in inside and words[noun].tag == "助動詞":
        noun += 1
    if not _is_adnominal(words[noun - 1]):  # 「楽に移動する」
        return None
    if noun in inside and words[noun].tag == "接頭辞":
        noun += 1
    if noun not in inside or not words[noun].tag.startswith("名詞"):
        return None
    while noun + 1 in inside and words[noun + 1].tag.startswith("名詞"):
        noun += 1
    return noun


def _head(
    words: Sequence[Word], inside: range, behind: int, particles: list[str], is_predicate: Callable[[int], bool]
) -> int | None:
    """Return the predicate of a noun with these particles, the word after which is `behind`."""
    if not particles:  # 「対応悪い」
        word = words[behind]
        close = word.start == words[behind - 1].end or word.tag.startswith(("形容詞", "形状詞"))
        compound = word.tag.startswith("名詞") and "サ変可能" in word.tag
        return behind if close and not compound and _governs(words, behind, inside, is_predicate) else None
    if particles[-1] == "の" or (len(particles) == 1 and particles[0] in _TO_A_NOUN):
        return None
    if particles == ["と"]:  # 「写真と違う」, but 「写真と地図が古い」
        joins = words[behind].tag.startswith("動詞") and _governs(words, behind, inside, is_predicate)
        return behind if joins else None
    passes_over = particles[0] in ("は", "も")
    for i in range(behind, inside.stop):
        if _governs(words, i, inside, is_predicate) and not (passes_over and _modifies(words, i, inside)):
            return i
    return None


def _governs(words: Sequence[Word], i: int, inside: range, is_predicate: Callable[[int], bool]) -> bool:
    """Return whether a word is a predicate here: no helper, no adverb, no part of a longer noun."""
    word, behind = words[i], i + 1
    if _helps(words, i) or not is_predicate(i) or "助動詞語幹" in word.tag or word.tag.startswith("接尾辞"):
        return False
    if behind not in inside:
        return True
    if word.tag.startswith("副詞"):  # 「いまいちです」, not 「もっと早く」
        return words[behind].tag.startswith(("助動詞", "助詞-終助詞", "補助記号"))
    if word.tag.startswith("形容詞") and "連用形" in word.form and words[behind].tag.startswith("動詞"):
        return words[behind].norm in ("成る", "為る")  # else 「早く届く」
    if word.tag.startswith(("名詞", "形状詞")) and words[behind].text == "に" and behind + 1 in inside:
        return words[behind + 1].norm in ("成る", "為る")  # else 「丁寧に教える」
    if word.tag.startswith("名詞"):
        while behind in inside and words[behind].tag.startswith("接尾辞-名詞"):
            behind += 1
        longer = behind in inside and words[behind].tag.startswith("名詞") and "助動詞語幹" not in words[behind].tag
        cased = behind in inside and words[behind].tag.startswith(_PARTICLE) and words[behind].text != "で"
        return not (longer or cased)
    return True


def _helps(words: Sequence[Word], i: int) -> bool:
    """Return whether a verb or adjective only helps the word before it: 待って「いる」, 対応「する」, 高く「ない」."""
    word, before = words[i], words[i - 1] if i else None
    if before is None or not word.tag.startswith(_WEAK) or before.end != word.start:
        return False
    if before.tag == "助詞-接続助詞" and before.text in ("て", "で", "ちゃ", "じゃ"):
        return True
    if before.tag.startswith(("動詞", "形容詞", "助動詞", "接尾辞")):
        return True
    if word.norm in _GIVING and before.tag.startswith(("名詞", "形状詞")):
        return True
    denied = word.norm == "無い" and before.text in ("は", "も", "じゃ") and i > 1
    return denied and words[i - 2].tag.startswith(("形容詞", "助動詞"))


def _modifies(words: Sequence[Word], i: int, inside: range) -> bool:
    """Return whether a predicate, with what helps it, stands before a noun."""
    behind = i + 1
    while behind in inside and (
        (words[behind].tag.startswith(("助動詞", "接尾辞")) and words[behind].text != "ず")
        or _helps(words, behind)
        or (words[behind].text in ("て", "で") and behind + 1 in inside and _helps(words, behind + 1))
    ):
        behind += 1
    word = words[behind] if behind in inside else None
    noun = word is not None and word.tag.startswith(("名詞", "代名詞", "接頭辞")) and "助動詞語幹" not in word.tag
    return noun and _is_adnominal(words[behind - 1])


def _is_adnominal(word: Word) -> bool:
    return "連体形" in word.form or "終止形" in word.form
