"""The keys of a table's documents as one look found them, those that are data folded away."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dagster_agent.errors import ConnectorError
from dagster_agent.model import Cell
from dagster_agent.privacy.person_names import share_of_names
from dagster_agent.privacy.redaction import redact
from dagster_agent.privacy.value_kinds import kind_of
from dagster_agent.schema_drift.json_query import ANY, EACH, INVALID, SEPARATOR, SPAN, JsonColumn

Path = tuple[str, ...]
"""Steps from a document to what lies in it; none for the document itself."""
NULL = "null"
"""JSON type of a null."""

_KINDS = frozenset({
    "string", "integer", "number", "boolean", "object", "array", NULL, INVALID,
    "binary", "date", "time", "timestamp_ltz", "timestamp_ntz", "timestamp_tz", "uuid",
})  # fmt: skip
"""JSON types, and what Snowflake keeps in documents besides."""
_NAME = re.compile(r"[^\W\d][\w$.:/ -]{0,63}")
"""What people call things; a key of another form is data."""
_DATA = re.compile(
    r"\d{5}|\d{4}-\d\d|@|\s.*\s"
    r"|(?i:(?<![0-9a-z])(?=[0-9a-f-]*\d)[0-9a-f]{8,}(?![0-9a-z])|[0-9a-f]{8}-[0-9a-f]{4}-)"
)
"""Numbers, dates, addresses, sentences, checksums and UUIDs within a key."""
_PLAIN = re.compile(r"[\w$-]+")
_PEOPLE = 0.5
"""Share of given names among the keys of an object from which it is a map of people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Where in the sample something occurs. The newest document is 1."""

    documents: int
    """That have it."""
    newest: int
    """The newest of them."""
    oldest: int
    """The oldest of them."""
    apart: int = 1
    """The farthest that two of them, with none between, lie apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySeen:
    """One key, or the elements of one array."""

    kinds: Mapping[str, Spread]
    """By JSON type, null among them."""

    @property
    def filled(self) -> Spread | None:
        """Where it holds more than null."""
        found = [spread for kind, spread in self.kinds.items() if kind != NULL]
        if not found:
            return None
        return Spread(
            documents=min(sum(s.documents for s in found), max(s.oldest for s in found)),
            newest=min(s.newest for s in found),
            oldest=max(s.oldest for s in found),
            apart=max(s.apart for s in found),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnKeys:
    """What lies in the documents of a column."""

    column: str
    """As the warehouse spells it."""
    documents: int = 0
    """Looked at; rows that have none are not counted."""
    keys: Mapping[Path, KeySeen] = field(default_factory=lambda: dict[Path, KeySeen]())
    """By path, sorted; the documents themselves by the empty one."""


def read_keys(
    rows: Iterable[Sequence[Cell]], columns: Sequence[JsonColumn], *, secrets: Sequence[str] = ()
) -> Mapping[str, ColumnKeys]:
    """The result of `keys_query`, as it may be kept and shown.

    A key that looks like data (a number, an address, a checksum, a name among names) is folded
    into `*`, whatever the warehouse made of it.

    Args:
        rows: As the query yields them.
        columns: As the query was made of.
        secrets: Values known to be secret.

    Returns:
        By column, all of them.

    Raises:
        ConnectorError: The warehouse names a type that is none: then nothing can be compared.
    """
    found: dict[str, list[tuple[Path, str, Spread]]] = {column.name: [] for column in columns}
    for path, kind, documents, newest, oldest, apart in rows:
        if path == SPAN:
            continue
        if kind not in _KINDS:
            raise ConnectorError(
                f"the warehouse calls the type of a JSON value {kind!r}, which is none",
                hint="set schema_drift.json_keys to off, or json_ignore for this column",
            )
        place, *steps = str(path).split(SEPARATOR)
        numbers = [int(str(number)) for number in (documents, newest, oldest, apart)]
        spread = Spread(
            documents=numbers[0], newest=numbers[1], oldest=numbers[2], apart=max(1, numbers[3])
        )
        found[columns[int(place)].name].append((tuple(steps), str(kind), spread))
    return {name: _column(name, told, secrets) for name, told in found.items()}


def path_text(column: str, path: Path) -> str:
    """`payload.items[].sku`; a key that is no plain word in quotes."""
    text = column
    for step in path:
        if step == EACH:
            text += EACH
        elif step == ANY or _PLAIN.fullmatch(step):
            text += f".{step}"
        else:
            text += f'."{step}"'
    return text


def _column(
    name: str, told: Sequence[tuple[Path, str, Spread]], secrets: Sequence[str]
) -> ColumnKeys:
    documents = sum(spread.documents for path, _, spread in told if not path)
    data = _data_in({path for path, _, _ in told}, secrets)
    merged: dict[Path, dict[str, Spread]] = defaultdict(dict)
    for path, kind, spread in sorted(told, key=lambda each: each[:2]):
        shown = tuple(ANY if path[: place + 1] in data else step for place, step in enumerate(path))
        before = merged[shown].get(kind)
        merged[shown][kind] = _both(before, spread, documents) if before else spread
    keys = {path: KeySeen(kinds=kinds) for path, kinds in sorted(merged.items())}
    return ColumnKeys(column=name, documents=documents, keys=keys)


def _data_in(paths: Iterable[Path], secrets: Sequence[str]) -> set[Path]:
    """The paths whose last step is data."""
    below: dict[Path, set[str]] = defaultdict(set)
    for path in paths:
        for place, step in enumerate(path):
            below[path[:place]].add(step)
    found: set[Path] = set()
    for parent, steps in below.items():
        named = sorted(steps - {ANY, EACH})
        people = len(named) > 1 and share_of_names(named) >= _PEOPLE
        found |= {
            (*parent, step)
            for step in named
            if people or is_data(step) or redact(step, secrets=secrets) != step
        }
    return found


def is_data(key: str) -> bool:
    """Whether a key is a value rather than the name of one."""
    return not _NAME.fullmatch(key) or bool(_DATA.search(key)) or bool(kind_of(key))


def _both(one: Spread, other: Spread, documents: int) -> Spread:
    return Spread(
        documents=min(one.documents + other.documents, documents),
        newest=min(one.newest, other.newest),
        oldest=max(one.oldest, other.oldest),
        apart=min(one.apart, other.apart),
    )
