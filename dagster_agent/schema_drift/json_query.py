"""The one statement that lists the keys of a table's JSON columns. No value leaves the warehouse:
its rows are a path, a JSON type, and where in the sample that occurs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dagster_agent.schema_drift.json_grammar import ELEMENTS, GRAMMARS, JsonGrammar
from dagster_agent.sql.identifiers import quote

SEPARATOR = "\x1f"
"""Between the steps of a path, the first of which is the column's place: `0␟items␟[]␟sku`."""
ANY = "*"
"""Stands for all keys of an object that is a map: its keys are data."""
EACH = "[]"
"""Stands for the elements of an array."""
DEPTH = 4
"""Levels of keys and elements that are looked at."""
SPAN = "hours"
"""Stands for a path in the row that tells how long the sample is, where moments tell."""
INVALID = "invalid"
"""JSON type of a text that is no document."""
_KEYS = 40
"""Keys of one object from which the rare ones among them are taken for data."""
_RARE = 20
"""Rare is a key that fewer than one in so many of these objects have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonColumn:
    """A column that holds documents."""

    name: str
    """As the warehouse spells it."""
    text: bool = False
    """It is a text column, said to hold them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which rows are read."""

    rows: int
    """At the most."""
    moment: str | None = None
    """Column that tells when a row came: the newest are read."""
    until: datetime | None = None
    """UTC; later moments are placeholders, and passed over."""
    stored: bool = False
    """It is a table, so that its rows have a place."""
    percent: float | None = None
    """Of the table, read without looking at the rest; None: all of it may be looked at."""


def keys_query(relation: str, columns: Sequence[JsonColumn], reach: Reach, dialect: str) -> str:
    """A statement whose rows are, by path and JSON type:

    1. path, its steps joined by `SEPARATOR`; a column's place alone stands for its documents
    2. JSON type
    3. documents that have it
    4. the newest of them, counted from the newest document of the column, which is 1
    5. the oldest of them
    6. the farthest that two of them, with none between, lie apart

    One more row, with `SPAN` as its path, tells in the third how many hours the sample reaches back
    from its newest row, where there is a column of moments.

    Args:
        relation: The table, quoted.
        columns: At least one.
        reach: Which rows.
        dialect: A key of `GRAMMARS`.
    """
    grammar = GRAMMARS[dialect]
    parts = [
        f"sampled AS ({_sampled(relation, columns, reach, grammar, dialect)})",
        f"documents AS ({' UNION ALL '.join(_document(i) for i in range(len(columns)))})",
        _kept(
            "n0", f"SELECT path, place, v, {_root_kind(grammar)} AS kind FROM documents", grammar
        ),
    ]
    for level in range(1, DEPTH + 1):
        parts += _level(level, grammar)
    nodes = " UNION ALL ".join(f"SELECT path, place, kind FROM n{i}" for i in range(DEPTH + 1))
    parts += [
        f"nodes AS ({nodes})",
        "seen AS (SELECT DISTINCT path, kind, place FROM nodes)",
        "steps AS (SELECT path, kind, place, place - LAG(place) OVER ("
        "PARTITION BY path, CASE WHEN kind = 'null' THEN 0 ELSE 1 END ORDER BY place, kind) AS step"
        " FROM seen)",
    ]
    span = f"SELECT '{SPAN}', '', COALESCE({grammar.hours}, 0), 0, 0, 0 FROM sampled"
    return (
        f"WITH {', '.join(parts)} SELECT path, kind, COUNT(*) AS documents, MIN(place) AS newest,"
        " MAX(place) AS oldest, COALESCE(MAX(step), 0) AS apart"
        f" FROM steps GROUP BY path, kind{f' UNION ALL {span}' if reach.moment else ''}"
    )


def _sampled(
    relation: str, columns: Sequence[JsonColumn], reach: Reach, grammar: JsonGrammar, dialect: str
) -> str:
    stored = grammar.place if reach.stored else ""
    moment = quote(reach.moment, dialect) if reach.moment else stored or "0"
    told = [
        f"{(grammar.text if column.text else grammar.document).format(v=f'd{place}')} AS v{place},"
        f" CASE WHEN d{place} IS NULL THEN 0 ELSE 1 END AS there{place}"
        for place, column in enumerate(columns)
    ]
    read = ", ".join(f"{quote(c.name, dialect)} AS d{place}" for place, c in enumerate(columns))
    sample = f" {grammar.sample.format(percent=f'{reach.percent:.6f}')}" if reach.percent else ""
    where = ""
    if reach.moment:
        # without this, rows that have none would come first where NULL sorts as the largest
        where = f" WHERE NOT {moment} IS NULL"
        if reach.until:
            where += f" AND {moment} <= CAST('{reach.until:%Y-%m-%d %H:%M:%S}' AS TIMESTAMP)"
    order = "" if moment == "0" else f" ORDER BY {moment} DESC"
    newest = f"SELECT {moment} AS came, {read} FROM {relation}{sample}{where}{order}"
    # cut first, opened after: what is not in the sample is never parsed
    return (
        f"SELECT came, ROW_NUMBER() OVER (ORDER BY came DESC) AS line, {', '.join(told)}"
        f" FROM ({newest} LIMIT {reach.rows}) AS newest"
    )


def _document(place: int) -> str:
    """By its place among the documents of its column: rows without one say nothing of keys."""
    return (
        f"SELECT '{place}' AS path, ROW_NUMBER() OVER (ORDER BY line) AS place, v{place} AS v"
        f" FROM sampled WHERE there{place} = 1"
    )


def _root_kind(grammar: JsonGrammar) -> str:
    return f"CASE WHEN v IS NULL THEN '{INVALID}' ELSE {grammar.kind.format(v='v')} END"


def _level(level: int, grammar: JsonGrammar) -> list[str]:
    """What lies one step below: entries of objects, rare ones of many under one name; elements."""
    above = f"n{level - 1}"
    entries = (
        f"SELECT {above}.path AS parent, {above}.place, {grammar.each_key} AS step,"
        f" {grammar.each_value} AS v FROM {above}{grammar.each.format(n=above)}"
        f" WHERE {above}.kind = 'object'"
    )
    told = (
        f"SELECT e.parent, e.step, COUNT(DISTINCT e.place) AS documents, MAX(t.total) AS total"
        f" FROM e{level} AS e JOIN t{level} AS t ON t.parent = e.parent GROUP BY e.parent, e.step"
    )
    totals = f"SELECT parent, COUNT(DISTINCT place) AS total FROM e{level} GROUP BY parent"
    nodes = f"SELECT *, {grammar.kind.format(v='v')} AS kind FROM b{level}"
    many = f"SELECT parent, COUNT(*) AS many FROM c{level} GROUP BY parent"
    data = f"m.many > {_KEYS} AND (c.documents * {_RARE} < c.total OR c.total < {_RARE})"
    below = (
        f"SELECT e.parent || '{SEPARATOR}' || CASE WHEN {data} THEN '{ANY}' ELSE e.step END AS path"
        f", e.place, e.v FROM e{level} AS e JOIN c{level} AS c"
        " ON c.parent = e.parent AND c.step = e.step"
        f" JOIN m{level} AS m ON m.parent = e.parent"
    )
    elements = (
        f"SELECT {above}.path || '{SEPARATOR}{EACH}' AS path, {above}.place,"
        f" {grammar.element} AS v FROM {above}{grammar.elements.format(n=above)}"
        f" WHERE {above}.kind = 'array'"
    )
    if grammar.elements == grammar.each:  # one function opens both, and counts elements from 0
        elements += f" AND e.index < {ELEMENTS}"
    return [
        _kept(f"e{level}", entries, grammar),
        f"t{level} AS ({totals})",
        _kept(f"c{level}", told, grammar),
        f"m{level} AS ({many})",
        f"b{level} AS ({below} UNION ALL {elements})",
        _kept(f"n{level}", nodes, grammar),
    ]


def _kept(name: str, select: str, grammar: JsonGrammar) -> str:
    """A part that others read more than once, so that it is to be made once."""
    return f"{name} AS {grammar.keep}({select})"
