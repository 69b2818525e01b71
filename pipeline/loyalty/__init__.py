"""Loyalty statistics: measures, what themes do to them, what differs, what changes, and where words and scores part.

Every figure comes from integer counts, so neither the order of the rows nor the number of threads can change it.
The formulas with their sources are in docs/methods.md.
"""

from pipeline.loyalty.impact import Impact, adjust_p, impact
from pipeline.loyalty.measures import (
    UNCERTAIN_BELOW,
    Groups,
    Nps,
    Share,
    nps,
    nps_group,
    score_distribution,
    share_of,
    top_box,
    wilson_interval,
)
from pipeline.loyalty.mentions import KEY, find_mentions
from pipeline.loyalty.theme_table import theme_table

__all__ = [
    "KEY",
    "UNCERTAIN_BELOW",
    "Groups",
    "Impact",
    "Nps",
    "Share",
    "adjust_p",
    "find_mentions",
    "impact",
    "nps",
    "nps_group",
    "score_distribution",
    "share_of",
    "theme_table",
    "top_box",
    "wilson_interval",
]
