"""Names in a conversation that the other side's words tell: an answer to 「お名前は」, and who is called 様.

Read on the whole conversation, before the agent's words are cut away: what is left of 「佐藤です」 without its question
has less to go by. No parse is needed.
"""

import re
from collections.abc import Iterator

from pipeline.mask.lexicon import SURNAME_NOUNS, is_person_name, surname_of
from pipeline.mask.pattern import HESITATION, SPEAKER
from pipeline.mask.patterns import mask_patterns
from pipeline.mask.phrases import is_no_ordinary_word, name_end
from pipeline.mask.spans import MARK, NAME_MARK, fold, with_marks
from pipeline.mask.vocabulary import ASKED, RELATIVES, SHOP
from pipeline.mask.words import NO_WORDS, WordList

_QUESTION = re.compile(
    r"(?<!商品の)(?<!製品の)(?<!店の)(?<!店舗の)(?<!品の)(?<!ファイルの)(?:お?名前|ご?氏名|お?苗字|お?名字|ご?名義|フルネーム|お客様名|搭乗者名|契約者様?名?|お名乗り|担当者名|どちら(?:様|さま))"
    r"[^\n]{0,30}(?:お願い|伺|うかが|教え|頂|いただ|よろし|宜し|聞かせ|くださ|下さ|でしょうか|ですか|ますか|[はをも][。?、…」 ]*$|[?])[^\n]{0,24}\n"
    rf"{SPEAKER}(?:{HESITATION}|お?名前は、?|氏名は、?|私[はが]?、?|(?:{'|'.join(sorted(RELATIVES, key=lambda w: (-len(w), w)))})の|「){{0,4}}",
    re.MULTILINE,
)
_ANSWERED = re.compile(
    r"(?:です(?!か)|でございます|と(?:申|もうし|いい|言い)|だ(?:よ|けど)?[。、]|って(?:言い|いい)|様|さん|[、。」』)(（\[…!. ]|\n|$)"
)
_CALLED = re.compile(
    r"(?P<v>[一-龥々ヶ]{1,6}|[ァ-ヴー]{2,8})(?:様|さま)(?=(?:で(?:いらっしゃい|ござい|す)|の(?:ご|お)|、|。|ご本人|[はがにもへ]|より|からの|宛|お待たせ))"
)
_TITLE = re.compile(r"様|さま|さん|氏|君|くん|ちゃん|殿|宛|名義|[店部課係院所室支社会塾園校]長|先生|主任|方(?![法針向面式])")
_BEFORE = re.compile(r"(?:担当者?|者|長|員|係|様|受付)$")


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
    text = mask_patterns(text, words)
    folded, starts, ends = fold(text)
    spans = [span for span in _name_spans(folded) if not words.keeps(folded, *span)]
    return with_marks(text, [(starts[start], ends[end - 1], NAME_MARK) for start, end in spans])


def _name_spans(text: str) -> list[tuple[int, int]]:
    """Return where the names stand that are asked for or called, and where they are met again, in order."""
    told = [*_answers(text), *_called(text)]
    names = {text[start:end].strip() for start, end in told}
    names |= {surname for name in names if len(surname := surname_of(name)) > 1}
    again = [span for name in names for span in _again(text, name)]
    taken = [match.span() for match in MARK.finditer(text)]
    spans: list[tuple[int, int]] = []
    for start, end in sorted({*told, *again}, key=lambda span: (span[0], -span[1])):
        if not any(start < stop and begin < end for begin, stop in (*taken, *spans[-1:])):
            spans.append((start, end))
    return spans


def _answers(text: str) -> Iterator[tuple[int, int]]:
    for match in _QUESTION.finditer(text):
        start = match.end()
        if not ASKED.match(text, start) and (end := name_end(text, start, _ANSWERED, is_no_ordinary_word)):
            yield start, end


def _called(text: str) -> Iterator[tuple[int, int]]:
    for match in _CALLED.finditer(text):
        start, end = match.span("v")
        longest = next((at for at in range(start, end) if is_person_name(text[at:end]) and is_no_ordinary_word(text[at:end])), None)
        if longest is not None:
            yield longest, end


def _again(text: str, name: str) -> Iterator[tuple[int, int]]:
    """Yield where a name that was told stands again, not as part of a longer word or of a place's name."""
    for match in re.finditer(re.escape(name), text):
        start, end = match.span()
        titled = _TITLE.match(text, end)
        inside = re.search(r"[一-龥々ァ-ヴー]$", text[:start][-1:]) and not _BEFORE.search(text[max(0, start - 4) : start])
        goes_on = re.match(r"[一-龥々]" if re.search(r"[ァ-ヴー]$", name) else r"[一-龥々ァ-ヴー]", text[end : end + 1])
        short = len(name) == 1 or name in SURNAME_NOUNS or re.fullmatch(r"[ぁ-んー]{1,2}", name)
        full = name_end(text, start, _ANSWERED, is_person_name)
        stands = titled or full or (not goes_on and not SHOP.match(text, end) and not (short and not _ANSWERED.match(text, end)))
        if stands and not inside and not _is_label(text, start, end):
            yield start, max(end, full or end)


def _is_label(text: str, start: int, end: int) -> bool:
    """Tell a speaker's mark: 「田中様：」 and 【お客様：田中様】 say who speaks, and go with it."""
    line = text[text.rfind("\n", 0, start) + 1 : start]
    closes = re.match(r"(?:さん|様|氏)?[ \t]*(?:[:|\t>】〉》]|[\])][ \t]*(?::|\n)|\n)", text[end : end + 6])
    return bool(closes) and bool(re.fullmatch(r"[^。、」]{0,32}?[【\[<(〈《]?[^:。、」]{0,12}(?<!:)|[【\[<〈《][^】\]>〉》]{0,14}", line))
