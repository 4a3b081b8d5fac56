"""`sums to`: the parts make the whole.

Within a row: "net + tax sums to gross": `sums_to: {parts: [net, tax], whole: gross}`. Over the rows
of another table: `sums_to: {parts: amount, of: order_items, by: order_id, whole: total}`. Rounding
up to `tolerance`, 0.01 by default, is no difference.
Not this form: equality with another table's value, for which there is `same in`.
"""

from __future__ import annotations

import re

from dagster_agent.quality.invariant import (
    Claim,
    CompiledInvariant,
    by_row,
    by_select,
    invariant_form,
)
from dagster_agent.quality.sql_text import all_of, literal

_TOLERANCE = 0.01


@invariant_form(
    id="sums-to",
    example="net + tax sums to gross",
    arguments="parts whole of by by_there tolerance",
    sentences=(
        r"(?P<parts>\w+) of (?P<of>\w+) sums? to (?P<whole>\w+) (?:by|per) (?P<by>\w+)",
        r"(?P<parts>\w+(?:\s*(?:\+|,| and )\s*\w+)+) sums? (?:up )?to (?P<whole>\w+)",
    ),
)
def sums_to(claim: Claim) -> CompiledInvariant:
    """A row violates it whose parts, NULL as 0, differ from the whole by more than rounding."""
    whole = claim.table.spelled(claim.text("whole"))
    limit = literal(claim.number("tolerance", _TOLERANCE), claim.table.dialect)
    if claim.arguments.get("of") is not None:
        return _of_children(claim, whole, limit)
    given = claim.texts("parts")
    parts = re.split(r"\s*(?:\+|,| and )\s*", given[0]) if len(given) == 1 else given
    names = [claim.table.spelled(name) for name in parts]
    total = " + ".join(f"coalesce({claim.table.column(name)}, 0)" for name in names)
    column = claim.table.column(whole)
    says = f"{' + '.join(names)} sums to {whole} in {claim.table.asset.name}"
    broken = f"{column} is not null and abs(({total}) - {column}) > {limit}"
    return by_row(claim, says, broken)


def _of_children(claim: Claim, whole: str, limit: str) -> CompiledInvariant:
    child = claim.around.loosely(claim.text("of"))
    key = claim.table.spelled(claim.text("by"))
    there = child.column(claim.optional("by_there") or key)
    part = child.spelled(claim.texts("parts")[0])
    total = claim.table.column(whole)
    ours = claim.table.column(key)
    filled = all_of([claim.where, f"{total} is not null", f"{ours} is not null"])
    rows = (
        f"select w.k as {ours}, w.whole, coalesce(p.parts, 0) as parts, "
        "abs(w.whole - coalesce(p.parts, 0)) as difference "
        f"from (select {ours} as k, {total} as whole from {claim.table.rows} where {filled}) as w "
        f"left join (select {there} as k, sum({child.column(part)}) as parts from {child.rows} "
        f"group by {there}) as p on p.k = w.k "
        f"where abs(w.whole - coalesce(p.parts, 0)) > {limit}"
    )
    says = f"{part} of {child.asset.name} sums to {whole} of {claim.table.asset.name} per {key}"
    examined = f"(select count(*) from {claim.table.rows} where {filled})"
    stake = "difference" if claim.money else None
    return by_select(claim, says, examined=examined, rows=rows, noun="rows", stake=stake)
