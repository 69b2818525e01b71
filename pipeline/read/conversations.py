"""What the customer said in a conversation: speaker marks, timestamps, fillers of speech recognition.

What cannot be told apart is nobody's: losing a customer's line costs one opinion, taking an agent's for it
makes a false one.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from models.speakers import tell_speakers
from pipeline.mask.spans import MARK

UNKNOWN_SPEAKERS = "no speaker marks, and the words do not tell who speaks"
_SURE = 0.95


def customer_words(
    transcript: str, agent_marks: Sequence[str] = (), customer_marks: Sequence[str] = ()
) -> str:
    """Return what the customer said in a conversation; a line without a mark belongs to the last speaker.

    Speakers are marked at a line's start, or after a sentence, as オペレーター：, OP:, 【担当】, 客「…」, or alone
    on the line above. Marks that are not known, as names, are told by the other side's or by an agent's set
    phrases. What comes before the first mark is nobody's. Without any mark the words themselves tell who speaks
    (`models.speakers`): only sentences that are the customer's with a probability of .95 are kept, and all of them
    where nobody of the desk is heard.

    Parameters
    ----------
    agent_marks, customer_marks : sequence of str
        More marks, beside the known ones: a line that begins with one of them is that side's.

    Raises
    ------
    UnknownSpeakersError
        If there are no marks, the desk is heard, and who said more than half of the words cannot be told.

    Examples
    --------
    >>> customer_words("OP: お電話ありがとうございます\\nCU: えーと、解約したいんです\\nもう使わないので")
    '解約したいんです\\nもう使わないので'
    """
    marks = _marks(tuple(agent_marks), tuple(customer_marks))
    text = _RUN.sub(r"\1\1\1", _BLANK.sub(" ", as_lines(transcript).translate(_WIDTH)))
    lines = [_NOTE.sub("", _unstamped(line, marks)).strip() for line in marks.inside.sub("\n", text).splitlines()]
    turns = [_turn(line, marks) for line in lines if line and not line.startswith(">")]  # > quotes a mail
    turns = _with_weak_marks(turns, marks)
    sides = _sides(turns)
    if not sides:
        return _by_words([turn.line for turn in turns])
    speaking = False
    kept: list[str] = []
    for turn in turns:
        speaking = sides.get(turn.label, speaking) if turn.label else speaking
        words = turn.words if turn.label in sides or not turn.label else turn.line
        if speaking and (said := _without_fillers(words)):
            kept.append(said)
    return "\n".join(kept)


class UnknownSpeakersError(ValueError):
    """Nothing tells who says what in a conversation."""


class _Turn(NamedTuple):
    label: str  # "" on a line without a mark
    customer: bool | None  # None: a mark that is not known
    words: str
    line: str


def _by_words(lines: list[str]) -> str:
    told = tell_speakers("\n".join(lines))
    if not told.has_desk:
        return "\n".join(filter(None, map(_without_fillers, lines)))
    sizes = [len(piece.text) for piece in told.pieces]
    unsure = sum(n for n, p in zip(sizes, told.customer, strict=True) if 1 - _SURE < p < _SURE)
    if unsure * 2 > sum(sizes):
        raise UnknownSpeakersError(UNKNOWN_SPEAKERS)
    kept = ""
    before = False
    for piece, p in zip(told.pieces, told.customer, strict=True):
        said = _without_fillers(piece.text.strip()) if p >= _SURE else ""
        kept += ("" if before and said and not piece.opens_line else "\n") + said
        before = bool(said)
    return re.sub(r"\n+", "\n", kept).strip()


class _Marks(NamedTuple):
    start: re.Pattern[str]
    weak: re.Pattern[str]
    inside: re.Pattern[str]
    stamp: re.Pattern[str]


# --- marks -----------------------------------------------------------------------------------------------------------

_CUSTOMER = (
    r"お客(?:様|さま|さん)?(?:側|ご本人)?|顧客|客(?!室)|ユーザー?|利用者|契約者|ご?相談者|質問者|入電者|発信者|カスタマー|ゲスト|会員(?:様|さま)?"
    r"|ご?本人様?|申込者|申告者|依頼者|応募者|消費者|患者(?:様|さん)?|入居者|受講者|保護者|加入者|先方|相手|ご?家族様?|奥様|ご主人様?"
    r"|お?問い?合わ?せ(?:者|内容)?|ご?質問(?:内容)?|ご?要望|ご?意見|申告(?:内容)?|入電(?:内容|理由)"
    r"|CU|CST|CUST|Customer|User|Client|Caller|Guest|Visitor"
)
_CALLED = r"[^\s:「」【】\[\]<>()、。]{1,8}様"  # 架空様：; alone on a line it is whom an agent writes to
_AGENT = (
    r"(?:テレ)?オペレーター?|(?:テレ)?オペ|コミュニケーター|ご?担当(?:者|オペレーター|スタッフ)?|スタッフ|サポート(?:担当|デスク|窓口|スタッフ|センター)?|係員?"
    r"|受付(?:担当)?|窓口(?:担当)?|コールセンター|(?:カスタマー)?センター|店員|店長|店舗|販売員|営業(?:担当)?|フロント|コンシェルジュ|アドバイザー|エージェント"
    r"|相談員|上席|上司|責任者|管理者|マネージャー|リーダー|技術(?:担当|者)?|エンジニア|修理(?:担当)?|配送(?:担当|員)?|ドライバー|事務局|本部|本社|弊社|当社|社員"
    r"|(?:チャット)?ボット|自動(?:応答|音声|返信)|音声(?:案内|ガイダンス)?|(?:音声)?ガイダンス|アナウンス|システム|IVR|AI"
    r"|(?:応対|対応|社内|後処理)?メモ|(?:ご?対応|応対|処理)(?:内容|履歴|結果|者)?|後処理|要約|所見|備考|ご?回答|ご?案内|返信|記録"
    r"|SV|OP|OPE|AG|CS|CSR|TSR|CA|Agent|Operator|Support|Staff|Rep|Representative|Bot|System|Advisor|Assistant"
)
_LETTERS_CUSTOMER, _LETTERS_AGENT = "[CUQ]|客|お", "[AO]|オ|担"
_TIME = r"\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?"
_DATE_TIME = rf"(?:\d{{4}}[-/年]\d{{1,2}}[-/月]\d{{1,2}}日?[T\s]+)?{_TIME}(?:\s*(?:-->|[-~〜])\s*{_TIME})?"
_STAMP = rf"[\[(<]?{_DATE_TIME}[\])>]?"
_NAME = r"[一-龥々ァ-ヴー]{1,6}(?:さん|様|氏)?"
_WHO_EXACTLY = (  # オペレーターA, 担当(佐藤), OP 1, 担当・佐藤, オペレーター佐藤
    rf"(?:[ _-]?[A-Z0-9]{{1,2}}|\s?[(\[](?:[^)\]]{{1,16}}|{MARK.pattern})[)\]]|[ ・/]{_NAME}|[ ・/]?{MARK.pattern}|(?:(?<=[者当])|(?<=ター)|(?<=OP)){_NAME})?(?:\s*{_STAMP})?"
)
_SEPARATOR = r"\s*(?:\*\*)?\s*(?:[:>→⇒|\t]|->|=>|[-―—](?=\s))\s*(?:\*\*)?\s*"
_BULLET = r"(?:[■□●○◆◇▼▽▲△★☆・※#*-]+\s*|\d{1,3}[.)]\s*)?"
_UNKNOWN = r"(?!\d+:|https?:|[A-Za-z]:\\)[^\s:「」【】\[\]<>()、。,.!?]{1,12}(?: [^\s:「」【】\[\]<>()、。,.!?]{1,6})?"
_OPEN, _CLOSE = r"[【\[<(〈《≪{]", r"[】\]>)〉》≫}]"


@lru_cache(maxsize=32)
def _marks(agent_marks: tuple[str, ...], customer_marks: tuple[str, ...]) -> _Marks:
    customer = "|".join([*_escaped(customer_marks), _CUSTOMER])
    agent = "|".join([*_escaped(agent_marks), _AGENT])
    own_customer = "|".join(_escaped(customer_marks)) or "(?!)"
    own_agent = "|".join(_escaped(agent_marks)) or "(?!)"
    named = rf"{customer}|{_CALLED}"
    known = rf"(?:(?P<customer>{named})|(?P<agent>{agent})){_WHO_EXACTLY}"
    start = (
        rf"{_BULLET}(?:"
        rf"(?:(?P<own_customer>{own_customer})|(?P<own_agent>{own_agent}))(?:{_SEPARATOR}|\s*)"
        rf"|{_OPEN}\s*(?P<boxed>{known}(?:[:\s・/][^】\]>)〉》≫}}]{{1,12}})?)\s*{_CLOSE}(?:{_SEPARATOR}|\s*)"
        rf"|(?:(?:(?P<customer_3>{customer})|(?P<agent_3>{agent})){_WHO_EXACTLY})\s*$"
        rf"|(?P<plain>(?:(?P<customer_2>{named}|{_LETTERS_CUSTOMER})|(?P<agent_2>{agent}|{_LETTERS_AGENT})){_WHO_EXACTLY})"
        rf"(?:{_SEPARATOR}|\s*(?=「(?:[^」]*|.*」)\s*$))"
        rf"|(?P<headed>[^\s。、「」!?][^。、「」!?]{{0,20}}?)\s+{_TIME}\s*$"
        rf"|(?P<unknown>(?!{MARK.pattern}){_OPEN}\s*{_UNKNOWN}\s*{_CLOSE}\s*:?|{_UNKNOWN}(?:\s*{_STAMP})?\s*(?:[:>|\t]|(?=「(?:[^」]*|.*」)\s*$)))\s*"
        r")(?P<words>.*)$"
    )
    weak = rf"{_BULLET}(?:(?P<customer>{customer}|IN)|(?P<agent>{agent}|OUT)){_WHO_EXACTLY}(?:\s|,\s*)(?P<words>\S.*)$"
    bare = rf"(?:{named}|{agent}){_WHO_EXACTLY}"
    inside = (
        rf"(?<=[。!?」\s/|…])\s*(?=(?:{_STAMP}\s*)?(?:(?:(?<!\w)(?:OP|CU|AG|CS)|{bare})\s*:|[【\[〈《<]{bare}[】\]〉》>]))"
        rf"|(?<=」)(?=(?:{bare})「)"
    )
    stamp = rf"^{_BULLET}(?:[\[(<]{_DATE_TIME}[\])>]\s*|{_DATE_TIME}(?:[,\t|]\s*|\s+|$)(?=$|{_BULLET}(?:(?:IN|OUT)\s|{_OPEN}?(?:{bare}|[A-Z]\s*:)|{_UNKNOWN}\s*[:\t])))"
    return _Marks(*(re.compile(pattern, re.IGNORECASE) for pattern in (start, weak, inside, stamp)))


def _escaped(marks: Sequence[str]) -> list[str]:
    return [re.escape(mark.translate(_WIDTH).strip()) for mark in sorted(marks, key=len, reverse=True) if mark.strip()]


def _unstamped(line: str, marks: _Marks) -> str:
    line = line.strip()
    return "" if _ONLY_STAMP.fullmatch(line) else marks.stamp.sub("", line, count=1)


def _turn(line: str, marks: _Marks) -> _Turn:
    found = marks.start.match(line)
    if not found:
        return _Turn("", None, line, line)
    part = found.groupdict()
    if part["headed"]:
        known = marks.weak.match(f"{part['headed']} -")
        return _Turn(part["headed"], bool(known["customer"]) if known else None, "", line)
    words = re.sub(r"^「(.*?)」?$", r"\1", part["words"]) if part["words"].startswith("「") else part["words"]
    if part["unknown"]:
        return _Turn(part["unknown"].strip(), None, words, line)
    customer = bool(part["own_customer"] or part["customer"] or part["customer_2"] or part["customer_3"])
    label = re.sub(rf"\s+{_TIME}$", "", found[0][: found.start("words")].strip())
    return _Turn(label or "?", customer, words, line)


def _with_weak_marks(turns: list[_Turn], marks: _Marks) -> list[_Turn]:
    """Take 「オペレーター　はい」 for marks where there are no others and both sides are there."""
    if any(turn.customer is not None for turn in turns):
        return turns
    found = [marks.weak.match(turn.line) for turn in turns]
    if not (any(m and m["customer"] for m in found) and any(m and m["agent"] for m in found)):
        return turns
    return [
        _Turn(m["customer"] or m["agent"], bool(m["customer"]), m["words"], turn.line) if m else turn
        for m, turn in zip(found, turns, strict=True)
    ]


def _sides(turns: list[_Turn]) -> dict[str, bool]:
    """Return, for every label that is a speaker's mark, whether it is the customer's."""
    sides = {turn.label: turn.customer for turn in turns if turn.label and turn.customer is not None}
    if sides and all(re.match("返信", label) for label in sides):  # short messages: a firm's, and what was sent back
        sides = dict.fromkeys(sides, True) | {turn.label: False for turn in turns if turn.label[:1] == "【" and turn.label not in sides}
    if any(_letter(turn.label) == "B" for turn in turns):  # A and B: either may be the agent
        sides = {label: side for label, side in sides.items() if _letter(label) != "A"}
    counted = Counter(turn.label for turn in turns if turn.label and turn.label not in sides)
    known = True in sides.values()
    once = {turn.label for turn in turns if _is_quoted(turn) or (known and _AGENT_PHRASE.search(turn.words))}
    unknown = [label for label, n in counted.items() if n > 1 or label in once or _letter(label) in {"A", "B"}]
    if not unknown:
        return sides
    if sides:
        return sides | dict.fromkeys(unknown, True not in sides.values())
    agents = _by_phrases(turns, unknown) if len(unknown) > 1 else []
    return {label: label not in agents for label in unknown} if agents else {}


def _is_quoted(turn: _Turn) -> bool:
    """Tell 人事「…」 over the whole line, a mark that need not come twice."""
    return turn.line.endswith("」") and turn.line.startswith(turn.label + "「")


def _by_phrases(turns: list[_Turn], labels: list[str]) -> list[str]:
    """Return the labels that speak as agents do, in at least half as many of their lines as the one that does most."""
    share: dict[str, float] = {}
    label = ""
    phrases: Counter[str] = Counter()
    n_lines: Counter[str] = Counter()
    for turn in turns:
        label = turn.label if turn.label in labels else label
        n_lines[label] += 1
        phrases[label] += bool(_AGENT_PHRASE.search(turn.words))
    share = {label: phrases[label] / n_lines[label] for label in labels}
    most = max(share.values())
    return [label for label in labels if share[label] >= most / 2] if most else []


def _letter(label: str) -> str:
    letters = re.sub(r"[^A-Z]", "", label.upper())
    return letters if len(letters) == 1 and not re.search(r"[^\W\dA-Za-z_]", label) else ""


_AGENT_PHRASE = re.compile(
    r"お電話(?:いただき)?(?:まして)?、?(?:誠に)?ありがとう|でございます(?:でしょう)?か?|承知(?:いた|致)しました|かしこまりました|承(?:ります|りました)|申し訳(?:ござい|あり)ません"
    r"|恐れ入ります|少々お待ち|お待たせ(?:いた|致)しました|いただけますでしょうか|いただいて(?:おります|もよろしい)|確認(?:いた|致)します|ご用件|ご不便|ご案内"
    r"|お客様|(?:いた|致)します|ございます|でしょうか"
)
_ONLY_STAMP = re.compile(rf"(?:\d+|{_BULLET}{_STAMP})", re.IGNORECASE)

# --- words -----------------------------------------------------------------------------------------------------------

_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5E)} | {0x3000: " ", 0xFE55: ":", 0x2236: ":", 0xA789: ":"}
_NOTE = re.compile(
    r"[(\[<【](?:保留|無音|沈黙|雑音|ノイズ|笑い?|苦笑|失笑|咳|咳払い|ため息|間|聞き?取り?(?:不能|不可|不明|れず)|聴取不能|不明瞭?|録音|通話|切電|終話|転送|相槌|[0-9]+秒)"
    r"[^)\]>】]{0,10}[)\]>】]"
)
_BLANK = re.compile(r" {2,}")
_RUN = re.compile(r"([^\w\n])\1{3,}")  # a hostile run of marks would cost its square
_START = r"(?<![^\s、。!?,.「」…])"
_FILLER = re.compile(
    r"(?<![ぁ-んァ-ヴー])(?:え[ーえ]*っ?と[ーぉお]*|えー+|あの[ーう]+|そのー+|うーん+|あー+|んー+|まー+|あのですね|えっとですね)[、,。…\s]*"
    rf"|{_START}(?:まあ|まぁ|ま|なんか|何か|なんて(?:い|言)うか|その|あの|こう|ほら|うん|えと)[、,…]+\s*"
)
_ECHO = re.compile(r"(?:(?:はい|ええ|うん|あ|ああ|へえ|ふん)[、。,.!ー…\s]*)+")


def _without_fillers(words: str) -> str:
    said = _FILLER.sub("", words).strip()
    return "" if _ECHO.fullmatch(said) else said


# --- conversations as JSON -------------------------------------------------------------------------------------------

_SPEAKER_KEYS = ("speaker", "role", "participant", "participant_role", "ParticipantRole", "from", "author", "sender")
_WORD_KEYS = ("text", "content", "message", "body", "utterance", "Content", "transcript")


def as_lines(transcript: str) -> str:
    """Return a conversation in JSON, a list of turns, as marked lines; anything else as it is."""
    if transcript.lstrip()[:1] not in {"[", "{"}:
        return transcript
    try:
        turns = json.loads(transcript)
    except (ValueError, RecursionError):
        return transcript
    if isinstance(turns, dict):
        turns = next((value for value in turns.values() if isinstance(value, list)), None)
    if not isinstance(turns, list) or not turns or not all(isinstance(turn, dict) for turn in turns):
        return transcript
    said = [(_first(turn, _SPEAKER_KEYS), _first(turn, _WORD_KEYS)) for turn in turns]
    return "\n".join(f"{speaker}: {' '.join(words.split())}" for speaker, words in said if speaker and words)


def _first(turn: dict[str, Any], keys: Sequence[str]) -> str:
    return next((turn[key] for key in keys if isinstance(turn.get(key), str)), "")
