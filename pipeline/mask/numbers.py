"""Birth dates, cards, accounts, secrets said aloud, and the numbers of members, orders and contracts."""

import re

from pipeline.mask.contacts import is_toll_free
from pipeline.mask.pattern import ANSWER, COUNTER, HESITATION, LETTER, LINK, NOT_COUNTED, SPEAKER, pattern

_YEAR = r"(?:(?:19|20)[0-9]{2}|(?:明治|大正|昭和|平成|令和|[MTSHR])[. ]?(?:[0-9]{1,2}|元))"
_FULL_DATE = (
    rf"(?:{_YEAR} ?(?:年の?|[-/.]) ?[0-9]{{1,2}} ?(?:月の?|[-/.]) ?[0-9]{{1,2}}日?|(?:19|20)[0-9]{{6}}(?![0-9]))"
)
_SHORT_YEAR = r"(?<![0-9])[0-9]{2}年 ?[0-9]{1,2}月 ?[0-9]{1,2}日"
_MONTH_DAY = r"(?:[0-9]{1,2}月 ?[0-9]{1,2}日|[0-9]{1,2}/[0-9]{1,2})"
_NUM = "(?:[0-9]{1,5}|[一二三四五六七八九十]{1,3})"
_SINCE = r"(?! ?(?:から|以来|創業|創立|開業|オープン))"
_NUMBERED = (
    "会員|お客様|お客さま|顧客|注文|オーダー|受注|契約者?|予約|申し?込み?|問い?合わ?せ|受付|伝票|追跡|配送|荷物|送り状|登録|製造"
    "|シリアル|マイ|個人|保険証?|被保険者|記号|免許証?|パスポート|旅券|証券|証書|回線|ポイント|カード|社員|従業員|チケット|レシート"
    "|領収書|請求書?|管理|整理|診察券|患者|学籍|学生|生徒|案件|取引|決済|承認|照会|ユーザー?|ログイン|アカウント|メンバー|車両"
    "|識別|ケース|修理|見積|納品|引き?換え?証?|認証|確認|受取|出荷|発注|利用者|利用者カード|組合員|基礎年金|年金|セキュリティ|融資"
    "|ローン|店舗|テナント|プレイヤー|保証書?|車台|搭乗|便名?予約|得意様|供給地点特定|検針|計器|口座"
)
_NOT_PERSONAL = (
    r"(?<!電話)(?<!郵便)(?<!型)(?<!部品)(?<!品)(?<!エラー)(?<!商品)(?<!製品)(?<!問題)(?<!ページ)(?<!列車)(?<!便)(?<!背)"
    r"(?<!部屋)(?<!座席)(?<!曲)(?<!カラー)(?<!色)"
)
_PRODUCT_CODE = re.compile(
    r"(?:エラー|コード|型番|品番|型式|モデル|バージョン|[Vv]er\.?|JAN|商品番号|製品番号|部品番号|カタログ番号)[^0-9。、\n]{0,6}$"
)
_ERROR_PREFIX = re.compile(r"(?:E|ER|ERR|ERROR|EC|V|VER|KB|CVE|ISO|JIS|RFC)[-_]?[0-9]")
_CODE = r"[A-Za-z]{1,4} [0-9][0-9_.-]{3,24}|[0-9]{3,6}(?: [0-9]{3,6}){1,5}|[A-Za-z0-9][A-Za-z0-9_.-]{2,34}"
_SECRET = (
    r"(?:パスワード|ぱすわーど|パスコード|(?<![A-Za-z])[Pp]assword|暗証番号|暗証|PIN(?:コード|番号)?|引き?継ぎコード|認証コード|パス(?![ァ-ヴー])"
    r"|ロック(?:解除)?の?番号|解錠番号)"
)


def is_product_code(text: str, start: int) -> bool:
    """Tell whether what starts there is a product's or an error's code, from the word before or its prefix."""
    return bool(_PRODUCT_CODE.search(text, max(0, start - 16), start) or _ERROR_PREFIX.match(text, start))


def _is_private_code(code: str) -> bool:
    """At least three digits, or an id of letters only ("tanaka_h")."""
    return sum(c.isdigit() for c in code) >= 3 or bool(re.fullmatch(r"[a-z][a-z_.-]{3,}", code))


def _is_long_code(code: str) -> bool:
    return sum(c.isdigit() for c in code) >= 4 and not is_toll_free(code)


def _is_secret(word: str) -> bool:
    """A digit or a sign in it: 「resetを押す」 is no password."""
    return bool(re.search(r"[0-9]|[A-Za-z][!-/:-@_]|[a-z][A-Z]", word))


def _is_long_number(number: str) -> bool:
    digits = re.sub(r"\D", "", number)
    a_date = re.fullmatch(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{4}|\d{6})?", digits)
    return not a_date and not is_toll_free(number) and len(digits) >= (9 if "-" in number else 8)


SECRETS = (
    pattern(
        "[暗証番号]",
        rf"{_SECRET}(?:の?[0-9四]{{0,2}}(?:桁|ケタ|文字))?(?:の(?:ほう|方))?(?:{LINK})(?P<v>[!-@A-Z\\^_`a-z~]{{3,32}}?)"
        r"(?=[ぁ-ん一-龥ァ-ヴ。、」』)\s]|$)",
        _is_secret,
    ),
    pattern("[暗証番号]", rf"{_SECRET}{LINK}(?P<v>[a-z]{{4,20}})(?=です|でした|、|。|って|だ|」|』)"),
    pattern("[暗証番号]", r"(?:合言葉|秘密の(?:質問の)?答え|パスワード)[はが:、]{1,2}[「『](?P<v>[^」』\n]{2,20})[」』]"),
    pattern("[暗証番号]", r"(?<!エラー)コード(?:は|が|です|:| ){1,3}(?P<v>(?=[A-Z-]*[0-9])(?=[0-9-]*[A-Z])[A-Z0-9]{3,6}(?:-[A-Z0-9]{3,6}){1,4})(?![A-Za-z0-9-])"),
    pattern("[暗証番号]", rf"{_SECRET}{ANSWER}(?P<v>[0-9]{{4,8}}|(?=[!-~]*[0-9])(?=[!-~]*[A-Za-z])[!-~]{{6,32}}?)(?=[^!-~]|$)"),
)

BIRTH_DATES = (
    pattern(
        "[生年月日]",
        rf"(?:生年月日|誕生日|生まれ|生れ)(?:[はがの:、, (]|です|{HESITATION}){{0,4}}(?P<v>{_FULL_DATE}|{_SHORT_YEAR}|{_MONTH_DAY})",
    ),
    pattern("[生年月日]", rf"(?:生年月日|誕生日){ANSWER}(?P<v>{_FULL_DATE}|{_SHORT_YEAR}|{_MONTH_DAY}|[0-9]{{6,8}})"),
    pattern(
        "[生年月日]",
        rf"(?P<v>{_FULL_DATE}|{_SHORT_YEAR}|{_MONTH_DAY}|{_YEAR}年(?: ?[0-9]{{1,2}}月)?)"
        r"(?=[ の、)]{0,2}(?:生まれ|生れ|うまれ|生(?![一-龥ぁ-ん])|が?(?:誕生日|生年月日)))",
    ),
    pattern("[生年月日]", rf"(?:生まれ|生れ|生年)[はが:、]{{1,2}}(?P<v>{_YEAR}年(?: ?[0-9]{{1,2}}月)?)"),
    pattern("[生年月日]", r"\[生年月日\](?:です)?(?:ね)?[、。 ](?P<v>(?:19|20)[0-9]{2}年|(?:明治|大正|昭和|平成)[0-9]{1,2}年)(?=の?(?:です|生|[、。]|$))"),
    pattern(
        "[生年月日]",
        r"(?:明治|大正|昭和|(?<![A-Za-z0-9])[TS](?=[0-9. ]))[. ]?(?:[0-9]{1,2}|元)(?:年|[-/.]) ?[0-9]{1,2}"
        rf"(?:月|[-/.]) ?[0-9]{{1,2}}日?+{_SINCE}",
    ),
    pattern(
        "[生年月日]",
        rf"(?<![0-9])19[0-9]{{2}}(?:年|[-/.]) ?[0-9]{{1,2}}(?:月|[-/.]) ?[0-9]{{1,2}}日?+(?![0-9]){_SINCE}",
    ),
    pattern("[生年月日]", rf"(?:明治|大正|昭和){_NUM}年の?{_NUM}月の?{_NUM}日{_SINCE}"),
    pattern("[生年月日]", rf"(?:平成|令和|昭和)の?、?{_NUM}年の?、?{_NUM}月の?、?{_NUM}日?(?=の?生まれ|生(?![一-龥]))"),
)

_DIGIT = "[0-9〇零一二三四五六七八九]"
_KANJI_DIGIT = "[〇零一二三四五六七八九]"
_BANK = r"(?:(?:[一-龥々ァ-ヴー]|[ぁ-ん](?<![はがをに])){0,10}?(?:銀行|信用金庫|信金|金庫|農協|信組|信用組合|労金|JA[一-龥]{0,4})|ゆうちょ|JA[一-龥]{0,6})"
_BRANCH = r"(?:[一-龥々ァ-ヴーヶ]|[ぁ-ん](?<![はがをにの])){1,10}?(?:支店|支所|出張所|営業部|本店(?:営業部)?)"
_DEPOSIT = r"[(]?(?:普通|当座|貯蓄|定期|普)(?:預金|口座)?[)]?(?:口座)?(?:番号)?"
_OF_ACCOUNT = r"(?:[の、, ]|で|は|が|口座(?:番号)?|番号){0,3}"

CARDS_AND_ACCOUNTS = (
    pattern(
        "[口座番号]",
        rf"(?:{_BANK}{_OF_ACCOUNT})?{_BRANCH}{_OF_ACCOUNT}(?:[(][0-9]{{3}}[)])?(?:{_DEPOSIT}{_OF_ACCOUNT})?"
        rf"(?:{_DIGIT}{{6,8}}|{_DIGIT}{{3,4}}[- の]{_DIGIT}{{3,4}})(?!{_DIGIT}|-)",
    ),
    pattern(
        "[口座番号]",
        rf"(?:ゆうちょ(?:銀行)?[の、 ]?)?記号[はがの、: ]{{0,2}}{_DIGIT}{{5}}[、, での]{{0,2}}番号[はがの、: ]{{0,2}}{_DIGIT}{{6,8}}(?!{_DIGIT})",
    ),
    pattern("[カード番号]", r"(?<![0-9])(?<![0-9]-)(?:[0-9]{4}[- ]?){3}[0-9]{4}(?![0-9])(?!-[0-9])"),
    pattern("[カード番号]", rf"(?<!{_DIGIT})(?:{_DIGIT}{{4}}の){{3}}{_DIGIT}{{4}}(?!{_DIGIT})"),
    pattern(
        "[カード番号]",
        r"\[カード番号\](?:と|で|が|、|。| |です|有効期限|期限|[はの]){0,5}(?P<v>(?:0[1-9]|1[0-2])/[0-9]{2}(?:[、, ]{1,2}[0-9]{3,4})?)(?![0-9/])",
    ),
    pattern("[カード番号]", r"(?<![0-9])[0-9]{4}[- ][0-9]{6}[- ][0-9]{5}(?![0-9])"),
    pattern("[カード番号]", r"(?:[*xX●•＊]{4}[- ]?){1,3}[0-9]{4}(?![0-9])"),
    pattern(
        "[口座番号]",
        rf"(?:口座(?:番号)?|普通|当座|貯蓄)(?:預金)?(?:口座)?(?:番号)?(?:[のはが:、, (]|{HESITATION}){{0,4}}(?P<v>[0-9]{{6,8}}){NOT_COUNTED}",
    ),
    pattern(
        "[口座番号]",
        r"記号[はが: ]{0,2}(?P<v>[0-9]{5}[、,・ でと-]{0,2}(?:番号[はが: ]{0,2})?[0-9]{6,8})(?![0-9])",
    ),
)

LABELLED = (
    # 「4412の9087の3365」: what is read out group by group.
    pattern("[番号]", r"(?<![0-9])(?!0)[0-9]{3,5}(?:の[0-9]{3,5}){2,4}(?![0-9])"),
    pattern(
        "[番号]",
        r"(?:下|最後の?) ?[0-9一二三四五六]{1,2} ?(?:桁|ケタ|けた|文字)(?:の番号)?"
        rf"(?:[はがの:、, (「]|です|{HESITATION}){{0,4}}(?P<v>[0-9]{{3,6}}){NOT_COUNTED}",
    ),
    pattern("[番号]", rf"下 ?[0-9四]{{1,2}} ?(?:桁|ケタ){ANSWER}(?P<v>[0-9]{{3,6}}){NOT_COUNTED}"),
    pattern("[番号]", rf"末尾(?:[はがの:、, (「]){{0,2}}(?P<v>[0-9]{{3,6}}){NOT_COUNTED}"),
    pattern(
        "[番号]",
        rf"(?:{_NUMBERED})の?(?:番号|ナンバー|[Nn][Oo]\.?|[Ii][Dd]|コード|№){LINK}(?P<v>{_CODE})(?<![.-]){NOT_COUNTED}",
        _is_private_code,
    ),
    pattern(
        "[番号]",
        r"(?:シリアル|製造|追跡|伝票|送り状|予約|注文|受注|会員|お客様|契約|受付|問い?合わ?せ|登録|整理|案件|管理|社員|診察券|証券|車台|端末|IMEI|MAC)"
        rf"(?:は(?:ね|です)?|が|:|だと|、)[、 ]?(?:{HESITATION})?(?P<v>(?=[A-Za-z0-9-]*[0-9][A-Za-z0-9-]*[0-9][A-Za-z0-9-]*[0-9][A-Za-z0-9-]*[0-9])[A-Za-z0-9][A-Za-z0-9-]{{5,24}})(?![A-Za-z0-9.,/:])(?<!-){NOT_COUNTED}",
        _is_long_code,
    ),
    pattern("[番号]", rf"記号{LINK}(?P<v>[0-9]{{3,8}}){NOT_COUNTED}"),
    pattern("[番号]", rf"{_NOT_PERSONAL}番号{LINK}(?P<v>{_CODE})(?<![.-]){NOT_COUNTED}", _is_long_code),
    pattern(
        "[番号]",
        rf"(?:{_NUMBERED})の?(?:番号|ナンバー|ID|コード){ANSWER}(?P<v>{_CODE})(?<![.-]){NOT_COUNTED}",
        _is_long_code,
    ),
    pattern("[番号]", r"(?:(?<![A-Za-z])(?:ID|No\.?|NO\.?)|№|#)[: ]{0,2}(?P<v>[0-9][0-9-]{3,}[0-9])(?![0-9])"),
    pattern("[番号]", rf"(?<![A-Za-z])(?:ID|id(?==)){LINK}(?P<v>{_CODE})(?<![.-]){NOT_COUNTED}", _is_long_code),
)

_PLATE = r"(?:[0-9]{1,2} ?- ?[0-9]{2}|[0-9]{4}|[・.]{1,3} ?-?[0-9]{1,2}(?:-[0-9]{1,2})?)"
_SPOKEN_PLATE = rf"(?:{_DIGIT}{{2}}の{_DIGIT}{{2}}|{_DIGIT}{{4}}|{_DIGIT}の{_DIGIT}{{2}})"

CODES = (
    pattern("[車両番号]", rf"(?:[一-龥]{{1,4}}|なにわ|つくば|いわき|とちぎ) ?[0-9]{{2,3}} ?[ぁ-ん][ 。]?{_PLATE}(?![0-9])"),
    pattern("[車両番号]", rf"(?:[一-龥]{{1,4}}|なにわ|つくば|いわき|とちぎ)の?(?:[0-9]{{3}}|[〇零一二三四五六七八九]{{3}})の?[ぁ-ん]の?{_SPOKEN_PLATE}(?!{_DIGIT})"),
    # 「一〇九の五五四」「ティーエス七七一〇」
    pattern("[番号]", rf"(?<!{_KANJI_DIGIT})(?<!ゼロ)(?<!の)(?![〇零]|{_KANJI_DIGIT}{{3}}の{_KANJI_DIGIT}{{4}}(?!の|{_KANJI_DIGIT}))(?:ゼロ|(?:{LETTER}){{1,4}}の?)?{_KANJI_DIGIT}{{2,6}}(?:の{_KANJI_DIGIT}{{3,6}})+(?:の{_KANJI_DIGIT}{{1,3}})?(?!{_KANJI_DIGIT}|[十百千])(?! ?(?:{COUNTER}))"),
    pattern("[番号]", rf"(?<![ァ-ヴー])(?:{LETTER}){{1,4}}(?:の|ハイフン)?{_DIGIT}{{4,10}}(?!{_DIGIT})(?! ?(?:{COUNTER}))"),
    pattern("[暗証番号]", r"(?<![A-Za-z0-9_./-])(?=[A-Za-z_-]*[0-9])(?=[a-z0-9_-]*[A-Z])(?=[A-Z0-9_-]*[a-z])[A-Za-z0-9_-]{18,64}(?![A-Za-z0-9_./-])"),
    pattern("[番号]", r"IP(?:アドレス)?[はが:、 ]{0,3}(?P<v>(?:[0-9]{1,3}\.){3}[0-9]{1,3})"),
    pattern("[番号]", rf"IPアドレス{ANSWER}(?P<v>(?:[0-9]{{1,3}}\.){{3}}[0-9]{{1,3}})"),
    pattern("[番号]", r"(?<![A-Za-z0-9-])[A-Z]{1,6}[-_]?[0-9]{6,}(?:-[0-9]+)*(?![A-Za-z0-9])", keepable=True, bare=True),
    pattern(
        "[番号]",
        r"(?<![A-Za-z0-9-])[A-Z]{1,6}[0-9]{0,3}(?:-[0-9]{2,}){2,4}(?![A-Za-z0-9])",
        _is_long_number,
        keepable=True,
        bare=True,
    ),
    pattern(
        "[番号]",
        rf"(?<![0-9A-Za-z.,¥$/])(?<![0-9A-Za-z]-)[0-9]{{4,}}(?:-[0-9]{{2,}}){{0,6}}(?![A-Za-z.,/]?[0-9]|-)(?! ?(?:{COUNTER}))",
        _is_long_number,
        bare=True,
    ),
    pattern(
        "[番号]",
        rf"(?<![0-9A-Za-z.,¥$/])(?<![0-9A-Za-z]-)[0-9]{{2,3}}(?:-[0-9]{{2,}}){{1,6}}(?![A-Za-z.,/]?[0-9]|-)(?! ?(?:{COUNTER}))",
        _is_long_number,
        bare=True,
    ),
    # A line that is only a number answers a question that was cut away with the agent's words.
    pattern("[番号]", rf"(?:^|\n){SPEAKER}(?:{HESITATION}){{0,3}}(?P<v>[0-9]{{4,8}})(?=です(?:[。、\n]|$)|[。、\n]|$| ?で入)"),
)
