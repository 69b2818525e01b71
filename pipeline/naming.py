"""Names and keywords of themes, in the customers' own words.

Words are ranked by class-based TF-IDF (Grootendorst 2022, arXiv:2203.05794), counted once per unit, so
that one long complaint does not name a theme. A name is the best of three kinds: the name our corpus
gives the nearest known theme, kept as far as the units use its words (「配送・送料」); a dependency pair
that many units share (「返信が遅い」); the theme's most telling nouns (「再利用ボックス」).
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MAX_LENGTH = 20
N_KEYWORDS = 5
N_PAIRS = 5
_N_TERMS = 300  # terms of a theme that are looked at for its name



def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that say nothing about a theme by themselves, in Sudachi's normalized form or as written.
_GENERIC = _words(
    """
    事 こと 物 もの 者 人 方 かた 時 とき 為 ため 所 ところ 中 内 上 下 前 後 次 間 他 以上 以外 以前
    以降 場合 感じ 様 よう 点 部分 気 気持ち 自分 私 僕 うち 家 我が家 貴方 皆 皆様 皆さん 今 今回 今後
    今日 昨日 明日 先日 先週 先月 今週 今月 来週 来月 毎回 毎日 毎週 毎月 前回 次回 何 何度 何回 一つ
    一番 一度 一回 二回 三回 一 二 三 四 五 十 百 千 万 回 円 分 個 件 本 枚 日 月 年 週 週間 時間帯
    途中 最近 最初 最後 以来 年末 朝 夜 昼 夕方 午前 午後 当日 翌日 普段 全部 全体 全然 本当 本人 必要
    良い 悪い 無い 有る 居る 為る 成る 出来る 思う 言う 見る 来る 行く 使う 利用 使用 欲しい 下さる 頂く
    貰う 呉れる 上げる 遣る 分かる 知る 聞く 出る 入る 入れる 付く 付ける 感じる 考える 御 お ご さん
    様子 状態 其の 此の 其れ 此れ 何故 特に 直ぐ 正直 結構 勿論 矢張り 色々 一緒 割 逆 癖 奴 筈 訳 儘
    せい 例 可能 確認 対象 問題 意味 理由 内容 関係 程度 結果 種類 商品 製品 会社 御社 貴社 サービス 客
    お客 弊社 いつも 毎度 改善 希望 要望 お願い 願う 名前 取り 便 向け 共 目 手 口 足 声 話 度 可 否 式 版 差 内 外 奥 他 氏名 電話番号 住所 番号
    メール 番 先 元 度 位 頃 程 迄 系 的 用 神 謎 側 別 同じ 予定 実際 一部 半分 絶対 今年 去年 来年
    昨年 平日 土日 週末 休日 毎朝 毎晩 今朝 昨夜 今夜 翌週 翌月 月末 月曜 火曜 水曜 木曜 金曜 土曜 日曜
    数回 数日 日間 年間 ヶ月 か月 人用 もしもし なし 無し スクショ 仕方 もん 別々 美味 一人 二人 二人用
    一人用 新住所 旧住所 ママ 主人 夫 妻 息子 娘 子供 子ども 友人 夫婦 家族 母 父 両親 祖母 祖父 年寄り
    隣 数 他社 別途 全て すべて 個人 個人的 多数 少々 多少 若干 感想 案外 意外 反面 一方 度々 時々 早め
    遅め 相変わらず お世話 世話 割と 神サービス 商品自体 結局 当たり前 一つ一つ
    """
)
# Words that judge: they may be keywords, but name nothing.
_JUDGING = _words(
    """
    大丈夫 残念 満足 不満 最高 最悪 便利 不便 簡単 綺麗 丁寧 親切 無理 駄目 嫌 好き 大好き 嬉しい
    うれしい 有り難い 有難い ありがたい 助かる 高い 低い 多い 少ない 大きい 小さい 長い 短い 早い 速い
    遅い 凄い 期待 感謝 安心 普通 十分 完全 新しい 古い 気分 安い 不親切 快適 面倒 大変 楽
    """
)
# Parts of names that mean the same in every trade: taken on likeness, though the units use other words.
_ANYWHERE = _words(
    """
    料金 価格 接客 スタッフ対応 スタッフの接客 清潔さ 待ち時間 駐車場 問い合わせ 混雑
    """
)
# Sudachi's normalized spelling → what people write.
_SPELLING = {
    "無い": "ない", "有る": "ある", "出来る": "できる", "為る": "する", "掛かる": "かかる", "繋がる": "つながる",
    "美味しい": "おいしい", "御飯": "ごはん", "直ぐ": "すぐ", "旨い": "うまい", "不味い": "まずい", "判る": "わかる",
    "分かる": "分かる", "貰う": "もらう", "頂く": "いただく", "解る": "わかる", "成る": "なる", "遣る": "やる",
    "沢山": "たくさん", "綺麗": "きれい", "御洒落": "おしゃれ", "煩い": "うるさい", "勿体無い": "もったいない",
    "嬉しい": "うれしい", "面倒臭い": "面倒くさい", "気付く": "気づく", "片付ける": "片づける", "さくさく": "サクサク",
    "見付かる": "見つかる", "見付ける": "見つける", "解り易い": "わかりやすい", "分かり易い": "わかりやすい",
    "分かり難い": "わかりにくい", "使い易い": "使いやすい", "使い難い": "使いにくい", "見易い": "見やすい",
    "見難い": "見にくい", "旨味": "うま味", "塵": "ゴミ", "塵芥": "ゴミ", "螺子": "ネジ", "滓": "かす", "黴": "カビ",
}  # fmt: skip
_LIGHT_VERBS = _words(
    """
    為る 成る 有る 居る 言う 思う 見る 来る 行く 出来る 貰う 頂く 下さる 呉れる 願う 知る 聞く 感じる
    """
)
_MARK = re.compile(r"\[[^\]]{1,6}\]")
_RUN = re.compile(r"(?<![0-9一-鿿々〆ヶァ-ヴーA-Za-z])[一-鿿々〆ヶァ-ヴーA-Za-z]{2,}")
_WORD = re.compile(r"[一-鿿々〆ァ-ヴーA-Za-zぁ-ん]+")
_SCRIPTS = re.compile(r"[一-鿿々〆]+|[ァ-ヴー]+|[A-Za-z]+")
_KANA = re.compile(r"[ぁ-ん]")
# Nouns by their writing: no kana, kana inside (預かり金), or a verb's noun form (手続き, 問い合わせ).
_NOUN = re.compile(
    r"[一-鿿々〆ヶァ-ヴーA-Za-z]{2,12}|[一-鿿]{1,4}[ぁ-ん]{1,2}[一-鿿]{1,4}|(?:[一-鿿]{1,3}[ぁ-ん]?){1,2}[一-鿿]?[きぎしちみびりけせべめれ]"
)
_PARTICLES = {"が": "が", "は": "が", "も": "が", "を": "を", "に": "に"}
# Corpus themes that no word gives away: taken on likeness alone, under these names.
_WORDLESS = {
    "総合・再利用意向": ("総合評価・利用意向", "全体の感想"),
    "利用状況・属性（事実）": ("利用状況・属性", "利用の背景"),
}
_NEAR = 0.80  # cosine of a theme to the corpus theme whose name it may take
_UNHEARD = 0.02  # share of units up to which a word counts as not used
_A_ROW = str.maketrans("うくぐすつぬぶむる", "わかがさたなばまら")
_GODAN_RU = _words("入る 切る 知る 要る 走る 帰る 減る 滑る 限る 散る 握る 参る 蹴る 茂る 遮る 裏切る")


@dataclass(frozen=True)
class ThemeName:
    """What a theme is called; pairs are its most frequent dependency pairs, as in the units."""

    name: str
    keywords: tuple[str, ...]
    pairs: tuple[str, ...]


def name_themes(
    texts: Sequence[str],
    tokens: Sequence[Sequence[str]],
    pairs: Sequence[Sequence[str]],
    labels: Sequence[int],
    n_themes: int,
    *,
    nearest: Sequence[Sequence[tuple[str, float]]] = (),
    kept: dict[int, str] | None = None,
    taken: Iterable[str] = (),
) -> list[ThemeName]:
    """Return a name of at most 20 characters, 5 keywords and 5 pairs for each theme 0 … n_themes − 1.

    Parameters
    ----------
    texts, tokens, pairs, labels
        Row i is unit i: its text, its content words in normalized form, its dependency pairs such as
        「返信→遅い」, and its theme (−1 = none).
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
    words = _Words(texts, tokens, pairs, labels, n_themes)
    kept = dict(kept or {})
    taken = {*taken, *kept.values()}
    named: dict[int, ThemeName] = {}
    for theme in range(n_themes):
        ranked = words.ranked(theme)
        keywords = _keywords(term for term, _ in ranked)
        if theme in kept:
            name = kept[theme]
        else:
            candidates = _candidates(words, theme, ranked, nearest[theme] if theme < len(nearest) else ())
            name = next((c for c in candidates if _may_stand(c, taken)), None) or _numbered(taken)
        taken.add(name)
        named[theme] = ThemeName(name, tuple(keywords[:N_KEYWORDS]), tuple(words.common_pairs(theme)))
    return [named[theme] for theme in range(n_themes)]


def pair_phrase(pair: str, texts: Sequence[str] = ()) -> str | None:
    """Return a dependency pair as people write it, None where it makes no phrase.

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
    written = _SPELLING.get(predicate, predicate)
    noun = _SPELLING.get(noun, noun)
    if not re.search(r"[うくぐすつぬぶむるい]$", written):
        return f"{noun}の{written}" if is_noun(predicate) and not negated else None
    particle = _particle(noun, written, texts)
    return particle and noun + particle + (_negated(predicate, written) if negated else written)


def heard(name: str, texts: Sequence[str]) -> bool:
    """Tell whether some of a name's words stand in at least 2 % of the texts."""
    runs = _RUN.findall(name) or _WORD.findall(name)
    return any(sum(run in text for text in texts) >= max(1.0, 0.02 * len(texts)) for run in runs)


def join_names(names: Sequence[ThemeName], taken: set[str]) -> ThemeName:
    """Return the name of a group of themes, from their own: 「配達・アプリ」; the first is the largest."""
    heads = list(dict.fromkeys(name.name.split("・")[0] for name in names))
    options = ["・".join(heads[:3]), "・".join(heads[:2]), "・".join([heads[0], *heads[2:3]]), f"{heads[0]}ほか"]
    name = next((option for option in options if _may_stand(option, taken)), None) or _numbered(taken)
    keywords = dict.fromkeys(word for rank in range(N_KEYWORDS) for n in names for word in n.keywords[rank : rank + 1])
    pairs = dict.fromkeys(pair for rank in range(N_PAIRS) for n in names for pair in n.pairs[rank : rank + 1])
    return ThemeName(name, tuple(keywords)[:N_KEYWORDS], tuple(pairs)[:N_PAIRS])


class _Words:
    """How many units of each theme hold each word, run of characters and pair."""

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
        self.terms: list[Counter[str]] = [Counter() for _ in range(n_themes)]
        self.pairs: list[Counter[str]] = [Counter() for _ in range(n_themes)]
        self.texts: list[list[str]] = [[] for _ in range(n_themes)]
        for text, words, links, label in zip(texts, tokens, pairs, labels, strict=True):
            if not 0 <= label < n_themes:
                continue
            clean = _MARK.sub("\n", text)
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
        counts = self.terms[theme]
        weights = [
            (not self.is_shared(term, theme), -self.weight(term, theme), -len(term), term) for term in counts
        ]
        best = [(term, -weight) for _, weight, _, term in sorted(weights)[:_N_TERMS]]
        shared = [term for term, _ in best if counts[term] >= 2]
        return [(t, w) for t, w in best if not any(self._stands_for(o, t, counts) for o in shared)]

    def is_shared(self, term: str, theme: int) -> bool:
        """Tell whether enough units use a term for it to name the theme."""
        return self.terms[theme][term] >= max(2, min(5, self.size[theme] // 25))

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


def unit_terms(text: str, words: Sequence[str]) -> Iterator[str]:
    """Yield the unit's words and compound nouns as people write them, generic ones left out."""
    for word in words:
        written = _SPELLING.get(word, word)
        if word not in _GENERIC and written not in _GENERIC and _appears(written, text):
            yield written
    for run in _RUN.findall(text):
        # A compound begins and ends with a word: 再利用ボックス, but not 美味 of 美味しい or 一人暮 of 一人暮らし.
        whole = any(run.startswith(word) for word in words) and any(run.endswith(word) for word in words)
        if whole and run not in _GENERIC and len(run) <= 12:
            yield run


def _appears(word: str, text: str) -> bool:
    """Tell whether a word stands in the text as spelt, its ending aside: a normalized form may not."""
    stem = word[:-1] if re.search(r"[ぁ-ん]$", word) and len(word) > 2 else word
    return (len(word) > 1 or _is_sign(word)) and stem in text


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
    words: _Words, theme: int, ranked: Sequence[tuple[str, float]], nearest: Sequence[tuple[str, float]]
) -> Iterator[str]:
    """Yield names, the best first: a narrow topic before a corpus name, that before nouns side by side."""
    nouns = [term for term, _ in ranked if is_noun(term)]
    shared = [noun for noun in nouns if words.is_shared(noun, theme)]
    telling = [n for n in shared[:5] if words.share(n, theme) >= 0.3 and words.lift(n, theme) >= 0.6]
    yield from [noun for noun in telling if len(noun) > 3][:1]
    yield from _corpus_names(words, theme, nearest, shared)
    phrases = _phrases(words, theme)
    yield from [phrase for phrase, share in phrases if share >= 0.1]
    for some in (_keywords(shared), _keywords(nouns)):
        yield from (f"{some[0]}・{other}" for other in some[1:])
        yield from [noun for noun in some[:1] if len(noun) > 2]
    yield from [re.sub(r"（.*）", "", name) for name, cosine in nearest if cosine >= _NEAR]
    yield from nouns
    yield from [phrase for phrase, _ in phrases]
    yield from [term for term, _ in ranked if term not in _JUDGING]


def _corpus_names(
    words: _Words, theme: int, nearest: Sequence[tuple[str, float]], nouns: Sequence[str]
) -> list[str]:
    """Return corpus names cut to the parts that the theme's units speak of, the best supported first."""
    scored: dict[str, float] = {}
    for name, cosine in nearest:
        if cosine < _NEAR:
            continue
        if name in _WORDLESS:
            if name == nearest[0][0]:
                scored |= {title: cosine + 0.25 - 0.01 * rank for rank, title in enumerate(_WORDLESS[name])}
            continue
        parts = [part for part in re.split(r"[・、]", re.sub(r"（[^）]*）", "", name)) if part]
        support = {part: _support(words, theme, part, cosine) for part in parts}
        spoken = sorted((part for part in parts if support[part] > 0), key=lambda part: (-support[part], part))
        if spoken and support[spoken[0]] <= _UNHEARD:
            spoken = spoken[:1]
        if spoken:
            cut = "・".join(spoken)
            if len(spoken) == 1 and support[cut] < 0.3:
                cut = _with_second(cut, nouns)
            score = cosine + 0.5 * min(0.5, sum(support[part] for part in spoken)) + 0.05 * (len(spoken) > 1)
            scored[cut] = max(score, scored.get(cut, 0.0))
    return sorted(scored, key=lambda name: (-scored[name], name))


def _with_second(name: str, nouns: Sequence[str]) -> str:
    """Return a short name with the theme's first noun that it does not hold: 「保冷・段ボール」."""
    pieces = _pieces(name)
    others = [noun for noun in nouns[:4] if not any(piece in noun or noun in piece for piece in pieces)]
    return f"{name}・{others[0]}" if others and len(name) <= 6 else name


def _support(words: _Words, theme: int, part: str, cosine: float) -> float:
    """Return the share of units that use a name's words; 0 where one of them is hardly heard, or more elsewhere."""
    pieces = _pieces(part)
    shares = [words.share(piece, theme) for piece in pieces]
    if part in _GENERIC:
        return 0.0
    if shares and min(shares) > _UNHEARD and all(words.leads(piece, theme) for piece in pieces):
        return min(shares)
    return _UNHEARD if part in _ANYWHERE and cosine >= 0.9 and all(words.leads(p, theme) for p in pieces) else 0.0


def _pieces(part: str) -> list[str]:
    """Cut a name into the words to listen for: スタッフ and 対応, 料理 and 味, but 預かり時間 whole."""
    pieces = [piece for piece in re.split(r"[のと・]", part) if piece]
    return [run for piece in pieces for run in (_SCRIPTS.findall(piece) if not _KANA.search(piece) else [_stem(piece)])]


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 2 and re.search(r"[さいうくすつむる]$", word) else word


def _phrases(words: _Words, theme: int) -> list[tuple[str, float]]:
    found: Counter[str] = Counter()
    for pair, count in words.pairs[theme].items():
        phrase = pair_phrase(pair, words.texts[theme]) if count >= 3 else None
        if phrase and len(phrase) <= MAX_LENGTH:
            found[phrase] += count
    size = max(1, words.size[theme])
    return [(p, n / size) for p, n in sorted(found.items(), key=lambda item: (-item[1], item[0]))[:10]]


def _may_stand(name: str, taken: set[str]) -> bool:
    plain = not _MARK.search(name) and name not in _GENERIC
    return plain and 2 <= len(name) <= MAX_LENGTH and name not in taken


def _numbered(taken: set[str]) -> str:
    return next(name for k in range(1, len(taken) + 2) if (name := f"その他の話題{k}") not in taken)


def _is_sign(word: str) -> bool:
    """Tell whether a word is one Chinese character with a meaning of its own: 箱, 味, 量."""
    return len(word) == 1 and bool(_SCRIPTS.fullmatch(word)) and word not in _GENERIC | _JUDGING


def is_noun(word: str) -> bool:
    return _is_sign(word) or (bool(_NOUN.fullmatch(_SPELLING.get(word, word))) and word not in _GENERIC | _JUDGING)


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
