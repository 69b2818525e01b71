"""Telephone numbers, e-mail addresses, addresses of pages, accounts."""

import re

from pipeline.mask.pattern import HESITATION, NOT_COUNTED, pattern

_TOLL_FREE = re.compile(r"0(?:120|570|180|990|077|088)|0800(?![0-9])")
_SERVICE = (
    "LINE|ライン|インスタ(?:グラム)?|Instagram|Twitter|ツイッター|X|TikTok|Facebook|Discord|Skype|スカイプ|Threads"
    "|YouTube|PayPay|メルカリ|Steam"
)
_KANJI_DIGIT = "[〇零一二三四五六七八九]"
_SPOKEN = (
    "ゼロ|ぜろ|レイ|れい|マル|まる|イチ|いち|ニー?|にー?|サン|さん|ヨン|よん|ゴー?|ごー?|ロク|ろく|ナナ|なな|シチ|しち"
    "|ハチ|はち|キュウ|きゅう|キュー|きゅー"
)
_SEPARATOR = rf"(?:[-. の・、,]|ハイフン|{HESITATION}){{1,4}}"
_AT = r"(?:@ ?| @ | @(?=[A-Za-z0-9-]+\.)| ?[(\[〔【<{]at[)\]〕】>}] ?| ?(?:アット|あっと)(?:マーク|まーく)? ?)"
_DOT = r"(?:\.| ?ドット ?)"


def _is_phone(number: str) -> bool:
    return number.startswith("+") or (9 <= len(re.sub(r"\D", "", number)) <= 11 and not is_toll_free(number))


def is_toll_free(number: str) -> bool:
    """Tell a company's number; an unbroken 0800… may as well be a mobile 080-0…, so it counts as private."""
    return bool(_TOLL_FREE.match(number.lstrip("(")))


def _is_personal_url(url: str) -> bool:
    rest = re.sub(r"^(?:https?://)?[^/?#]*", "", url)
    return bool(
        re.search(r"[?=@]|[0-9]{3,}|/(?:users?|u|members?|profile|my[a-z]*|account)/|/~", rest, re.IGNORECASE)
        or re.search(r"(?:twitter|instagram|facebook|tiktok|threads|//x)\.(?:com|net)/\w", url, re.IGNORECASE)
        or re.search(r"(?=\w*[0-9])(?=\w*[A-Za-z])\w{8,}", rest)
    )


ONLINE = (
    pattern("[メール]", rf"(?<![A-Za-z0-9._%+'-])[A-Za-z0-9._%+'-]{{1,64}}{_AT}[A-Za-z0-9-]+(?:{_DOT}[A-Za-z0-9-]+)*"),
    pattern("[URL]", r"(?:https?://|www\.)[!-~]+(?<![.,)!?\]])", _is_personal_url),
    pattern(
        "[URL]",
        r"(?<![A-Za-z0-9.@-])[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.(?:com|jp|net|org|co|io|me|tv|info|app)"
        r"/[!-~]+(?<![.,)!?\]])",
        _is_personal_url,
    ),
    pattern(
        "[アカウント]",
        r"(?<![A-Za-z0-9._])@(?!cosme(?![A-Za-z0-9_]))[A-Za-z_][A-Za-z0-9_.]{2,29}(?<!\.)",
        keepable=True,
    ),
    pattern(
        "[アカウント]",
        rf"(?:{_SERVICE}) ?の?(?:ID|アカウント名?|ユーザー名|ユーザーネーム|垢|id)(?:[はがの:、,「 ]|です){{0,4}}"
        r"@?(?P<v>[A-Za-z0-9][A-Za-z0-9._-]{2,29})",
        keepable=True,
    ),
    pattern("[アカウント]", r"(?:^|(?<=\n))[a-z0-9._]*_[a-z0-9._]+(?= [0-9]{1,2}:[0-9]{2}(?:\n|$))", keepable=True),
    pattern(
        "[アカウント]",
        rf"(?:{_SERVICE})(?:[はがの:、「 も]|です){{1,3}}(?P<v>(?=[a-z0-9]+_)[a-z0-9_]{{5,30}})(?![A-Za-z0-9._])",
        keepable=True,
    ),
    pattern(
        "[アカウント]",
        rf"(?:{_SERVICE})(?:[はがの:、「 ]|です){{1,3}}(?P<v>(?![vV]?[0-9.]+)[A-Za-z0-9]+[._][A-Za-z0-9._]{{3,}})",
        keepable=True,
    ),
    pattern(
        "[アカウント]",
        r"(?:アカウント名?|ユーザー名|ユーザーネーム|ハンドルネーム)(?:[はが:、「 ]|です){1,3}"
        r"(?P<v>(?=[A-Za-z0-9._-]*[0-9._])[A-Za-z0-9][A-Za-z0-9._-]{3,29}(?<![.-]))",
        keepable=True,
    ),
)

PHONES = (
    pattern(
        "[電話]",
        r"(?<![0-9])(?<![0-9]-)(?:\+ ?[0-9]{1,3}[- .]?\(?[0-9]{1,4}\)?(?:[- .]?[0-9]{2,4}){2,3}"
        r"|\(0[0-9]{1,4}\)[- ]?[0-9]{1,4}[- ]?[0-9]{3,4}|0[0-9]{1,4} ?\([0-9]{1,4}\)[- ]?[0-9]{3,4}"
        rf"|0[0-9]{{1,4}}{_SEPARATOR}[0-9]{{1,4}}{_SEPARATOR}[0-9]{{3,4}}|0[0-9]{{9,10}}|0[5789]0[- ]?[0-9]{{8}}"
        r"|0[5789]0[0-9]{4}[- ][0-9]{4})(?![0-9])(?!-[0-9])",
        _is_phone,
    ),
    pattern(
        "[電話]",
        r"(?:電話|[Tt][Ee][Ll]|携帯|ケータイ|連絡先|FAX|ファックス)(?:番号)?(?:[はがの:、, .(]){0,3}"
        r"(?P<v>[0-9]{2,4}-[0-9]{4}(?![0-9-])|(?!0120|0570|0800|0077|0088)[0-9][0-9 -]{7,12}[0-9])(?![0-9])",
    ),
    pattern(
        "[電話]",
        rf"[〇零ゼロ]{{1,2}}{_KANJI_DIGIT}{{1,3}}{_SEPARATOR}{_KANJI_DIGIT}{{2,4}}{_SEPARATOR}{_KANJI_DIGIT}{{3,4}}"
        rf"|(?<![〇零一二三四五六七八九])[〇零]{_KANJI_DIGIT}{{9,10}}(?![〇零一二三四五六七八九])",
    ),
    pattern("[電話]", rf"(?:ゼロ|ぜろ)(?:の?{_KANJI_DIGIT}){{8,10}}(?!{_KANJI_DIGIT})"),
    pattern("[電話]", rf"(?:ゼロ|ぜろ|0)(?:(?:[- 、のー]|ハイフン){{0,3}}(?:{_SPOKEN})){{8,10}}"),
    pattern(
        "[郵便番号]",
        r"〒 ?[0-9]{3}[- ]?[0-9]{4}(?![0-9])|郵便番号[はがの: 、,]{0,3}(?P<v>[0-9]{3}(?:[-の ]{1,2})?[0-9]{4})(?![0-9])",
    ),
    pattern("[郵便番号]", rf"(?<![0-9A-Za-z.])(?<![0-9A-Za-z]-)[0-9]{{3}}-[0-9]{{4}}(?!-[0-9]){NOT_COUNTED}"),
)
