"""Who speaks in conversations without marks: only what is surely the customer's is heard, and nothing gets lost unsaid."""

import json
from datetime import date

import pytest

from models.speakers import tell_speakers
from pipeline.read import SourceSpec, customer_words, read_source
from pipeline.read.conversations import UNKNOWN_SPEAKERS, UnknownSpeakersError

CALL = [
    (True, "お電話ありがとうございます。架空ネットお客様窓口でございます。"),
    (False, "昨日から全然つながらないんですけど。"),
    (True, "ご不便をおかけして申し訳ございません。ご契約者様のお名前をお願いいたします。"),
    (False, "佐藤です。もう三回目ですよ。"),
    (True, "かしこまりました。お調べいたしますので少々お待ちください。"),
    (False, "早くしてほしいです。"),
]


def test_an_agent_is_not_heard_where_nobody_is_marked():
    said = customer_words("\n".join(words for _, words in CALL))
    assert said == "昨日から全然つながらないんですけど。\n佐藤です。もう三回目ですよ。\n早くしてほしいです。"


def test_a_conversation_in_one_line_has_no_agents_words():
    said = customer_words("".join(words for _, words in CALL))
    assert "昨日から全然つながらないんですけど" in said
    assert not any(sentence in said for agent, words in CALL if agent for sentence in words.split("。") if sentence)


@pytest.mark.parametrize("comment", ["対応が早くて助かりました。\nでも料金が高いです。", "電話で「少々お待ちください」と言われて30分待ちました。", "駐車場が狭い"])
def test_a_comment_nobody_answers_is_the_customers(comment):
    assert customer_words(comment) == comment


def test_a_text_of_the_desk_alone_is_nobodys_opinion():
    assert customer_words("お問い合わせありがとうございます。\n担当者より折り返しご連絡いたします。") == ""


def test_speakers_that_cannot_be_told_go_to_quarantine_with_the_reason(tmp_path, monkeypatch):
    def unknown(*_args):
        raise UnknownSpeakersError(UNKNOWN_SPEAKERS)

    monkeypatch.setattr("pipeline.read.rows.customer_words", lambda text, *marks: unknown() if "はい" in text else text)
    path = tmp_path / "calls.jsonl"
    rows = [{"id": "1", "text": "はい\n090-0000-1234です"}, {"id": "2", "text": "遅い"}]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    reading = read_source(SourceSpec("calls", "transcript", (str(path),), {"id": "id", "text": "text"}), "Asia/Tokyo", date(2026, 11, 24))
    assert reading.feedback["feedback_id"].to_list() == ["2"]
    assert reading.quarantine.select("feedback_id", "reason", "value").rows() == [("1", UNKNOWN_SPEAKERS, "はい\n[電話]です")]
    assert reading.read == 2


def test_probabilities_are_of_each_sentence_in_order():
    told = tell_speakers("お待たせいたしました。\n壊れてるんですけど。")
    assert [piece.text for piece in told.pieces] == ["お待たせいたしました。", "壊れてるんですけど。"]
    assert told.customer[0] < 0.1 < 0.9 < told.customer[1]


def test_no_words_have_no_speakers():
    assert tell_speakers("\n \n") == ([], [], False)


def test_a_tickets_answer_is_masked_by_the_agents_question(tmp_path):
    comments = [
        {"author_id": 2, "public": True, "plain_body": "合言葉と、お母様の旧姓をご返信ください。"},
        {"author_id": 1, "public": True, "plain_body": "合言葉はみかん畑、旧姓は架空坂です。\n手続きが面倒でした。"},
    ]
    path = tmp_path / "tickets.jsonl"
    path.write_text(json.dumps({"id": 7, "requester_id": 1, "comments": comments}, ensure_ascii=False), encoding="utf-8")
    reading = read_source(SourceSpec("tickets", "zendesk", (str(path),), {}), "Asia/Tokyo", date(2026, 11, 24))
    assert reading.feedback["text"].to_list() == ["合言葉は[暗証番号]、旧姓は[氏名]です。\n手続きが面倒でした。"]


def test_a_mails_answer_is_masked_by_the_question_it_quotes(tmp_path):
    mail = "架空坂 俊\n返金が遅いです。\n\n2026年11月10日(火) 10:21 窓口 <support@example.com>:\n> 返金先のお名前をお知らせください。"
    path = tmp_path / "mails.csv"
    path.write_text(f'id,text\n1,"{mail}"\n', encoding="utf-8")
    reading = read_source(SourceSpec("mails", "email", (str(path),), {"id": "id", "text": "text"}), "Asia/Tokyo", date(2026, 11, 24))
    assert reading.feedback["text"].to_list() == ["[氏名]\n返金が遅いです。"]
