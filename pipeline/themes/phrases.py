"""Dependency pairs as people write them: 返信→遅い is 返信が遅い."""

import re
from collections import Counter
from collections.abc import Sequence

from pipeline.themes.vocabulary import as_words, is_noun, written

_LIGHT_VERBS = as_words(
    """
    為る 成る 有る 居る 言う 思う 見る 来る 行く 出来る 貰う 頂く 下さる 呉れる 願う 知る 聞く 感じる
    """
)
_PARTICLES = {"が": "が", "は": "が", "も": "が", "を": "を", "に": "に"}
_A_ROW = str.maketrans("うくぐすつぬぶむる", "わかがさたなばまら")
_GODAN_RU = as_words(
    """
    入る 切る 知る 要る 走る 帰る 減る 滑る 限る 散る 握る 参る 蹴る 茂る 遮る 裏切る
    """
)


def pair_phrase(pair: str, texts: Sequence[str] = ()) -> str | None:
    """Return a dependency pair as people write it, None where it makes no phrase.

    Parameters
    ----------
    pair : str
        noun→predicate in normalized form, +ない where negated.
    texts : sequence of str
        Texts whose spelling and particle are taken over.

    Examples
    --------
    >>> pair_phrase("返信→遅い"), pair_phrase("電話→繋がる+ない"), pair_phrase("料金→分かる+ない")
    ('返信が遅い', '電話がつながらない', '料金が分からない')
    """
    noun, arrow, predicate = pair.partition("→")
    negated = predicate.endswith("+ない")
    predicate = predicate.removesuffix("+ない")
    if not arrow or not predicate or not is_noun(noun) or predicate in _LIGHT_VERBS:
        return None
    verb = written(predicate, texts)
    noun = written(noun, texts)
    if not re.search(r"[うくぐすつぬぶむるい]$", verb):
        return f"{noun}の{verb}" if is_noun(predicate) and not negated else None
    particle = _particle(noun, verb, texts)
    return particle and noun + particle + (_negated(predicate, verb) if negated else verb)


def shown_pair(pair: str, texts: Sequence[str] = ()) -> str:
    """Return a pair with both words as the texts write them: 御腹→一杯 is お腹→いっぱい where they write so."""
    noun, arrow, predicate = pair.partition("→")
    verb, plus, negation = predicate.partition("+")
    return written(noun, texts) + arrow + written(verb, texts) + plus + negation


def _particle(noun: str, predicate: str, texts: Sequence[str]) -> str | None:
    """Return the particle the units put between noun and predicate; None where they do not tell."""
    if predicate.endswith("い"):
        return "が"
    stem = re.escape(predicate[:1])
    used = re.compile(re.escape(noun) + f"([がはもをに])[^、。]{{0,4}}{stem}")
    heard = Counter(_PARTICLES[match] for text in texts for match in used.findall(text))
    return min(heard, key=lambda p: (-heard[p], p)) if heard else None if texts else "が"


def _negated(predicate: str, written: str) -> str:
    if written.endswith("い"):
        return "なくはない" if written == "ない" else written[:-1] + "くない"
    if written.endswith("する"):
        return written[:-2] + "しない"
    ichidan = written.endswith("る") and written[-2:-1] in "いきぎしじちにびみりえけげせぜてでねべめれ"
    if ichidan and predicate not in _GODAN_RU:
        return written[:-1] + "ない"
    if written.endswith("る") and not re.search(r"[ぁ-ん]る$", written) and predicate not in _GODAN_RU:
        return written[:-1] + "ない"  # 見る, 出る, 得る
    return written[:-1] + written[-1].translate(_A_ROW) + "ない"
