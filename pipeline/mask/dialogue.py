"""Personal data in a conversation that the other side's words tell: what was asked for, and who is called 様.

Read on the whole conversation, before the agent's words are cut away: what is left of 「佐藤です」 without its question
has less to go by. A question opens a window in which what fits it is masked, said by either side, told in pieces,
repeated, corrected; it closes when another matter is asked, or when nothing that fits has come for a while. A learned
tagger (`pipeline.mask.tagger`) reads the same text, for what no rule foresaw. No parse is needed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.mask.answers import READERS
from pipeline.mask.lexicon import SURNAME_NOUNS, is_person_name, is_word, surname_of
from pipeline.mask.pattern import HESITATION
from pipeline.mask.patterns import mask_patterns
from pipeline.mask.phrases import is_no_ordinary_word, name_end, named_by_phrase
from pipeline.mask.questions import NUMBER, Kind, asked, turns_to_another_matter
from pipeline.mask.spans import MARK, NAME_MARK, fold, with_marks
from pipeline.mask.spellings import explained, spelled_out
from pipeline.mask.spoken import only_a_value, spoken_values
from pipeline.mask.tagger import Tagged, tagged
from pipeline.mask.turns import BREAK, Turn, sentences, turns
from pipeline.mask.vocabulary import BRANDS, SHOP
from pipeline.mask.words import NO_WORDS, WordList

Span = tuple[int, int, str]  # start, end, mark

CERTAIN = 0.9  # probability at which a tagged name is masked wherever it stands in the conversation
# Readers that take what the first answer says, whatever it is; the others take what fits, and go on.
_FIRST = {"name": 2, "spelling": 1, "words": 1}  # in how many of the other side's turns
_PATIENCE = 6  # turns without anything that fits
_ANSWERED = re.compile(
    r"(?:です(?!か)|でございます|と(?:申|もうし|いい|言い)|だ(?:よ|けど)?[。、]|って(?:言い|いい)|様|さん|[、。」』)(（\[…!. ]|\n|$)"
)
_CALLED = re.compile(
    r"(?P<v>[一-龥々ヶ]{1,6}(?: [一-龥々]{1,4})?|[ァ-ヴー]{2,8}(?:[ ・]?[ァ-ヴー]{2,8})?|[ぁ-んー]{2,8}|[A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+)?)(?:様|さま)"
    r"(?=(?:で(?:いらっしゃい|ござい|す|お間違い|よろしい)|の(?:ご|お)|、|。|ご|お|漢字|下の|[はがにもへとを]|より|$|\n|えー|からの|宛|お待たせ|$|\n))"
)
_CALLED_IN_KANA = re.compile(r"(?<![ァ-ヴ一-龥々])(?<![ァ-ヴ]ー)(?P<v>[ァ-ヴ][ァ-ヴー]{1,7}(?: [ァ-ヴー]{2,8})?)様(?![式態子相])")
_PRESENTS = re.compile(
    r"(?:^|[、。\s「:のは]|(?:担当|担当者|オペレーター|私|わたくし)(?:は|、|の)?|(?:いたし|致し)ます)(?P<v>[一-龥々ヶ]{1,5}(?: [一-龥々]{1,3})?|[ァ-ヴー]{2,8}(?:[・ ][ァ-ヴー]{2,8})?|[ぁ-んー]{2,7})"
    r"(?=(?P<greets>で(?:す(?!か|が、|けど)|ござい(?:ます|まし)))|が(?:承|うけたまわ|担当|ご案内|ご?対応|お受け|お伺い|伺|うかが|お話)|と(?:申|もうし)ます(?!上))"
)
_DESK = re.compile(r"(?:[ァ-ヴー]{2,}|担当|本日の|わたくし|私|[課部室係店社局所校院館者員]|銀行|金庫|生命|保険|不動産|電[力機気]|ガス|証券|通信|旅行|窓口|受付|管理|通販|商会|運送|運輸|交通|商店|薬局|医院|歯科|クリニック|ホテル|商事|塾|区|市)[の、]$")
_NO_PERSON = re.compile(r"(?:お客|みな|皆|どちら|どなた|お?疲れ|おかげ|ごちそう|奥|旦那|王|神|仏|殿|何|貴|上|外|有り|模|仕|同|ご家族|ご本人|母|父|契約者|受取人|代表者|担当者|利用者|ご?主人|お子|お嬢|お母|お父|銀行|信金|生命|証券|電力|損保|保険|交通|観光|旅行|学園|大学|病院|薬局|信販|運輸|宅配|通信|電機|不動産|[店社会部課局室院校屋堂館所口付係長者区県市駅])$|^(?:お|ご|御)")
_OTHER_KANA = str.maketrans({chr(c): chr(c + 0x60) for c in range(0x3041, 0x3097)} | {chr(c + 0x60): chr(c) for c in range(0x3041, 0x3097)})
_READING = re.compile(r"\[氏名\] ?[(（](?P<v>[ァ-ヴー・ ]{3,16}|[ぁ-んー ]{4,14}|[A-Z][A-Za-z ]{3,24})[)）]")
_AIZUCHI = re.compile(rf"(?:{HESITATION}|はい|ええ|うん|そうです(?:か|ね)?|なるほど|わかりました|分かりました|承知(?:しました|いたしました)|かしこまりました|お願いします|どうぞ|もしもし|少々お待ちください|ちょっと待ってください(?:ね)?|あ|[(（].{{1,8}}[)）]|[、。!. ])*$")
_GIVEN_AFTER = re.compile(r" ?[ぁ-んー]{2,4}(?=の(?:母|父|保護者|妻|夫|家)|さん|ちゃん|くん|様|です|と申|と言|[。、」\n]|$)")
_PARTICLES = re.compile(r" ?(?:なん|から|まで|より|だけ|など|では|には|とは|でも|にも|のは|との|への|です|でし|という|って|ですが|さん|さま|くん|ちゃん|だよ|だけど|とか|なの|じゃ|のほう|けど|ですけ|ですね|ですよ|なんで)")
_TITLE = re.compile(r"様|さま|さん|氏|君|くん|ちゃん|殿|宛|名義|[店部課係院所室支社会塾園校]長|先生|主任|方(?![法針向面式])")
_NO_KNOWN_NAME = re.compile(r"[の、にと0-9]")
_KEEPABLE = frozenset([NAME_MARK, "[口座番号]", "[番号]", "[アカウント]"])
_BEFORE = re.compile(r"(?:担当者?|者|長|員|係|様|受付)$")


@dataclass
class _Window:
    """What is being asked for, and for how long nothing that fits has come."""

    kinds: list[Kind]
    asker: str
    idle: int = 0
    heard: int = 0  # turns of the other side that said something
    named: bool = False
    worded: bool = False


def mask_conversation(text: str, words: WordList = NO_WORDS) -> str:
    """Return a conversation with what patterns, its questions and its forms of address tell replaced by typed marks.

    Parameters
    ----------
    text : str
        Both sides' words, as they came.
    words : WordList
        A deployment's own words to mask or to keep.

    Examples
    --------
    >>> mask_conversation("OP：お名前をお願いします。\\nCU：はい、架空坂です。")
    'OP：お名前をお願いします。\\nCU：はい、[氏名]です。'
    """
    before = None
    while text != before:
        before = text
        text = mask_patterns(text, words)
        folded, starts, ends = fold(text)
        found = [span for span in _spans(folded) if not (span[2] in _KEEPABLE and words.keeps(folded, *span[:2]))]
        text = with_marks(text, [(starts[start], ends[end - 1], mark) for start, end, mark in found])
    return text


def mask_messages(messages: Sequence[str], words: WordList = NO_WORDS) -> list[str]:
    """Return the messages of a thread, in the order in which they were written, masked with each other in view.

    What one message asks for stays asked to the end of the next: mails answer long after the question.
    """
    one = [message.replace(BREAK, "") for message in messages]
    joined = mask_conversation(f"{BREAK}\n".join(one), words)
    parts = joined.split(f"{BREAK}\n")
    return parts if len(parts) == len(one) else [mask_conversation(message, words) for message in one]


def _spans(text: str) -> list[Span]:
    """Return where personal data stands that the conversation tells, in order."""
    learned = [span for span in tagged(text) if not _is_label(text, span.start, span.end)]
    told = list(_told(text))
    again = [(start, end, NAME_MARK) for name in _known(text, told, learned) for start, end in _again(text, name)]
    taken = [match.span() for match in MARK.finditer(text)]
    ruled = [s for s in [*told, *again] if not any(s[0] < stop and begin < s[1] for begin, stop in taken)]
    return _united(text, ruled, [span[:3] for span in learned])


def _known(text: str, told: Sequence[Span], learned: Sequence[Tagged]) -> set[str]:
    """Return the names that are certain enough to be masked wherever they stand, with their other readings."""
    names = [(start, end) for start, end, mark in told if mark == NAME_MARK]
    names += [(span.start, span.end) for span in learned if span.mark == NAME_MARK and span.probability >= CERTAIN]
    known = {text[start:end].strip() for start, end in names}
    known |= {part for name in known if " " in name for part in name.split() if len(part) > 1}
    known |= {name.translate(_OTHER_KANA) for name in known if re.fullmatch(r"[ぁ-んァ-ヴー]{3,}", name)}
    known |= {surname for name in known if len(surname := surname_of(name)) > 1}
    return {
        name for name in known if name and not _NO_KNOWN_NAME.search(name) and (is_person_name(name) or len(name) <= 6)
    }


def _united(text: str, ruled: Sequence[Span], learned: Sequence[Span]) -> list[Span]:
    """Return the rules' spans, and of the tagger's what no rule has; touching spans of one mark are one."""
    spans: list[Span] = []
    for start, end, mark in sorted(dict.fromkeys(ruled), key=lambda span: (span[0], -span[1])):
        if start < end and (not spans or spans[-1][1] <= start):
            spans.append((start, end, mark))
    for start, end, mark in learned:
        position = start
        for begin, stop, _ in [span for span in spans if span[0] < end and start < span[1]]:
            spans += [(position, begin, mark)] if position < begin else []
            position = max(position, stop)
        spans += [(position, end, mark)] if position < end else []
        spans.sort()
    joined: list[Span] = []
    for start, end, mark in spans:
        if joined and joined[-1][1] == start and joined[-1][2] == mark:
            joined[-1] = (joined[-1][0], end, mark)
        elif re.search(r"\w", text[start:end]):
            joined.append((start, end, mark))
    return joined


def _told(text: str) -> Iterator[Span]:
    for start, end in (*spelled_out(text), *(match.span("v") for match in _READING.finditer(text)), *_called(text), *_presented(text), *named_by_phrase(text)):
        if not _is_label(text, start, end):
            yield start, end, NAME_MARK
    yield from _answers(text)


def _answers(text: str) -> Iterator[Span]:
    thread = BREAK in text
    window: _Window | None = None
    for turn in turns(text):
        n_found = 0
        for start, end in sentences(text, turn):
            if window:
                found = list(_fitting(text, start, end, turn, window))
                n_found += len(found) + bool(MARK.search(text, start, end))
                yield from found
            elif only_a_value(text, start, end):
                yield from ((a, b, NUMBER.mark) for a, b in spoken_values(text, start, end))
            if kinds := asked(text[start:end]):
                also = window.kinds if thread and window and window.asker == turn.speaker else []
                window, n_found = _Window([*also, *kinds], turn.speaker), 1
            elif window and not thread and turns_to_another_matter(text[start:end]):
                window = None
        if window and thread:
            window = window if int(turn.speaker) - int(window.asker) <= 1 else None
        elif window:
            window.idle = 0 if n_found else window.idle + 1
            window.heard += bool(turn.speaker != window.asker or not turn.speaker) and not _AIZUCHI.match(text[turn.start : turn.end])
            window = window if window.idle <= _PATIENCE else None


def _fitting(text: str, start: int, end: int, turn: Turn, window: _Window) -> Iterator[Span]:
    """Yield what fits a window in a sentence; a first answer is the other side's first words that say something."""
    answers = not (turn.speaker and turn.speaker == window.asker) and not _AIZUCHI.match(text[start:end])
    window.named = window.named or (answers and text.find(NAME_MARK, start, end) >= 0)
    for kind in sorted(window.kinds, key=lambda kind: kind.reader):  # a name before its spelling
        if kind.reader in _FIRST:
            if not answers or window.heard >= _FIRST[kind.reader]:
                continue
            if kind.reader == "words" and (window.worded or MARK.search(text, start, end)):
                window.worded = True
                continue
        found = list(READERS[kind.reader](text, start, end))
        if kind.reader == "spelling" and not found and not window.named:
            found = list(READERS["words"](text, start, end))
        for first, last in found:
            window.worded = window.worded or kind.reader == "words"
            window.named = window.named or kind.reader == "name"
            yield first, last, kind.mark
    if answers and window.named and window.heard <= 1:
        yield from ((*span, NAME_MARK) for span in explained(text, start, end))


def _presented(text: str) -> Iterator[tuple[int, int]]:
    """Yield who presents himself: 「サポートの井手上でございます」「深津が承ります」."""
    spoken = turns(text)[:3]
    opening = spoken[-1].end if spoken else 0
    for match in _PRESENTS.finditer(text):
        start, end = match.span("v")
        name = match["v"]
        desk = match["greets"] and (_DESK.search(text, max(0, start - 16), start) or match["greets"].startswith("でござい"))
        greets = match["greets"] and text[start - 1 : start] in {"の", "、"} and start < opening and desk
        if (match["greets"] and not greets) or _NO_PERSON.search(name) or not is_no_ordinary_word(name, known=False):
            continue
        first = greets and start < spoken[0].end and re.match(r"でございます(?!ね|か)", text[end:])
        at_desk = greets and _DESK.search(text, max(0, start - 16), start) and re.fullmatch(r"[ぁ-ん]{2,6}", name)
        opens_call = start < (spoken[0].end if spoken else 0)
        rare = bool(re.fullmatch(r"[一-龥々]{2,4}|[ァ-ヴー]+[・ ][ァ-ヴー]+", name) and (first or not is_word(name)))
        rare = rare or bool(at_desk and (opens_call or not is_word(name)))
        if is_person_name(name) or rare:
            yield start, end


def _called(text: str) -> Iterator[tuple[int, int]]:
    for match in _CALLED.finditer(text):
        start, end = match.span("v")
        longest = next((at for at in range(start, end) if is_person_name(word := text[at:end]) and (is_no_ordinary_word(word) or word in BRANDS)), None)
        whole = not re.match(r"[一-龥々ァ-ヴーぁ-んA-Za-z0-9]", text[start - 1 : start]) and not _NO_PERSON.search(match["v"])
        if longest is None and whole and not is_word(match["v"]) and is_no_ordinary_word(match["v"], known=False):
            longest = start
        if longest is not None:
            yield longest, end
    for match in _CALLED_IN_KANA.finditer(text):
        if is_no_ordinary_word(match["v"], known=False):
            yield match.span("v")


def _again(text: str, name: str) -> Iterator[tuple[int, int]]:
    """Yield where a name that was told stands again, not as part of a longer word or of a place's name."""
    for match in re.finditer(re.escape(name), text):
        start, end = match.span()
        titled = _TITLE.match(text, end)
        hiragana = len(name) > 2 and re.match(r"[ぁ-ん]", name)
        inside = not hiragana and re.search(r"[一-龥々ァ-ヴー]$", text[:start][-1:]) and not _BEFORE.search(text[max(0, start - 4) : start])
        goes_on = re.match(r"[一-龥々]" if re.search(r"[ァ-ヴー]$", name) else r"[一-龥々ァ-ヴー]", text[end : end + 1])
        short = len(name) == 1 or name in SURNAME_NOUNS or re.fullmatch(r"[ぁ-んー]{1,2}", name)
        full = name_end(text, start, _ANSWERED, is_person_name)
        stands = titled or full or (not goes_on and not SHOP.match(text, end) and not (short and not _ANSWERED.match(text, end)))
        given = _GIVEN_AFTER.match(text, end) if len(name) > 1 else None
        last = given.end() if given and not _PARTICLES.match(given[0]) else end
        if (stands or last > end) and not inside and not _is_label(text, start, end):
            yield start, max(full or end, last)


def _is_label(text: str, start: int, end: int) -> bool:
    """Tell a speaker's mark: 「田中様：」 and 【お客様：田中様】 say who speaks, and go with it."""
    line = text[text.rfind("\n", 0, start) + 1 : start]
    closes = re.match(r"(?:さん|様|氏)?[ \t]*(?:[:|\t>】〉》]|[\])][ \t]*(?::|\n))|[ \t]*\n", text[end : end + 6])
    return bool(closes) and bool(re.fullmatch(r"[^。、」]{0,32}?[【\[<(〈《]?[^:。、」]{0,12}(?<!:)|[【\[<〈《][^】\]>〉》]{0,14}", line))
