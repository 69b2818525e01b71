"""What a question tells of the answer: every kind of personal data, in pieces, repeated, put right; and what is nobody's."""

import pytest

from pipeline.mask import mask_conversation, mask_messages
from pipeline.mask.questions import asked
from pipeline.mask.spellings import spelled_out
from pipeline.mask.spoken import spoken_values


def answered(question, *answers):
    """Return the answers, turns of the customer with the agent's はい between them, as they are masked."""
    turns = [f"OP：{question}", *(line for answer in answers for line in (f"CU：{answer}", "OP：はい"))]
    return [line.removeprefix("CU：") for line in mask_conversation("\n".join(turns)).splitlines()[1::2]]


ANSWERS = [
    ("生年月日をお願いいたします。", "昭和の五十五年、三月の二日です", "[生年月日]です"),
    ("生年月日をお願いいたします。", "S55.3.2です", "[生年月日]です"),
    ("お生まれの年もお願いします。", "62年です", "[生年月日]です"),
    ("生年月日をお願いいたします。", "しょうわごじゅうごねんさんがつふつかです", "[生年月日]です"),
    ("暗証番号をお願いします。", "よんまるいちきゅう、です", "[暗証番号]、です"),
    ("合言葉をお願いします。", "えーと、しろくまカフェです", "えーと、[暗証番号]です"),
    ("お母様の旧姓をお願いします。", "架空坂です", "[氏名]です"),
    ("お取引の支店名と口座番号をお願いします。", "見本橋支店の、7、1、2、0、4、4、5です", "[口座番号]です"),
    ("カードの有効期限をお願いします。", "08の29です", "[カード番号]です"),
    ("郵便番号をお願いします。", "二一三の〇〇一一です", "[郵便番号]です"),
    ("ニックネームもお願いします。", "もちもちアザラシです", "[アカウント]です"),
    ("メールアドレスをお願いします。", "エム、アイ、ケー、アットマーク、イグザンプルドットコムです", "[メール]です"),
    ("お車のナンバーをお願いします。", "品川の330、さの、12の34です", "[車両番号]です"),
    ("ご住所をお願いします。", "川崎市高津区架空台の三の二の八です", "川崎市高津区[住所]です"),
    ("ご契約者様のお名前をお願いします。", "主人で、佐々木健です", "主人で、[氏名]です"),
    ("お名前をお願いします。", "みやたです", "[氏名]です"),
]


@pytest.mark.parametrize(("question", "answer", "masked"), ANSWERS, ids=[answer for _, answer, _ in ANSWERS])
def test_what_was_asked_for_is_masked(question, answer, masked):
    assert answered(question, answer) == [masked]


def test_a_number_told_in_pieces_is_masked_piece_by_piece():
    assert answered("会員番号をお願いします。", "042の", "118の", "9905です") == ["[番号]の", "[番号]の", "[番号]です"]


def test_a_digit_put_right_is_masked_with_the_wrong_one():
    assert answered("会員番号をお願いします。", "881です", "いえ、最後は1じゃなくて7です")[-1] == "いえ、最後は[番号]じゃなくて[番号]です"


def test_what_the_agent_repeats_is_masked():
    text = mask_conversation("OP：口座番号をお願いします。\nCU：44の08の17です\nOP：440817でお間違いないでしょうか。")
    assert text.endswith("OP：[口座番号]でお間違いないでしょうか。")


NOBODYS = [
    ("型番をお願いします。", "KW-820Dです"),
    ("会員番号をお願いします。", "わからないです。月々3,980円で30GBのプランです"),
    ("会員番号をお願いします。", "3日前から、2回電話しました。バージョン4.2です"),
    ("合言葉をお願いします。", "覚えていません"),
    ("アカウントはお持ちですか。", "持ってますけど"),
    ("生年月日をお願いします。", "えっ、5年使ってて初めて聞かれました"),
    ("ご用件をお願いします。", "解約です"),
]


@pytest.mark.parametrize(("question", "answer"), NOBODYS, ids=[answer for _, answer in NOBODYS])
def test_what_is_no_answer_stays(question, answer):
    assert answered(question, answer) == [answer]


def test_after_another_matter_is_asked_a_number_is_no_answer():
    turns = ["OP：会員番号をお願いします。", "CU：わかりません", "OP：どのような症状でしょうか。", "CU：画面に1120と出ます"]
    assert mask_conversation("\n".join(turns)) == "\n".join(turns)


SPELLED = [
    ("漢字は錦鯉の錦に、織物の織です", ["錦鯉の錦に、織物の織"]),
    ("木へんに神様の神です", ["木へんに神様の神"]),
    ("朝日のア、桜のサ、切手のキです", ["朝日のア、桜のサ、切手のキ"]),
    ("ティー・エー・エヌ・エー・ケー・エーです", ["ティー・エー・エヌ・エー・ケー・エー"]),
    ("さくらのS、アップルのAです", ["さくらのS、アップルのA"]),
    ("プランA、B、Cの違い", []),
    ("日本の本を買いました", []),
    ("良い点が二つあります。操作は難しい方です", []),
    ("このへんに店がない", []),
]


@pytest.mark.parametrize(("text", "spelled"), SPELLED)
def test_names_spelled_out_are_found(text, spelled):
    assert [text[start:end] for start, end in spelled_out(text)] == spelled


SPOKEN = [
    ("ゼロが二つに、55です", ["ゼロが二つに、55"]),
    ("080の、1122、それから9988です", ["080の、1122、それから9988"]),
    ("エーの4402です", ["エーの4402"]),
    ("11月3日に2個、3,980円で買った", []),
    ("iPhone 13を1台", []),
    ("皆さんにいち早く", []),
]


@pytest.mark.parametrize(("text", "values"), SPOKEN)
def test_numbers_as_they_are_said_are_found(text, values):
    assert [text[start:end] for start, end in spoken_values(text, 0, len(text))] == values


def test_a_statement_asks_for_nothing():
    assert asked("お名前の入ったカードを送ります") == []


def test_a_reply_is_masked_by_what_the_message_before_it_asked():
    question = "お名前と生年月日をお知らせください。\nよろしくお願いいたします。"
    assert mask_messages([question, "架空坂 俊\n平成2.7.19\n遅いです。"])[1] == "[氏名]\n[生年月日]\n遅いです。"


def test_messages_come_back_as_many_as_they_were():
    messages = ["", "お名前を\n", "\ue000佐藤です", ""]
    assert len(mask_messages(messages)) == 4


def test_masking_an_answer_twice_changes_nothing():
    once = mask_conversation("OP：暗証番号をお願いします。\nCU：よんまるいちきゅうです。\nOP：お名前は。\nCU：すずきです。鈴の木で。")
    assert mask_conversation(once) == once
