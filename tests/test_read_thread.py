"""Who wrote what in a mail's thread: the desk's words go, the customer's stay, whichever side answered last."""

import pytest

from pipeline.read.mail import messages

ANSWER = "架空様\n\nサポート窓口の見本でございます。\nご不便をおかけし申し訳ございません。代わりの品を発送いたしました。\n今後ともよろしくお願いいたします。"
ASKED = "先週頼んだ鍋の取っ手が取れてしまったんですけど、交換してもらえますか。"


def kept(mail: str) -> str:
    return "\n".join(message.text for message in messages(mail) if message.kept)


@pytest.mark.parametrize(
    "thread",
    [
        f"{ANSWER}\n\n> {ASKED}",
        f"{ANSWER}\n\n2026年11月3日(火) 21:05 架空太郎 <kaku@example.com>:\n\n> {ASKED}",
        f"{ANSWER}\n\n2026年11月3日(火) 21:05 架空太郎 <kaku@example.com>:\n{ASKED}",
        f"{ANSWER}\n\n-----Original Message-----\nFrom: 架空太郎\nSent: Tuesday\nTo: support@example.com\nSubject: 鍋\n\n{ASKED}",
        f"{ANSWER}\n\n差出人: 架空太郎 <kaku@example.com>\n送信日時: 2026年11月3日 21:05\n宛先: お客様窓口\n件名: 鍋\n\n{ASKED}",
        f"{ANSWER}\n\nお客様サポート御中\n\n{ASKED}",
        f"お客様サポート御中\n\n{ASKED}\n\n{ANSWER}",
    ],
    ids=["quoted", "head and quoted", "head", "original message", "outlook", "no head", "oldest first"],
)
def test_of_a_thread_that_the_desk_answered_only_the_customers_words_are_kept(thread):
    assert kept(thread) == ASKED


def test_the_mail_that_a_customers_answer_quotes_was_a_mail_of_its_own():
    again = "> 代わりの品を発送いたしました。\n\nまだ届かないです。もう一週間たちました。\n\n2026年11月3日 21:05 架空太郎:\n> " + ASKED
    assert kept(again) == "まだ届かないです。もう一週間たちました。"


def test_a_customer_who_addresses_the_desk_by_name_stays_the_customer():
    thread = f"{ANSWER}\n\n見本様\n\nありがとうございます。無事に届きました。\n\n架空"
    assert kept(thread).startswith("ありがとうございます。無事に届きました。")


def test_a_polite_mail_without_a_thread_is_the_customers():
    polite = "注文の内容を変更させていただきたく、ご連絡いたしました。\nお手数をおかけいたしますが、ご確認いただけますでしょうか。"
    assert kept(f"お世話になっております。\n\n{polite}\n\nよろしくお願いいたします。") == polite


def test_an_automatic_answer_is_nobodys_opinion():
    assert not kept("※このメールは自動で送信しています。\n\n架空 様\n\nお問い合わせありがとうございます。3営業日以内にご連絡いたします。")


def test_answers_between_quoted_lines_are_kept():
    assert kept("> 色は何がよろしいでしょうか。\n青がいいです。\n> お届けは土曜でよろしいでしょうか。\n日曜にしてほしいです。").split() == [
        "青がいいです。",
        "日曜にしてほしいです。",
    ]


def test_every_line_of_a_thread_is_somebodys():
    lines = {line for message in messages(f"{ANSWER}\n\n> {ASKED}") for line in message.text.splitlines() if line}
    assert lines == {line.removeprefix("> ") for line in f"{ANSWER}\n\n> {ASKED}".splitlines() if line}
