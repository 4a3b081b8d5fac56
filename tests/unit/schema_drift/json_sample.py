"""What `keys_query` finds in documents, told by a few lines of Python: slower, and plain to see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from dagster_agent.schema_drift.json_grammar import ELEMENTS
from dagster_agent.schema_drift.json_keys import ColumnKeys, read_keys
from dagster_agent.schema_drift.json_query import ANY, DEPTH, EACH, SEPARATOR, JsonColumn

Row = tuple[str, str, int, int, int, int]
_KINDS = {
    bool: "boolean",
    dict: "object",
    float: "number",
    int: "integer",
    list: "array",
    str: "string",
    type(None): "null",
}


def rows_of(newest_first: Sequence[Any]) -> list[Row]:
    """The rows of the statement, for one column, sorted by path and type."""
    seen: dict[tuple[tuple[str, ...], str], set[int]] = defaultdict(set)
    level = [((), place, document) for place, document in enumerate(newest_first, start=1)]
    for depth in range(DEPTH + 1):
        for path, place, value in level:
            seen[path, _KINDS[type(value)]].add(place)
        level = list(_below(level)) if depth < DEPTH else []
    apart = _steps(seen)
    return sorted(
        (SEPARATOR.join(("0", *path)), kind, len(where), min(where), max(where), apart[path, kind])
        for (path, kind), where in seen.items()
    )


def look_at(oldest_first: Sequence[Any], column: str = "payload") -> ColumnKeys:
    """A look at documents, the newest of which come last."""
    rows = rows_of(list(reversed(oldest_first)))
    return read_keys(rows, [JsonColumn(name=column)])[column]


def lots(told: Sequence[Sequence[Any]]) -> list[Any]:
    """`[[2, {a: 1}], [1, {}]]` as three documents."""
    return [document for count, document in told for _ in range(count)]


def _below(level: Sequence[tuple[tuple[str, ...], int, Any]]) -> Iterator[Any]:
    having: dict[tuple[str, ...], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for path, place, value in level:
        if isinstance(value, dict):
            for key in value:
                having[path][key].add(place)
    for path, place, value in level:
        if isinstance(value, dict):
            total = len(set().union(*having[path].values())) if value else 0
            for key, below in value.items():
                many, documents = len(having[path]), len(having[path][key])
                data = many > 40 and (documents * 20 < total or total < 20)
                yield (*path, ANY if data else key), place, below
        elif isinstance(value, list):
            for below in value[:ELEMENTS]:
                yield (*path, EACH), place, below


def _steps(seen: dict[tuple[tuple[str, ...], str], set[int]]) -> dict[Any, int]:
    """The farthest steps between documents that have a path, told of those it leads to."""
    apart: dict[Any, int] = {}
    for path in {path for path, _ in seen}:
        for null in (True, False):
            kinds = [k for p, k in seen if p == path and (k == "null") is null]
            places = sorted((place, kind) for kind in kinds for place in seen[path, kind])
            for kind in kinds:
                steps = [
                    place - before for (before, _), (place, at) in pairwise(places) if at == kind
                ]
                apart[path, kind] = max(steps, default=0)
    return apart
