"""A mail's own words: quotes, greetings, signatures and disclaimers go, what the customer wrote stays."""

import pytest

from pipeline.read.mail import own_words, parsed_mail, text_of_html


@pytest.mark.parametrize(
    ("mail", "own"),
    [
        ("届きません。", "届きません。"),
        ("いつもお世話になっております。\n株式会社見本の架空です。\n\n先週の荷物が届きません。\n確認してください。\n\nよろしくお願いいたします。", "先週の荷物が届きません。\n確認してください。"),
        ("カスタマーサポート ご担当者様\n\nはじめまして。\n架空と申します。\n\n解約したいです。", "解約したいです。"),
        ("お世話になっております。先週の荷物が届きません。", "先週の荷物が届きません。"),
        ("> 承知しました\n> お待ちください\n\n待てません。", "待てません。"),
        ("待てません。\n\n-----Original Message-----\nFrom: support@example.com\nSent: Tuesday\n承知しました", "待てません。"),
        ("待てません。\n\n----- 元のメッセージ -----\n差出人: 窓口\n承知しました", "待てません。"),
        ("待てません。\n\n差出人: 窓口 <s@example.com>\n送信日時: 2026年11月3日 21:05\n宛先: 架空\n件名: Re: 配送\n\n承知しました", "待てません。"),
        ("待てません。\n________________________________\nFrom: 窓口\nSent: Tuesday, November 3, 2026\nTo: a\nSubject: Re\n\n承知しました", "待てません。"),
        ("待てません。\n\n2026年11月3日(火) 21:05 窓口 <s@example.com>:\n\n> 承知しました\n> お待ちください", "待てません。"),
        ("待てません。\n\n2026年11月3日(火) 21:05 窓口 <s@example.com>:\n承知しました", "待てません。"),
        ("待てません。\n\nOn Tue, Nov 3, 2026 at 9:05 PM Support <s@example.com>\nwrote:\n\n> 承知しました", "待てません。"),
        ("待てません。\n\n2026/11/03 21:05、窓口 <s@example.com>のメール:\n\n> 承知しました", "待てません。"),
        ("2026年11月3日(火) 21:05 窓口 <s@example.com>:\n> 承知しました\n\nまだ待っています。", "まだ待っています。"),
        ("> 返品はできません\nなぜですか。\n> 規約です\n納得できません。", "なぜですか。\n納得できません。"),
        ("##- 返信は、この行の上に入力してください -##\n承知しました", ""),
        ("遅いです。\n##- 返信は、この行の上に入力してください -##\n承知しました", "遅いです。"),
        ("遅いです。\n-- \n架空太郎\n080-0000-1234", "遅いです。"),
        ("遅いです。\n\n━━━━━━━━━━━━\n株式会社見本\n営業部 架空\nTEL: 03-0000-0000\n━━━━━━━━━━━━", "遅いです。"),
        ("遅いです。\n\n架空 太郎\n株式会社見本\n電話：03-0000-0000", "遅いです。"),
        ("電話がつながりません。\nメールの返事も遅いです。", "電話がつながりません。\nメールの返事も遅いです。"),
        ("遅いです。\n\niPhoneから送信", "遅いです。"),
        ("遅いです。\n\n本メールには機密情報が含まれる場合があります。誤って受信された場合は破棄してください。", "遅いです。"),
        ("遅いです。\n\nThis e-mail is confidential and intended only for the addressee.", "遅いです。"),
        ("遅いです。\n何卒ご確認のほどよろしくお願いいたします。\n以上", "遅いです。"),
        ("", ""),
    ],
)
def test_only_what_the_writer_added_is_left(mail, own):
    assert own_words(mail) == own


def test_a_mail_file_gives_its_plain_text_its_sender_and_its_date():
    mail = parsed_mail(
        b"From: =?utf-8?b?5p625456?= <k@example.com>\r\nDate: Tue, 3 Nov 2026 21:05:00 +0900\r\nMessage-ID: <1@example.com>\r\n"
        b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + "遅いです".encode("iso2022_jp")
    )
    assert mail == ("<1@example.com>", "k@example.com", "2026-11-03 21:05:00+09:00", "遅いです")


def test_html_becomes_lines_without_quotes_scripts_and_styles():
    markup = "<style>p{}</style><p>遅い&amp;高い</p><script>x()</script>二行目<br>三行目<blockquote>承知しました</blockquote>"
    assert text_of_html(markup).split() == ["遅い&高い", "二行目", "三行目"]


@pytest.mark.parametrize("data", [b"\xff\xfe\0\0", b"Content-Type: multipart/mixed\r\n\r\nx", b"Content-Type: text/plain; charset=nope\r\n\r\nx"])
def test_malformed_mails_are_read_or_refused(data):
    try:
        assert isinstance(parsed_mail(data).text, str)
    except ValueError as error:
        assert "not a readable mail" in str(error)
