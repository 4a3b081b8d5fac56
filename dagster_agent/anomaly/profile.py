"""A table in numbers: one statement, and no text value leaves the warehouse."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime

from dagster_agent.model import (
    Cell,
    ColumnProfile,
    ColumnSchema,
    MetricPoint,
    Relation,
    TableProfile,
    TableSchema,
)
from dagster_agent.ports import Warehouse
from dagster_agent.privacy.personal import is_personal

_NUMERIC = re.compile(
    r"(?:U?(?:TINY|SMALL|MEDIUM|BIG|HUGE)?INT(?:EGER|\d+)?|BYTEINT|DEC(?:IMAL)?|NUMERIC|NUMBER"
    r"|BIGNUMERIC|FLOAT\d*|DOUBLE(?: PRECISION)?|REAL)(?:\(.*\))?",
    re.IGNORECASE,
)


def profile_table(
    relation: Relation, schema: TableSchema, warehouse: Warehouse, now: datetime
) -> TableProfile:
    """Count rows, NULLs and distinct values; of numbers also smallest, largest and sum.

    Sums are floating-point. Smallest and largest are values of single rows: they are left out of
    columns that hold personal data.

    Args:
        relation: The table, as it is to be queried.
        schema: Its columns.
        warehouse: Where it is.
        now: UTC.

    Raises:
        ConnectorError: As `Warehouse.query`.
    """
    from dagster_agent.sql.identifiers import quote, relation_sql

    outputs = ["count(*) AS row_count"]
    for index, column in enumerate(schema.columns):
        name = quote(column.name, warehouse.dialect)
        outputs += _aggregates(f"c{index}", name, column)
    sql = f"SELECT {', '.join(outputs)} FROM {relation_sql(relation, warehouse.dialect)}"
    result = warehouse.query(sql, purpose=f"profile {relation}", max_rows=1)
    (values,) = result.records()
    rows = _whole(values["row_count"])
    return TableProfile(
        relation=relation,
        row_count=rows,
        columns=tuple(
            _column(f"c{index}", column, values, rows)
            for index, column in enumerate(schema.columns)
        ),
        profiled_at=now,
    )


def metric_points(asset: str, profile: TableProfile) -> tuple[MetricPoint, ...]:
    """The profile's metrics as points to keep, by name."""
    return tuple(
        MetricPoint(asset=asset, metric=metric, value=value, at=profile.profiled_at)
        for metric, value in sorted(profile.metrics().items())
    )


def _aggregates(alias: str, name: str, column: ColumnSchema) -> list[str]:
    outputs = [
        f"count({name}) AS {alias}_filled",
        f"approx_count_distinct({name}) AS {alias}_distinct",
    ]
    if _NUMERIC.fullmatch(column.type):
        number = f"CAST({name} AS DOUBLE)"
        outputs.append(f"sum({number}) AS {alias}_sum")
        if not is_personal(column.name, number=True):
            outputs += [f"min({number}) AS {alias}_min", f"max({number}) AS {alias}_max"]
    return outputs


def _column(
    alias: str, column: ColumnSchema, values: Mapping[str, Cell], rows: int
) -> ColumnProfile:
    filled = _whole(values[f"{alias}_filled"])
    total = _finite(values.get(f"{alias}_sum"))
    return ColumnProfile(
        name=column.name,
        type=column.type,
        null_count=rows - filled,
        distinct_estimate=_whole(values[f"{alias}_distinct"]),
        minimum=_finite(values.get(f"{alias}_min")),
        maximum=_finite(values.get(f"{alias}_max")),
        sum=total,
        mean=total / filled if total is not None and filled else None,
    )


def _whole(value: Cell) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _finite(value: Cell) -> float | None:
    if not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
