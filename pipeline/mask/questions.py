"""What one side of a conversation asks for: the kind of personal data that the answer will be."""

import re
from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of answer: how it is read, and the mark that stands for it."""

    reader: str
    mark: str


NAME = Kind("name", "[氏名]")
SPELLING = Kind("spelling", "[氏名]")
DATE = Kind("date", "[生年月日]")
PHONE = Kind("digits", "[電話]")
CARD = Kind("card", "[カード番号]")
BANK = Kind("digits", "[口座番号]")
PIN = Kind("digits", "[暗証番号]")
POSTAL = Kind("digits", "[郵便番号]")
NUMBER = Kind("digits", "[番号]")
BRANCH = Kind("branch", "[口座番号]")
ADDRESS = Kind("address", "[住所]")
SECRET = Kind("words", "[暗証番号]")
HANDLE = Kind("handle", "[アカウント]")
NICKNAME = Kind("words", "[アカウント]")
MAIL = Kind("mail", "[メール]")
PLATE = Kind("plate", "[車両番号]")

_NOBODYS = r"(?<!商品の)(?<!製品の)(?<!商品)(?<!製品)(?<!ペットの)(?<!ペットちゃんの)(?<!店の)(?<!店舗の)(?<!品の)(?<!ファイルの)(?<!会社の)(?<!プランの)(?<!機種の)(?<!薬の)(?<!お薬の)(?<!コースの)"
_NO_NUMBER = r"(?<!型)(?<!品)(?<!商品)(?<!製品)(?<!部品)(?<!エラー)(?<!エラーの)(?<!機種)(?<!列車)(?<!座席)(?<!列)(?<!部屋)(?<!お部屋)(?<!問題)(?<!ページ)(?<!カラー)(?<!バージョン)(?<!クーポン)"
_PET = r"(?:最初|初めて|はじめて|昔|子ども|子供|飼って)[^。?]{0,12}(?:ペット|犬|猫)[^。?]{0,6}名前"
_SCHOOL = r"(?:出身|卒業|通って|通われ)[^。?]{0,8}(?:小学校|中学校|高校|学校)"
_NOUNS: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(noun))
    for kind, noun in (
        (SECRET, rf"合い?言葉|(?:母|お母)[^。?]{0,4}旧姓|秘密の(?:質問|答え|言葉)|質問の(?:答え|回答)|パスフレーズ|キーワード|{_PET}|{_SCHOOL}|引き?継ぎ?コード|認証(?:コード|キー)"),
        (PIN, r"暗証番?号?|(?<![A-Za-z])PIN|ピンコード|パスコード|パスワード|認証コード|認証番号|ワンタイム"),
        (DATE, r"生年月日|誕生日|生まれ|生れ|何年生|何月何日生|ご?年号"),
        (PHONE, r"電話|携帯|連絡先|TEL|ケータイ"),
        (BRANCH, r"支店|店番|店名(?=[とや]|・|、)|お取引店|取扱店"),
        (BANK, r"口座|記号|店番"),
        (CARD, r"カード(?!会社|の種類|の(?:お?届|利用|発行|再))|有効期限|セキュリティ|裏面の"),
        (POSTAL, r"郵便番号"),
        (PLATE, r"(?:車|車両)[^。?]{0,4}(?:ナンバー|番号)|ナンバープレート|ナンバー(?!ディスプレイ|ポータ)"),
        (ADDRESS, r"住所|お?届け?先(?!の(?:お?名前|氏名|お?電話))|送り先|お住まい|本籍|番地|建物名|マンション名|以降|設置(?:先|場所)|送付先|現住所|所在地"),
        (MAIL, r"メールアドレス|メアド|アドレス|メール"),
        (NICKNAME, r"ニックネーム|ハンドルネーム|アカウント名|ユーザー名|プレイヤー名|表示名|お名前表示|チャンネル名|アカウント"),
        (HANDLE, r"アカウント|ユーザー|(?<![A-Za-z])ID|アイディー|LINE|ライン|インスタ|(?<![A-Za-z])X(?![A-Za-z])|ツイッター|Twitter|ニックネーム|ハンドルネーム|フレンドコード"),
        (SPELLING, r"漢字|どういう字|どんな字|どのような字|どの字|字(?:は|を|で)|綴り|つづり|スペル|書き方|表記|一文字ずつ"),
        (NAME, rf"{_NOBODYS}(?:名前|氏名|苗字|名字|名義|フルネーム|お客様名|搭乗者|契約者|名乗り|旧姓|担当(?:者|の者|の方|販売員|スタッフ|営業)?名?(?=は|をお|がお|も)|どちら(?:様|さま)|どなた|代表者|世帯主|ご?指名"
            r"|フリガナ|ふりがな|読み(?:方|仮名)|お読み|受取人|差出人|保護者|ご本人様のお|宛名|宛先|(?:お話|対応)[^。?]{0,8}(?:者|スタッフ))"),
        (NUMBER, rf"{_NO_NUMBER}(?:番号|ナンバー|(?<![A-Za-z])(?:No|NO|ID)|コード|シリアル|桁|ケタ|伝票|照会)"),
    )
)  # fmt: skip
_REQUEST = re.compile(
    r"願い|伺|うかが|教え|頂|いただ|よろし|宜し|聞かせ|くださ|下さ|でしょうか|です?か|ますか|ません?か|頂戴|ちょうだい|知らせ|どちら|どのよう|分かり|わかり|何|なん|入力|言って"
    r"|仰|おっしゃ|お聞き|返信|ご?記入|確認|控え|結構|読み上げ|[はをもと][、。?」… ]*$|\?"
)
# A request for the word itself: 「アカウントはお持ちですか」 is answered with anything.
_VALUE = re.compile(r"願い|伺|うかが|教え|いただ|頂|聞かせ|頂戴|知らせ|何(?!か)|なん|返信|記入|控え|[はも][。? ]*$|は.{0,6}でしょうか")
_KEPT_OPEN = re.compile(r"よろし|宜し|間違い|相違|合って|復唱|繰り返|もう一度|再度|ゆっくり|確認|続き|続け|それから|次は|[0-9〇零一二三四五六七八九]{2}|\]")
_POLITE = re.compile(r"でしょうか|ますか|ですか|願い(?:いた|でき|し)|ください|お聞かせ|よろしい")


def asked(sentence: str) -> list[Kind]:
    """Return the kinds of personal data that a sentence asks for, none for most."""
    if not _REQUEST.search(sentence):
        return []
    found: list[Kind] = []
    taken: list[tuple[int, int]] = []
    for kind, noun in _NOUNS:
        for match in noun.finditer(sentence):
            start, end = match.span()
            inside = any(start < stop and begin < end for begin, stop in taken) and kind is NUMBER
            request = _VALUE if kind.reader == "words" else _REQUEST
            if not inside and kind not in found and request.search(sentence, end):
                found.append(kind)
                taken.append((start, end))
    if SPELLING in found and NAME not in found:
        found.append(NAME)
    return found


def turns_to_another_matter(sentence: str) -> bool:
    """Tell a question for something that is nobody's, after which no personal answer is awaited any more."""
    return bool(_POLITE.search(sentence)) and not _KEPT_OPEN.search(sentence)
