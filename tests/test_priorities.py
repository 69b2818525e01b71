"""What to mend first: one figure orders, the drivers may object, few people come after many."""

from pipeline.loyalty.priorities import prioritise, sides_of


def theme(theme_id, negative=None, positive=None, share=0.2):
    nobody = {"nps": None, "nps_n": 0, "impact": None, "impact_low": None, "impact_high": None, "p_adjusted": None}
    return {"theme_id": theme_id, "name": theme_id, "n_feedback": 90, "share": share,
            "negative_mentions": negative or nobody, "positive_mentions": positive or nobody}


def said(impact, n=60, p=0.001):
    return {"nps": -60.0 if impact < 0 else 40.0, "nps_n": n, "impact": impact, "impact_low": impact - 1,
            "impact_high": impact + 1, "p_adjusted": p}


def drivers(*rows):
    return {"rows": [{"theme_id": t, "side": side, "effect": effect, "p_adjusted": p} for t, side, effect, p in rows]}


def periods(*moved):
    same = {"difference": 0.0, "p_adjusted": 0.9, "share_now": 0.2, "share_before": 0.2}
    return {"themes": [{"theme_id": t, **same, **change} for t, change in moved]}


def order(themes, found, **moved):
    rows = prioritise(themes, found, periods(*((t["theme_id"], moved.get(t["theme_id"], {})) for t in themes)))
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    return [(row["theme_id"], row["action"], row["certainty"]) for row in rows]


def test_what_lowers_nps_comes_first_the_larger_impact_before_the_smaller():
    themes = [theme("a", said(-2.0)), theme("b", positive=said(8.0)), theme("c", said(-3.0)), theme("d", said(-9.0, p=0.4))]
    found = drivers(("a", "negative", -1.0, 0.01), ("b", "positive", 1.0, 0.01), ("c", "negative", -0.5, 0.01),
                    ("d", "negative", -2.0, 0.01))
    assert order(themes, found) == [
        ("c", "mend", "clear"), ("a", "mend", "clear"), ("b", "keep", "clear"), ("d", "frequent", "chance"),
    ]


def test_an_impact_that_the_drivers_cannot_tell_from_others_is_no_finding():
    themes = [theme("a", said(-5.0)), theme("b", said(-2.0)), theme("c", said(-4.0))]
    found = drivers(("a", "negative", -0.1, 0.6), ("b", "negative", -1.0, 0.01), ("c", "negative", 0.8, 0.01))
    assert order(themes, found) == [
        ("b", "mend", "clear"), ("a", "frequent", "together"), ("c", "frequent", "together"),
    ]


def test_few_people_come_after_many_and_seldom_mentioned_ones_are_told_apart():
    themes = [theme("a", said(-5.0, n=12), share=0.05), theme("b", said(-2.0)), theme("c", said(-0.5, n=9, p=0.7))]
    found = drivers(("a", "negative", -3.0, 0.001), ("b", "negative", -1.0, 0.01))
    assert order(themes, found) == [("b", "mend", "clear"), ("a", "deep", "clear"), ("c", "frequent", "few")]


def test_a_complaint_that_doubles_beyond_chance_counts_double():
    themes = [theme("a", said(-3.0)), theme("b", said(-2.0))]
    found = drivers(("a", "negative", -1.0, 0.01), ("b", "negative", -1.0, 0.01))
    grows = {"p_adjusted": 0.01, "share_now": 0.4, "share_before": 0.1}
    assert [row[0] for row in order(themes, found)] == ["a", "b"]
    assert [row[0] for row in order(themes, found, b=grows)] == ["b", "a"]


def test_both_sides_of_a_theme_are_told_with_their_own_certainty():
    found = drivers(("a", "negative", -1.0, 0.01), ("a", "positive", 0.2, 0.5))
    negative, positive = sides_of(theme("a", said(-2.0), said(3.0)), found)
    assert (negative["side"], negative["n"], negative["certainty"]) == ("negative", 60, "clear")
    assert (positive["side"], positive["impact"], positive["certainty"]) == ("positive", 3.0, "together")
