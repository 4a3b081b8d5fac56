"""How much a statement would read, by PostgreSQL's own plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_WHOLE = frozenset({"Seq Scan"})
"""Nodes that read their table from end to end, whatever they let pass."""


def scans(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The nodes of a plan (`EXPLAIN (FORMAT JSON)`) that read a table or an index."""
    if "Relation Name" in plan or "Index Name" in plan:
        yield plan
    for child in plan.get("Plans", ()):
        yield from scans(child)


def whole_tables(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Schema and name of each table that is read from end to end, once for each time."""
    return [
        (str(node["Schema"]), str(node["Relation Name"]))
        for node in scans(plan)
        if node["Node Type"] in _WHOLE
    ]


def bytes_of_rows(plan: Mapping[str, Any]) -> int:
    """Estimated rows times their width, of all scans that read a part of a table."""
    return sum(
        int(node["Plan Rows"]) * int(node["Plan Width"])
        for node in scans(plan)
        if node["Node Type"] not in _WHOLE
    )
