"""Sketches of columns: enough to tell whether two columns hold the same values, and no value.

A sketch is the smallest of the hashes of a column's distinct values (bottom-k, the variant of
MinHash in Cohen and Kaplan, Summarizing data using bottom-k sketches, PODC 2007): whichever sample
it is taken from, the same values give the same hashes, so two sketches can be compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dagster_agent.model import ColumnSchema, Relation
from dagster_agent.ports import Warehouse
from dagster_agent.schema_drift.types import parse_type, type_name

SKETCH_SIZE = 100
"""Hashes kept of a column: the overlap of two such sketches is right within 0.05 (one sigma)."""
_TELLING = 8
"""Distinct values from which a sketch says something: two flags overlap by chance."""
_COLUMNS_AT_MOST = 200
_OPAQUE = frozenset(
    {"STRUCT", "ARRAY", "MAP", "JSON", "VARIANT", "BINARY", "VARBINARY", "BLOB", "BYTEA"}
    | {"GEOGRAPHY", "GEOMETRY", "BOOLEAN", "SUPER", "BIT"}
)
"""Types of which no sketch is taken: costly, or with too few values to say anything."""

Sketches = Mapping[str, tuple[int, ...]]
"""Sorted 32-bit hashes by column, as spelled when they were taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Sketches of a table's columns then and now."""

    before: Sketches = field(default_factory=lambda: dict[str, tuple[int, ...]]())
    """Taken when the schema was last accepted or seen unchanged."""
    after: Sketches = field(default_factory=lambda: dict[str, tuple[int, ...]]())
    """Taken now."""

    def overlap(self, old: str, new: str) -> float | None:
        """Share of distinct values that two columns have in common, 0 to 1.

        None where one of them was not sketched or has too few values to tell.
        """
        one, other = self.before.get(old, ()), self.after.get(new, ())
        if min(len(one), len(other)) < _TELLING:
            return None
        return overlap(one, other)

    def steady(self) -> bool:
        """Whether columns that kept their name kept their values: only then does absence tell."""
        shares = [self.overlap(name, name) for name in self.before if name in self.after]
        return any(share is not None and share >= 0.5 for share in shares)


def overlap(one: Sequence[int], other: Sequence[int]) -> float:
    """Jaccard similarity of the columns behind two sketches, neither empty."""
    union = sorted({*one, *other})[:SKETCH_SIZE]
    shared = {*one} & {*other}
    return sum(value in shared for value in union) / len(union)


def worth_sketching(columns: Sequence[ColumnSchema], dialect: str) -> list[ColumnSchema]:
    """The columns whose values can serve as evidence, at most 200."""

    def plain(column: ColumnSchema) -> bool:
        parsed = parse_type(column.type, dialect)
        return parsed is not None and type_name(parsed) not in _OPAQUE

    return [column for column in columns if plain(column)][:_COLUMNS_AT_MOST]


def sketch_query(
    relation: Relation, columns: Sequence[ColumnSchema], *, salt: str, rows: int, dialect: str
) -> str:
    """One statement that sketches all columns of a table.

    Args:
        relation: The table.
        columns: At least one.
        salt: Goes before each value, so that hashes of two projects have nothing in common.
        rows: Rows read at the most: the first ones, in the warehouse's own order.
        dialect: sqlglot's name of the dialect.

    Returns:
        A query for rows of (position in `columns`, eight hexadecimal digits).
    """
    from sqlglot import exp, parse_one

    parts: list[str] = []
    for position, column in enumerate(columns):
        name = exp.to_identifier(column.name, quoted=True).sql("postgres")
        parts.append(
            f"SELECT * FROM (SELECT {position} AS place,"
            f" SUBSTRING(MD5('{salt}' || CAST(v AS TEXT)), 1, 8) AS digits"
            f" FROM (SELECT DISTINCT {name} AS v FROM sampled WHERE NOT {name} IS NULL) AS d"
            f" ORDER BY digits LIMIT {SKETCH_SIZE}) AS s{position}"
        )
    rows_read = f"WITH sampled AS (SELECT * FROM {relation.sql()} LIMIT {rows})"
    text = f"{rows_read} {' UNION ALL '.join(parts)}"
    return parse_one(text, read="postgres").sql(dialect)


def take_sketches(
    warehouse: Warehouse,
    relation: Relation,
    columns: Sequence[ColumnSchema],
    *,
    salt: str,
    rows: int,
) -> Sketches:
    """Sketches of those columns that have enough distinct values to tell, in one statement.

    Raises:
        ConnectorError: The warehouse does not answer, or refuses.
    """
    chosen = worth_sketching(columns, warehouse.dialect)
    if not chosen:
        return {}
    sql = sketch_query(relation, chosen, salt=salt, rows=rows, dialect=warehouse.dialect)
    most = SKETCH_SIZE * len(chosen)
    found = warehouse.query(sql, purpose="sketch of columns for renames", max_rows=most)
    hashes: dict[str, set[int]] = defaultdict(set)
    for place, digits in found.rows:
        hashes[chosen[int(str(place))].name].add(int(str(digits), 16))
    return {name: tuple(sorted(s)) for name, s in hashes.items() if len(s) >= _TELLING}
