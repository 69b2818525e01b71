"""Names of parents: what a group's themes share and the others do not."""

import pytest

from pipeline.themes.naming import ThemeName
from pipeline.themes.parent_names import Member, name_parent


def theme(name, *texts, n=10, keywords=(), pairs=()):
    return Member.of(ThemeName(name, tuple(keywords), tuple(pairs)), list(texts or ["…"]) * n)


PRICE = theme("値段", "値段が高い", "安くていい")
STAFF = theme("接客", "店員が笑顔", "レジの人が親切")


def test_a_known_group_of_topics_gives_its_name():
    children = [theme("ポイント", "ポイントがたまる"), theme("値段", "値段が高い"), theme("クーポン", "クーポンが使えない")]
    assert name_parent(children, [STAFF], set()).name == "料金・特典"


def test_units_can_tell_the_group_where_names_do_not():
    children = [theme("再配達", "再配達を頼む"), theme("午前指定", "荷物の配達が午前に来ない", "宅配が午前に来る")]
    assert name_parent(children, [STAFF, PRICE], set()).name in {"配送", "配達", "宅配", "配送・受け取り"}


def test_a_noun_that_all_the_themes_use_names_them():
    children = [
        theme("水温", "プールの水がぬるい", "プールの温度", keywords=["プール", "水温"]),
        theme("コーチ", "プールのコーチが熱心", "コーチがプールで教える", keywords=["コーチ", "プール"]),
    ]
    assert name_parent(children, [STAFF, PRICE], {"水温", "コーチ"}).name == "プール"


def test_a_word_that_other_themes_use_as_much_names_no_group():
    children = [
        theme("水温", "施設の水がぬるい", keywords=["施設"]),
        theme("コーチ", "施設のコーチが熱心", keywords=["施設"]),
    ]
    others = [theme("床", "施設の床が滑る"), theme("更衣", "施設の更衣室")]
    assert name_parent(children, others, set()).name == "水温・コーチ"


def test_two_themes_that_share_nothing_stand_side_by_side_the_larger_first():
    children = [theme("スリッパ", "スリッパが冷たい", n=20), theme("領収書", "領収書が出ない")]
    assert name_parent(children, [STAFF, PRICE], {"スリッパ", "領収書"}).name == "スリッパ・領収書"


def test_of_many_themes_the_two_that_speak_for_most_units_stand():
    children = [theme("座席", "座席が狭い", n=30), theme("揺れ", "揺れがひどい", n=9), theme("トイレ", "トイレがない", n=20)]
    assert name_parent(children, [STAFF, PRICE], set()).name == "座席・トイレ"


def test_a_theme_that_others_of_the_group_speak_of_comes_first():
    children = [theme("揺れ", "座席が揺れる", n=12), theme("座席", "座席が狭い", n=10), theme("便所", "便所がない", n=11)]
    assert name_parent(children, [STAFF, PRICE], set()).name.startswith("座席・")


def test_a_theme_without_a_name_is_told_by_its_first_noun():
    children = [theme("接客", "店員が笑顔", n=20), theme("その他の話題1", "常連が騒ぐ", keywords=["騒ぐ", "常連"])]
    assert name_parent(children, [PRICE], {"接客"}).name == "接客・常連"


def test_only_where_nothing_else_holds_one_stands_for_the_rest():
    children = [theme("椅子", "椅子が硬い"), theme("その他の話題1", "うーん"), theme("その他の話題2", "ふむ")]
    assert name_parent(children, [STAFF], {"椅子"}).name == "椅子など"


@pytest.mark.parametrize("taken", [{"スリッパ・領収書"}, {"スリッパ・領収書", "領収書・スリッパ", "スリッパなど"}])
def test_a_name_that_is_taken_is_not_given_again(taken):
    children = [theme("スリッパ", "スリッパが冷たい", n=20), theme("領収書", "領収書が出ない")]
    assert name_parent(children, [], taken).name not in taken


def test_keywords_and_pairs_come_from_all_children_in_turn():
    children = [theme("甲", keywords=["a", "b"], pairs=["p→q"]), theme("乙", keywords=["c", "a"], pairs=["r→s"])]
    name = name_parent(children, [], set())
    assert name.keywords == ("a", "c", "b")
    assert name.pairs == ("p→q", "r→s")


def test_the_order_of_texts_changes_nothing():
    texts = [f"座席が狭い{k}" for k in range(900)]
    assert Member.of(ThemeName("座席", (), ()), texts) == Member.of(ThemeName("座席", (), ()), texts[::-1])


def test_two_names_that_leave_much_unsaid_say_that_there_is_more():
    children = [theme("配達", "配達が遅い"), theme("電話", "電話がつながらない"), theme("返金", "返金がない"), theme("鍵", "鍵がない")]
    assert name_parent(children, [STAFF, PRICE], set()).name == "配達・電話など"
