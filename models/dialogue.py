"""Labelled conversations of ours: read from their source, checked, and set in the forms in which exports have them.

    python -m models.dialogue FOLDER [OUT.jsonl]

checks every *.txt of a folder, names file, line and fault of what is wrong, and writes the conversations in the format
of tests/data/README.md. models/corpus/dialogue/README.md has the source format and says what the corpus holds.
"""

import itertools
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

CORPUS = Path(__file__).parent / "corpus" / "dialogue"
TYPES = frozenset([
    "name", "spelling", "phone", "number", "card", "account", "birth_date", "password", "address", "postal", "mail",
    "url", "plate", "social",
])  # fmt: skip
_HEAD = re.compile(r"### (?P<id>\S+) \| (?P<style>[a-z_]+) \| (?P<domain>.+)")
_TURN = re.compile(r"(?P<speaker>[AC])\t(?P<text>.+)")
_MARKED = re.compile(r"\{\{(?P<type>[a-z_]+)\|(?P<text>[^{}|]+)\}\}")

Row = dict[str, Any]


class Turn(NamedTuple):
    """What one side says; `pii` are (start, end, type) in its text."""

    agent: bool
    text: str
    pii: tuple[tuple[int, int, str], ...]


class Conversation(NamedTuple):
    """One labelled conversation as its source has it."""

    id: str
    style: str
    domain: str
    turns: tuple[Turn, ...]


def load_dialogues(folder: Path = CORPUS) -> list[Row]:
    """Return the conversations of every *.txt of a folder in the format of tests/data/README.md.

    Raises
    ------
    ValueError
        If a file is not in the format, or an id stands twice; the message has file and line.
    """
    found: dict[str, Row] = {}
    for path in sorted(folder.glob("**/*.txt")):
        for conversation in parse_dialogues(path.read_text(encoding="utf-8"), path.name):
            if conversation.id in found:
                raise ValueError(f"{path.name}: {conversation.id} stands twice")
            found[conversation.id] = as_row(conversation) | {"split": path.parent.name}
    return list(found.values())


def parse_dialogues(source: str, name: str = "source") -> Iterator[Conversation]:
    """Yield the conversations of a source text.

    Raises
    ------
    ValueError
        If a line is neither a head, a turn nor empty, a style or a type is not known, or a mark is not closed.
    """
    head: re.Match[str] | None = None
    turns: list[Turn] = []
    for number, line in enumerate([*source.splitlines(), "### end | plain | -"], 1):
        if not line.strip():
            continue
        if found := _HEAD.fullmatch(line.rstrip()):
            if head:
                if not turns:
                    raise ValueError(f"{name} line {number}: {head['id']} has no turns")
                yield Conversation(head["id"], head["style"], head["domain"], tuple(turns))
            if found["style"] not in _STYLES:
                raise ValueError(f"{name} line {number}: unknown style {found['style']!r}; known: {', '.join(_STYLES)}")
            head, turns = found, []
        elif head and (said := _TURN.fullmatch(line)):
            turns.append(_turn(said["speaker"] == "A", said["text"].replace("\\n", "\n"), f"{name} line {number}"))
        else:
            raise ValueError(f"{name} line {number}: expected '### ID | style | domain' or 'A<tab>…' or 'C<tab>…'")


def as_row(conversation: Conversation) -> Row:
    """Return a conversation as an export holds it, with where its personal strings stand.

    The style's speaker marks are set. The mails of a thread come in one of several orders and with one of several
    heads, by the id; half of those that the desk answered last become a ticket's comments, as a help desk exports them.
    """
    style, turns, seed = conversation.style, list(conversation.turns), sum(map(ord, conversation.id))
    if style == "mail" and len(turns) > 1 and turns[-1].agent and seed % 2:
        style = "ticket"
    if style == "mail" and len(turns) > 1:
        style, parts = _thread(turns, seed // 2)
    else:
        parts = list(_STYLES[style](turns, seed))
    text, pii = "", []
    for before, turn, after in parts:
        start = len(text) + len(before)
        pii += [{"text": turn.text[a:b], "type": kind, "start": start + a} for a, b, kind in turn.pii]
        text += before + turn.text + after
    said: dict[bool, list[str]] = {True: [], False: []}
    for _, turn, _ in parts:
        for agent, words in _said(turn, style):
            said[agent].append(words)
    return {
        "id": conversation.id,
        "split": "corpus",
        "style": style,
        "domain": conversation.domain,
        "text": text,
        "customer": said[False],
        "agent": said[True],
        "pii": sorted(pii, key=lambda entry: entry["start"]),
    }


def doubtful(conversation: Conversation) -> list[str]:
    """Return names that are marked in one place of a conversation and stand bare in another."""
    names = {turn.text[a:b] for turn in conversation.turns for a, b, kind in turn.pii if kind == "name"}
    bare = ["".join(_without(turn.text, turn.pii)) for turn in conversation.turns]
    return sorted(name for name in names if len(name) > 1 and any(name in text for text in bare))


# --- source ----------------------------------------------------------------------------------------------------------


def _turn(agent: bool, written: str, place: str) -> Turn:
    text, pii, position = "", [], 0
    for match in _MARKED.finditer(written):
        if match["type"] not in TYPES:
            raise ValueError(f"{place}: unknown type {match['type']!r}; known: {', '.join(sorted(TYPES))}")
        text += written[position : match.start()]
        pii.append((len(text), len(text) + len(match["text"]), match["type"]))
        text += match["text"]
        position = match.end()
    text += written[position:]
    if "{{" in text or "}}" in text:
        raise ValueError(f"{place}: a mark is not closed; expected {{{{type|text}}}}")
    return Turn(agent, text, tuple(pii))


def _without(text: str, pii: Sequence[tuple[int, int, str]]) -> Iterator[str]:
    position = 0
    for start, end, _ in pii:
        yield text[position:start] + "\n"
        position = end
    yield text[position:]


# --- styles ----------------------------------------------------------------------------------------------------------

_Part = tuple[str, Turn, str]  # what stands before a turn, the turn, what stands behind it
_Style = Callable[[list[Turn], int], Iterable[_Part]]


def _marked(agent: str, customer: str, closing: str = "") -> _Style:
    def parts(turns: list[Turn], seed: int) -> Iterator[_Part]:
        for number, turn in enumerate(turns):
            yield ("\n" if number else "") + (agent if turn.agent else customer), turn, closing

    return parts


def _stamped(turns: list[Turn], seed: int) -> Iterator[_Part]:
    seconds = 9 * 3600 + seed % 30_000
    for number, turn in enumerate(turns):
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        speaker = "オペレーター" if turn.agent else "お客様"
        yield ("\n" if number else "") + f"[{clock}] {speaker}:", turn, ""
        seconds += 4 + len(turn.text) // 5


def _chat(turns: list[Turn], seed: int) -> Iterator[_Part]:
    """Messages with a head line of who and when, or with a mark before each: half of the chats either way."""
    if seed % 2:
        yield from _marked("サポート: ", "お客様: ")(turns, seed)
        return
    minutes = 9 * 60 + seed % 500
    for number, turn in enumerate(turns):
        speaker = "担当者" if turn.agent else "お客様"
        yield ("\n" if number else "") + f"{speaker} {minutes // 60}:{minutes % 60:02}\n", turn, ""
        minutes += 1 + len(turn.text) // 40


def _flat(turns: list[Turn], seed: int) -> Iterator[_Part]:
    for number, turn in enumerate(turns):
        closed = number and re.search(r"[。?？!！…」]$", turns[number - 1].text)
        yield "" if closed or not number else " ", turn, ""


_Mails = Callable[[list[Turn], int], Iterable[_Part]]


def _thread(turns: list[Turn], seed: int) -> tuple[str, list[_Part]]:
    """Return the mails of a thread as one of the mail programs leaves them, and the name of that style."""
    has_heads = any(_OWN_HEAD.match(turn.text) for turn in turns)
    styles = [name for name in _THREADS if not has_heads or name in {"mail_listed", "mail_below"}]
    name = styles[seed % len(styles)]
    return name, list(_THREADS[name](turns, seed))


def _nested(turns: list[Turn], seed: int) -> Iterator[_Part]:
    """Yield the last mail with the earlier ones below it, the newest first, quoted with >."""
    yield "", turns[-1], "\n\n"
    for depth, turn in enumerate(reversed(turns[:-1]), 1):
        quote = "> " * depth
        writer = "サポート窓口" if turn.agent else "お客様"
        header = f"{'> ' * (depth - 1)}2026年11月{20 - depth % 10}日 10:{depth % 60:02} {writer}:\n"
        yield header, _quoted(turn, quote), "\n"


def _outlook(turns: list[Turn], seed: int) -> Iterator[_Part]:
    """Yield the newest mail first, each earlier one below a block of fields and without quote marks."""
    yield "", turns[-1], "\n\n"
    fields, day = _HEADS[seed % len(_HEADS)]
    for age, turn in enumerate(reversed(turns[:-1]), 1):
        ends = ("サポート窓口", "お客様") if turn.agent else ("お客様", "サポート窓口")
        when = f"{day.format(20 - age % 10)} 10:{age % 60:02}"
        lines = [f"{name}: {value}" for name, value in zip(fields, (ends[0], when, ends[1]), strict=True)]
        rule = "" if fields[0] == "差出人" else "-----Original Message-----\n"
        yield rule + "\n".join(lines) + "\n\n", turn, "\n\n"


_HEADS = (
    (("差出人", "送信日時", "宛先"), "2026年11月{}日"),
    (("From", "Sent", "To"), "2026/11/{}"),
)


def _below(turns: list[Turn], seed: int) -> Iterator[_Part]:
    """Yield the newest mail first, nothing between them but an empty line."""
    yield from _listed(turns[::-1], seed)


def _listed(turns: list[Turn], seed: int) -> Iterator[_Part]:
    """Yield the mails in their order, nothing between them but an empty line."""
    for number, turn in enumerate(turns):
        yield "\n\n" if number else "", turn, ""


def _answered(turns: list[Turn], seed: int) -> Iterator[_Part]:
    """Yield the newest mail first and each earlier one quoted once, without any head."""
    for age, turn in enumerate(reversed(turns)):
        yield ("\n\n", _quoted(turn, "> "), "") if age % 2 else ("\n\n" if age else "", turn, "")


_THREADS: dict[str, _Mails] = {
    "mail": _nested,
    "mail_outlook": _outlook,
    "mail_below": _below,
    "mail_listed": _listed,
    "mail_answered": _answered,
}
_OWN_HEAD = re.compile(r"(?:.*\n)?(?:差出人|送信者|From|On |件名|Subject|-{3,}|\d{4}年)", re.IGNORECASE)


def _said(turn: Turn, style: str) -> Iterator[tuple[bool, str]]:
    """Yield whose words a turn holds: a mail quotes the other side's."""
    lines = turn.text.split("\n")
    quotes = style.startswith("mail") and not all(map(_IS_QUOTED.match, lines))
    for quoted, run in itertools.groupby(lines, lambda line: quotes and bool(_IS_QUOTED.match(line))):
        if words := "\n".join(run).strip():
            yield turn.agent != quoted, words


_IS_QUOTED = re.compile(r"\s*[>＞]")


def _quoted(turn: Turn, quote: str) -> Turn:
    moved = [0]
    for character in turn.text:
        moved.append(moved[-1] + 1 + (len(quote) if character == "\n" else 0))
    pii = tuple((moved[a] + len(quote), moved[b - 1] + 1 + len(quote), kind) for a, b, kind in turn.pii)
    return Turn(turn.agent, quote + turn.text.replace("\n", f"\n{quote}"), pii)


_STYLES: dict[str, _Style] = {
    "colon": _marked("オペレーター：", "お客様："),
    "opcu": _marked("OP:", "CU:"),
    "box": _marked("【担当】", "【顧客】"),
    "ac": _marked("A:", "C:"),
    "quote": _marked("オペ「", "客「", "」"),
    "stamp": _stamped,
    "unmarked": _marked("", ""),
    "unmarked_flat": _flat,
    "unmarked_asr": _marked("", ""),
    "chat": _chat,
    "ticket": _marked("【担当者】\n", "【依頼者】\n"),
    "mail": _marked("", ""),
    "plain": _marked("", ""),
}


def _main(folder: Path, out: Path | None) -> None:
    conversations = [
        conversation
        for path in sorted(folder.glob("**/*.txt"))
        for conversation in parse_dialogues(path.read_text(encoding="utf-8"), path.name)
    ]
    rows = load_dialogues(folder)
    unsure = [conversation.id for conversation in conversations if doubtful(conversation)]
    n = sum(len(row["pii"]) for row in rows)
    print(f"{len(rows)} conversations, {n} personal strings; a name also stands bare in {', '.join(unsure) or 'none'}")
    if out:
        out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
