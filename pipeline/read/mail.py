"""A mail's words: whose they are, and without greetings, signature and disclaimer."""

import email
import email.policy
import email.utils
import html
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from pipeline.read.thread import read_thread

MAX_MAIL = 32 << 20  # bytes, attachments included


class Mail(NamedTuple):
    """The parts of an eml file that feedback has; "" for what it lacks."""

    message_id: str
    sender: str
    date: str
    text: str


class Message(NamedTuple):
    """A passage of a thread, and whether it is the customer's and counts."""

    text: str
    kept: bool


def own_words(text: str) -> str:
    """Return what the writer of a mail added to the thread.

    Lines quoted with > go, and everything below a quote's header as Outlook, Gmail, Apple Mail or Zendesk write
    it; where the answer stands below the quote, it stays. Whole lines of greeting, signature, closing and
    disclaimer go; a sentence that says more than a greeting stays.

    Examples
    --------
    >>> own_words("お世話になっております。\\n届きません。\\n\\n-----Original Message-----\\nFrom: a@example.com\\n承知しました")
    '届きません。'
    """
    return _said("\n".join(passage.text for passage in read_thread(_lines(text)) if not passage.quoted))


def messages(text: str) -> list[Message]:
    """Return a mail's passages as they stand, the customer's cut to their words.

    Of a mail that the customer wrote last his own words are kept, not what it quotes, which was a mail of its own. Of
    one that the desk wrote last, the customer's words are kept wherever they stand.

    Examples
    --------
    >>> thread = "架空様\\n\\n窓口でございます。承知いたしました。\\n\\n> お世話になっております。\\n> まだ届かないんですけど。"
    >>> [message.text for message in messages(thread) if message.kept]
    ['まだ届かないんですけど。']
    """
    passages = read_thread(_lines(text))
    own = [passage for passage in passages if not passage.quoted]
    answered = not own or own[0].customer < 0.5
    found: list[Message] = []
    quoted = False
    for passage in passages:
        least = _LEAST_QUOTED if passage.quoted else _LEAST
        kept = passage.customer >= least and (answered or not passage.quoted)
        if found and found[-1].kept == kept and quoted == passage.quoted and not passage.opens:
            found[-1] = Message(f"{found[-1].text}\n\n{passage.text}", kept)
        else:
            found.append(Message(passage.text, kept))
        quoted = passage.quoted
    return [Message(_said(message.text), True) if message.kept else message for message in found]


_LEAST, _LEAST_QUOTED = 0.7, 0.8  # probability from which on a paragraph is taken for the customer's


def _lines(text: str) -> str:
    text = _BLANKS.sub("    ", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(line.rstrip() for line in text.split("\n"))


def _said(text: str) -> str:
    """Return a passage without greeting, closing, signature and disclaimer."""
    lines = _without_disclaimer(_without_signature(text.split("\n")))
    lines = _without_closing(_without_greeting(lines))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def parsed_mail(data: bytes) -> Mail:
    """Return the parts of an eml file; ValueError if it is none."""
    try:
        message = email.message_from_bytes(data, policy=email.policy.default)
        body = message.get_body(("plain", "html"))
        content = "" if body is None else _content(body)
        plain = body is None or body.get_content_type() == "text/plain"
        sender = email.utils.parseaddr(str(message.get("From", "")))[1]
        date = _iso(str(message.get("Date", "")))
        return Mail(str(message.get("Message-ID", "")).strip(), sender, date, content if plain else text_of_html(content))
    except Exception as error:  # the parser has errors of every kind on malformed mail
        raise ValueError(f"not a readable mail ({type(error).__name__})") from None


def text_of_html(markup: str) -> str:
    """Return the words of an HTML mail, quoted blocks left out, a line for every block."""
    for pattern, replacement in _HTML:
        markup = pattern.sub(replacement, markup)
    return html.unescape(markup)


_HTML = [
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), replacement)
    for pattern, replacement in [
        (r"<!--.*?-->|<(script|style|head|title)\b.*?(?:</\1\s*>|$)", ""),
        (r"<blockquote\b.*?(?:</blockquote\s*>|$)", ""),
        (r"[ \t\r\n]+", " "),
        (r"<br\b[^>]*>|</?(?:p|div|tr|li|ul|ol|table|h[1-6])\b[^>]*>", "\n"),
        (r"<[^<>]*>", ""),
    ]
]


def _content(body: Any) -> str:
    """Return a part's text; one whose charset is missing or wrong in the commonest encodings."""
    try:
        content = str(body.get_content())
    except LookupError:
        content = "\ufffd"
    if "\ufffd" not in content:
        return content
    data = body.get_payload(decode=True)
    for encoding in ("utf-8", "cp932", "iso2022_jp_ext"):
        try:
            return str(data.decode(encoding))
        except UnicodeDecodeError:
            continue
    return content


def _iso(written: str) -> str:
    try:
        return email.utils.parsedate_to_datetime(written).isoformat(" ")
    except (ValueError, TypeError, OverflowError):
        return ""


# --- around the words ------------------------------------------------------------------------------------------------

_MAX_PHRASE = 120  # characters: no greeting or closing is longer
_BLANKS = re.compile(r"[ \t\u3000]{5,}")
_GREETING = re.compile(
    r"(?:.{0,40}(?:御中|各位|ご?担当者?(?:様|さま|さん|殿)|サポート(?:センター|デスク|窓口)?(?:様|さま)?|お客様センター(?:様)?|宛|[^、。]{1,12}様))[、。,\s]*$"
    r"|(?:(?:いつも|大変|平素(?:より|は)|日頃(?:より|から)|いつもいつも)\s*)*(?:大変)?\s*(?:お|御)世話(?:になって|になり|にな|様|さま).{0,12}[。.!！]?$"
    r"|(?:初めまして|はじめまして|こんにちは|こんばんは|おはようございます|拝啓|前略|お疲れ様です|お疲れさまです)[。、.!！]?$"
    r"|(?:突然の?(?:ご連絡|メール|お問い合わせ)|初めて(?:ご連絡|メール|お問い合わせ)).{0,20}[。.]?$"
    r"|(?:平素|日頃|いつも).{0,16}(?:ご利用|ご愛顧|お引き立て|御礼|ありがとうございます).{0,20}[。.]?$"
    r"|.{0,30}と(?:申し|もうし)ます[。.]?$|(?!御社|貴社|この|その|あの)[^、。]{0,20}(?:(?:株式|有限|合同)会社[^、。]{0,16}|会社|店|学校|大学|病院|事務所)の[一-龥々ァ-ヴー ]{1,8}です[。.]?$"
    r"|(?:会員|注文|顧客|受付|お客様)(?:番号|ID|コード)[^、。]{0,40}の[一-龥々ァ-ヴー ]{1,8}です[。.]?$"
)
_GREETED_SENTENCE = re.compile(
    r"^(?:(?:いつも|大変|平素より|日頃より)\s*)*(?:お|御)世話(?:になって(?:おり|い)ます|になります|様です|さまです)[。、!！\s]+"
)
_CLOSING = re.compile(
    r"(?:以上[、,。]?|では[、,]?|それでは[、,]?|(?:何卒|どうか|どうぞ|今後とも|引き続き|お手数ですが|お忙しいところ(?:恐縮|恐れ入り|すみません|申し訳).{0,12}|恐れ入りますが"
    r"|ご?(?:確認|対応|検討|回答|連絡|返信|返答|査収|教示|高配)(?:の(?:ほど|程))?(?:を|、)?)[、,\s]*)*"
    r"(?:(?:よろしく|宜しく)(?:(?:お|御)願い(?:いた|致|申し上げ|もうしあげ)?.{0,8})?|お願い(?:いた|致)?します|失礼(?:いた|致)?します|以上(?:です)?|敬具|草々|かしこ|取り急ぎ.{0,16}"
    r"|(?:お返事|ご?返信|ご?連絡|ご?回答)(?:を)?お待ちして(?:おり|い)ます)[。.!！]?$"
)
_DEVICE = re.compile(
    r"\s*(?:(?:私の)?(?:iPhone|iPad|Android|スマートフォン|携帯|Outlook|Gmail|Yahoo!?メール).{0,30}(?:から送信|を入手|で送信|より送信)"
    r"|Sent from (?:my|Mail|Outlook|Yahoo)|Get Outlook for).{0,60}$",
    re.IGNORECASE,
)
_SIGNATURE_RULE = re.compile(r"\s*(?:--\s?|[-─━―=＝_＿*＊~〜～+＋◆◇■□●○☆★・.:;]{5,}.{0,40})$")
_LABEL = "TEL|ＴＥＬ|電話(?:番号)?|携帯(?:電話)?|FAX|ＦＡＸ|ファックス|Mobile|直通|内線|E-?mail|Mail|メール(?:アドレス)?"
_CONTACT = re.compile(
    rf"\s*(?:(?:{_LABEL})\s*(?:[:：/.]\s*\S.*|[\s(（]*[+\d０-９].*|\s*\[(?:電話|メール)\].*)|〒.*|\S+@[\w.-]+"
    r"|\[(?:電話|メール|郵便番号)\]|[\d０-９]{2,5}[-－ー][\d０-９]{2,4}[-－ー][\d０-９]{3,4})\s*$",
    re.IGNORECASE,
)
_BESIDE_CONTACT = re.compile(  # signatures have these too, but so have comments
    r"\s*(?:(?:URL|HP|Web|住所|所属|会社名|氏名|名前|お名前|部署)\s*[:：]\s*\S.*|https?://\S+|\[(?:URL|住所|氏名)\]\S{0,10}"
    r"|[^、。]{0,24}(?:株式会社|有限会社|合同会社|\(株\)|（株）|㈱)[^、。]{0,24}|[^\s、。]{2,20}(?:部|課|係|室|グループ|支店|営業所|本部)(?:\s[^\s、。]{1,12})?"
    r"|(?:東京都|北海道|(?:京都|大阪)府|[^\s、。]{2,3}県)[^\s、。]{2,40}\d[^、。]*)\s*$",
    re.IGNORECASE,
)
_DISCLAIMER = re.compile(
    r"(?:本|この|当)(?:電子)?メール.{0,60}(?:機密|秘密|守秘|誤って|誤送信|破棄|削除|受信者|名宛人|宛先の方|法的|責任|送信専用)|(?:機密|秘密)(?:保持|情報).{0,40}(?:メール|含)"
    r"|(?:This|The information).{0,40}(?:e-?mail|message).{0,200}(?:confidential|privileged|intended)|CONFIDENTIAL(?:ITY)?\b|(?:配信|購読)(?:停止|解除)は",
    re.IGNORECASE,
)


def _without_greeting(lines: list[str]) -> list[str]:
    """Drop greeting lines from the top; a greeting before other words on its line goes alone."""
    for at, line in enumerate(lines):
        if line.strip() and not (len(line) <= _MAX_PHRASE and _GREETING.match(line.strip())):
            return [_GREETED_SENTENCE.sub("", line.strip(), count=1), *lines[at + 1 :]]
    return []


def _without_signature(lines: list[str]) -> list[str]:
    lines = _until(lines, lambda line: bool(re.fullmatch(r"\s*--\s?", line) or _DEVICE.match(line)))
    rule, filled, contact = len(lines), 0, False
    for at in range(len(lines) - 1, -1, -1):  # from below: of a signature's rules the topmost, at most 12 lines above the end
        if contact and _SIGNATURE_RULE.match(lines[at]):
            rule = at
        filled += bool(lines[at].strip())
        contact = contact or bool(_CONTACT.match(lines[at]))
        if filled > 12:
            break
    if rule < len(lines):
        return lines[:rule]
    words = _end(lines, lambda line: not line.strip() or bool(_SIGNATURE_RULE.match(line)))
    block = _end(lines, _is_signature_line)
    if not any(map(_CONTACT.match, lines[block:])):
        return lines[:words]
    named = block > 1 and re.fullmatch(r"\s*[^、。!?！？\d]{2,14}", lines[block - 1]) and not _says(lines[block - 1])
    return lines[: block - 1] if named else lines[:block]


def _is_signature_line(line: str) -> bool:
    patterns = (_CONTACT, _SIGNATURE_RULE, _BESIDE_CONTACT)
    return not line.strip() or (any(pattern.match(line) for pattern in patterns) and not _says(line))


def _end(lines: list[str], goes: Callable[[str], bool]) -> int:
    """Return where the last lines begin that all go."""
    end = len(lines)
    while end and goes(lines[end - 1]):
        end -= 1
    return end


def _says(line: str) -> bool:
    return bool(re.search(r"(?:です|ます|した|ない|ません|ください|たい|った|んだ|悪い|良い|遅い|高い)\s*$", line))


def _without_disclaimer(lines: list[str]) -> list[str]:
    """Cut at the first disclaimer below the mail's first words."""
    for at, line in enumerate(lines):
        if _DISCLAIMER.search(line) and any(text.strip() for text in lines[:at]):
            return lines[:at]
    return lines


def _without_closing(lines: list[str]) -> list[str]:
    def closes(line: str) -> bool:
        return not line.strip() or (len(line) <= _MAX_PHRASE and bool(_CLOSING.fullmatch(line.strip())))

    return lines[: _end(lines, closes)]


def _until(lines: list[str], stops: Callable[[str], bool]) -> list[str]:
    return lines[: next((at for at, line in enumerate(lines) if stops(line)), len(lines))]
