"""Which words can say what a theme is about, and how people write them.

Sudachi's normalized forms merge spellings; a reader wants the one customers write.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache


def as_words(text: str) -> frozenset[str]:
    """Return the words of a table that is written as running text."""
    return frozenset(text.split())


# Words that say nothing about a theme by themselves, in Sudachi's normalized form or as written.
GENERIC = as_words(
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
    一人用 先月 新住所 旧住所 ママ 主人 夫 妻 息子 娘 子供 子ども 友人 夫婦 家族 母 父 両親 祖母 祖父 年寄り
    隣 数 他社 別途 全て すべて 個人 個人的 多数 少々 多少 若干 感想 案外 意外 反面 一方 度々 時々 早め
    遅め 相変わらず お世話 世話 割と 神サービス 商品自体 結局 当たり前 一つ一つ
    """
)
# Words that judge: they may be keywords, but name nothing.
JUDGING = as_words(
    """
    大丈夫 残念 満足 不満 最高 最悪 便利 不便 簡単 綺麗 丁寧 親切 無理 駄目 嫌 好き 大好き 嬉しい
    うれしい 有り難い 有難い ありがたい 助かる 高い 低い 多い 少ない 大きい 小さい 長い 短い 早い 速い
    遅い 凄い 期待 感謝 安心 普通 十分 完全 新しい 古い 気分 安い 不親切 快適 面倒 大変 楽
    """
)
# Sudachi's normalized spelling → what people write.
SPELLING = {
    "無い": "ない", "有る": "ある", "出来る": "できる", "為る": "する", "掛かる": "かかる", "繋がる": "つながる",
    "美味しい": "おいしい", "御飯": "ごはん", "直ぐ": "すぐ", "旨い": "うまい", "不味い": "まずい", "判る": "わかる",
    "分かる": "分かる", "貰う": "もらう", "頂く": "いただく", "解る": "わかる", "成る": "なる", "遣る": "やる",
    "沢山": "たくさん", "綺麗": "きれい", "御洒落": "おしゃれ", "煩い": "うるさい", "勿体無い": "もったいない",
    "嬉しい": "うれしい", "面倒臭い": "面倒くさい", "気付く": "気づく", "片付ける": "片づける", "さくさく": "サクサク",
    "見付かる": "見つかる", "見付ける": "見つける", "解り易い": "わかりやすい", "分かり易い": "わかりやすい",
    "分かり難い": "わかりにくい", "使い易い": "使いやすい", "使い難い": "使いにくい", "見易い": "見やすい",
    "見難い": "見にくい", "旨味": "うま味", "塵": "ゴミ", "塵芥": "ゴミ", "螺子": "ネジ", "滓": "かす", "黴": "カビ",
}  # fmt: skip
_VARIANTS = {
    "奇麗": ("きれい", "綺麗"), "綺麗": ("きれい", "綺麗"), "持て成し": ("おもてなし", "もてなし"), "籠": ("カゴ", "かご"),
    "良い": ("いい", "良い", "よい"), "美味しい": ("おいしい", "美味しい"), "楽しい": ("楽しい", "たのしい"),
    "此の": ("この",), "子供": ("子ども", "こども"), "鞄": ("バッグ", "かばん"), "蓋": ("フタ", "ふた"),
    "解る": ("わかる", "分かる"), "分かる": ("分かる", "わかる"), "繋がる": ("つながる", "繋がる"), "酷い": ("ひどい",),
    "嵩張る": ("かさばる",), "破れる": ("破れる", "やぶれる"), "暖かい": ("温かい", "あたたかい"), "煩い": ("うるさい",),
    "捗る": ("はかどる",), "剥がす": ("はがす",), "溜まる": ("たまる", "溜まる"), "貯まる": ("たまる", "貯まる"),
    "洒落": ("おしゃれ",), "食み出す": ("はみ出す",), "怠い": ("だるい",), "旨い": ("うまい", "美味い"),
}  # fmt: skip
MARK = re.compile(r"\[[^\]]{1,6}\]")
RUN = re.compile(r"(?<![0-9一-鿿々〆ヶァ-ヴーA-Za-z])[一-鿿々〆ヶァ-ヴーA-Za-z]{2,}")
WORD = re.compile(r"[一-鿿々〆ァ-ヴーA-Za-zぁ-ん]+")
SCRIPTS = re.compile(r"[一-鿿々〆]+|[ァ-ヴー]+|[A-Za-z]+")
KANA = re.compile(r"[ぁ-ん]")
# Nouns by their writing: no kana, kana inside (預かり金), or a verb's noun form (手続き, 問い合わせ).
_NOUN = re.compile(
    r"[一-鿿々〆ヶァ-ヴーA-Za-z]{2,12}|[一-鿿]{1,4}[ぁ-ん]{1,2}[一-鿿]{1,4}|(?:[一-鿿]{1,3}[ぁ-ん]?){1,2}[一-鿿]?[きぎしちみびりけせべめれ]"
)
# Parts of addresses, of codes (会員番号NK), and foreign words (nicely): they stand in texts, but name nothing.
_NO_WORD = re.compile(r"(?:東京都|北海道|(?:京都|大阪)府|[一-鿿]{2,3}県).*|.{2,}市.{1,3}区.*|.*[一-鿿ァ-ヴー][A-Za-z]{1,3}|[a-z]+")


def unit_terms(text: str, words: Sequence[str]) -> Iterator[str]:
    """Yield the unit's words and compound nouns as people write them, generic ones left out."""
    for word in words:
        written = SPELLING.get(word, word)
        if word not in GENERIC and written not in GENERIC and _appears(written, text):
            yield written
    for run in RUN.findall(text):
        # A compound begins and ends with a word: 再利用ボックス, but not 美味 of 美味しい or 一人暮 of 一人暮らし.
        whole = any(run.startswith(word) for word in words) and any(run.endswith(word) for word in words)
        if whole and run not in GENERIC and len(run) <= 12:
            yield run


def _appears(word: str, text: str) -> bool:
    """Tell whether a word stands in the text as spelt, its ending aside: a normalized form may not."""
    stem = word[:-1] if re.search(r"[ぁ-ん]$", word) and len(word) > 2 else word
    return (len(word) > 1 or is_sign(word)) and stem in text


def is_sign(word: str) -> bool:
    """Tell whether a word is one Chinese character with a meaning of its own: 箱, 味, 量."""
    return len(word) == 1 and bool(SCRIPTS.fullmatch(word)) and word not in GENERIC | JUDGING


@cache
def is_noun(word: str) -> bool:
    """Tell whether a word can name something by itself."""
    plain = bool(_NOUN.fullmatch(SPELLING.get(word, word))) and not _NO_WORD.fullmatch(word)
    return is_sign(word) or (plain and word not in GENERIC | JUDGING)


def is_keyword(word: str) -> bool:
    """Tell whether a word may stand among a theme's keywords."""
    return not _NO_WORD.fullmatch(word)


def written(norm: str, texts: Sequence[str] = ()) -> str:
    """Return a normalized form as most of the texts write it: 御腹 as お腹, 奇麗 as きれい, 良い as いい.

    Endings change with the sentence, so that what is counted is the stem.
    """
    forms = [norm, *_VARIANTS.get(norm, ()), *([SPELLING[norm]] if norm in SPELLING else [])]
    if len(norm) > 1 and norm[0] == "御":
        forms += [f"お{norm[1:]}", f"ご{norm[1:]}"]
    usual = SPELLING.get(norm) or (forms[1] if len(forms) > 1 else norm)
    counts = {form: sum(_stem(form) in text for text in texts) for form in forms}
    best = max(forms, key=lambda form: (counts[form], form == usual))
    return best if counts[best] else usual


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 2 and KANA.search(word[-1]) else word


