"""How rows travel between stores: in the type that costs the store least, without losing a digit.

The store sends a type of its own where that says all that the form of a value says, and the form is
made where the rows arrive, while they come. Measured on PostgreSQL: a moment costs the server three
times as much as a number of microseconds as it does as a moment.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagster_agent.reconciliation.canonical import kind_of
from dagster_agent.reconciliation.comparison import Side, TablePair
from dagster_agent.reconciliation.row_comparison.columns import ComparedColumn, ComparedColumns
from dagster_agent.reconciliation.row_comparison.row_hash import row_hash
from dagster_agent.reconciliation.row_comparison.value_forms import FAR, plain_form

_MOST_COLUMNS = 500
"""PostgreSQL selects no more than 1,664, and a moment is sent as two."""
_MICROSECONDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """One value."""

    sql: tuple[str, ...]
    """Select list in the store."""
    arrived: str
    """SQL of its plain form in DuckDB."""


def sent_sql(pair: TablePair, columns: ComparedColumns, *, ours: bool) -> str:
    """SELECT of one side's rows as they are sent."""
    side = pair.ours if ours else pair.theirs
    listed = [sql for sent in _all_sent(side, columns, ours=ours) for sql in sent.sql]
    return f"select {', '.join(listed) or '1 as nothing'} from {side.rows_sql}"


def arrived_sql(pair: TablePair, columns: ComparedColumns, *, ours: bool) -> str:
    """Select list, in DuckDB, of the keys, values and row hash h of what `sent_sql` sends."""
    side = pair.ours if ours else pair.theirs
    forms = [sent.arrived for sent in _all_sent(side, columns, ours=ours)]
    names = (*columns.key_names, *columns.value_names)
    named = [f"{form} as {name}" for form, name in zip(forms, names, strict=True)]
    return ", ".join([*named, f"{row_hash(forms, 'duckdb')} as h"])


def _all_sent(side: Side, columns: ComparedColumns, *, ours: bool) -> list[_Sent]:
    every = (*columns.keys, *columns.values)
    names = (*columns.key_names, *columns.value_names)
    return [
        (len(every) <= _MOST_COLUMNS and _as_it_is(side, column, name))
        or _Sent(sql=(f"{column.ours if ours else column.theirs} as {name}",), arrived=name)
        for column, name in zip(every, names, strict=True)
    ]


def _as_it_is(side: Side, column: ComparedColumn, name: str) -> _Sent | None:
    """In the store's own type; None where the form is as cheap, or says more."""
    known = side.column(column.name)
    if side.warehouse.dialect != "postgres" or known is None:
        return None
    value, kind, source = side.sql(column.name), column.kind, kind_of(known.type, "postgres")
    if source.name != kind.name:
        return None
    if kind.name == "boolean":
        return _Sent(sql=(f"{value} as {name}",), arrived=plain_form(name, source, kind, "duckdb"))
    if kind.name != "timestamp" or column.text or not source.scale <= kind.scale <= _MICROSECONDS:
        return None
    # no Arrow type holds infinite moments: another column says which they are
    far = f"case when not isfinite({value}) then {value} > cast('1970-01-01' as date) end"
    units = f"epoch_us({name})"
    if kind.scale < _MICROSECONDS:
        units = f"({units} // {10 ** (_MICROSECONDS - kind.scale)})"
    return _Sent(
        sql=(f"case when isfinite({value}) then {value} end as {name}", f"{far} as {name}_far"),
        arrived=f"case when {name}_far then {FAR} when not {name}_far then -{FAR} else {units} end",
    )
