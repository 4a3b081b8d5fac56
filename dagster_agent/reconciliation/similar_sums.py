"""Numeric columns of two tables whose sums agree, cents and thousands aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from dagster_agent.model import TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.reconciliation.aggregates import as_decimal
from dagster_agent.reconciliation.canonical import kind_of
from dagster_agent.reconciliation.similar_names import likeness
from dagster_agent.sql.identifiers import quote, relation_sql

_COLUMNS = 12
"""Numeric columns of a table that are summed."""
_FACTORS = ((Decimal(1), ""), (Decimal(100), " / 100.0"), (Decimal(1000), " / 1000.0"))
_NEAR = Decimal("0.02")
"""Relative distance of two sums that is no chance when the names are alike."""
_EQUAL = Decimal("0.0001")
"""The same when they are not."""
_ALIKE = 0.5
_KEY_ENDINGS = ("_id", "_key", "_no", "_nr")


@dataclass(frozen=True, slots=True, kw_only=True)
class SumMatch:
    """Two columns with about the same sum."""

    ours: str
    """Our column."""
    expression: str
    """Their column, or an expression in our unit."""
    gap: float
    """Relative distance of the sums."""


def matching_sums(
    warehouse: Warehouse, ours: TableSchema, theirs: TableSchema, *, besides: tuple[str, ...]
) -> tuple[SumMatch, ...]:
    """Pairs of numeric columns whose sums agree, in the order of ours; one statement per table.

    Args:
        warehouse: Where both are.
        ours: The model's table.
        theirs: The table beside it.
        besides: Columns that are keys.

    Raises:
        ConnectorError: As `Warehouse.query`.
    """
    left, right = (_sums(warehouse, table, besides) for table in (ours, theirs))
    found: list[SumMatch] = []
    taken: set[str] = set()
    for name, total in left.items():
        matches = [
            match
            for other, their_total in right.items()
            if other not in taken and (match := _match(name, total, other, their_total))
        ]
        if matches:
            best = min(matches, key=lambda m: m.gap)
            taken.add(best.expression.split(" ")[0])
            found.append(best)
    return tuple(found)


def _match(name: str, total: Decimal, other: str, their_total: Decimal) -> SumMatch | None:
    limit = _NEAR if likeness(name, other) >= _ALIKE else _EQUAL
    for factor, text in _FACTORS:
        gap = abs(their_total / factor - total) / abs(total)
        if gap <= limit:
            return SumMatch(ours=name, expression=f"{other}{text}", gap=float(gap))
    return None


def _sums(
    warehouse: Warehouse, table: TableSchema, besides: tuple[str, ...]
) -> Mapping[str, Decimal]:
    """Sums that say something: not of keys, and neither 0 nor NULL."""
    skipped = {name.casefold() for name in besides}
    names = [
        column.name
        for column in table.columns
        if kind_of(column.type, warehouse.dialect).name in ("integer", "decimal", "float")
        and column.name.casefold() not in skipped
        and not column.name.casefold().endswith(_KEY_ENDINGS)
        and column.name.casefold() != "id"
    ][:_COLUMNS]
    if not names:
        return {}
    selected = ", ".join(
        f"sum({quote(name, warehouse.dialect)}) as s{i}" for i, name in enumerate(names)
    )
    query = f"select {selected} from {relation_sql(table.relation, warehouse.dialect)}"
    (row,) = warehouse.query(query, purpose="similar sums").rows
    numbers = {name: as_decimal(value) for name, value in zip(names, row, strict=True)}
    return {name: n for name, n in numbers.items() if n is not None and n.is_finite() and n}
