"""Where the answer to a question stands in a sentence, for each kind of question."""

import re
from collections.abc import Iterator

from pipeline.mask.lexicon import is_person_name, is_quality, is_word
from pipeline.mask.pattern import HESITATION, LETTER
from pipeline.mask.phrases import is_no_ordinary_word, name_end
from pipeline.mask.spans import MARK
from pipeline.mask.spellings import explained, spelled_out
from pipeline.mask.spoken import KANA_DIGIT, spoken_values
from pipeline.mask.vocabulary import ASKED, NO_NAME, RELATIVES

Spans = Iterator[tuple[int, int]]

_RELATIVES = "|".join(sorted(RELATIVES | {"母親", "父親", "家内", "子ども", "子供", "両親"}, key=lambda word: (-len(word), word)))
# What opens an answer before the value itself.
_OPENER = re.compile(
    r"(?:[「『、。, ]|(?:え[ーえ]*っ?と[ーお]?|ええと|えー+|あの[ーう]+|そのー+|あー+|うーん+|確か|たしか|あ(?=、)|あの(?=、))[、, ]*|はい|ええ|あ、|えと、?|あっ、?|そうですね、?|あー、?|ああ、?|わかりました、?|分かりました、?|承知しました、?"
    r"|(?:私|僕|俺|うち|本人|名前|氏名|苗字|名字|読み|下の名前|漢字|カタカナ|ひらがな|フルネーム|合い?言葉|答え|旧姓|住所|番号|契約|契約者|名義|登録名?|口座|支店|生年月日|誕生日"
    rf"|アカウント名?|ユーザー名|ニックネーム|ID|パスワード|新しいの|前の|今|現在|宛名|予約名?|担当|店員|{_RELATIVES})(?:の(?:名前|方|ほう|名義))?[はがのだも:、]{{1,2}}(?:ですね|ね|と)?、?)+"
)
_CLAUSE = re.compile(r"[、。,「『 ]+|(?:は|が|の)(?=[一-龥ァ-ヴ])")
_END = re.compile(
    r"(?:だ|です|になります|でございます|でした)?(?:と思い|と思う|と思っ|ったはず|と思い出)|でお願い|で登録|でやって|でしたっけ|かな|だった|だと|です(?:けど|が|ね|よ|か)?|でした|でございます|と申|といい|と言い|と書|と読|と登録|になります|だよ|だけど|ですので|って(?:言い|書|いう)|、|。|」|』|\n"
    r"|[?!]|(?:さん|様)?(?:ですね|でお間違い|でよろしい|でいらっしゃ)|に(?:なって|して)|(?:で)?(?:す)?$"
)
_UNKNOWN = re.compile(r"わか(?:ら|り)|分か(?:ら|り)|忘れ|覚え|知ら|ありません|ないです|ません|見当たら|手元|ちょっと|お待ち|待って|なんで|何で|どこ|どうして|必要|いつも|言え|言いたく|ご?存知|すみません|申し訳|ありがと|かしこ|承知|確認|お願い|お調べ|世話|連絡|返信|持って|使って|作って|入れ")
_LABELLED = re.compile(r"(?:合い?言葉|(?:質問の)?答え|ニックネーム|ハンドルネーム|アカウント名)[はがも:、 ]{1,2}(?:えっと、?|えーと、?|たしか、?|確か、?)?[「『]?")
_ALONE_NAME = re.compile(r"(?P<v>[ぁ-んー]{2,7}?(?: [ぁ-んー]{2,5}?)?|[ァ-ヴー]{2,8}(?:[ ・][ァ-ヴー]{2,10}){0,2})(?:です|と申します|と言います|といいます|だよ|でございます)?(?:けど|が|ね)?[。、]?$")
_NO_MORE = re.compile(r"^[一-龥々]{1,5}(?:です|と申します|と言います|といいます)(?:けど|が|ね)?[。、]?$")
_KIN = re.compile(rf"(?:{_RELATIVES})[のが、](?P<v>[ぁ-んー]{{2,5}}?|[ァ-ヴー]{{2,8}})(?=[、。]|です|と(?:申|言|いい)|で、|$|\n)")
_NO_ALONE = frozenset(["いい", "よい", "ない", "だめ", "ダメ", "けっこう", "そう", "むり", "ちがう", "おなじ", "はい", "いいえ", "うん", "ええ", "まだ", "もう", "べつ", "だいじょうぶ", "あと", "これ", "それ", "さっき", "ここ", "ほんとう", "わたし", "ぼく", "おれ", "あたし", "ひみつ", "いや", "イヤ", "とくめい", "なし", "ナシ", "カタカナ", "ひらがな", "ほか", "こちら", "そちら", "はいそう", "そのまま", "いま"])
_CITY = re.compile(
    r"(?:(?:北海道|東京都|(?:大阪|京都)府|(?:神奈川|和歌山|鹿児島|[一-龥]{2})県)の?)?(?:[一-龥ぁ-んァ-ヴ]{1,6}?(?:市|郡))?の?(?:[一-龥]{1,4}区)?の?"
)
_LOT = re.compile(r"[0-9〇零一二三四五六七八九十](?:[-の丁番号]|階|$|で|です)|[0-9]{2,4}|丁目|番地|ハイツ|コーポ|メゾン|マンション|アパート|レジデンス|ハウス|荘|棟|号室|団地|ヒルズ|タワー|字[一-龥]")
_TOWN = re.compile(r"[一-龥ぁ-んァ-ヴーヶノ]{1,10}(?:町|台|丘|谷|浜|村|通り?|新田|条|字)$")
_NO_ADDRESS = re.compile(r"円|[年月日時分]|%|電話|番号|回|ヶ月|か月|週間|届|遅|悪|良|欲し|ほし|ですか|ません|たい|した|する|って(?!$)|ので|から|けど|\[")
_ADDRESS_END = re.compile(r"(?:です|でございます|になります|でした|で|に|まで|へ|の|って|とこ|ところ|という)?(?:ね|けど|が|お願いします|変わりました|よろしいでしょうか|お間違いないでしょうか|間違いございませんか|よろしいですか)?[。?」 ]*$")
_ERA = "(?:明治|大正|昭和|平成|令和|西暦|めいじ|たいしょう|しょうわ|へいせい|れいわ|せいれき|[MTSHR](?![A-Za-z]))"
_NUM = r"(?:[0-9]{1,8}|[〇零一二三四五六七八九十百千元]{1,5})"
_DATE = re.compile(
    rf"(?:{_ERA}(?:で|の|は|です|、|\.|ね| |えっと|えーと)*)?(?:{_NUM} ?(?:年(?:生まれ)?|月|日|ねん|がつ|にち|[-/.](?=[0-9])))(?:(?:の|と|、|で|です|ですね|えっと| )*(?:{_NUM} ?(?:年|月|日|ねん|がつ|にち|[-/.](?=[0-9])|(?=[、。で]|$))))*(?:の? ?{_NUM}(?=[、。で]|$))?"
    rf"|{_ERA}(?:で|の|は|、|\.| )*{_NUM}|(?<![0-9])[0-9]{{4,8}}(?![0-9])"
    rf"|(?:{_ERA})[ぁ-んー、 ]{{1,24}}?ねん(?:の?[ぁ-んー、 ]{{1,24}}?(?:にち|か|たち))?|(?<![ぁ-ん])[ぁ-んー]{{1,10}}がつ(?:の?[ぁ-んー、 ]{{1,14}}?(?:にち|[つうかの]か|たち))?|(?<![ぁ-ん])[ぁ-んー]{{4,20}}ねん(?=[のでう、。]|$)"
)
_NOT_BORN = re.compile(r" ?(?:円|回|個|件|分|時|[かヶカケ]月|[間前後目号額末頃使]|以[上内]|ほど|くらい|ぐらい|ごろ|から|まで|に(?!生)|も)")
_BORN = re.compile(rf"年.*月|月.*[0-9〇零一二三四五六七八九十日]|{_ERA}|[0-9]{{4}}|[0-9][-/.][0-9]|ねん|がつ")
_BESIDE_DATE = re.compile(rf"(?:{HESITATION}|[、。「」,. ?!]|です(?:ね|か)?|でございます(?:ね)?|で|の|年|はい|ええ|生まれ|うまれ|になります|ですけど|だ|よ)*")
_LATIN = re.compile(r"@?(?<![A-Za-z0-9.@])[A-Za-z0-9](?:[A-Za-z0-9._-]|(?:、|・)?(?:アンダーバー|ハイフン|ドット|アンダースコア)(?:、|・)?){2,40}(?<![.-])")
_HANDLE = re.compile(r"^(?!(?:iPhone|iPad|iOS|Android|Galaxy|Pixel|Xperia|AQUOS|Windows|Mac|Switch|Steam|LINE|Gmail|Google|Apple|Twitter|Instagram|HTTP|Wi-?Fi)\b).*?(?:[a-z]|[A-Z].*[0-9_.-])", re.IGNORECASE)
_PLATE = re.compile(r"(?:[一-龥ァ-ヴー]{1,5}|なにわ|つくば|いわき|とちぎ)(?:の|、| )*[0-9]{2,3}(?:の|、| )*[ぁ-ん](?:の|、| )*[0-9・]{1,4}(?:[-の、 ]*[0-9・]{1,2})?")
_VALID_UNTIL = re.compile(rf"{_NUM}月の?、?{_NUM}年|{_NUM}月の、?[0-9]{{2}}(?![0-9日])|{_NUM}年の?、?{_NUM}月")
_BRANCH = re.compile(r"(?:[一-龥々ぁ-んァ-ヴー]{1,10}(?:銀行|金庫|信金|農協|信組|労金)の?、?)?(?P<v>[一-龥々ぁ-んァ-ヴーヶ]{1,10}?(?:支店|出張所|営業部|本店))")
_MAIL_PIECE = rf"(?:[A-Za-z0-9._+-]+|(?:{LETTER})(?![ァ-ヴ])|(?:{KANA_DIGIT})|アットマーク|アット|@|ドット|アンダーバー|ハイフン|[ァ-ヴー]{{2,12}}|[ぁ-ん]{{2,8}}(?=じゅう)|じゅう|数字の|小文字の|大文字で?|全部小文字で?|で|の|が|、|・| |\[メール\])"
_SPOKEN_MAIL = re.compile(rf"(?:{_MAIL_PIECE}){{2,60}}")


def answer_names(text: str, start: int, end: int) -> Spans:
    """Yield the names in a sentence that answers 「お名前をお願いします」."""
    first = _opened(text, start, end)
    alone = _ALONE_NAME.match(text, first, end)
    if alone and alone["v"] not in _NO_ALONE and alone["v"] not in NO_NAME and not ASKED.match(text, first):
        yield alone.span("v")
        return
    if ASKED.match(text, first) and not re.match(rf"(?:{_RELATIVES}|契約|予約|今|もう)", text[first:end]):
        starts = []
    else:
        starts = [first]
    starts += [match.end() for match in _CLAUSE.finditer(text, start, end)]
    starts += [opener for at in [*starts[1:]] if (opener := _opened(text, at, end)) != at]
    for match in _KIN.finditer(text, start, end):
        if match["v"] not in _NO_ALONE and match["v"] not in NO_NAME:
            yield match.span("v")
    position = start
    for at in sorted(set(starts)):
        accepts = is_no_ordinary_word if at == first and _NO_MORE.match(text[at:end]) else _may_be_name if at == first else _is_name
        if at < position or at >= end:
            continue
        if stop := name_end(text, at, _STATED, accepts):
            position = min(stop, end)
            yield at, position


def _may_be_name(word: str) -> bool:
    return is_no_ordinary_word(word) and (is_person_name(word) or not is_word(word))


def _is_name(word: str) -> bool:
    return is_no_ordinary_word(word) and is_person_name(word) and not is_quality(word)


_STATED = re.compile(
    r"(?:です(?!か)|ですね|でございます|でした|だ(?:よ|けど)|と(?:申|もうし|いい|言い|書|読)|って(?:言い|いい|書|読)|様|さん|で(?:登録|お願い|予約|契約|、|。)|に(?:なり|なっ)|は旧姓|が旧姓"
    r"|[、。」』)(（\[…!.]| ?\[|\n|$)"
)


def answer_spelling(text: str, start: int, end: int) -> Spans:
    """Yield what explains how a name is written, where that was asked."""
    spans = list(spelled_out(text[start:end], least=1))
    if spans:
        yield from ((start + a, start + b) for a, b in spans)
        return
    first = _opened(text, start, end)
    yield from explained(text, first, end)


def answer_words(text: str, start: int, end: int) -> Spans:
    """Yield a word of any kind: a pass phrase, a nickname, the answer to a secret question."""
    first = _opened(text, start, end)
    if label := _LABELLED.search(text, start, end):
        first = label.end()
    if first >= end or ASKED.match(text, first) or _UNKNOWN.search(text, first, end) or MARK.match(text, first):
        return
    stop = _END.search(text, first + 1, end)
    last = stop.start() if stop else end
    if 1 <= len(text[first:last].strip()) <= 18 and re.search(r"\w", text[first:last]):
        yield first, last


def answer_handle(text: str, start: int, end: int) -> Spans:
    """Yield what can be an account: letters with digits or signs in them, or a number."""
    found = [match.span() for match in _LATIN.finditer(text, start, end) if _HANDLE.search(match.group())]
    yield from found or spoken_values(text, start, end)


def answer_digits(text: str, start: int, end: int) -> Spans:
    yield from spoken_values(text, start, end)


def answer_card(text: str, start: int, end: int) -> Spans:
    """Yield the digits of a card, and the month and year until which it is valid."""
    yield from (match.span() for match in _VALID_UNTIL.finditer(text, start, end))
    yield from spoken_values(text, start, end)


def answer_branch(text: str, start: int, end: int) -> Spans:
    for match in _BRANCH.finditer(text, _opened(text, start, end), end):
        yield match.span("v")


def answer_date(text: str, start: int, end: int) -> Spans:
    """Yield dates in any form, from 「昭和五十五年の三月二日」 to 「62年」 and 「S55.3.2」."""
    for match in _DATE.finditer(text, start, end):
        rest = text[start : match.start()] + text[match.end() : end]
        sure = _BORN.search(match.group()) or _BESIDE_DATE.fullmatch(rest)
        if sure and not _NOT_BORN.match(text, match.end()):
            yield match.span()
    if (only := re.fullmatch(rf"(?:{HESITATION})*({_NUM})(?:です|で|の|、|。)*", text[start:end])) and only[1]:
        yield start + only.start(1), start + only.end(1)


def answer_plate(text: str, start: int, end: int) -> Spans:
    found = [match.span() for match in _PLATE.finditer(text, start, end)]
    yield from found or spoken_values(text, start, end)


def answer_address(text: str, start: int, end: int) -> Spans:
    """Yield the parts of an address said in an answer, from the town on."""
    position = start
    for piece in re.split(r"([、。]|\[[^\]]+\])", text[start:end]):
        begin = _opened(text, position, position + len(piece))
        last = position + len(piece)
        position += len(piece)
        tail = _ADDRESS_END.search(text[begin:last])
        stop = begin + tail.start() if tail else last
        city = _CITY.match(text, begin, stop)
        town = city.end() if city else begin
        words = text[town:stop]
        if not words or len(words) > 40 or len(re.findall("[ぁ-ん]", words)) > 6 or re.search("[をはもだ]|が[0-9]|った", words) or _NO_ADDRESS.search(words) or MARK.search(piece):
            continue
        if _LOT.search(words) or _TOWN.search(words):
            yield town, stop


def answer_mail(text: str, start: int, end: int) -> Spans:
    """Yield a mail address said in letters, digits and signs, or a piece of it."""
    first = _opened(text, start, end)
    for match in _SPOKEN_MAIL.finditer(text, first, end):
        said = match.group().rstrip("での、・ ")
        spoken = re.search(rf"アット|@|ドット|アンダーバー|(?:[A-Za-z]|{LETTER})[・、](?:[A-Za-z]|{LETTER})[・、]", said)
        if spoken or re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9._+-]{3,}", said):
            yield match.start(), match.start() + len(said)


READERS = {
    "name": answer_names,
    "spelling": answer_spelling,
    "words": answer_words,
    "handle": answer_handle,
    "digits": answer_digits,
    "card": answer_card,
    "branch": answer_branch,
    "date": answer_date,
    "plate": answer_plate,
    "address": answer_address,
    "mail": answer_mail,
}


def _opened(text: str, start: int, end: int) -> int:
    """Return where an answer goes on after 「はい、えーと、名前は」."""
    match = _OPENER.match(text, start, end)
    return match.end() if match else start
