"""Names that the phrase around them gives away, read letter by letter: no tokenizer has to have cut them right.

A phrase that only a name can fill (「…と申します」「名札に…と」) takes any word that is not an ordinary one; a phrase that
other words fill, too (「娘の…が」「担当の…に」), takes what the dictionary has as a name.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from pipeline.mask.lexicon import is_given_name, is_person_name, is_quality, is_romaji_name, is_surname, is_word
from pipeline.mask.vocabulary import (
    BRANDS,
    CALLED_SO,
    NO_NAME,
    NOT_GIVEN,
    PEOPLE,
    PREFECTURES,
    PROFESSION,
    RELATIVES,
    ROLES,
)

_RUN = re.compile(r"[一-龥々ヶ]{1,4} [一-龥々]{1,4}(?=です|と申|でござ|様|さん|[、。]|\n|$)|[ぁ-ん]{2,5} [ぁ-ん]{2,5}(?=です|と申|でござ|。|\n|$)|[一-龥々ヶ髙﨑]{1,6}(?: ?[ぁ-んァ-ヴー]{2,5}(?=[がはでとに、。]))?|[ァ-ヴー・]{2,14}(?: [ァ-ヴー]{2,8})?|[ぁ-んー]{2,9}|[A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+){0,2}")
_PERSON = (
    r"(?:お?名前の|名札の)?(?:人|方(?!法|針|向|面|式|が良|がい)|かた|店員|担当|スタッフ|者|オペレータ|男性|女性|おじさん|おばさん|お兄さん|お姉さん|若い|係|職員|看護師|先生"
    r"|ドライバー|社員|営業|運転手|医師|講師|コーチ|子(?!会社))"
)
_STATED = (
    r"(?:です(?!か)|でした|でございます|だ[とよっ]|と(?:申|もうし|いい|言い|読み|書|印|あり|あった|なって|入って|登録)|って(?:書|あり|あった|なって|言い|いい|入って|登録)"
    r"|に(?:なって|して|変|直)|で(?:登録|予約|契約|取|とっ|入っ|申|お願い|す)|[」』、。)）\n]|様|さん|$)"
)
_PARTICLE = r"(?:[がはもをに、)）」。]|と(?!言|い)|の(?![一-龥]{0,2}店)|です(?!か)|から|まで|へ|宛|君|くん|ちゃん|さん|$)"


class _Phrase(NamedTuple):
    before: re.Pattern[str]
    after: re.Pattern[str]
    accepts: Callable[[str], bool]


def is_no_ordinary_word(word: str, *, known: bool = True) -> bool:
    """Tell what may be a name where only a name can stand, in the dictionary or not.

    A word with hiragana in it has to be in the dictionary as a name, unless `known` is False.
    """
    if word in PEOPLE or word in BRANDS or word in NO_NAME or (PROFESSION.search(word) and not is_surname(word)) or is_quality(word):
        return False
    if known and re.search(r"[ぁ-ん]", word):
        return is_person_name(word)
    return not re.search(r"(?:[店社会部課局室院校屋堂館]|センター|サービス|ショップ|ポイント|カード|プラン|コース|サポート)$", word) or is_surname(word)


def _is_name(word: str) -> bool:
    return word not in PEOPLE and word not in BRANDS and word not in NO_NAME and is_person_name(word)


def _is_given(word: str) -> bool:
    return word not in NOT_GIVEN and word not in PREFECTURES and _is_name(word) and is_given_name(word)


def _is_surname(word: str) -> bool:
    return word not in PREFECTURES and _is_name(word) and is_surname(word)


def _phrase(before: str, after: str, accepts: Callable[[str], bool]) -> _Phrase:
    return _Phrase(re.compile(before), re.compile(after), accepts)


def _any(words: frozenset[str]) -> str:
    return "|".join(sorted(words, key=lambda word: (-len(word), word)))


_EDGE = r"(?:^|(?<=[\s、。,!?「」『:：(（はがのでにとへ\]])|(?<=です)|(?<=ます)|(?<=あの)|(?<=えっと)|(?<=えーと))"
_MODIFIED = r"(?:(?<=れた)|(?<=いた)|(?<=てた)|(?<=った)|(?<=した)|(?<=てる)|(?<=いる)|(?<=いう)|(?<=ない))"
_PHRASES = (
    _phrase(
        r"(?:名札|ネームプレート|ネームカード|胸元|名刺|サイン|署名|印鑑|宛名|登録名|予約名|予約者|代表者|名義|苗字|名字|下の名前|お?名前(?:の欄)?|氏名|本名|旧姓|フルネーム|担当者名|契約者)"
        r"(?:に|は|が|も|だと|ですと|の欄[にが])(?:、|ですね、?|えっと、?|えーと、?)?[「『]?",
        _STATED,
        is_no_ordinary_word,
    ),
    _phrase(rf"(?:{_any(RELATIVES)}|うちの子|従姉妹|姪っ子|甥っ子|お子さん|子ども|子供|息子さん|娘さん)(?:の|、|・|[（(「])", _PARTICLE, _is_given),
    _phrase(r"(?:小学?[1-6]|中学?[1-3]|高校?[1-3]|[1-6]年生?|年[長中少]|[0-9]{1,2}(?:歳|才|[かヶ]月))の", _PARTICLE, _is_given),
    _phrase(r"(?:うち|我が家|わが家)の", r"(?:[がはもにを]|です(?!か)|くん|ちゃん)", _is_given),
    _phrase(rf"(?:{_any(ROLES)})の", _PARTICLE, _is_surname),
    _phrase(r"(?:うち|私|わたし|僕|名字|苗字)は", r"(?:なん)?です(?!か)|と書|って書", _is_surname),
    _phrase(rf"(?:{_any(RELATIVES)}|子ども|子供|息子|娘|付き添い|同行者)[はが]", r"(?:って|という|っていう|と(?:申|言い|いい)|です(?!か)|、[0-9]{1,2}[歳才]|で合って)", _is_given),
)
_ENDINGS = (
    _phrase(_EDGE, r"と(?:申し|もうし)ます(?!上)|と申す|と名乗|を名乗|という者", is_no_ordinary_word),
    _phrase(_EDGE, rf"(?:さん)?(?:って|っていう|という|とかいう|といった|と言う|っつう){_PERSON}", is_no_ordinary_word),
    _phrase(_EDGE, r"って呼(?:び出|ばれ|んで)|と呼(?:び出|ばれ)|で(?:予約し(?:た|て)|登録し(?:た|て)|[0-9二三四五六]{1,2}名)|に(?:代|替)わ(?:って(?:くれ|くだ|もら|お|電|、|$)|り(?:ます|ました))", _is_name),
    _phrase(_EDGE, r"、?(?:ひらがな|カタカナ|漢字|ローマ字|片仮名|平仮名)(?:で|、)", _is_name),
    _phrase(_EDGE, r"(?:より|拝)(?:\n|$)", _is_name),
    _phrase(_EDGE, rf"は(?:{_any(RELATIVES)})(?:です|の名前|の名)", _is_given),
    _phrase(_EDGE, r"[（(](?:保護者|本人|母|父|妻|夫|代理|契約者|担当)[）)]", _is_name),
)
_EDGE_RE, _MODIFIED_RE = re.compile(_EDGE), re.compile(_MODIFIED)
_ADDRESSED = re.compile(r"(?:さん|くん|ちゃん(?!と)|様)(?=[がはのをにへもとでや、。,」)\s]|って|から|まで|です|だ|$)")
_RARE = re.compile(r"[ぁ-んー]{3,4}|[ァ-ヴー]{3,7}")  # in no dictionary
_KANA_BEFORE = re.compile(r"[ぁ-んー]+$|[ァ-ヴー]+$")
_NOBODYS_SAN = frozenset(
    ["おかあ", "おとう", "おにい", "おねえ", "おばあ", "おじい", "おば", "おじ", "おく", "みな", "どちら", "どなた", "だれ", "おかみ", "まわり", "おまわり", "だんな", "むすこ", "むすめ", "いとこ", "となり", "おとなり", "およめ", "おむこ", "おいしゃ", "おきゃく", "きゃく", "たく", "じい", "ばあ", "にい", "ねえ", "かあ", "とう", "やおや", "ほんや", "はなや", "ぱんや", "だいく", "しんぶん", "おまえ", "みん", "いろいろ", "おつかれ", "ごくろう", "おかげ", "ごちそう", "あか", "ぼう", "おひめ", "ひめ", "ヤマト", "サガワ", "クロネコ", "アマゾン", "ニトリ", "ドコモ", "ヤクルト", "ダスキン", "ヨドバシ", "イオン", "セコム", "アート", "サカイ", "クラシアン", "ソフトバンク", "オーナー", "バイト", "ママ", "パパ", "ベテラン", "ゲスト"]
)
_LATIN = re.compile(r"(?<![A-Za-z])(?P<v>[A-Z][A-Za-z]+)(?=と(?:いい|言い)ます)")


def named_by_phrase(text: str) -> Iterator[tuple[int, int]]:
    """Yield where in a text of one width a phrase names a person, without the honorific."""
    for phrase in _PHRASES:
        for match in phrase.before.finditer(text):
            if end := name_end(text, match.end(), phrase.after, phrase.accepts):
                yield match.end(), end
    for phrase in _ENDINGS:
        for match in phrase.after.finditer(text):
            if (start := _name_start(text, match.start(), phrase)) is not None:
                yield start, match.start()
    for match in _ADDRESSED.finditer(text):
        if (start := _kana_start(text, match.start())) is not None:
            yield start, match.start()
    yield from (match.span("v") for match in _LATIN.finditer(text) if is_romaji_name(match["v"]))


def name_end(text: str, start: int, after: re.Pattern[str], accepts: Callable[[str], bool]) -> int | None:
    """Return where the longest name ends that starts here and is followed by what must follow, None for none."""
    run = _RUN.match(text, start)
    if not run:
        return None
    ends = range(run.end(), start, -1)
    return next((end for end in ends if after.match(text, end) and accepts(text[start:end].strip())), None)


def _kana_start(text: str, end: int) -> int | None:
    """Return where a name in kana begins before さん: a run by itself that is no word, or a known name after a verb."""
    run = _KANA_BEFORE.search(text, max(0, end - 10), end)
    if not run:
        return None
    for start in range(run.start(), end - 1):
        word = text[start:end]
        if word in _NOBODYS_SAN or word in BRANDS or word in CALLED_SO or word.endswith(("屋", "ー屋")):
            return None
        if _EDGE_RE.match(text, start) and (is_person_name(word) or (_RARE.fullmatch(word) and not is_word(word))):
            return start if 2 <= len(word) <= 7 else None
        if len(word) > 2 and _MODIFIED_RE.match(text, start) and is_person_name(word):
            return start
    return None


def _name_start(text: str, end: int, phrase: _Phrase) -> int | None:
    for start in range(max(0, end - 10), end):
        run = _RUN.fullmatch(text, start, end)
        if run and phrase.before.match(text, start) and phrase.accepts(text[start:end]):
            return start
    return None
