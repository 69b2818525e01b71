"""One row of the tables of patterns, and what several tables share."""

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pattern:
    """What stands for what: the group ``v`` is masked, else the whole match.

    Attributes
    ----------
    mark : str
    regex : re.Pattern
    accepts : callable, optional
        Takes the string to be masked; False leaves it.
    keepable : bool
        Whether a deployment's kept words are stronger: names, accounts and bare codes.
    bare : bool
        Whether no word beside it says what it is, so that a product's or an error's code must be ruled out.
    """

    mark: str
    regex: re.Pattern[str]
    accepts: Callable[[str], bool] | None = None
    keepable: bool = False
    bare: bool = False


def pattern(
    mark: str,
    regex: str,
    accepts: Callable[[str], bool] | None = None,
    *,
    keepable: bool = False,
    bare: bool = False,
) -> Pattern:
    """Return a row of a table."""
    return Pattern(mark, re.compile(regex), accepts, keepable, bare)


COUNTER = (
    r"[回日人分時年月週個件枚本台歳才割倍円万千億泊名店駅着度杯点%％位字桁秒社つ行冊組株人席]|[ヶかカケ]月|[ヶかカケ箇]所|k?m|cm|"
    r"k?g|[KMGT]B|Gbps|Mbps|往復|番目|セット|ポイント|pt|ドル|ページ|リットル|レベル|番台|以[上下]|くらい|ぐらい|ほど|程度|号車|番線"
)
# 「7731002244 名義:…」: a counter that begins another word counts nothing.
NOT_COUNTED = rf"(?![0-9])(?!(?! ?(?:名義|本人|回線|店舗|日付|人名|分類)) ?(?:{COUNTER}))"

# What speech puts between a label and its value: 「会員番号は、えーと、…」「番号ね、…」「番号っていうのが…」.
HESITATION = r"(?:え[ーえ]*っ?と[ーお]?|ええと|えー+|あの[ーう]*|そのー*|あ[ーあ]*|うーん+|はい|確か|たしか)[、, ]*"
LINK = rf"(?:(?:っていうの|というの)[はが]|{HESITATION}|[はがもねのを:=、,「『(\[# →]|です(?!か)|No\.?){{0,6}}"

# Where an answer begins in a transcript: a line, its time and speaker, and 「えーと、」.
SPEAKER = (
    r"(?:[\[(]?[0-9][0-9:/ -]{3,18}[\])]? ?)?"
    r"(?:[【<\[][^】>\]\n]{1,10}[】>\]] ?:?|[^\s:「」、。\n]{1,10} ?[:「])? ?"
)
ANSWER = rf"[^\n]{{0,40}}\n{SPEAKER}(?:{HESITATION}){{0,3}}"

# Letters by their names.
LETTER = (
    "エー|エイ|ビー|シー|ディー|デー|イー|エフ|ジー|エイチ|エッチ|アイ|ジェー|ジェイ|ケー|ケイ|エル|エム|エヌ|オー|ピー|キュー|アール|エス|ティー|テー"
    "|ユー|ブイ|ヴィー?|ダブリュー|ダブル|エックス|ワイ|ゼット|ゼッド|ズィー"
)
