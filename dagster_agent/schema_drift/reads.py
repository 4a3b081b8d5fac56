"""Does the code of a model read a column of a table, or hand it on?

By column-level lineage where the code is SQL that parses; by its text otherwise (Python, code that
dbt has only parsed), and then it errs on the side of telling too many.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlglot import exp

from dagster_agent.errors import QueryRefused
from dagster_agent.model import Relation
from dagster_agent.sql.column_reads import columns_read
from dagster_agent.sql.guard import parse_select
from dagster_agent.sql.identifiers import same_relation
from dagster_agent.sql.lineage import column_origin, output_columns

Known = Mapping[Relation, Sequence[str]]
"""Columns of the tables that a model reads, as far as they are known."""

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/|\{#.*?#\}", re.DOTALL)
_STAR = re.compile(r"(?:\bselect\s+(?:distinct\s+)?|\.|,\s*)\*", re.IGNORECASE)
_KEPT = 20_000


class Use(StrEnum):
    """What a model does with a column of a table that it reads."""

    READS = "reads"
    """Its code names the column: without it, it cannot be built."""
    HANDS_ON = "hands on"
    """A star lets the column through, under its own name."""
    NONE = "none"
    """Nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Summary:
    """What one query reads."""

    reads: frozenset[tuple[Relation, str]]
    """Columns by table, in lower case."""
    open: frozenset[str]
    """Names in lower case that are read of one of the tables, nobody can tell which."""


_SUMMARIES: dict[str, _Summary | None] = {}
"""By checksum of code, dialect and known columns; parsing is what costs."""


def use_of(code: str, relation: Relation | None, column: str, *, dialect: str, known: Known) -> Use:
    """What a query does with a column.

    Args:
        code: A model's code, compiled where it is.
        relation: The table that the column belongs to.
        column: Its name, letter case ignored.
        dialect: sqlglot's name of the dialect.
        known: Columns of the tables that the query reads.
    """
    text = _COMMENT.sub(" ", code)
    named = re.search(rf"(?<![\w$]){re.escape(column)}(?![\w$])", text, re.IGNORECASE) is not None
    if not named and "*" not in text:
        return Use.NONE
    by_text = Use.READS if named else Use.HANDS_ON if _STAR.search(text) else Use.NONE
    if relation is None or by_text is Use.NONE:
        return by_text
    if named:
        summary = _summary(code, dialect, known)
        if summary is None:
            return by_text
        if _reads(summary, relation, column.casefold()):
            return Use.READS
    return _handed_on(code, relation, column.casefold(), dialect, known, otherwise=by_text)


def _reads(summary: _Summary, relation: Relation, column: str) -> bool:
    owners = [read for read, name in summary.reads if name == column]
    return column in summary.open or any(same_relation(owner, relation) for owner in owners)


def _handed_on(
    code: str, relation: Relation, column: str, dialect: str, known: Known, *, otherwise: Use
) -> Use:
    """Whether a star lets the column through; its text decides where the code does not parse."""
    try:
        names = output_columns(code, dialect, columns=known)
        if not names:
            return Use.HANDS_ON
        if column not in {name.casefold() for name in names}:
            return Use.NONE
        origin = column_origin(code, dialect, column, columns=known)
    except (QueryRefused, RecursionError):
        return otherwise
    if origin is None or origin[1].casefold() != column:
        return Use.NONE
    return Use.HANDS_ON if same_relation(origin[0], relation) else Use.NONE


def _summary(code: str, dialect: str, known: Known) -> _Summary | None:
    digest = hashlib.sha256(code.encode())
    digest.update(repr((dialect, sorted((str(r), *c) for r, c in known.items()))).encode())
    key = digest.hexdigest()
    if key not in _SUMMARIES:
        if len(_SUMMARIES) >= _KEPT:
            _SUMMARIES.clear()
        _SUMMARIES[key] = _summarise(code, dialect, known)
    return _SUMMARIES[key]


def _summarise(code: str, dialect: str, known: Known) -> _Summary | None:
    """None where the code does not parse as one query."""
    try:
        reads = columns_read(code, dialect, known)
        unclear = _unclear(code, dialect, {read.start for read in reads})
    except (QueryRefused, RecursionError):
        return None
    return _Summary(
        reads=frozenset((read.relation, read.column.casefold()) for read in reads),
        open=unclear,
    )


def _unclear(code: str, dialect: str, clear: set[int | None]) -> frozenset[str]:
    """Names of columns that stand in the code and were not traced, output names aside."""
    tree = parse_select(code, dialect)
    given = {alias.alias.casefold() for alias in tree.find_all(exp.Alias)}
    found: set[str] = set()
    for column in tree.find_all(exp.Column):
        starts = {part.meta.get("start") for part in column.parts}
        name = column.name.casefold()
        if not starts & clear and name not in given and not isinstance(column.this, exp.Star):
            found.add(name)
    return frozenset(found)
