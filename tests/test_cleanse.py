"""One spelling, no personal data, every response once."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline.cleanse
import pipeline.mask
from pipeline.cleanse import cleanse, hash_customer, normalise_text
from pipeline.read import FEEDBACK_SCHEMA

KEY = b"key of the tests"

SPELLINGS = [
    ("ﾊﾟｿｺﾝが重い", "パソコンが重い"),
    ("ＡＢＣ１２３", "ABC123"),
    ("㈱架空商事", "(株)架空商事"),
    ("℡がつながらない", "TELがつながらない"),
    ("①5回②3回", "(1)5回(2)3回"),  # NFKC alone would say 15回23回
    ("10～12時", "10〜12時"),  # NFKC alone would make it the ~ of web addresses
    ("顧客 ロイヤリティ を 高める", "顧客ロイヤリティを高める"),
    ("対応 が 、 とても よい 。", "対応が、とてもよい。"),
    ("対応が早い　値段も安い", "対応が早い。値段も安い"),  # this space was a full stop
    ("配送が遅いです 改善してください", "配送が遅いです。改善してください"),
    ("担当：架空 受付日：11月3日", "担当:架空 受付日:11月3日"),  # a form's fields stay apart
    ("iPhone が 好き", "iPhone が好き"),
    ("Excel for Mac を使う", "Excel for Mac を使う"),
    ("3 回", "3 回"),
    ("最高！！！！", "最高!"),
    ("本当？？！？！？", "本当?!?"),
    ("すごーーーーい〜〜〜", "すごーい〜"),
    ("良い。。。でも・・・", "良い。でも…"),
    ("うーん......", "うーん…"),
    ("ひどいwwwww", "ひどいw"),
    ("ひどい笑笑笑", "ひどい笑"),
    ("www.example.comを見た", "www.example.comを見た"),
    ("わああああああ", "わあああ"),
    ("かわいい", "かわいい"),
    ("★★★☆☆", "★★★☆☆"),  # a rating
    ("😀😀😀", "😀"),
    ("一行目\r\n二行目\r三行目\u2028四行目", "一行目\n二行目\n三行目\n四行目"),
    ("良い \n\n\n 悪い ", "良い\n悪い"),
    ("見え\u200bない\ufeff文\u202e字\x00", "見えない文字"),
    ("葛\U000e0100城", "葛城"),  # a variation selector
    ("か\u3099き", "がき"),
    ("\ud800こわれた", "こわれた"),
    ("", ""),
    ("　 \n", ""),
]


@pytest.mark.parametrize(("written", "expected"), SPELLINGS)
def test_texts_come_to_one_spelling(written: str, expected: str) -> None:
    assert normalise_text(written) == expected


PIECES = st.sampled_from(list("あいうアーｱﾞ、。！？!?….・〜~wW笑 　\t\n\r①㈱ﷺ😀★'-=９9aZ") + ["です", "\u200d", "\u3099", "\ufdfa"])


@settings(max_examples=500)
@given(st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=25).map("".join)))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise_text(text)
    assert normalise_text(once) == once


def responses(*rows: dict) -> pl.DataFrame:
    blank = {"source": "survey", "score": None, "customer": None, "file": "s.csv", "received_at": None, "plan": "A"}
    filled = [blank | {"row": number} | row for number, row in enumerate(rows, start=2)]
    return pl.DataFrame(filled, schema=FEEDBACK_SCHEMA | {"plan": pl.Utf8})


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def test_texts_are_normalised_then_masked() -> None:
    feedback = responses({"feedback_id": "1", "text": "０８０－００００－１２３４ に　電話！！"})
    assert cleanse(feedback, customer_key=KEY).feedback["text"].to_list() == ["[電話] に電話!"]


def test_customers_become_keyed_hashes_of_16_hex_digits() -> None:
    feedback = responses({"feedback_id": "1", "text": "a", "customer": "C-1"}, {"feedback_id": "2", "text": "b"})
    first, unknown = cleanse(feedback, customer_key=KEY).feedback["customer"]
    assert first == hash_customer("C-1", KEY)
    assert len(first) == 16 and int(first, 16) >= 0
    assert first != hash_customer("C-1", b"another key")
    assert unknown is None


def test_full_width_customer_ids_are_the_same_customer() -> None:
    assert hash_customer("Ｃ－１ ", KEY) == hash_customer("C-1", KEY)


def test_of_one_id_the_version_received_last_stays() -> None:
    feedback = responses(
        {"feedback_id": "1", "text": "新しい", "received_at": at(3)},
        {"feedback_id": "1", "text": "古い", "received_at": at(2)},
        {"feedback_id": "1", "text": "日付なし"},
    )
    cleansed = cleanse(feedback, customer_key=KEY)
    assert cleansed.feedback["text"].to_list() == ["新しい"]
    assert cleansed.n_duplicate == {"survey": 2}


def test_of_one_id_and_moment_the_larger_score_then_text_stays() -> None:
    feedback = responses(
        {"feedback_id": "1", "text": "い", "score": 3},
        {"feedback_id": "1", "text": "あ", "score": 9},
        {"feedback_id": "1", "text": "う", "score": 9},
    )
    assert cleanse(feedback, customer_key=KEY).feedback["text"].to_list() == ["う"]


def test_the_same_customer_words_score_and_day_is_one_response() -> None:
    same = {"text": "かわいい", "score": 9, "customer": "C-1"}
    feedback = responses(
        {"feedback_id": "1", "received_at": at(3, 1), **same},
        {"feedback_id": "2", "received_at": at(3, 2), **same},
        {"feedback_id": "3", "received_at": at(4), **same},
        {"feedback_id": "4", "received_at": at(3, 3), **same, "score": 8},
    )
    assert cleanse(feedback, customer_key=KEY).feedback["feedback_id"].to_list() == ["2", "3", "4"]


def test_the_day_is_one_of_the_time_zone() -> None:
    same = {"text": "かわいい", "customer": "C-1"}
    feedback = responses(
        {"feedback_id": "1", "received_at": at(3, 14), **same}, {"feedback_id": "2", "received_at": at(3, 16), **same}
    )
    assert cleanse(feedback, customer_key=KEY).n_duplicate == {"survey": 1}
    assert cleanse(feedback, customer_key=KEY, timezone="Asia/Tokyo").n_duplicate == {"survey": 0}


@pytest.mark.parametrize(
    "other",
    [{"customer": "C-2"}, {"customer": None}, {"source": "calls"}, {"text": "かわいいです"}],
    ids=["another customer", "an unknown customer", "another source", "other words"],
)
def test_two_respondents_who_write_alike_are_two(other: dict) -> None:
    same = {"text": "かわいい", "customer": "C-1"}
    feedback = responses({"feedback_id": "1", **same}, {"feedback_id": "2", **same, **other})
    assert cleanse(feedback, customer_key=KEY).feedback.height == 2


def test_unknown_customers_and_empty_texts_are_never_twins() -> None:
    feedback = responses(
        {"feedback_id": "1", "text": "かわいい"},
        {"feedback_id": "2", "text": "かわいい"},
        {"feedback_id": "3", "text": "", "customer": "C-1"},
        {"feedback_id": "4", "text": "", "customer": "C-1"},
    )
    assert cleanse(feedback, customer_key=KEY).feedback.height == 4


def test_no_rows_give_no_rows() -> None:
    cleansed = cleanse(responses(), customer_key=KEY)
    assert cleansed.feedback.is_empty()
    assert cleansed.n_duplicate == {}


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "source": st.sampled_from(["survey", "calls"]),
            "feedback_id": st.sampled_from("1234"),
            "text": st.sampled_from(["", "良い", "悪い"]),
            "score": st.sampled_from([None, 3, 9]),
            "customer": st.sampled_from([None, "C-1", "C-2"]),
            "received_at": st.sampled_from([None, at(3, 1), at(3, 2), at(4)]),
            "plan": st.sampled_from(["A", "B"]),
        }
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(ROWS, st.randoms())
def test_every_row_is_kept_or_counted_whatever_the_order(rows: list[dict], random) -> None:
    shuffled = random.sample(rows, len(rows))
    one, two = (cleanse(responses(*some), customer_key=KEY) for some in (rows, shuffled))
    assert one.feedback.height + sum(one.n_duplicate.values()) == len(rows)
    assert one.feedback.drop("row").equals(two.feedback.drop("row"))
    assert one.n_duplicate == two.n_duplicate


def test_masking_is_part_of_the_door() -> None:
    assert pipeline.cleanse.mask_personal_data is pipeline.mask.mask_personal_data
