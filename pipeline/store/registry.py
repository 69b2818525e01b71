"""The registry's tables: themes by night, their looks, transitions, members and decisions.

Everything is JSON, dates and little-endian arrays, so that it opens whatever versions of the libraries
come. A look is kept once under the hash of its bytes: themes keep theirs for months, and a damaged one is
told by its hash. Functions take a connection: the store decides what is one transaction.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from pipeline.store.engine import StoreError
from pipeline.store.tables import METADATA, night_column, upsert
from pipeline.themes.curation import Decision, in_force
from pipeline.themes.members import Members
from pipeline.themes.registry import STATUSES, Registry, StoredTheme, Transition, theme_number

_SAME_VECTOR = 0.99999  # cosine; float32 sums differ in the seventh digit
NIGHTS_OF_MEMBERS = 35  # nights whose members are kept: what finding themes afresh can look back on
NIGHT_THEMES = sa.Table(
    "night_themes",
    METADATA,
    night_column(),
    sa.Column("theme_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("parent_id", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("first_seen", sa.Date, nullable=False),
    sa.Column("last_seen", sa.Date, nullable=False),
    sa.Column("keywords", sa.JSON, nullable=False),
    sa.Column("centroid", sa.LargeBinary),  # of nights before looks had a table of their own
    sa.Column("look_id", sa.String(64)),
    sa.Column("model_id", sa.Text, nullable=False),
)
LOOKS = sa.Table(
    "looks",
    METADATA,
    sa.Column("look_id", sa.String(64), primary_key=True),
    sa.Column("dim", sa.Integer, nullable=False),
    sa.Column("vectors", sa.LargeBinary, nullable=False),
)
TRANSITIONS = sa.Table(
    "transitions",
    METADATA,
    night_column(),
    sa.Column("theme_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("others", sa.JSON, nullable=False),
    sa.Column("kept", sa.Float),
    sa.Column("decision", sa.Integer),
)
MEMBERS = sa.Table(
    "members",
    METADATA,
    night_column(),
    sa.Column("units", sa.LargeBinary, nullable=False),
)
DECISIONS = sa.Table(
    "decisions",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("theme_id", sa.Text),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", sa.DateTime, nullable=False),
    sa.Column("holds_from", sa.Date, nullable=False),
)
_REMEDY = "nothing was changed; restore the store from a backup"


def save_themes(
    connection: sa.Connection,
    business_date: date,
    themes: Iterable[StoredTheme],
    transitions: Iterable[Transition] = (),
    members: Members | None = None,
) -> None:
    """Store what a night leaves of its themes; the night's earlier rows are gone already."""
    themes = list(themes)
    looks = {_look_id(theme.look): theme.look for theme in themes if theme.look is not None}
    query = sa.select(LOOKS.c.look_id).where(LOOKS.c.look_id.in_(sorted(looks)))
    known = set(connection.scalars(query)) if looks else set()
    _insert(connection, LOOKS, [_look_row(key, looks[key]) for key in sorted(looks) if key not in known])
    _insert(connection, NIGHT_THEMES, [_theme_row(theme, business_date) for theme in themes])
    _insert(connection, TRANSITIONS, [_transition_row(change, business_date) for change in transitions])
    if members is not None:
        _insert(connection, MEMBERS, [{"business_date": business_date, "units": members.to_bytes()}])
        newest = sa.select(MEMBERS.c.business_date).order_by(MEMBERS.c.business_date.desc())
        kept = connection.scalars(newest.limit(NIGHTS_OF_MEMBERS)).all()
        connection.execute(sa.delete(MEMBERS).where(MEMBERS.c.business_date < min(kept)))


def load_themes(connection: sa.Connection, business_date: date) -> list[StoredTheme]:
    """Return the themes one night stored, sorted by theme_id.

    Raises
    ------
    StoreError
        If one of them is damaged.
    """
    return _themes(connection, sa.select(NIGHT_THEMES).where(NIGHT_THEMES.c.business_date == business_date))


def load_registry(connection: sa.Connection, business_date: date) -> Registry:
    """Return every theme known before a night, last night's members, and the decisions that hold for it.

    Raises
    ------
    StoreError
        If anything of it is damaged; it names what, and nothing is changed.
    """
    table = NIGHT_THEMES.c
    last = (
        sa.select(table.theme_id, sa.func.max(table.business_date).label("business_date"))
        .where(table.business_date < business_date)
        .group_by(table.theme_id)
        .subquery()
    )
    same = sa.and_(table.theme_id == last.c.theme_id, table.business_date == last.c.business_date)
    themes = _themes(connection, sa.select(NIGHT_THEMES).join(last, same))
    nights = METADATA.tables["nights"].c.business_date
    last_night = connection.scalar(sa.select(sa.func.max(nights)).where(nights < business_date))
    carried_out = {
        t.decision: t.others
        for night, changes in load_transitions(connection).items()
        for t in changes
        if night < business_date and t.kind == "split" and t.decision is not None
    }
    curation = in_force(
        load_decisions(connection), business_date, last_night=last_night, carried_out=carried_out
    )
    number = 1 + max((theme_number(theme.theme_id) for theme in themes), default=0)
    return Registry(themes, number, last_night, _members(connection, last_night), curation)


def load_transitions(connection: sa.Connection) -> dict[date, list[Transition]]:
    """Return what became of the themes in every night, oldest night first."""
    found: dict[date, list[Transition]] = {}
    query = sa.select(TRANSITIONS).order_by(TRANSITIONS.c.business_date, TRANSITIONS.c.theme_id)
    for row in connection.execute(query).mappings():
        change = Transition(row["kind"], row["theme_id"], tuple(row["others"]), row["kept"], row["decision"])
        found.setdefault(row["business_date"], []).append(change)
    return found


def decide_alone(connection: sa.Connection) -> None:
    """Keep others from deciding until the transaction ends, so that numbers follow one another."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE decisions IN EXCLUSIVE MODE")
    else:  # any write begins SQLite's one writing transaction
        connection.execute(sa.delete(DECISIONS).where(sa.false()))


def add_decision(connection: sa.Connection, decision: Decision) -> None:
    """Append a decision; its number must be the next one."""
    row = {**vars(decision), "detail": dict(decision.detail)}
    row["made_at"] = decision.made_at.astimezone(UTC).replace(tzinfo=None)
    connection.execute(sa.insert(DECISIONS), row)


def load_decisions(connection: sa.Connection) -> list[Decision]:
    """Return every decision, in the order they were made."""
    rows = connection.execute(sa.select(DECISIONS).order_by(DECISIONS.c.number)).mappings()
    return [Decision(**{**row, "made_at": row["made_at"].replace(tzinfo=UTC)}) for row in rows]


def drop_vectors(connection: sa.Connection, encoder_id: str, vectors: NDArray[np.float32]) -> int:
    """Take anchors that are one of these unit vectors, (n, dim), out of every theme's look; return how many went.

    A theme's anchors are means of small groups of units; the mean of a group of one is that unit's own vector.
    Centroids stay: they are means over a theme.
    """
    dropped, table = 0, NIGHT_THEMES.c
    of_encoder = sa.select(table.look_id).where(table.model_id.startswith(encoder_id, autoescape=True)).distinct()
    query = sa.select(LOOKS).where(LOOKS.c.look_id.in_(of_encoder), LOOKS.c.dim == vectors.shape[1])
    for look_id, dim, held in connection.execute(query).all():
        look = np.frombuffer(held, "<f4").reshape(-1, dim)
        kept = np.ones(len(look), bool)
        kept[1:] = (look[1:] @ vectors.T).max(axis=1, initial=-1.0) < _SAME_VECTOR
        if not kept.all():
            rest = _look_row(_look_id(look[kept]), look[kept])
            connection.execute(upsert(connection, LOOKS), rest)
            mine = sa.update(NIGHT_THEMES).where(table.look_id == look_id)
            connection.execute(mine.values(look_id=rest["look_id"]))
            connection.execute(sa.delete(LOOKS).where(LOOKS.c.look_id == look_id))
            dropped += int((~kept).sum())
    return dropped


def drop_members(connection: sa.Connection, business_date: date, keys: NDArray[np.uint64]) -> None:
    """Take units out of what is kept of one night's assignment."""
    data = connection.scalar(sa.select(MEMBERS.c.units).where(MEMBERS.c.business_date == business_date))
    if data is not None:
        rest = Members.from_bytes(bytes(data)).without(keys)
        mine = sa.update(MEMBERS).where(MEMBERS.c.business_date == business_date)
        connection.execute(mine.values(units=rest.to_bytes()))


def _members(connection: sa.Connection, night: date | None) -> Members:
    data = connection.scalar(sa.select(MEMBERS.c.units).where(MEMBERS.c.business_date == night)) if night else None
    try:
        return Members.from_bytes(bytes(data)) if data is not None else Members()
    except ValueError as error:
        raise StoreError(f"the members of the night {night} are damaged: {error}; {_REMEDY}") from None


def _themes(connection: sa.Connection, query: sa.Select[Any]) -> list[StoredTheme]:
    rows = _readable(connection, query)
    wanted = sorted({row["look_id"] for row in rows if row["look_id"]})
    looks: dict[str, Any] = {}
    for start in range(0, len(wanted), 500):
        held = sa.select(LOOKS).where(LOOKS.c.look_id.in_(wanted[start : start + 500]))
        looks.update((row["look_id"], row) for row in connection.execute(held).mappings())
    return sorted((_theme(row, looks) for row in rows), key=lambda theme: theme.theme_id)


def _readable(connection: sa.Connection, query: sa.Select[Any]) -> Sequence[Mapping[Any, Any]]:
    """Return the rows of the themes; JSON that cannot be read is told by the theme it belongs to."""
    keywords = NIGHT_THEMES.c.keywords
    others = [column for column in NIGHT_THEMES.c if column is not keywords]
    plain = query.with_only_columns(*others, sa.type_coerce(keywords, sa.Text).label("keywords"))
    try:
        return connection.execute(query).mappings().all()
    except ValueError:
        for row in connection.execute(plain).mappings():
            try:
                json.loads(row["keywords"])
            except (TypeError, ValueError):
                raise _damaged(row, "its keywords are not JSON") from None
        raise


def _theme(row: Mapping[Any, Any], looks: Mapping[str, Mapping[Any, Any]]) -> StoredTheme:
    keywords = row["keywords"]
    if not isinstance(keywords, list) or not all(isinstance(word, str) for word in keywords):
        raise _damaged(row, "its keywords are not a list of words")
    if row["status"] not in STATUSES:
        raise _damaged(row, f"its status must be one of {', '.join(STATUSES)}; got {row['status']!r}")
    return StoredTheme(
        theme_id=row["theme_id"],
        name=row["name"],
        parent_id=row["parent_id"],
        status=row["status"],
        first_seen=row["first_seen"].isoformat(),
        last_seen=row["last_seen"].isoformat(),
        keywords=tuple(keywords),
        look=_look(row, looks),
        model_id=row["model_id"],
    )


def _look(row: Mapping[Any, Any], looks: Mapping[str, Mapping[Any, Any]]) -> NDArray[np.float32] | None:
    if row["look_id"] is None:
        return _bare_centroid(row)
    held = looks.get(row["look_id"])
    if held is None:
        raise _damaged(row, "its vectors are missing")
    data, dim = bytes(held["vectors"]), held["dim"]
    if dim < 1 or not data or len(data) % (4 * dim):
        raise _damaged(row, f"vectors of {dim} numbers take a multiple of {4 * dim} bytes; got {len(data)}")
    if _digest(data, dim) != row["look_id"]:
        raise _damaged(row, "its vectors are not those that were written (their hash differs)")
    return np.frombuffer(data, "<f4").astype(np.float32).reshape(-1, dim)


def _bare_centroid(row: Mapping[Any, Any]) -> NDArray[np.float32] | None:
    """Return a centroid as the first version of the tables kept it: its anchors cannot be told apart."""
    if row["centroid"] is None:
        return None
    if len(row["centroid"]) % 4:
        raise _damaged(row, f"its centroid must take a multiple of 4 bytes; got {len(row['centroid'])}")
    flat = np.frombuffer(row["centroid"], "<f4").astype(np.float32)
    # Vectors of unit length: the first one ends where the sum of squares passes 1.
    ends = np.flatnonzero(np.cumsum(flat.astype(np.float64) ** 2) > 1 - 1e-4)
    dims = [dim for dim in range(int(ends[0]) + 1 if len(ends) else len(flat), len(flat) + 1) if len(flat) % dim == 0]
    for dim in dims:
        vectors = flat.reshape(-1, dim)
        if np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3):
            return vectors
    raise _damaged(row, "its centroid is not a row of unit vectors")


def _damaged(row: Mapping[Any, Any], what: str) -> StoreError:
    return StoreError(f"theme {row['theme_id']} of the night {row['business_date']} is damaged: {what}; {_REMEDY}")


def _theme_row(theme: StoredTheme, business_date: date) -> dict[str, Any]:
    return {
        "business_date": business_date,
        "theme_id": theme.theme_id,
        "name": theme.name,
        "parent_id": theme.parent_id,
        "status": theme.status,
        "first_seen": date.fromisoformat(theme.first_seen),
        "last_seen": date.fromisoformat(theme.last_seen),
        "keywords": list(theme.keywords),
        "centroid": None,
        "look_id": None if theme.look is None else _look_id(theme.look),
        "model_id": theme.model_id,
    }


def _look_row(look_id: str, look: NDArray[np.float32]) -> dict[str, Any]:
    return {"look_id": look_id, "dim": look.shape[1], "vectors": look.astype("<f4").tobytes()}


def _transition_row(change: Transition, business_date: date) -> dict[str, Any]:
    return {"business_date": business_date, **vars(change), "others": list(change.others)}


def _look_id(look: NDArray[np.float32]) -> str:
    return _digest(look.astype("<f4").tobytes(), look.shape[1])


def _digest(data: bytes, dim: int) -> str:
    return hashlib.sha256(f"{dim} ".encode() + data).hexdigest()


def _insert(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(sa.insert(table), rows)
