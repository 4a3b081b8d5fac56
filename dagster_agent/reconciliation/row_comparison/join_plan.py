"""One store, many differences: both tables grouped by key and joined, then the differing keys.

Keys whose rows agree in number and hash are done with; of the others the rows are read, paired and
judged inside the store. Where a bitmap tells keys apart, hashes are joined instead of grouped.
"""

from __future__ import annotations

from dagster_agent.reconciliation.comparison import TablePair
from dagster_agent.reconciliation.row_comparison.buckets import (
    Buckets,
    aligned_buckets,
    integer_key,
)
from dagster_agent.reconciliation.row_comparison.columns import ComparedColumns
from dagster_agent.reconciliation.row_comparison.matching import matched_tables
from dagster_agent.reconciliation.row_comparison.pairing import (
    KEY_COUNTS,
    difference_counts,
    pairing_tables,
    result_rows,
)
from dagster_agent.reconciliation.row_comparison.result import TOTALS, RawResult, read_result
from dagster_agent.reconciliation.row_comparison.row_hash import materialized, row_hash
from dagster_agent.reconciliation.row_comparison.sides import side_rows, side_tables
from dagster_agent.reconciliation.row_comparison.store import Journal
from dagster_agent.reconciliation.row_comparison.value_forms import hash_sum


def compare_joined(
    pair: TablePair, columns: ComparedColumns, examples: int, journal: Journal
) -> RawResult:
    """Compare two tables of one store; arguments as of `compare_buckets`, with at least one key."""
    statement = _statement(pair, columns, examples)
    result = journal.ask(pair.ours.warehouse, statement, max_rows=5 * examples + 2)
    return read_result(result, columns)


def _statement(pair: TablePair, columns: ComparedColumns, examples: int) -> str:
    dialect = pair.ours.warehouse.dialect
    number = integer_key(columns, dialect) if columns.values else None
    buckets = aligned_buckets(number, dialect) if number is not None else None
    if buckets is not None and buckets.matched(dialect):
        return _matched(pair, columns, buckets, examples)
    kept = materialized(dialect)
    sources = [_rows(pair, columns, ours=ours) for ours in (True, False)]
    tables = [
        *side_tables(pair, columns),
        *(
            f"g{side} as {kept}({_grouped(source, columns, dialect)})"
            for side, source in zip("ot", sources, strict=True)
        ),
        f"{KEY_COUNTS} as {kept}({_joined_keys(columns)})",
    ]
    if columns.values:
        same = " and ".join(f"x.{k} = placed.{k}" for k in columns.key_names)
        tables += [
            *(
                f"{side} as {kept}(select * from {source} where exists "
                f"(select 1 from {KEY_COUNTS} as x where x.differs = 1 and {same}))"
                for side, source in zip("ot", sources, strict=True)
            ),
            pairing_tables(columns, dialect),
        ]
    else:
        tables.append(f"judged as ({_by_number(columns)})")
    totals = _totals(columns, dialect)
    return f"with {', '.join(tables)} {result_rows(columns, totals, examples, dialect)}"


def _matched(pair: TablePair, columns: ComparedColumns, buckets: Buckets, examples: int) -> str:
    """By a join of keys and hashes instead of groups: half the cost."""
    dialect = pair.ours.warehouse.dialect

    def nulls(*, ours: bool) -> str:
        side, (key,) = (pair.ours if ours else pair.theirs), columns.keys
        null = side.restricted(f"({key.ours if ours else key.theirs}) is null")
        return f"(select count(*) from {null.rows_sql})"

    tables = [
        *side_tables(pair, columns),
        *matched_tables(pair, columns, buckets, chosen="k0 is not null"),
        pairing_tables(columns, dialect),
    ]
    without = f"{nulls(ours=True)} as null_ours, {nulls(ours=False)} as null_theirs"
    counted = (
        "(select count(*) from hashed_o) + null_ours as rows_ours, "
        "(select count(*) from hashed_t) + null_theirs as rows_theirs, null_ours, null_theirs, "
        f"0 as buckets, 0 as buckets_differing, 1 as drilled, {difference_counts()} "
        f"from (select {without}) as without_key"
    )
    shown = " || '|' || ".join(f"cast({name} as varchar)" for name in TOTALS)
    totals = f"(select {shown} from (select {counted}) as counted) as numbers"
    return f"with {', '.join(tables)} {result_rows(columns, totals, examples, dialect)}"


def _rows(pair: TablePair, columns: ComparedColumns, *, ours: bool) -> str:
    side = pair.ours if ours else pair.theirs
    hashed = row_hash((*columns.key_names, *columns.value_names), side.warehouse.dialect)
    return f"(select *, {hashed} as h from {side_rows(pair, columns, ours=ours)}) as placed"


def _grouped(source: str, columns: ComparedColumns, dialect: str) -> str:
    keys = ", ".join(columns.key_names)
    return (
        f"select {keys}, count(*) as n, {hash_sum('h', dialect)} as s from {source} group by {keys}"
    )


def _joined_keys(columns: ComparedColumns) -> str:
    keys = ", ".join(f"coalesce(o.{k}, t.{k}) as {k}" for k in columns.key_names)
    same = " and ".join(f"o.{k} = t.{k}" for k in columns.key_names)
    present = " and ".join(f"{k} is not null" for k in columns.key_names)
    return (
        f"select {keys}, coalesce(o.n, 0) as na, coalesce(t.n, 0) as nb, case when o.n is distinct "
        f"from t.n or o.s is distinct from t.s then 1 else 0 end as differs "
        f"from (select * from go where {present}) as o "
        f"full join (select * from gt where {present}) as t on {same}"
    )


def _by_number(columns: ComparedColumns) -> str:
    """Rows that are nothing but their key differ in number only; one line stands for each key."""
    keys = ", ".join(columns.key_names)
    return (
        f"select {keys}, 'missing' as kind from {KEY_COUNTS} where nb > na union all "
        f"select {keys}, 'extra' as kind from {KEY_COUNTS} where na > nb"
    )


def _totals(columns: ComparedColumns, dialect: str) -> str:
    text = {"bigquery": "string", "postgres": "text"}.get(dialect, "varchar")
    null = " or ".join(f"{k} is null" for k in columns.key_names)

    def of(table: str, number: str, condition: str = "1 = 1") -> str:
        return f"(select coalesce({number}, 0) from {table} where {condition})"

    counts = difference_counts()
    if not columns.values:
        missing = of(KEY_COUNTS, "sum(nb - na)", "nb > na")
        extra = of(KEY_COUNTS, "sum(na - nb)", "na > nb")
        rest = counts[counts.index(" as extra") + len(" as extra") :]
        counts = f"{missing} as missing, {extra} as extra{rest}"
    counted = (
        f"{of('go', 'sum(n)')} as rows_ours, {of('gt', 'sum(n)')} as rows_theirs, "
        f"{of('go', 'sum(n)', null)} as null_ours, {of('gt', 'sum(n)', null)} as null_theirs, "
        f"{of(KEY_COUNTS, 'count(*)')} as buckets, "
        f"{of(KEY_COUNTS, 'count(*)', 'differs = 1')} as buckets_differing, "
        f"1 as drilled, {counts}"
    )
    shown = " || '|' || ".join(f"cast({name} as {text})" for name in TOTALS)
    return f"(select {shown} from (select {counted}) as counted) as numbers"
