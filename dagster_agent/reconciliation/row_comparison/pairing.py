"""SQL that pairs the rows of one key and says what differs: the end of every plan in one store.

It reads two common table expressions, `o` and `t`: rows of ours and of theirs with the keys k0,
k1, ..., the values c0, c1, ... and the row hash h, no key with a NULL in it. FULL JOIN on a key
that comes twice would multiply rows, so equal rows are matched by number first, then the rest.
"""

from __future__ import annotations

from dagster_agent.reconciliation.row_comparison.columns import ComparedColumn, ComparedColumns
from dagster_agent.reconciliation.row_comparison.row_hash import materialized
from dagster_agent.reconciliation.row_comparison.value_forms import joined, plain_form

_DUCKDB_DIGITS = 38
"""A difference of such decimals may need one digit more than there are."""
KEY_COUNTS = "key_counts"
"""Common table expression with the keys and na, nb: rows of ours and of theirs."""
_REPEATED = "repeated"
"""Common table expression with those keys that several rows of one side have: only they need
windows."""


def pairing_tables(columns: ComparedColumns, dialect: str) -> str:
    """Common table expressions that lead from `o` and `t` to `judged`: one row per difference."""
    kept = materialized(dialect)
    keys = columns.key_names
    repeated = f"select {', '.join(keys)} from {KEY_COUNTS} where na > 1 or nb > 1"
    parts = [
        *([f"{_REPEATED} as {kept}({repeated})"] if keys else []),
        *(_numbered(columns, side) for side in "ot"),
        *(_unmatched(columns, one, other) for one, other in ("ot", "to")),
        f"pairs as {kept}({_pairs(columns) if keys else _whole_rows(columns)})",
        f"judged as {kept}({_judged(columns, dialect)})",
    ]
    return ", ".join(parts)


def unequal_keys(columns: ComparedColumns, dialect: str) -> str:
    """`key_counts` from the rows of `drilled_o` and `drilled_t`; keys with exactly one row on
    either side and equal hashes are left out."""
    keys = columns.key_names
    if not keys:
        return f"{KEY_COUNTS} as (select 0 as na, 0 as nb from drilled_o where 1 = 0)"
    listed = ", ".join(keys)
    # of two numbers, XOR is 0 where they are equal: one aggregate less
    unequal = "bit_xor(h) <> 0" if dialect == "duckdb" else "max(h) <> min(h)"
    return (
        f"{KEY_COUNTS} as {materialized(dialect)}"
        f"(select {listed}, count(a) as na, count(*) - count(a) as nb from "
        f"(select {listed}, 1 as a, h from drilled_o union all "
        f"select {listed}, null as a, h from drilled_t) as both_sides group by {listed} "
        f"having count(*) <> 2 or count(a) <> 1 or {unequal})"
    )


def result_rows(columns: ComparedColumns, totals: str, examples: int, dialect: str) -> str:
    """The last SELECT: what `result.read_result` reads.

    Args:
        columns: As in the tables before it.
        totals: SELECT of one row of numbers.
        examples: Rows of each kind of difference.
        dialect: sqlglot's name.
    """
    text = {"bigquery": "string", "postgres": "text"}.get(dialect, "varchar")
    nothing = f"cast(null as {text})"
    numbers = f"select 'total' as part, {totals}, {nothing} as k, {nothing} as o, {nothing} as t"
    parts = [numbers]
    if columns.keys and columns.values:
        parts.append(
            f"select 'columns' as part, {_column_numbers(columns, text)} as numbers, {nothing} as k"
            f", {nothing} as o, {nothing} as t from judged"
        )
    if examples:
        parts += _examples(columns, examples, text)
    return " union all ".join(f"({part})" for part in parts)


def difference_counts() -> str:
    """Numbers of `judged` and `key_counts`, to be selected in the order of `result.TOTALS`."""

    def kind(name: str) -> str:
        return f"(select count(*) from judged where kind = '{name}')"

    def keys(number: str, condition: str) -> str:
        return f"(select coalesce({number}, 0) from {KEY_COUNTS} where {condition})"

    return ", ".join(
        (
            f"{kind('missing')} as missing",
            f"{kind('extra')} as extra",
            f"{kind('changed')} as changed",
            f"{keys('count(*)', 'na = 0')} as keys_missing",
            f"{keys('count(*)', 'nb = 0')} as keys_extra",
            f"{keys('count(*)', 'na > 1')} as duplicated_ours",
            f"{keys('count(*)', 'nb > 1')} as duplicated_theirs",
            f"{keys('sum(na - 1)', 'na > 1')} as surplus_ours",
            f"{keys('sum(nb - 1)', 'nb > 1')} as surplus_theirs",
        )
    )


def _numbered(columns: ComparedColumns, side: str) -> str:
    partition = ", ".join((*columns.key_names, "h"))
    number = f"row_number() over (partition by {partition} order by h)"
    return f"n{side} as (select *, {number} as rn from {side} as r{_where_repeated(columns)})"


def _where_repeated(columns: ComparedColumns, not_: str = "") -> str:
    """Condition on rows called `r`; none without a key."""
    same = " and ".join(f"x.{name} = r.{name}" for name in columns.key_names)
    return f" where {not_}exists (select 1 from {_REPEATED} as x where {same})" if same else ""


def _unmatched(columns: ComparedColumns, one: str, other: str) -> str:
    """Rows without an equal one, numbered within their key in the order of their values."""
    same = " and ".join(f"b.{name} = a.{name}" for name in (*columns.key_names, "h", "rn"))
    partition = f"partition by {', '.join(columns.key_names)} " if columns.keys else ""
    order = ", ".join((*columns.value_names, "h"))
    listed = ", ".join((*columns.key_names, *columns.value_names))
    # a key that comes once on either side is here because its rows differ
    single = f"select {listed}, 1 as p from {one} as r{_where_repeated(columns, 'not ')} union all "
    return (
        f"u{one} as ({single if columns.keys else ''}"
        f"select {listed}, row_number() over ({partition}order by {order}) as p from n{one} "
        f"as a where not exists (select 1 from n{other} as b where {same}))"
    )


def _pairs(columns: ComparedColumns) -> str:
    keys = ", ".join(f"coalesce(a.{k}, b.{k}) as {k}" for k in columns.key_names)
    cells = "".join(f", a.{c} as o{c}, b.{c} as t{c}" for c in columns.value_names)
    same = " and ".join(f"a.{name} = b.{name}" for name in (*columns.key_names, "p"))
    return (
        f"select {keys}{cells}, case when a.p is null then 'missing' when b.p is null then 'extra' "
        f"else 'changed' end as kind from uo as a full join ut as b on {same}"
    )


def _whole_rows(columns: ComparedColumns) -> str:
    """Without a key no row is another version of one there."""
    names = columns.value_names
    ours = ", ".join([*(f"{c} as o{c}" for c in names), *(f"null as t{c}" for c in names)])
    theirs = ", ".join([*(f"null as o{c}" for c in names), *(f"{c} as t{c}" for c in names)])
    return (
        f"select {ours}, 'extra' as kind from uo union all "
        f"select {theirs}, 'missing' as kind from ut"
    )


def _judged(columns: ComparedColumns, dialect: str) -> str:
    """Pairs with dc0, dc1, ...: 1 beyond the tolerance; and ec0, ec1, ...: the distance, where
    values have one."""
    if not columns.values or not columns.keys:
        return "select * from pairs"
    distances = "".join(
        f", {_distance(column, f'o{name}', f't{name}', dialect)} as e{name}"
        for column, name in zip(columns.values, columns.value_names, strict=True)
        if column.countable
    )
    measured = f"select *{distances} from pairs"
    flags = ", ".join(
        f"{_beyond(column, name, dialect)} as d{name}"
        for column, name in zip(columns.values, columns.value_names, strict=True)
    )
    judged = f"select *, {flags} from ({measured}) as measured"
    any_ = joined([f"d{name}" for name in columns.value_names], " + ")
    return f"select * from ({judged}) as flagged where kind <> 'changed' or {any_} > 0"


def _beyond(column: ComparedColumn, name: str, dialect: str) -> str:
    differs = f"kind = 'changed' and o{name} is distinct from t{name}"
    if column.tolerant and column.countable:
        near = f"abs(e{name}) <= {column.tolerance.absolute!r}"
        if column.tolerance.relative:
            other = _number(column, f"t{name}", dialect)
            near += f" or abs(e{name}) <= {column.tolerance.relative!r} * abs({other})"
        differs = f"{differs} and not coalesce({near}, false)"
    return f"case when {differs} then 1 else 0 end"


def _distance(column: ComparedColumn, ours: str, theirs: str, dialect: str) -> str:
    if column.kind.name in ("integer", "decimal") and (column.native or column.kind.small):
        # exact: two large numbers that differ by a cent are one double
        return f"(cast({_gap(column, ours, theirs, dialect)} as {_double(dialect)}){_per(column)})"
    return f"({_number(column, ours, dialect)} - {_number(column, theirs, dialect)})"


def _gap(column: ComparedColumn, ours: str, theirs: str, dialect: str) -> str:
    """Difference of two exact numbers, in a type that does not overflow."""
    if not column.native:
        return f"cast({ours} as {_wide(dialect)}) - {theirs}"
    if dialect == "postgres":
        return f"cast({ours} as numeric) - {theirs}"
    if dialect == "duckdb" and column.kind.name == "integer":
        return f"cast({ours} as hugeint) - {theirs}"
    if dialect == "duckdb" and column.kind.digits == _DUCKDB_DIGITS:
        return f"cast({ours} as double) - cast({theirs} as double)"
    return f"{ours} - {theirs}"


def _number(column: ComparedColumn, sql: str, dialect: str) -> str:
    """A value as a double, in the unit of `ColumnDifference.largest`."""
    double = _double(dialect)
    if not column.native:
        return f"cast({sql} as {double}){_per(column)}"
    if column.kind.name in ("date", "timestamp"):
        units = plain_form(sql, column.kind, column.kind, dialect)
        scale = f" / {float(10**column.kind.scale)}" if column.kind.name == "timestamp" else ""
        return f"cast({units} as {double}){scale}"
    return f"cast({sql} as {double})"


def _per(column: ComparedColumn) -> str:
    scaled = not column.native and column.kind.name in ("decimal", "timestamp")
    return f" / {float(10**column.kind.scale)}" if scaled and column.kind.scale > 0 else ""


def _column_numbers(columns: ComparedColumns, text: str) -> str:
    """`rows:largest:total` of every column, joined; one value however many columns there are."""
    found: list[str] = []
    for column, name in zip(columns.values, columns.value_names, strict=True):
        count = f"cast(coalesce(sum(d{name}), 0) as {text})"
        if column.countable:
            gap = f"case when d{name} = 1 then e{name} end"
            extremes = [f"max(abs({gap}))", f"sum({gap})"]
            shown = [f"coalesce(cast({each} as {text}), '')" for each in extremes]
            count = " || ':' || ".join([count, *shown])
        found.append(count)
    return joined(found, " || ',' || ")


def _examples(columns: ComparedColumns, limit: int, text: str) -> list[str]:
    keys = _packed(columns.key_names, text)
    named = zip(columns.values, columns.value_names, strict=True)
    told = [name for column, name in named if not column.hashed]
    cells = [_packed([f"{side}{c}" for c in told], text) for side in "ot"]
    flags = "''"
    if columns.keys:
        flags = joined([f"cast(d{c} as {text})" for c in told], " || ")
    order = ", ".join(columns.key_names) or "kind"
    found: list[str] = []
    for kind in ("missing", "extra", "changed"):
        shown = (flags, *cells) if kind == "changed" or not columns.keys else ("''", "''", "''")
        # texts are made of those rows only that are shown
        found.append(
            f"select '{kind}' as part, {shown[0]} as numbers, {keys} as k, {shown[1]} as o, "
            f"{shown[2]} as t from (select * from judged where kind = '{kind}' "
            f"order by {order} limit {limit}) as shown order by {order}"
        )
    if columns.keys:
        for kind, condition in (("duplicated", "na > 1"), ("duplicated there", "nb > 1")):
            found.append(
                f"select '{kind}' as part, '' as numbers, {keys} as k, cast(na as {text}) as o, "
                f"cast(nb as {text}) as t from {KEY_COUNTS} where {condition} "
                f"order by {order} limit {limit}"
            )
    return found


def _packed(names: tuple[str, ...] | list[str], text: str) -> str:
    """Values as `<length>:<text>` one after the other, `-` for NULL: any text can be in them."""
    parts = [
        f"coalesce(cast(length(cast({n} as {text})) as {text}) || ':' || cast({n} as {text}), '-')"
        for n in names
    ]
    return joined(parts, " || ")


def _double(dialect: str) -> str:
    return {"bigquery": "float64", "duckdb": "double"}.get(dialect, "double precision")


def _wide(dialect: str) -> str:
    return {"bigquery": "bignumeric", "duckdb": "hugeint"}.get(dialect, "numeric(38, 0)")
