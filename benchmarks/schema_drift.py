"""Which of 5,000 tables have drifted? And what does a sensor's tick cost that looks at them?

Floor of the comparison: a dictionary of columns for each table, compared column by column, as one
would write it in a script. Floor of the tick: the one query for all schemas.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import duckdb

from dagster_agent.connectors.warehouses import open_warehouse
from dagster_agent.connectors.warehouses.config import WarehouseConfig
from dagster_agent.model import ColumnSchema, Relation, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.schema_drift.diff import diff_schemas
from dagster_agent.schema_drift.engine import RULES
from dagster_agent.schema_drift.fingerprints import take_sketches
from dagster_agent.schema_drift.snapshot import changed_tables, compare_looks, digest

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
TABLES = max(10, int(5_000 * SCALE))
COLUMNS = 40
DRIFTED = max(5, TABLES // 500)
SKETCHED_ROWS = max(1_000, int(100_000 * SCALE))
ROUNDS = 5
_TYPES = ("BIGINT", "VARCHAR", "DECIMAL(18,3)", "TIMESTAMP", "BOOLEAN")

Schemas = Mapping[str, TableSchema]


def run() -> Iterator[str]:
    """Lines of two Markdown tables: seconds, and the ratio to the floor of the same round."""
    accepted, observed = _schemas(), _drifted(_schemas())
    expected = _column_by_column(accepted, observed)
    found = changed_tables(accepted, observed)
    if sorted(expected) != list(found) or len(found) != DRIFTED:
        raise RuntimeError("the two comparisons disagree: a fast wrong answer is no figure")
    floor, ours = _paired(
        lambda: _column_by_column(accepted, observed), lambda: _judged(accepted, observed)
    )
    yield f"| {TABLES} tables x {COLUMNS} columns, {DRIFTED} drifted | seconds (median) | ratio |"
    yield "|---|---|---|"
    yield f"| dictionaries, column by column | {floor:.3f} | 1 |"
    yield f"| changed tables, diffed and judged by all rules | {ours:.3f} | {ours / floor:.2f} |"
    yield ""
    yield from _tick()


def _tick() -> Iterator[str]:
    yield f"| one look at {TABLES} tables of {COLUMNS} columns in DuckDB | seconds | ratio |"
    yield "|---|---|---|"
    with tempfile.TemporaryDirectory() as folder:
        warehouse, relations = _warehouse(Path(folder))

        def look() -> None:
            schemas = warehouse.schemas(relations)
            seen = {str(r): digest(schemas.get(r)) for r in relations}
            compare_looks(seen, seen)

        floor, ours = _paired(lambda: warehouse.schemas(relations), look)
        yield f"| the query for all schemas | {floor:.2f} | 1 |"
        yield f"| with digests and comparison | {ours:.2f} | {ours / floor:.2f} |"
        sketched = Relation(database="lake", schema="main", name="sketched")
        columns = warehouse.schemas([sketched])[sketched].columns

        def sketch() -> None:
            take_sketches(warehouse, sketched, columns, salt="ab", rows=SKETCHED_ROWS)

        scan = f"SELECT {', '.join(f'count(DISTINCT c{n})' for n in range(COLUMNS))} FROM sketched"
        floor, ours = _paired(lambda: warehouse.query(scan, purpose="floor"), sketch)
        yield f"| distinct values of {COLUMNS} columns, {SKETCHED_ROWS} rows | {floor:.2f} | 1 |"
        yield f"| their sketches | {ours:.2f} | {ours / floor:.2f} |"


def _paired(floor: Callable[[], object], ours: Callable[[], object]) -> tuple[float, float]:
    """Medians of rounds in which both run one after the other."""
    rounds = [(_seconds(floor), _seconds(ours)) for _ in range(ROUNDS)]
    return statistics.median(a for a, _ in rounds), statistics.median(b for _, b in rounds)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _judged(accepted: Schemas, observed: Schemas) -> int:
    """What follows the query: find the tables that changed, diff them, ask every rule."""
    diffs = [
        diff_schemas(accepted[name], observed.get(name), dialect="duckdb", rename_confidence=0.6)
        for name in changed_tables(accepted, observed)
    ]
    return sum(1 for diff in diffs for rule in RULES for _ in rule.find(diff))


def _column_by_column(accepted: Schemas, observed: Schemas) -> list[str]:
    changed: list[str] = []
    for name, schema in accepted.items():
        before = {c.name: (c.type, c.nullable, c.position) for c in schema.columns}
        after = {c.name: (c.type, c.nullable, c.position) for c in observed[name].columns}
        if any(after.get(c) != told for c, told in before.items()) or after.keys() - before:
            changed.append(name)
    return changed


def _schemas() -> Schemas:
    return {
        f"table_{t}": TableSchema(
            relation=Relation(database="lake", schema="main", name=f"table_{t}"),
            columns=tuple(
                ColumnSchema(name=f"column_{n}", type=_TYPES[n % 5], position=n + 1)
                for n in range(COLUMNS)
            ),
        )
        for t in range(TABLES)
    }


def _drifted(schemas: Schemas) -> Schemas:
    changed = dict(schemas)
    for name in list(schemas)[:: TABLES // DRIFTED][:DRIFTED]:
        *kept, last = schemas[name].columns
        changed[name] = replace(schemas[name], columns=(*kept, replace(last, type="DATE")))
    return changed


def _warehouse(folder: Path) -> tuple[Warehouse, list[Relation]]:
    columns = ", ".join(f"c{n} {_TYPES[n % 5]}" for n in range(COLUMNS))
    values = ", ".join(f"(i * {n + 7}) % {1000 + n} AS c{n}" for n in range(COLUMNS))
    with duckdb.connect(str(folder / "lake.duckdb")) as connection:
        connection.begin()
        for table in range(TABLES):
            connection.execute(f"CREATE TABLE table_{table} ({columns})")
        connection.commit()
        connection.execute(
            f"CREATE TABLE sketched AS SELECT {values} FROM range({SKETCHED_ROWS}) AS t(i)"
        )
    warehouse = open_warehouse(
        {"type": "duckdb", "path": str(folder / "lake.duckdb")},
        base_dir=folder,
        snapshot_dir=folder / "snapshots",
        config=WarehouseConfig(),
    )
    named = [f"table_{t}" for t in range(TABLES)]
    return warehouse, [Relation(database="lake", schema="main", name=name) for name in named]


if __name__ == "__main__":
    for line in run():
        print(line)
