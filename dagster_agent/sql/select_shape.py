"""What one SELECT does to the number of its rows."""

from __future__ import annotations

from sqlglot import exp


def aggregates(select: exp.Select) -> bool:
    """Whether the output list holds an aggregate over the rows, beside window functions."""
    for projection in select.expressions:
        for call in projection.find_all(exp.AggFunc):
            windowed = isinstance(call.parent, exp.Window | exp.Filter | exp.IgnoreNulls) and (
                call.find_ancestor(exp.Window) is not None
            )
            if not windowed and call.find_ancestor(exp.Select) is select:
                return True
    return False


def multiplies(select: exp.Select) -> bool:
    """Whether the output list turns one row into several."""
    return any(
        call.find_ancestor(exp.Select) is select
        for projection in select.expressions
        for call in projection.find_all(exp.Unnest, exp.Explode, exp.Inline)
    )


def passes_rows(select: exp.Select) -> bool:
    """Whether it yields each row of its one source once."""
    changing = ("joins", "where", "group", "having", "distinct", "qualify", "limit", "offset")
    rare = ("fetch", "laterals", "sample", "match", "connect", "pivots")
    changed = any(select.args.get(name) for name in (*changing, *rare))
    return not changed and not aggregates(select) and not multiplies(select)


def group_keys(select: exp.Select) -> tuple[tuple[str, str], ...]:
    """Output name and column of each GROUP BY key; () unless all of them are plain columns."""
    group = select.args.get("group")
    found: list[tuple[str, str]] = []
    for key in group.expressions if group is not None else ():
        position = int(key.name) - 1 if isinstance(key, exp.Literal) and key.is_int else None
        if position is not None and position < len(select.expressions):
            key = select.expressions[position]
        column = key.unalias()
        if not isinstance(column, exp.Column):
            return ()
        named = (p for p in select.expressions if p is key or p.unalias() == column)
        output = next((p.alias_or_name for p in named), key.alias_or_name)
        found.append((output, column.name))
    return tuple(found)
