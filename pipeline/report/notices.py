"""What a reader must know before the figures: a source that is missing, a question that narrows them."""

from typing import Any

from pipeline.report.wording import Words, count


def notice_lines(summary: dict[str, Any], t: Words) -> list[str]:
    """Return one line per missing source, and one that tells the question a report answers."""
    lines = [
        t("notice.missing", source=t.label(source["name"]), reason=source["missing"], n=count(source["carried_over"]))
        for source in summary["sources"]
        if source.get("missing")
    ]
    if "question" in summary:
        lines.append(t("notice.question", parts=_parts(summary["question"], t) or t("notice.question_all")))
    return lines


def _parts(question: dict[str, Any], t: Words) -> str:
    values = {
        "sources": [t.label(source) for source in question["sources"]],
        "segments": [
            t("notice.segment", column=t.label(column), value=value) for column, value in question["segments"]
        ],
        "groups": [t.name("groups", group) for group in question["groups"]],
        "words": question["words"],
    }
    return "".join(t(f"notice.{part}", values=t.listed(found)) for part, found in values.items() if found).strip()
