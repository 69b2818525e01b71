"""Who wrote what in a mail and the thread around it, whichever side answered last.

A thread is cut into paragraphs. Each has evidence of its writer: its words (`models.speakers`), the fields of the head
above it, whom it addresses and who signs it. How likely the writer changes between two paragraphs depends on what
stands between them: a head or another depth of quoting, an addressee, a closing, or an empty line alone. A hidden
Markov chain joins both.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from models.speakers import desk_odds, join_speakers, split_pieces

_DATE = r"(?:\d{4}[-/年.]\s?\d{1,2}[-/月.]\s?\d{1,2}日?|\d{1,2}[/月]\d{1,2}日?|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,)"
_ADDRESS = r"(?:<[^<>\s]+@[^<>\s]+>|＜[^＜＞\s]+@[^＜＞\s]+＞|[\w.+-]+@[\w.-]+|\[メール\])"
_RULE = re.compile(
    r"\s*[-_─━=*＿]{2,}\s*(?:Original Message|Forwarded [Mm]essage|元の?メッセージ|オリジナル ?メッセージ"
    r"|転送(?:され(?:た|る))?メッセージ|Original Appointment|Reply message|返信元メッセージ)\s*[-_─━=*＿]*\s*$|Begin forwarded message:|\s*##-.*(?:返信|reply).*-##",
    re.IGNORECASE,
)
_INTRODUCED = re.compile(
    rf"\s*(?:On\s.{{0,120}}|.{{0,80}}{_DATE}.{{0,120}})(?:{_ADDRESS}|wrote|さん|様|のメール|窓口|センター|デスク|サポート).{{0,30}}[:：]\s*$"
    rf"|\s*On\s.{{0,120}}wrote\s*[:：]\s*$|.{{0,60}}(?:さん|様)?(?:は|が)(?:次のように)?書きました[:：]?\s*$",
    re.IGNORECASE,
)
_SENDER = re.compile(r"\s*\**(?:差出人|送信者|送信元|From|発信者)\**\s*[:：](?P<value>.*)", re.IGNORECASE)
_RECIPIENT = re.compile(r"\s*\**(?:宛先|To)\**\s*[:：](?P<value>.*)", re.IGNORECASE)
_FIELD = re.compile(
    r"\s*\**(?:送信日時|送信日|日付|日時|Sent|Date|宛先|To|件名|Subject|Cc|Bcc|差出人|送信者|From|Reply-To|返信先)\**\s*[:：]",
    re.IGNORECASE,
)
_LONE = re.compile(r"\s*(?:差出人|送信者|From|件名|Subject)\s*[:：]", re.IGNORECASE)
_MARKS = re.compile(r"(?:\s*[>＞]|\s*[|｜]\s)+\s?")


class Passage(NamedTuple):
    """A paragraph of a thread, without quote marks and heads."""

    text: str
    customer: float  # the probability that the customer wrote it
    quoted: bool  # behind quote marks or below the head of an earlier mail
    opens: bool  # a head stands right above


@dataclass
class _Paragraph:
    depth: int
    head: tuple[str, ...]  # the head that stands right above, if any
    below: bool  # some head of an earlier mail stands above
    lines: list[str] = field(default_factory=list)
    says: bool = False  # whether a sentence ends in it


def read_thread(text: str) -> list[Passage]:
    """Return the paragraphs of a mail and of its thread in the order in which they stand."""
    paragraphs = _paragraphs(text.split("\n"))
    if not paragraphs:
        return []
    words = [_word_odds(paragraph.lines) for paragraph in paragraphs]
    changes = [_change(a, b) for a, b in pairwise(paragraphs)]
    sides = _sides_of_names(paragraphs, words, changes)
    told = [_head_odds(paragraph.head) + _addressee_odds(paragraph.lines, sides) for paragraph in paragraphs]
    odds = [a + b for a, b in zip(words, told, strict=True)]
    most = max(changes, default=0.0)
    odds[0] += _FIRST if most >= _OPENS else _ALONE
    if most < _CLOSES and not _answers_alone(paragraphs, words):
        odds = [-_MOST] * len(odds)
    return [
        Passage("\n".join(p.lines), customer, p.below or p.depth > 0, bool(p.head))
        for p, customer in zip(paragraphs, join_speakers(odds, changes), strict=True)
    ]


# --- paragraphs ------------------------------------------------------------------------------------------------------


def _paragraphs(lines: Sequence[str]) -> list[_Paragraph]:
    found: list[_Paragraph] = []
    depth, below, open_, at_margin = 0, False, False, False
    head: tuple[str, ...] = ()
    at = 0
    while at < len(lines):
        marks = _MARKS.match(lines[at])
        now, line = (len(re.findall(r"[>＞|｜]", marks[0])), lines[at][marks.end() :]) if marks else (0, lines[at])
        n = _head_length(lines, at)
        if n:
            head = tuple(_bare(line) for line in lines[at : at + n])
            below = below or bool(found) or not _FIELD.match(line)
            depth, open_, at_margin, at = now, False, False, at + n
            continue
        at += 1
        if not line.strip():
            open_ = False
            continue
        at_margin = at_margin or bool(head and not now)
        if now == 0 and depth > 0 and not at_margin:  # back from a quote: no part of the earlier mail
            below = False
        if not open_ or now != depth or (found[-1].says and _addressee(line)):
            found.append(_Paragraph(now, head, below))
            head, open_ = (), True
        depth = now
        found[-1].lines.append(line)
        found[-1].says = found[-1].says or bool(_SENTENCE.search(line))
    return found


def _bare(line: str) -> str:
    return line[marks.end() :] if (marks := _MARKS.match(line)) else line


def _head_length(lines: Sequence[str], at: int) -> int:
    """Return how many lines from here are the head of a mail, 0 where none begins."""
    line = _bare(lines[at])
    if _INTRODUCED.match(line):
        return 1
    two = " ".join(map(_bare, lines[at : at + 2]))
    if re.match(rf"\s*(?:On\s|.{{0,20}}{_DATE})", line) and len(two) < 300 and _INTRODUCED.match(two):
        return 2
    if _RULE.match(line):
        return 1 + _fields(lines, at + 1)
    opens = at == 0 or not _bare(lines[at - 1]).strip()
    if _FIELD.match(line) and (n := _fields(lines, at)) and (n > 1 or (opens and _LONE.match(line))):
        return n
    return 0


def _fields(lines: Sequence[str], at: int) -> int:
    last = 0
    for n, line in enumerate(map(_bare, lines[at : at + 10]), 1):
        if _FIELD.match(line):
            last = n
        elif line.strip():
            break
    return last


# --- evidence, in log odds of the desk -------------------------------------------------------------------------------

_FIRST = -1.0  # the first paragraph: most mails that are exported are the customers'
_ALONE = -4.0  # and of those without any thread nearly all are
_WORDS, _MOST = 0.7, 6.0  # a paragraph's sentences are not independent of each other
_ROLE = (
    r"サポート|窓口|センター|デスク|カスタマー|お客[様さ]ま?(?:相談|係|室|センター|サポート|窓口)|担当|事務局|相談室|受付|ヘルプ|御中"
    r"|(?:info|support|contact|order|shop|help|desk|no-?reply|cs|inquiry|reserve|reservation|service|customer|center)[\w.-]*@"
    r"|[^\s]{2,}(?:課|係|店|室|局|部)(?:様|$|\s|<)"
)
_DESK = re.compile(_ROLE, re.IGNORECASE)
_CUSTOMER = re.compile(r"\s*(?:お客(?:様|さま)|ご?契約者様?|依頼者|会員様)\s*(?:$|<|:|：)")
_EVERYBODY = re.compile(
    r"(?:お客(?:様|さま)|ご?(?:契約|利用|購入|注文)者?(?:様|さま)|会員(?:様|の皆[様さ]))(?:へ|各位)*$|各位$"
)
_TO = re.compile(
    r"\s*(?P<name>[^、。:：!?！？「」]{0,32}?)\s*(?P<title>御中|様へ?|さま|殿|先生|さん|各位)[、。,!！]?\s*$"
)
_AUTOMATIC = re.compile(
    r"自動(?:で)?(?:送信|返信|配信|応答)|(?:送信|配信)専用|返信(?:は)?(?:でき|いただいて)"
    r"|不在(?:にして|のため).{0,30}(?:返信|折り返)"
)
_BEFORE, _SIGNED = r"(?:^|[\s　の、：:｡。])", r"[^、。\s様]{0,3}(?:[\s　][^、。\s様]{1,5})?(?:です|でございます|と申します|と申し|より)?[。]?\s*$"
_GREETS = re.compile(r"[^、。\s]{1,10}(?:様|さま)(?:[\s　、]|$)")
_SENTENCE = re.compile(r"[。!?！？]")
_CLOSED = re.compile(
    r"(?:よろしく|宜しく)(?:お願い|御願い).{0,12}$|^(?:以上|敬具|草々)|お待ちしており?ます[。]?$|(?:ありがとう|有難う)ございま(?:す|した)[。!！]?$|^\s*[-─━=＝_＿*＊]{4,}\s*$"
)


def _word_odds(lines: Sequence[str]) -> float:
    text = "\n".join(line for line in lines if not _addressee(line))
    odds = _WORDS * sum(desk_odds(piece.text) for piece in split_pieces(text) if re.search(r"[ぁ-ん]{2}", piece.text))
    odds += _MOST * bool(_AUTOMATIC.search(text))
    return max(-_MOST, min(_MOST, odds))


def _answers_alone(paragraphs: Sequence[_Paragraph], words: Sequence[float]) -> bool:
    """Tell an automatic or a personal answer of the desk, or a thread, from a mail of a customer, who may be as polite."""
    to = _addressed(paragraphs[0].lines)
    automatic = any(_AUTOMATIC.search(line) for paragraph in paragraphs for line in paragraph.lines)
    greets = any(_GREETS.match(line) for paragraph in paragraphs[1:] for line in paragraph.lines)
    return automatic or greets or (bool(_name_of(to)) and sum(words) > _MOST / 2)


def _head_odds(head: Iterable[str]) -> float:
    odds = 0.0
    for line in head:
        sender, recipient = _SENDER.match(line), _RECIPIENT.match(line)
        if recipient:
            odds -= _role_odds(recipient["value"])
        elif sender:
            odds += _role_odds(sender["value"])
        elif _INTRODUCED.match(line):
            odds += _role_odds(re.sub(rf".*{_DATE}(?:\s*\([^)]*\))?(?:[ 、,]*(?:at )?\d{{1,2}}:\d{{2}})?", "", line))
    return odds


def _role_odds(who: str) -> float:
    return -4.0 if _CUSTOMER.match(who) else 4.0 if _DESK.search(who) else 0.0


def _addressee(line: str) -> re.Match[str] | None:
    return _TO.match(line) if len(line) <= 40 else None


def _addressee_odds(lines: Sequence[str], sides: dict[str, float]) -> float:
    to = _addressed(lines)
    if not to:
        return 0.0
    whole = to["name"] + to["title"]
    if _EVERYBODY.search(whole):
        return 3.0
    if _DESK.search(whole):
        return -3.0
    return (1.0 if to["title"] in {"様", "様へ", "さま", "殿"} else -1.0) - sides.get(_name_of(to), 0.0)


def _sides_of_names(
    paragraphs: Sequence[_Paragraph], words: Sequence[float], changes: Sequence[float]
) -> dict[str, float]:
    """Return for the names that are addressed the odds that they are the desk's, from what they sign and what they get."""
    opens = [0, *(i for i, change in enumerate(changes, 1) if change >= _OPENS), len(paragraphs)]
    mails = list(pairwise(opens))
    sides: dict[str, float] = {}
    for first, last in mails:
        if name := _name_of(_addressed(paragraphs[first].lines)):
            sides[name] = sides.get(name, 0.0) - sum(words[first:last])
    for name in sides:
        signed = re.compile(_BEFORE + re.escape(name) + _SIGNED)
        for first, last in mails:
            if any(signed.search(line) for paragraph in paragraphs[first:last] for line in paragraph.lines):
                sides[name] += sum(words[first:last])
    return {name: max(-3.0, min(3.0, odds)) for name, odds in sides.items()}


def _addressed(lines: Sequence[str]) -> re.Match[str] | None:
    return next((found for line in lines[:3] if (found := _addressee(line))), None)


def _name_of(to: re.Match[str] | None) -> str:
    """Return the first letters of whom a mail addresses, "" if it is a role."""
    if not to or _DESK.search(to["name"] + to["title"]) or _EVERYBODY.search(to["name"] + to["title"]):
        return ""
    return re.split(r"[\s\u3000]", to["name"].strip())[-2 if re.search(r"\S[\s\u3000]\S", to["name"]) else -1][:3]


# --- from paragraph to paragraph -------------------------------------------------------------------------------------

_OPENS = 0.6  # chance of another writer from which on a paragraph opens a mail
_CLOSES = 0.3  # that chance behind a closing


def _change(before: _Paragraph, after: _Paragraph) -> float:
    """Return the chance that another one wrote the second of two paragraphs."""
    if before.depth != after.depth:
        return 0.9
    if after.head:
        return 0.8
    if _addressed(after.lines):
        return 0.7
    last = before.lines[-1]
    return _CLOSES if _CLOSED.search(last) or re.fullmatch(r"[^、。!?！？]{1,16}", last.strip()) else 0.1
