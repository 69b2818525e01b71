"""Names that a label or the spelling gives away, and a cheap look at whether any pattern can match at all."""

import re

from pipeline.mask.pattern import pattern

# Most comments hold no digit, no address and no name label.
SUSPECT = re.compile(
    r"[\d@＠〇零]|丁目|番地|[hｈ][tｔ]{2}|[wｗ]{3}|アット|[:：]|ID|ＩＤ|申しま|ゼロ|ぜろ|\.(?:com|jp|net)|アカウント|ユーザー名|パス|合言葉|答え"
    r"|明治|大正|昭和|平成|名義|リガナ|りがな|[〔【\[(（<{]at|[MＭ][rsｒｓRSi]|[A-ZＡ-Ｚ][A-Za-zＡ-Ｚａ-ｚ]+[ 　][A-ZＡ-Ｚ]|[一二三四五六七八九十](?:丁目)?の[一二三四五六七八九十]|あっと"
)
_KANJI_NAME = r"[一-龥々ヶ]{1,5}(?: [一-龥々ヶぁ-んァ-ヴー]{1,5})?"
_KANA_NAME = r"[ァ-ヴー]{2,8}(?:[ ・][ァ-ヴー]{2,8})?"
_LATIN_NAME = r"[A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+){1,2}"
_NAME = f"{_KANJI_NAME}|{_KANA_NAME}|{_LATIN_NAME}"
_LABEL = (
    r"(?:氏名|お?名前|お客様名|顧客名|契約者名?|名義人?|加入者名?|利用者名|購入者名?|注文者名?|贈り主|依頼主|受取人名?|届け?先名?"
    r"|宛先|お?宛名|フリガナ|ふりがな|カナ|ローマ字|申込者名?|代表者名?|責任者|ご?担当者?名?|差出人|From|To)"
)
_NOT_A_NAME = re.compile(
    r"(?:店|社|会|部|課|係|室|院|校|局|屋|堂|館|窓口|様方|不明|不在|同上|本人|男性|女性|同じ|未定|未記入|任意|必須|無し|自分|代表|変更"
    r"|確認|センター|サポート|デスク|サービス|ショップ|スタッフ|なし|ナシ|アリ|有り)$"
)


def _is_name(name: str) -> bool:
    return not _NOT_A_NAME.search(name)


SPELLED_NAMES = (
    pattern(
        "[氏名]",
        r"(?:^|\n)(?:ご?担当者?|サポート|オペレーター|スタッフ|受付|窓口)[ ・]?(?P<v>(?![者員係])[一-龥々]{1,4}|[ぁ-んー]{2,6}|[ァ-ヴー]{2,8})(?= ?[0-9]{1,2}:[0-9]{2}(?:\n|$))",
        _is_name,
        keepable=True,
    ),
    pattern("[氏名]", rf"(?:^|\n)(?P<v>{_LATIN_NAME}|{_KANA_NAME})(?=\((?:お客様|顧客|ご?担当者?|ご本人|保護者)\))", keepable=True),
    pattern("[氏名]", r"\[口座番号\][、 ](?P<v>[ァ-ヴー]{2,8} [ァ-ヴー]{2,8})(?![ァ-ヴー])", keepable=True),
    pattern("[氏名]", rf"{_LABEL} ?: ?(?P<v>{_NAME})(?=[\s、。,.()\[<]|$|様|さん|です)", _is_name, keepable=True),
    pattern("[氏名]", r"(?<![A-Za-z])M(?:[RrSs]|rs|iss)(?:\. ?| )(?P<v>[A-Z][a-z]+(?: [A-Z][a-z]+)?)", keepable=True),
    pattern(
        "[氏名]",
        r"(?<![A-Za-z])[A-Z][a-z]+(?: [A-Z][a-z]+){1,3}(?= ?(?:さん|様|さま|氏|と申し|と言い|といい))",
        keepable=True,
    ),
    pattern(
        "[氏名]",
        r"(?:フリガナ|ふりがな|カナ|名義|カタカナで|読みは?)[はがも、 ]{1,2}(?P<v>[ァ-ヴー]{2,8}(?: [ァ-ヴー]{2,8})?)(?=です|で|な|、|。|と|さん|様|$|\n)",
        _is_name,
        keepable=True,
    ),
    pattern("[氏名]", r"[ァ-ヴー]{4,10}(?= ?(?:の)?名義)", _is_name, keepable=True),
    pattern(
        "[氏名]", rf"(?:^|[\s、。,!?「(はの:])(?P<v>{_KANJI_NAME}|{_KANA_NAME})(?=と(?:申し|もうし)ます(?!上))", _is_name, keepable=True
    ),
)
