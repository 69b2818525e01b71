"""What to mend first, what to keep: the themes by what their complaints and their praise do to the NPS.

One figure leads: the leave-one-out impact of those who speak of a theme negatively, or positively. The drivers
(:mod:`pipeline.loyalty.drivers`) hold the other themes still and have a veto: an impact that they cannot tell from that
of the themes mentioned beside it is no finding.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.loyalty.measures import SIGNIFICANT, UNCERTAIN_BELOW

SIDES = {"negative": "negative_mentions", "positive": "positive_mentions"}
CLEAR, FEW, TOGETHER, CHANCE = "clear", "few", "together", "chance"
"""Certainty of an impact: beyond chance; not, with fewer than 30 people; beyond chance, but the drivers cannot tell it
from what is said beside it; not beyond chance."""

_ORDER = {"mend": 0, "deep": 0, "keep": 1, "frequent": 2, "minor": 2}


def prioritise(
    themes: Sequence[Mapping[str, Any]], drivers: Mapping[str, Any], periods: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the themes in the order in which to look at them: |impact| · trend, in NPS points.

    The impact of the ones who complain (or praise) is effect × share already; it is multiplied by how the theme's share
    moved (½ to 2), where it moved beyond chance. What lowers the NPS comes first, then what raises it, then the rest;
    in each, themes with 30 people or more before those with fewer.

    Parameters
    ----------
    themes, drivers, periods
        As summary.json holds them, rounded or not.

    Returns
    -------
    list of dict
        action is mend (lowers NPS, often), deep (lowers NPS, seldom), keep (raises NPS), frequent (often, no impact
        shown) or minor; "often" is a share above the median theme's. certainty is clear, together (the drivers cannot
        tell it from what is said beside it), few or chance.
    """
    by_id = {theme["theme_id"]: theme for theme in themes}
    trend = {row["theme_id"]: row for row in periods["themes"]}
    usual = float(np.median([by_id[theme_id]["share"] for theme_id in trend])) if trend else 0.0
    found = [_priority(by_id[key], sides_of(by_id[key], drivers), moved, usual) for key, moved in trend.items()]
    found.sort(key=lambda row: (
        _ORDER[row["action"]], row["uncertain"], -round(row["priority"], 4), -row["share"], row["theme_id"],
    ))
    return [row | {"rank": rank} for rank, row in enumerate(found, start=1)]


def sides_of(theme: Mapping[str, Any], drivers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what those who complain of a theme, and those who praise it, do to the NPS.

    Returns
    -------
    list of dict
        Negative and positive: side, n, nps, impact, impact_low, impact_high, p_adjusted, certainty.
    """
    net = {row["side"]: row for row in drivers["rows"] if row["theme_id"] == theme["theme_id"]}
    return [_side(theme, side, net.get(side)) for side in SIDES]


def _priority(
    theme: Mapping[str, Any], sides: Sequence[dict[str, Any]], trend: Mapping[str, Any], usual: float
) -> dict[str, Any]:
    known = [side for side in sides if side["certainty"] == CLEAR]
    told = known[0] if known else max(sides, key=lambda side: abs(side["impact"] or 0.0))
    often = theme["share"] >= usual
    if told["certainty"] != CLEAR:
        action = "frequent" if often else "minor"
    elif told["side"] == "positive":
        action = "keep"
    else:
        action = "mend" if often else "deep"
    factor = _factor(trend)
    return {
        "theme_id": theme["theme_id"], "name": theme["name"], "action": action, "n_feedback": theme["n_feedback"],
        "share": theme["share"], **told, "trend": factor, "share_change": trend["difference"],
        "priority": factor * abs(told["impact"] or 0.0), "uncertain": told["n"] < UNCERTAIN_BELOW,
    }


def _side(theme: Mapping[str, Any], side: str, net: Mapping[str, Any] | None) -> dict[str, Any]:
    said = theme[SIDES[side]]
    sign = -1 if side == "negative" else 1
    beyond = said["impact"] is not None and sign * said["impact"] > 0 and said["p_adjusted"] < SIGNIFICANT
    own = net is not None and sign * net["effect"] > 0 and net["p_adjusted"] < SIGNIFICANT
    unclear = TOGETHER if beyond else FEW if said["nps_n"] < UNCERTAIN_BELOW else CHANCE
    return {
        "side": side, "n": said["nps_n"], "nps": said["nps"], "impact": said["impact"],
        "impact_low": said["impact_low"], "impact_high": said["impact_high"], "p_adjusted": said["p_adjusted"],
        "certainty": CLEAR if beyond and own else unclear,
    }


def _factor(trend: Mapping[str, Any]) -> float:
    """Return how the theme's share moved, now over before, ½ to 2; 1 unless beyond chance."""
    if trend["p_adjusted"] is None or trend["p_adjusted"] >= SIGNIFICANT:
        return 1.0
    before, now = trend["share_before"], trend["share_now"]
    return min(2.0, max(0.5, now / before)) if before else 2.0
