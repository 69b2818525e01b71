"""Personal data out of Japanese text: patterns that need no parse, and names that need one.

A masked string becomes a typed mark such as ``[電話]``. Marks are never masked again, and both steps repeat until
nothing is left to mask, so masking twice is masking once. Prefectures and cities alone, shop and brand names,
toll-free numbers, amounts, versions, error codes and dates of visit stay readable.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span, Token


NAME_MARK = "[氏名]"


def mask_personal_data(text: str) -> str:
    """Return the text with every personal string replaced by a typed mark.

    Needs the parse for names, and loads GiNZA on first use; over many texts prefer `pipeline.segment.annotate`,
    which finds names on the parse it needs anyway.
    """
    from pipeline.parse import shared_parser  # loads GiNZA: only when a name is asked for

    while True:
        masked = mask_patterns(text)
        folded, starts, ends = _fold(masked)
        (doc,) = shared_parser().pipe([folded])
        spans = [(starts[start], ends[end - 1]) for start, end in find_names(doc)]
        masked, _ = replace_spans(masked, spans)
        if masked == text:
            return text
        text = masked


def mask_patterns(text: str) -> str:
    """Return the text with all personal data that a pattern can recognise replaced by typed marks.

    Full and half width, and every kind of hyphen, are read alike; what is not masked keeps its own characters.

    Examples
    --------
    >>> mask_patterns("０８０－００００－１２３４に電話ください。0120-000-000は不通")
    '[電話]に電話ください。0120-000-000は不通'
    """
    while _SUSPECT.search(text):
        folded, starts, ends = _fold(text)
        spans = [(starts[start], ends[end - 1], mark) for start, end, mark in _pattern_spans(folded)]
        if not spans:
            break
        text = _with_marks(text, spans)
    return text


def _with_marks(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    parts: list[str] = []
    position = 0
    for start, end, mark in spans:
        parts += [text[position:start], mark]
        position = end
    return "".join([*parts, text[position:]])


def find_names(doc: Doc) -> list[tuple[int, int]]:
    """Return the character spans of personal names in a parsed text, without the honorific, in order.

    A surname (Sudachi) counts on its own; a given name, a rare name or a name that is also a place needs the
    recogniser's agreement or a context: 様/さん, a title, 「担当の…」, 「娘の…」, 「…と申します」.
    """
    entities = {token.i: ent for ent in doc.ents for token in ent}
    marked = [match.span() for pattern in (_MARK, _WORKER) for match in pattern.finditer(doc.text)]
    named = {t.i for t in doc if not _inside(t, marked) and _is_name(t, entities)}
    named |= {t.i for t in doc if not _inside(t, marked) and _is_introduced(t)}
    named |= _given_names(doc, named, marked)
    known = {doc[i].text for i in named if len(doc[i]) > 1}
    named |= {t.i for t in doc if t.text in known and _is_again(t, entities)}
    return _merged(doc, sorted(named))


def replace_spans(
    text: str, spans: Iterable[tuple[int, int]], mark: str = NAME_MARK
) -> tuple[str, list[int]]:
    """Return the text with the spans replaced by a mark, and where every old position went.

    Parameters
    ----------
    text : str
    spans : iterable of (start, end)
        Characters, not overlapping, in any order.
    mark : str

    Returns
    -------
    (str, list of int)
        The new text; for each old position 0…len(text) its new one. A position inside a span goes to its mark's
        start, so that neighbouring slices stay neighbours.
    """
    parts: list[str] = []
    moved: list[int] = []
    size = position = 0
    for start, end in sorted(spans):
        parts += [text[position:start], mark]
        moved += range(size, size + start - position)
        moved += [size + start - position] * (end - start)
        size += start - position + len(mark)
        position = end
    parts.append(text[position:])
    moved += range(size, size + len(text) - position + 1)
    return "".join(parts), moved


# --- width -----------------------------------------------------------------------------------------------------------

_HYPHENS = str.maketrans(dict.fromkeys("‐‑‒–—―−－─━﹣⁃", "-"))
_LONG_MARK_IN_NUMBER = re.compile(r"(?<=\d)[ーｰ一](?=\d)")
_CLUSTER = re.compile(r".[\u3099\u309a\uff9e\uff9f]?", re.DOTALL)


def _fold(text: str) -> tuple[str, Sequence[int], Sequence[int]]:
    """Return the text in one width with ASCII hyphens, and each character's start and end in the original."""
    text = _LONG_MARK_IN_NUMBER.sub("-", text.translate(_HYPHENS))
    if unicodedata.is_normalized("NFKC", text):
        return text, range(len(text)), range(1, len(text) + 1)
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for match in _CLUSTER.finditer(text):
        part = unicodedata.normalize("NFKC", match.group())
        parts.append(part)
        starts += [match.start()] * len(part)
        ends += [match.end()] * len(part)
    return "".join(parts), starts, ends


# --- patterns --------------------------------------------------------------------------------------------------------

_MARK = re.compile(r"\[(?:電話|メール|URL|郵便番号|住所|カード番号|口座番号|番号|生年月日|アカウント|氏名)\]")
# A cheap look before the patterns: most comments hold no digit, no address and no name label.
_SUSPECT = re.compile(
    r"[\d@＠〇零]|丁目|番地|[hｈ][tｔ]{2}|[wｗ]{3}|アットマーク|[:：]|ID|ＩＤ|申しま|ゼロ|ぜろ|\.(?:com|jp|net)"
    r"|明治|大正|昭和|平成|名義|[〔【\[(（<{]at|[MＭ][rsｒｓRSi]|[A-Z][a-z]+ [A-Z]"
)

_COUNTER = (
    r"[回日人分時年月週個件枚本台歳才割倍円万千億泊名店駅着度杯点%％位字桁秒社つ行冊組株]|[ヶかカケ]月|[ヶかカケ箇]所|k?m|cm|"
    r"k?g|[KMGT]B|Gbps|Mbps|往復|番目|セット|ポイント|pt|ドル|ページ|リットル|レベル|番台|以[上下]|くらい|ぐらい|ほど|程度"
)
_TOLL_FREE = re.compile(r"0(?:120|570|180|990|077|088)|0800(?![0-9])")
_PRODUCT_CODE = re.compile(r"(?:エラー|コード|型番|品番|型式|モデル|バージョン|[Vv]er\.?|JAN|商品番号|製品番号)[^0-9。、\n]{0,6}$")
_ERROR_PREFIX = re.compile(r"(?:E|ER|ERR|ERROR|EC|V|VER|KB|CVE|ISO|JIS|RFC)[-_]?[0-9]")

_PREFECTURE = (
    "北海道|東京都|(?:大阪|京都)府|(?:青森|岩手|宮城|秋田|山形|福島|茨城|栃木|群馬|埼玉|千葉|神奈川|新潟|富山|石川|福井|山梨|長野|岐阜|静岡"
    "|愛知|三重|滋賀|兵庫|奈良|和歌山|鳥取|島根|岡山|広島|山口|徳島|香川|愛媛|高知|福岡|佐賀|長崎|熊本|大分|宮崎|鹿児島|沖縄)県"
)
_KANA_CITY = "さいたま|つくば|つくばみらい|いわき|ひたちなか|かすみがうら|みどり|むつ|あきる野|うるま|つがる|さくら|いすみ|ふじみ野|みよし|あま"
_KANJI = r"[一-龥々ヶケノ之]"
_AREA = rf"(?>(?:{_KANA_CITY}|{_KANJI}{{1,6}}?)[市区町村郡] ?)"  # atomic: a run of 市 must not cost its square
_TOWN = rf"(?:(?:{_KANJI}|[ァ-ヴー]){{0,12}}(?:[がのつ]{_KANJI}{{1,4}})?|[ぁ-ん]{{2,8}}{_KANJI}{{0,3}}) ?"
_NUM = "(?:[0-9]{1,5}|[一二三四五六七八九十]{1,3})"
_CHOME = rf"{_NUM} ?丁目"
_LOT = rf"(?: ?{_NUM} ?(?:番地?の?|号|[-の]) ?)*{_NUM}(?:番地|番|号)?"
_DASHED = r"[0-9]{1,4}(?: ?- ?[0-9]{1,4}){1,4}(?:号|番地?)?"
_DASHED_3 = r"[0-9]{1,3} ?- ?[0-9]{1,3} ?- ?[0-9]{1,4}(?:-[0-9]{1,4})?"
_BANCHI = rf"{_NUM} ?(?:番地(?: ?の? ?[0-9]+)?(?: ?[0-9]{{1,4}}号)?|番 ?-?[0-9]{{1,4}} ?号)"
_HOUSE = "ハイツ|コーポ|マンション|アパート|メゾン|レジデンス|パレス|ハウス|タワー|ヴィラ|コート|プラザ|ガーデン|テラス|ハイム|シャトー|ビル|荘|寮|団地"
_BUILDING = (
    rf"(?:[ 、]?[一-龥ァ-ヴーA-Za-z・]{{0,12}}(?:{_HOUSE})(?:[ぁ-ん一-龥ァ-ヴー]{{1,10}}(?= ?[0-9])|[一-龥ァ-ヴーA-Za-z・]{{0,6}}) ?(?:[0-9A-Z]{{1,2}}(?:棟|-))?[0-9]{{0,4}}"
    r"(?:号室|号棟|号|階|F)?|[ -]?[0-9]{1,4}(?:号室|号棟)| ?[A-Za-zァ-ヴー]{3,12} ?[0-9]{3,4}(?:号室?)?(?![0-9]))?"
)
_NOT_COUNTED = rf"(?![0-9])(?! ?(?:{_COUNTER}))"

_YEAR = r"(?:(?:19|20)[0-9]{2}|(?:明治|大正|昭和|平成|令和|[MTSHR])[. ]?(?:[0-9]{1,2}|元))"
_FULL_DATE = rf"(?:{_YEAR} ?(?:年|[-/.]) ?[0-9]{{1,2}} ?(?:月|[-/.]) ?[0-9]{{1,2}}日?|(?:19|20)[0-9]{{6}}(?![0-9]))"
_MONTH_DAY = r"(?:[0-9]{1,2}月 ?[0-9]{1,2}日|[0-9]{1,2}/[0-9]{1,2})"
_NUMBERED = (
    "会員|お客様|お客さま|顧客|注文|オーダー|受注|契約者?|予約|申し?込み?|問い?合わ?せ|受付|伝票|追跡|配送|荷物|送り状|登録|製造|シリアル|マイ|個人"
    "|保険証?|被保険者|免許証?|パスポート|旅券|証券|証書|回線|ポイント|カード|社員|従業員|チケット|レシート|領収書|請求書?|管理|整理|診察券|患者"
    "|学籍|学生|案件|取引|決済|承認|照会|ユーザー?|ログイン|アカウント|メンバー|車両|識別|ケース|修理|見積|納品|引き?換え?|認証|暗証|確認|受取|出荷"
    "|発注|利用者|基礎年金|年金|セキュリティ"
)
_SERVICE = "LINE|ライン|インスタ(?:グラム)?|Instagram|Twitter|ツイッター|X|TikTok|Facebook|Discord|Skype|スカイプ|Threads|YouTube"
_KANJI_DIGIT = "[〇零一二三四五六七八九]"
_SPOKEN = "ゼロ|ぜろ|レイ|れい|マル|イチ|いち|ニー?|にー?|サン|さん|ヨン|よん|ゴー?|ごー?|ロク|ろく|ナナ|なな|シチ|ハチ|はち|キュウ|きゅう|キュー"
_NAME = r"[一-龥々ヶ]{1,5}(?: [一-龥々ヶぁ-んァ-ヴー]{1,5})?|[ァ-ヴー]{2,8}(?:[ ・][ァ-ヴー]{2,8})?"
_NOT_A_NAME = re.compile(r"(?:店|社|会|部|課|係|室|院|校|局|屋|堂|館|不明|不在|同上|本人|男性|女性|同じ|未定|未記入|任意|必須|無し|自分|代表|変更|確認)$")


def _is_phone(number: str) -> bool:
    return number.startswith("+") or (9 <= len(re.sub(r"\D", "", number)) <= 11 and not _is_toll_free(number))


def _is_toll_free(number: str) -> bool:
    """Tell a company's number; an unbroken 0800… may as well be a mobile 080-0…, so it counts as private."""
    return bool(_TOLL_FREE.match(number.lstrip("(")))


def _is_personal_url(url: str) -> bool:
    rest = re.sub(r"^(?:https?://)?[^/?#]*", "", url)
    return bool(
        re.search(r"[?=@]|[0-9]{3,}|/(?:users?|u|members?|profile|my[a-z]*|account)/|/~", rest, re.IGNORECASE)
        or re.search(r"(?:twitter|instagram|facebook|tiktok|threads|//x)\.(?:com|net)/\w", url, re.IGNORECASE)
        or re.search(r"(?=\w*[0-9])(?=\w*[A-Za-z])\w{8,}", rest)
    )


def _is_private_code(code: str) -> bool:
    """At least three digits, or an id of letters only ("tanaka_h")."""
    return sum(c.isdigit() for c in code) >= 3 or bool(re.fullmatch(r"[a-z][a-z_.-]{3,}", code))


def _is_long_number(number: str) -> bool:
    digits = re.sub(r"\D", "", number)
    a_date = re.fullmatch(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{4}|\d{6})?", digits)
    return not a_date and not _is_toll_free(number) and len(digits) >= (9 if "-" in number else 8)


# (mark, pattern, accepts): the group v is what is masked, else the whole match. Earlier patterns win.
_PATTERNS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool] | None], ...] = tuple(
    (mark, re.compile(pattern), accepts)
    for mark, pattern, accepts in [
        ("[メール]", r"(?<![A-Za-z0-9._%+'-])[A-Za-z0-9._%+'-]{1,64}(?: ?@ ?| ?[(\[〔【<{]at[)\]〕】>}] ?| ?アットマーク ?)"
                     r"[A-Za-z0-9-]+(?:(?:\.| ?ドット ?)[A-Za-z0-9-]+)*", None),
        ("[URL]", r"(?:https?://|www\.)[!-~]+(?<![.,)!?\]])", _is_personal_url),
        ("[URL]", r"(?<![A-Za-z0-9.@-])[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.(?:com|jp|net|org|co|io|me|tv|info|app)"
                  r"/[!-~]+(?<![.,)!?\]])", _is_personal_url),
        ("[アカウント]", r"(?<![A-Za-z0-9._])@(?!cosme(?![A-Za-z0-9_]))[A-Za-z_][A-Za-z0-9_.]{2,29}(?<!\.)", None),
        ("[アカウント]", rf"(?:{_SERVICE}) ?の?(?:ID|アカウント名?|ユーザー名|ユーザーネーム|垢|id)(?:[はがの:、,「 ]|です){{0,4}}"
                         r"@?(?P<v>[A-Za-z0-9][A-Za-z0-9._-]{2,29})", None),
        ("[アカウント]", rf"(?:{_SERVICE})(?:[はが:、「 ]|です){{1,3}}(?P<v>(?![vV]?[0-9.]+)[A-Za-z0-9]+[._][A-Za-z0-9._]{{3,}})", None),
        ("[生年月日]", rf"(?:生年月日|誕生日|生まれ|生れ)(?:[はがの:、, (]|です){{0,3}}(?P<v>{_FULL_DATE}|{_MONTH_DAY})", None),
        ("[生年月日]", rf"(?P<v>{_FULL_DATE}|{_MONTH_DAY}|{_YEAR}年(?: ?[0-9]{{1,2}}月)?)"
                       r"(?=[ の、]?(?:生まれ|生れ|うまれ|生(?![一-龥ぁ-ん])|が?(?:誕生日|生年月日)))", None),
        ("[生年月日]", r"(?:明治|大正|昭和|(?<![A-Za-z0-9])[TS](?=[0-9. ]))[. ]?(?:[0-9]{1,2}|元)(?:年|[-/.]) ?[0-9]{1,2}"
                       r"(?:月|[-/.]) ?[0-9]{1,2}日?+(?! ?(?:から|以来|創業|創立|開業|オープン))", None),
        ("[生年月日]", r"(?<![0-9])19[0-9]{2}(?:年|[-/.]) ?[0-9]{1,2}(?:月|[-/.]) ?[0-9]{1,2}日?+"
                       r"(?![0-9])(?! ?(?:から|以来|創業|創立|開業|オープン))", None),
        ("[生年月日]", rf"(?:明治|大正|昭和){_NUM}年{_NUM}月{_NUM}日", None),
        ("[生年月日]", rf"(?:平成|令和){_NUM}年{_NUM}月{_NUM}日(?=生)", None),
        ("[カード番号]", r"(?<![0-9])(?<![0-9]-)(?:[0-9]{4}[- ]?){3}[0-9]{4}(?![0-9])", None),
        ("[カード番号]", r"(?<![0-9])[0-9]{4}[- ][0-9]{6}[- ][0-9]{5}(?![0-9])", None),
        ("[カード番号]", r"(?:[*xX●•＊]{4}[- ]?){1,3}[0-9]{4}(?![0-9])", None),
        ("[口座番号]", r"(?:口座(?:番号)?|普通|当座|貯蓄)(?:預金)?(?:口座)?(?:番号)?[はがの:、, (]{0,3}(?P<v>[0-9]{6,8})"
                       rf"{_NOT_COUNTED}", None),
        ("[口座番号]", r"記号[はが: ]{0,2}(?P<v>[0-9]{5}[、,・ -]{0,2}(?:番号[はが: ]{0,2})?[0-9]{6,8})(?![0-9])", None),
        ("[番号]", r"(?:下|最後の?) ?[0-9一二三四五六]{1,2} ?(?:桁|ケタ|けた|文字)(?:の番号)?(?:[はがの:、, (「]|です){0,3}"
                   rf"(?P<v>[0-9]{{3,6}}){_NOT_COUNTED}", None),
        ("[番号]", rf"末尾(?:[はがの:、, (「]){{0,2}}(?P<v>[0-9]{{3,6}}){_NOT_COUNTED}", None),
        ("[番号]", rf"(?:{_NUMBERED})の?(?:番号|ナンバー|[Nn][Oo]\.?|[Ii][Dd]|コード|№)(?:[はがもの:=、,「『(\[# →]|です|No\.?){{0,4}}"
                   rf"(?P<v>[A-Za-z0-9][A-Za-z0-9_.-]{{2,29}}(?<![.-])){_NOT_COUNTED}", _is_private_code),
        ("[番号]", r"(?:(?<![A-Za-z])(?:ID|No\.?|NO\.?)|№|#)[: ]{0,2}(?P<v>[0-9][0-9-]{3,}[0-9])(?![0-9])", None),
        ("[電話]", r"(?<![0-9])(?<![0-9]-)(?:\+ ?[0-9]{1,3}[- .]?\(?[0-9]{1,4}\)?(?:[- .]?[0-9]{2,4}){2,3}"
                   r"|\(0[0-9]{1,4}\)[- ]?[0-9]{1,4}[- ]?[0-9]{3,4}|0[0-9]{1,4} ?\([0-9]{1,4}\)[- ]?[0-9]{3,4}"
                   r"|0[0-9]{1,4}[-. の・]{1,3}[0-9]{1,4}[-. の・]{1,3}[0-9]{3,4}|0[0-9]{9,10}|0[5789]0[- ]?[0-9]{8}"
                   r"|0[5789]0[0-9]{4}[- ][0-9]{4})(?![0-9])(?!-[0-9])", _is_phone),
        ("[電話]", r"(?:電話|[Tt][Ee][Ll]|携帯|ケータイ|連絡先|FAX|ファックス)(?:番号)?(?:[はがの:、, .(]){0,3}"
                   r"(?P<v>[0-9]{2,4}-[0-9]{4}(?![0-9-])|(?!0120|0570|0800|0077|0088)[0-9][0-9 -]{7,12}[0-9])(?![0-9])", None),
        ("[電話]", rf"[〇零ゼロ]{{1,2}}{_KANJI_DIGIT}{{1,3}}[-のー 、]{{1,2}}{_KANJI_DIGIT}{{2,4}}[-のー 、]{{1,2}}{_KANJI_DIGIT}{{3,4}}"
                   rf"|[〇零]{_KANJI_DIGIT}{{9,10}}", None),
        ("[電話]", rf"(?:ゼロ|ぜろ|0)(?:[- 、の]{{0,2}}(?:{_SPOKEN})){{8,10}}", None),
        ("[郵便番号]", r"〒 ?[0-9]{3}[- ]?[0-9]{4}(?![0-9])|郵便番号[はがの: 、,]{0,3}(?P<v>[0-9]{3}-?[0-9]{4})(?![0-9])", None),
        ("[郵便番号]", rf"(?<![0-9A-Za-z.])(?<![0-9A-Za-z]-)[0-9]{{3}}-[0-9]{{4}}(?!-[0-9]){_NOT_COUNTED}", None),
        ("[住所]", rf"(?:{_PREFECTURE}) ?{_AREA}{{0,3}}{_TOWN}(?:{_CHOME}{_LOT}|{_BANCHI}|{_DASHED}|{_CHOME}"
                   rf"|[0-9]{{1,5}}(?![.:/])){_NOT_COUNTED}{_BUILDING}", None),
        ("[住所]", rf"{_AREA}{{1,3}}+{_TOWN}(?:{_CHOME}{_LOT}|{_BANCHI}|{_DASHED}|{_CHOME}(?!の?[^。、]{{0,4}}店))"
                   rf"{_NOT_COUNTED}{_BUILDING}", None),
        ("[住所]", rf"(?:{_KANJI}{{2,8}}|[ぁ-ん]{{1,6}}[町丘台]|{_KANJI}{{1,4}}[がの]{_KANJI}{{1,3}}) ?(?:{_CHOME}{_LOT}|{_BANCHI}"
                   rf"|{_DASHED_3}){_NOT_COUNTED}{_BUILDING}", None),
        ("[住所]", rf"住所[はが:、 ]{{1,3}}(?P<v>[^。、\n]{{0,20}}?(?:{_DASHED}|{_BANCHI}){_NOT_COUNTED}{_BUILDING})", None),
        ("[住所]", rf"[一-龥ァ-ヴーA-Za-z・]{{1,12}}(?:{_HOUSE})[一-龥ァ-ヴーA-Za-z・]{{0,6}} ?[0-9]{{2,4}}号室", None),
        ("[番号]", r"[一-龥]{1,4} ?[0-9]{2,3} ?[ぁ-ん] ?[0-9・]{1,2}-[0-9]{2}(?![0-9])", None),
        ("[番号]", r"IP(?:アドレス)?[はが:、 ]{0,3}(?P<v>(?:[0-9]{1,3}\.){3}[0-9]{1,3})", None),
        ("[番号]", r"(?<![A-Za-z0-9-])[A-Z]{1,6}[-_]?[0-9]{6,}(?:-[0-9]+)*(?![A-Za-z0-9])", None),
        ("[番号]", r"(?<![A-Za-z0-9-])[A-Z]{1,6}(?:-[0-9]{2,}){2,4}(?![A-Za-z0-9])", _is_long_number),
        ("[番号]", rf"(?<![0-9A-Za-z.,¥$/])(?<![0-9A-Za-z]-)[0-9]{{4,}}(?:-[0-9]{{2,}}){{0,3}}(?![A-Za-z.,/]?[0-9]|-)(?! ?(?:{_COUNTER}))",
         _is_long_number),
        ("[番号]", rf"(?<![0-9A-Za-z.,¥$/])(?<![0-9A-Za-z]-)[0-9]{{2,3}}(?:-[0-9]{{2,}}){{1,3}}(?![A-Za-z.,/]?[0-9]|-)(?! ?(?:{_COUNTER}))",
         _is_long_number),
        ("[氏名]", r"(?:氏名|お?名前|契約者名?|名義人?|受取人名?|届け?先名?|担当者?名?|フリガナ|ふりがな|カナ|宛名) ?: ?"
                   rf"(?P<v>{_NAME})(?=[\s、。,.()\[]|$|様|さん|です)", lambda name: not _NOT_A_NAME.search(name)),
        ("[氏名]", r"(?<![A-Za-z])M(?:[RrSs]|rs|iss)(?:\. ?| )(?P<v>[A-Z][a-z]+(?: [A-Z][a-z]+)?)", None),
        ("[氏名]", r"(?<![A-Za-z])[A-Z][a-z]+ [A-Z][a-z]+(?= ?(?:さん|様|さま|氏|と申し|と言い|といい))", None),
        ("[氏名]", r"[ァ-ヴー]{4,10}(?= ?(?:の)?名義)", lambda name: not _NOT_A_NAME.search(name)),
        ("[氏名]", rf"(?:^|[\s、。,!?「(はの])(?P<v>{_NAME})(?=と(?:申し|もうし)ます(?!上))", lambda name: not _NOT_A_NAME.search(name)),
    ]
)


def _pattern_spans(text: str) -> list[tuple[int, int, str]]:
    taken = bytearray(len(text))
    for match in _MARK.finditer(text):
        taken[match.start() : match.end()] = b"\1" * len(match.group())
    found: list[tuple[int, int, str]] = []
    for mark, pattern, accepts in _PATTERNS:
        for match in pattern.finditer(text):
            start, end = match.span("v") if match.groupdict().get("v") else match.span()
            if accepts and not accepts(text[start:end]):
                continue
            if mark == "[番号]" and not match.groupdict().get("v") and _is_product_code(text, start):
                continue
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                found.append((start, end, mark))
    return sorted(found)


def _is_product_code(text: str, start: int) -> bool:
    before = text[max(0, start - 16) : start]
    return bool(_PRODUCT_CODE.search(before) or _ERROR_PREFIX.match(text, start))


# --- names -----------------------------------------------------------------------------------------------------------

_HONORIFIC = {"さん", "様", "さま", "サマ", "氏", "くん", "クン", "君", "ちゃん", "チャン", "殿", "女史", "嬢"}
_TITLE = set(
    ["店長", "副店長", "部長", "課長", "係長", "主任", "社長", "会長", "専務", "常務", "院長", "所長", "室長", "支店長", "先生", "医師", "看護師", "教授", "弁護士", "税理士", "チーフ", "リーダー", "マネージャー", "マネジャー", "コーチ", "トレーナー"]
)
_ROLE = set(
    ["担当", "担当者", "店員", "スタッフ", "オペレーター", "オペレータ", "係", "係員", "係の者", "受付", "営業", "営業マン", "責任者", "窓口", "販売員", "配達員", "ドライバー", "アドバイザー", "社員", "従業員", "上司", "同僚", "部下", "友人", "知人", "友達", "娘", "息子", "主人", "夫", "旦那", "妻", "嫁", "父", "母", "祖父", "祖母", "長男", "次男", "長女", "次女", "孫", "兄", "姉", "弟", "妹", "甥", "姪", "彼氏", "彼女", "サポート", "アルバイト", "新人", "名前", "お名前", "氏名", "名義", "本名", "旧姓", "契約者", "代理人", "者"]
) | _TITLE
_LABEL = {"名前", "氏名", "名義", "本名", "旧姓", "契約者", "担当", "担当者", "名字", "苗字"}
_SHOP = re.compile(
    r"(?:商店|支店|本店|[^ ]{0,3}店|屋|電機|電器|無線|堂|製作所|園|薬局|病院|医院|クリニック|歯科|眼科|[内外]科|整形|皮膚科|耳鼻|産婦人科|小児科|運輸|運送|銀行"
    r"|証券|建設|工務|不動産|ホテル|旅館|製菓|製薬|食品|酒造|水産|産業|工業|興業|物産|商事|商会|家具|楽器|珈琲|コーヒー|カメラ|スポーツ|うどん|ラーメン|農園"
    r"|牧場|茶|自動車|モータース|タクシー|交通|引越|塾|学園|大学|高校|小学校|幼稚園|保育園|美容|理容|駅|町|市|区|県|通り|公園|神社|寺|杯|賞|式|流|家|似|製"
    r"|ビル|マンション|空港|港|インター|マシン|号|丸|印|会館|ホール|線)"
)
_FIRM_END = re.compile(r"(?:商店|運輸|運送|電機|電器|無線|製菓|製薬|食品|銀行|証券|商事|商会|物産|工業|建設|不動産|病院|医院|歯科|薬局)$")
_PROFESSION = re.compile(r"(?:士|師|員|官|者|手|屋|客|係|皆|神|仏|王|殿)$")
_WORKER = re.compile(
    "(?:衛生|療法|保育|介護|看護|栄養|整備|運転|弁護|税理|会計|書|建築|美容|理容|調理|薬剤|整体|施術|指導|相談|配達|販売|清掃|警備|消防|技|教|講)[士師員]|仲居|司書|女将|板前|番頭|大将|巫女"
)
_PEOPLE = set(
    ["客", "お客", "皆", "みな", "神", "仏", "王", "殿", "奥", "嫁", "姉", "兄", "父", "母", "子", "孫", "娘", "婿", "親", "妹", "弟", "祖父", "祖母", "叔父", "叔母", "伯父", "伯母", "先方", "相手", "隣", "旦那", "息子", "業者", "店", "店員", "店長", "社長", "先生", "医者", "患者", "巨匠", "若", "姫", "主", "何", "誰", "他", "方", "外", "人", "仕", "同", "多", "模", "異", "一", "俺", "貴", "有難う"]
)
_BRAND = set(
    ["楽天", "ヤマト", "佐川", "アマゾン", "セブン", "ローソン", "ファミマ", "イオン", "ヤマダ", "ヨドバシ", "ビックカメラ", "ニトリ", "ユニクロ", "ドコモ", "ソフトバンク", "トヨタ", "ホンダ", "スズキ", "マツダ", "ダイハツ", "スバル", "カインズ", "コメリ", "マツキヨ", "スギ", "ウエルシア", "ジャパネット", "ワークマン", "シマムラ", "しまむら", "ヤフー", "メルカリ", "クロネコ", "サザエ", "キティ", "ドラえもん", "アンパンマン", "ミッキー", "ピカチュウ", "サンタ", "サンタクロース"]
)
_IS = {"です", "でございます"}
_PLACE_LABELS = {"City", "Province", "County", "Country", "GPE_Other", "Station", "Region_Other", "Continental_Region"}
_PLACE_WORDS = set(["店舗", "店", "支店", "実家", "家", "駅", "会社", "自宅", "工場", "倉庫", "営業所", "病院", "学校", "方", "人", "友人", "友達", "両親", "おじ", "おば"])


def _is_name(token: Token, entities: dict[int, Span]) -> bool:
    """Surname alone; given, rare and place-like names with the recogniser's word or a context."""
    text, tag = token.text, token.tag_
    ent = entities.get(token.i)
    label = ent.label_ if ent else ""
    address = _is_addressed(token)
    if _names_a_place(token) or text in _BRAND or text in _PEOPLE or re.fullmatch(r"[\W\dA-Za-z]|\d+", text):
        return False
    if len(text) > 2 and _FIRM_END.search(text):
        return False
    if _PROFESSION.search(_compound(token)) and "人名-姓" not in tag:
        return False
    context = address or _has_role(token)
    if "人名" in tag:
        if "姓" in tag and len(text) > 1 and not re.fullmatch(r"[ァ-ヴー]{2}", text):
            return label not in {"Company", "Province"} or context
        return context or label == "Person"
    if "固有名詞-地名" in tag:
        if address:
            return label != "Company"
        if _has_role(token):
            return label not in _PLACE_LABELS and not _leads_to_place(token)
        return label == "Person" and (_signs(token) or (_opens_sentence(token) and _next(token) in _IS))
    if address and tag.startswith("名詞") and label == "Person":
        return bool(re.fullmatch(r"[一-龥々]{1,3}", text)) and ent is not None and token.i == ent.start
    return label == "Person" and "固有名詞" in tag and _has_role(token) and "店" not in text


def _is_again(token: Token, entities: dict[int, Span]) -> bool:
    """Tell whether a word seen as a name elsewhere in the text is one here too."""
    if _names_a_place(token):
        return False
    ent = entities.get(token.i)
    return "人名" in token.tag_ or not (_leads_to_place(token) or (ent and ent.label_ in _PLACE_LABELS))


def _is_introduced(token: Token) -> bool:
    """「Xと申します」「Xという者です」, whatever X is in the dictionary."""
    if token.pos_ not in {"NOUN", "PROPN"} or _PROFESSION.search(token.text) or _names_a_place(token):
        return False
    if token.text in _BRAND or re.search(r"[店社会部課局]$", token.text):
        return False
    after = token.doc.text[token.idx + len(token) :]
    if re.match(r"と(?:申し|もうし)ます(?!上)|と申す|という者(?:です|が)", after):
        return not (token.i and token.nbor(-1).tag_ in {"連体詞", "形状詞-一般"})
    return bool("固有名詞" in token.tag_ and re.match(r"と(?:い|言)います(?![がけ])", after))


def _given_names(doc: Doc, named: set[int], marked: list[tuple[int, int]]) -> set[int]:
    """The rest of a full name: what a Person entity or 様/さん closes after a surname, and a surname before it."""
    more: set[int] = set()
    for ent in doc.ents:
        inside = {t.i for t in ent if t.text not in _HONORIFIC and not t.is_space}
        if ent.label_ == "Person" and inside & named and not _SHOP.search(ent.text):
            more |= {i for i in inside if doc[i].text not in _TITLE and doc[i].tag_.startswith("名詞")}
    for i in named:
        if "姓" not in doc[i].tag_:
            continue
        for j in range(i + 1, min(i + 4, len(doc))):
            if doc[j].text in _HONORIFIC:
                more |= {k for k in range(i + 1, j) if not doc[k].is_space}
                break
            if not re.fullmatch(r"[一-龥々]{1,2}|[ぁ-んァ-ヴー]{1,4}|\s", doc[j].text) or not (
                doc[j].is_space or doc[j].pos_ in {"NOUN", "PROPN"}
            ):
                break
    return {i for i in more if not _inside(doc[i], marked)}


def _merged(doc: Doc, named: list[int]) -> list[tuple[int, int]]:
    """Neighbouring name tokens as one span, over a space or a middle dot."""
    spans: list[tuple[int, int]] = []
    for i in named:
        start, end = doc[i].idx, doc[i].idx + len(doc[i])
        if spans and re.fullmatch(r"[\s・=＝.]?", doc.text[spans[-1][1] : start]):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _inside(token: Token, marked: list[tuple[int, int]]) -> bool:
    return any(start < token.idx + len(token) and token.idx < end for start, end in marked)


def _next(token: Token, offset: int = 1) -> str:
    return token.nbor(offset).text if token.i + offset < len(token.doc) else ""


def _compound(token: Token) -> str:
    """The token with the nouns glued to it, up to the honorific: 衛+生士 is a profession."""
    text = token.text
    for later in token.doc[token.i + 1 : token.i + 4]:
        if later.text in _HONORIFIC or not later.tag_.startswith("名詞"):
            break
        text += later.text
    return text


def _names_a_place(token: Token) -> bool:
    """A shop, a firm or a place is named after the person: 高橋歯科, 田中商店, but not 田中店長."""
    later = _next(token)
    after = token.doc.text[token.idx + len(token) :]
    if later in _TITLE or re.match(r"(?:副|支)?店長", after):
        return False
    return bool(later and _SHOP.match(later) and not token.doc[token.i + 1].is_space)


def _is_addressed(token: Token) -> bool:
    for offset in (1, 2, 3):
        later = _next(token, offset)
        if later in _HONORIFIC or later in _TITLE:
            return True
        if offset + token.i >= len(token.doc) or not (
            later.isspace() or "人名" in token.nbor(offset).tag_
        ):
            return False
    return False


def _has_role(token: Token) -> bool:
    """担当の田中, 担当田中, 名前は田中, 担当者:田中, 母(和子."""
    before = token.doc[max(0, token.i - 3) : token.i]
    words = [t.text for t in before if not t.is_space]
    if not words:
        return False
    if words[-1] in _ROLE:
        return True
    if len(words) < 2:
        return False
    return (words[-1] in {"の", "、", "(", "（", ":", "：", "「"} and words[-2] in _ROLE) or (
        words[-1] in {"は", "が"} and words[-2] in _LABEL
    )


def _leads_to_place(token: Token) -> bool:
    """「母の福岡の実家」「夫の大阪へ」."""
    return _next(token) in {"へ", "まで", "から"} or (_next(token) == "の" and _next(token, 2) in _PLACE_WORDS)


def _opens_sentence(token: Token) -> bool:
    """「石川です」「会員番号[番号]の石川です」."""
    before = token.doc.text[: token.idx]
    return bool(re.search(r"(?:^|[。、!?！？:：\n]|\]の)\s*$", before))


def _signs(token: Token) -> bool:
    """Tell whether the word is a line of its own, as under a message."""
    text, end = token.doc.text, token.idx + len(token)
    return bool(re.search(r"\n\s*$", text[: token.idx]) and re.match(r"[ \t]*(?:\n|$)", text[end:]))
