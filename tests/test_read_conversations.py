"""Who speaks in a conversation: every mark style, and what never becomes the customer's."""

import pytest

from pipeline.read import customer_words

CASES = [
    ("オペレーター：お電話ありがとうございます\nお客様：えー、届かないんです\n昨日から待っています", "届かないんです\n昨日から待っています"),
    ("OP: はい\nCU: 解約したい\nOP: 承知しました", "解約したい"),
    ("【担当】確認します\n【顧客】早くして", "早くして"),
    ("[10:32] お客様：開けません\n[10:33] オペレーター：失礼しました", "開けません"),
    ("印のない文はそのまま", "印のない文はそのまま"),
    ("オペレーター：お電話ありがとうございます。お客様：届かないんです。オペレーター：確認します", "届かないんです。"),
    ("A: ご用件は\nC: 解約です\nもう使いません", "解約です\nもう使いません"),
    ("オペ「承ります」\n客「料金が高いです」", "料金が高いです"),
    ("担当（佐藤）: はい\nお客様（男性）: 遅いです", "遅いです"),
    ("10:31 OP: はい\n10:32 CU: 遅いです", "遅いです"),
    ("＜オペレーター＞はい\n＜お客様＞遅いです", "遅いです"),
    ("録音を開始します\nお客様：遅いです", "遅いです"),
    ("OP: はい\n承知しました", ""),
    ("客：担当「待て」と言われ、ええ、あのー、困ります", "担当「待て」と言われ、ええ、困ります"),
    ("客：プランA: 980円とプランC: 500円の違い", "プランA: 980円とプランC: 500円の違い"),
    ("Ａ：ご用件は\nＣ：解約です", "解約です"),
    ("オペレーター\u3000お電話ありがとうございます\nお客様\u3000届きません\nまだです", "届きません\nまだです"),
    ("オペレーター\nお電話ありがとうございます\nお客様\n届きません\nまだです", "届きません\nまだです"),
    ("00:00:05 --> 00:00:09\nオペレーター: はい\n00:00:10 --> 00:00:12\nお客様: 遅い\n昨日から", "遅い\n昨日から"),
    ("10:32:05\tオペレーター\tお電話ありがとうございます\n10:32:09\tお客様\t届きません", "届きません"),
    ("佐藤：お電話ありがとうございます。サポートの佐藤でございます\n田中：届きません\n佐藤：申し訳ございません\n田中：早くして", "届きません\n早くして"),
    ("佐藤：お電話ありがとうございます\nお客様：届きません\n佐藤：確認いたします\nお客様：早くして", "届きません\n早くして"),
    ("A：お電話ありがとうございます\nB：届きません\nA：確認いたします\nB：早くして", "届きません\n早くして"),
    ("良い点：対応が早い\n悪い点：値段が高い", "良い点:対応が早い\n悪い点:値段が高い"),
    ("■オペレーター：はい\n■お客様：遅いです", "遅いです"),
    ("**お客様:** 遅いです\n**オペレーター:** はい", "遅いです"),
    ("お客様 10:32\n遅いです\nオペレーター 10:33\n承知しました", "遅いです"),
    ("オペ「お電話\nありがとうございます」\n客「遅い\nです」", "遅い\nです」"),
    ("オペ「承ります」客「料金が高いです」オペ「はい」", "料金が高いです"),
    ("【オペレーター：佐藤】はい\n【お客様：田中様】遅いです", "遅いです"),
    ("OP1: はい\nCU1: 遅いです", "遅いです"),
    ("オペレーター佐藤：はい\nお客様：遅いです", "遅いです"),
    ("担当 佐藤：はい\n田中様：遅いです", "遅いです"),
    ("お客様：遅いです（保留）\n（保留音）\nOP：お待たせしました", "遅いです"),
    ("お客様：まあ、いいです\nお客様：まあまあです\nお客様：はい、はい", "いいです\nまあまあです"),
    ("お客様：その、返品を、なんか、断られて", "返品を、断られて"),
    ('[{"speaker":"agent","text":"はい"},{"speaker":"customer","text":"遅い"}]', '遅い'),
    ("OP: はい／CU: 解約したい／OP: 承知しました", "解約したい/"),
    ("Agent: hello\nCustomer: too slow\nit is", "too slow\nit is"),
    ("お客様→遅いです\nオペレーター→はい", "遅いです"),
    ("お客様：お客様センターに電話しました。担当：無理と", "お客様センターに電話しました。"),
    ("話者1：お電話ありがとうございます\n話者2：遅い\n話者1：申し訳ございません\n話者2：困る", "遅い\n困る"),
    ("(オペレーター) はい\n(お客様) 遅い", "遅い"),
    ("オペレーター:はい お客様:遅いです オペレーター:失礼しました", "遅いです"),
]


@pytest.mark.parametrize(("transcript", "said"), CASES, ids=range(len(CASES)))
def test_only_the_customer_is_heard(transcript, said):
    assert customer_words(transcript) == said


def test_configured_marks_are_known_besides_the_others():
    transcript = "CSR-X お待たせしました\n★ 遅い\nOP: はい"
    assert customer_words(transcript, agent_marks=("CSR-X",), customer_marks=("★",)) == "遅い"


def test_an_agents_unmarked_lines_are_the_agents():
    assert customer_words("OP: 確認します\n少々お待ちください\n以上です") == ""


def test_names_as_marks_are_told_by_the_other_sides_marks():
    assert customer_words("架空: お名前を\nお客様: 見本です\n架空: 住所を\nお客様: 言いたくない") == "見本です\n言いたくない"


def test_a_mark_seen_once_is_the_agents_where_only_the_customer_is_known():
    assert customer_words("[18:22] 保護者:入れません\n[18:24] 教室:電話番号の下4桁でございます。\n[18:25] 保護者:入れました") == "入れません\n入れました"


def test_whom_an_agent_writes_to_is_no_mark():
    assert customer_words("サポート：\n架空様\nお待たせしました\nお客様：遅いです") == "遅いです"
    assert customer_words("遅いです\n> 架空様\n> お待ちください") == "遅いです"


def test_a_list_of_labels_is_no_conversation():
    assert customer_words("良い点: 速い\n悪い点: 高い") == "良い点: 速い\n悪い点: 高い"


@pytest.mark.parametrize("transcript", ["", "\n\n", ":", "：：：", "「」", "[[[[", "OP:", "{}", "[{}]", '{"a": [1]}', "【" * 5000, "OP:" * 5000, "「" * 5000])
def test_odd_texts_are_read_without_error(transcript):
    assert isinstance(customer_words(transcript), str)
