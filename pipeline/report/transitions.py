"""What became of the themes since the night before, in one line each."""

from typing import Any

from pipeline.report.wording import Words

_TOLD = ("new", "split", "merged", "dormant", "returned", "retired")


def transition_lines(summary: dict[str, Any], t: Words) -> list[str]:
    """Return one line per theme that did not simply live on; none on the first night."""
    if not summary.get("previous"):
        return []
    return [_line(change, t) for change in summary.get("transitions", []) if change["kind"] in _TOLD]


def _line(change: dict[str, Any], t: Words) -> str:
    kind, decided = change["kind"], change["decision"] is not None
    others = "".join(t("transition.quoted", name=other["name"]) for other in change["others"])
    by = t("transition.by_person") if decided else ""
    key = "retired_by_person" if kind == "retired" and decided else kind
    return t(f"transition.{key}", name=change["name"], others=others, by=by)
