"""Names that a conversation's other side tells, and that nothing of it is left when the agent's words are cut."""

from datetime import date

import pytest

from pipeline.mask import WordList, mask_conversation
from pipeline.mask.phrases import named_by_phrase
from pipeline.read import SourceSpec, customer_words, read_source

ANSWERS = [
    ("佐藤です。", "[氏名]です。"),
    ("佐藤", "[氏名]"),
    ("さとうはなこです", "[氏名]です"),
    ("はい、えーと、架空坂です。", "はい、えーと、[氏名]です。"),  # in no dictionary
    ("娘のこはるです。", "娘の[氏名]です。"),
    ("サイトウ ミキと申します。", "[氏名]と申します。"),
    ("山田花子、090-0000-1234です。", "[氏名]、[電話]です。"),
    ("匿名です。", "匿名です。"),
    ("本人です。", "本人です。"),
    ("前回と同じです。", "前回と同じです。"),
]


@pytest.mark.parametrize(("answer", "masked"), ANSWERS)
def test_an_answer_to_the_question_for_a_name_is_masked(answer, masked):
    text = mask_conversation(f"OP：お名前をお願いいたします。\nCU：{answer}\nOP：承知しました。")
    assert text.splitlines()[1] == f"CU：{masked}"


def test_who_is_called_by_name_is_masked_where_the_customer_says_it_again():
    text = "CU：梶です、料金のことで\nOP：梶様ですね。確認いたします\nCU：梶の棒は曲がっていません"
    assert mask_conversation(text) == "CU：[氏名]です、料金のことで\nOP：[氏名]様ですね。確認いたします\nCU：梶の棒は曲がっていません"


def test_a_station_named_as_the_customer_keeps_its_name():
    text = "OP：お名前をお願いします。\nCU：綾瀬です。綾瀬駅の店に通っています"
    assert mask_conversation(text).endswith("CU：[氏名]です。綾瀬駅の店に通っています")


def test_speakers_marks_that_are_names_stay_marks():
    text = "担当 佐藤：お名前をお願いします。\n田中様：田中です。\n担当 佐藤：田中様ですね。\n田中様：早くして"
    assert customer_words(mask_conversation(text)) == "[氏名]です。\n早くして"


def test_a_line_that_begins_with_a_mark_stays_the_customers():
    text = "OP: 番号は\nCU: 090-0000-1111です\n090-0000-2222でもいい\n080-0000-3333はだめ\nOP: はい"
    assert customer_words(mask_conversation(text)) == "[電話]です\n[電話]でもいい\n[電話]はだめ"


def test_a_kept_word_is_no_answer():
    text = "OP：お名前をお願いします。\nCU：架空坂です。"
    assert mask_conversation(text, WordList(keep=("架空坂",))) == text


def test_masking_a_conversation_twice_changes_nothing():
    once = mask_conversation("OP：お名前は。\nCU：佐藤花子です、佐藤で登録しています。1990年1月2日生まれ")
    assert mask_conversation(once) == once


def test_reading_a_transcript_masks_the_answer_before_its_question_goes(tmp_path):
    path = tmp_path / "calls.csv"
    path.write_text('id,text\n1,"OP:お名前をお願いします。\nCU:架空坂です。遅いんです"\n', encoding="utf-8")
    source = SourceSpec("calls", "transcript", (str(path),), {"id": "id", "text": "text"})
    assert read_source(source, "Asia/Tokyo", date(2026, 11, 24)).feedback["text"].to_list() == ["[氏名]です。遅いんです"]


PHRASES = [
    ("娘のこはるが卵アレルギーです", ["こはる"]),  # the tokenizer makes こ・は・る of it
    ("小3の陽菜が楽しそう", ["陽菜"]),
    ("名札に「須藤」とありました", ["須藤"]),
    ("白鳥って呼び出された", ["白鳥"]),
    ("担当ドライバーの梶に確認", ["梶"]),
    ("Tanakaと申します", ["Tanaka"]),
    ("髙橋と申します", ["髙橋"]),
    ("夫の福岡の実家", []),
    ("娘の大学が遠い", []),
    ("名前は非公開です", []),
    ("担当の方が親切", []),
    ("本人に代わります", []),
]


@pytest.mark.parametrize(("text", "names"), PHRASES)
def test_a_phrase_gives_a_name_away(text, names):
    assert [text[start:end] for start, end in named_by_phrase(text)] == names


@pytest.mark.parametrize("shape", ["{}：{}", "【{}】{}", "{}「{}」"])
@pytest.mark.parametrize(("customer", "agent"), [("市民", "職員"), ("応募者", "人事"), ("相談者", "カウンセラー"), ("飼い主", "獣医"), ("会員", "事務局")])
def test_labels_of_any_trade_are_speakers(shape, customer, agent):
    turns = [(agent, "お電話ありがとうございます。"), (customer, "予約できません。"), (agent, "お客様番号をお願いいたします。"), (customer, "早くして。")]
    assert customer_words("\n".join(shape.format(*turn) for turn in turns)) == "予約できません。\n早くして。"


def test_an_agent_who_speaks_once_is_not_the_customer():
    assert customer_words("お客様：遅いです\n上長：申し訳ございません\nお客様：早くして") == "遅いです\n早くして"
