"""What became of the themes since the night before, in one line each."""

from typing import Any


def transition_lines(summary: dict[str, Any]) -> list[str]:
    """Return one line per theme that did not simply live on; none on the first night."""
    if not summary.get("previous"):
        return []
    shown = (_line(change) for change in summary.get("transitions", []))
    return [line for line in shown if line]


def _line(change: dict[str, Any]) -> str | None:
    name, others = f"「{change['name']}」", "".join(f"「{other['name']}」" for other in change["others"])
    by = "（担当者の判断）" if change["decision"] is not None else ""
    match change["kind"]:
        case "new":
            return f"{name}が新しく現れました"
        case "split":
            return f"{name}から{others}が分かれました{by}"
        case "merged":
            return f"{name}は{others}にまとまりました{by}"
        case "dormant":
            return f"{name}は期間内の声が少なくなり、休止しました（再び増えれば同じIDで復活します）"
        case "returned":
            return f"{name}が再び現れました"
        case "retired":
            return f"{name}を終了しました{by}" if by else f"{name}は長く休止していたため終了しました"
    return None
