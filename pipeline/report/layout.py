"""How the tables of the analysis are laid out: the form of every column, and where each table is told."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column's header and how its values are told: text, quote, integer, points, percent, decimal or money."""

    header: str
    form: str = "text"


FORMS = {
    "priorities": "integer text text text integer points points text text text quote",
    "drivers": "text text integer percent points text points text text",
    "mismatches": "text integer quote percent text",
    "alerts": "text text integer decimal text quote",
    "segments": "text text integer points text points text text",
    "segment_changes": "text text integer points integer points points text text",
    "segment_themes": "text text text integer decimal text",
    "periods": "text integer points text text",
    "changes": "text integer percent integer percent text text",
    "trends": "text",
    "measures": "text integer percent text decimal text",
    "behaviour": "text text text integer",
    "map": "text integer percent text money percent text text",
    "captive": "text integer integer money",
}
"""The form of each column; titles and headers are in the catalogues, under tables.<key>."""

SECTIONS = {
    "priorities": ("priorities", "drivers"),
    "changes": ("periods", "changes", "trends"),
    "map": ("map", "captive", "behaviour", "measures"),
    "scores": ("mismatches",),
    "alerts": ("alerts",),
    "segments": ("segments", "segment_changes", "segment_themes"),
}
"""The page's sections and the tables each tells."""

SHEETS = {
    "drivers": ("priorities", "drivers", "segments", "segment_changes", "segment_themes", "mismatches", "map",
                "captive", "behaviour", "measures"),
    "trends": ("periods", "changes", "trends", "alerts"),
}
"""The workbook's sheets that hold tables of the analysis."""
