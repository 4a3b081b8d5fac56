"""`same in`: a column has the value that another table has for the same key.

"amount is the same in payments by order_id": `same_in: {column: amount, in: payments, by:
order_id}`; other names there are `column_there` and `by_there`. Two NULLs are the same; keys that
the other table lacks are left out; of keys that it has several times every row must agree.
Not this form: whether keys are missing, for which there is `keeps every row of`.
"""

from __future__ import annotations

from dagster_agent.quality.invariant import Claim, CompiledInvariant, by_select, invariant_form
from dagster_agent.quality.sql_text import all_of


@invariant_form(
    id="same-in",
    example="amount is the same in payments by order_id",
    arguments="column in by column_there by_there",
    without="money",
    sentences=(
        r"(?P<column>\w+) is (?:always )?the same in (?P<in>[\w.]+) (?:by|per) (?P<by>\w+)",
    ),
)
def same_in(claim: Claim) -> CompiledInvariant:
    """Counts the pairs of rows with the same key and another value."""
    other = claim.around.loosely(claim.text("in"))
    name, by = claim.table.spelled(claim.text("column")), claim.table.spelled(claim.text("by"))
    theirs = other.column(claim.optional("column_there") or name)
    there = other.column(claim.optional("by_there") or by)
    ours = f"select {claim.table.column(by)} as k, {claim.table.column(name)} as v"
    pairs = (
        f"({ours} from {claim.table.rows} where {all_of([claim.where])}) as o join "
        f"(select {there} as k, {theirs} as v from {other.rows}) as t on t.k = o.k"
    )
    differ = "o.v <> t.v or (o.v is null) <> (t.v is null)"
    rows = f"select o.k as {claim.table.column(by)}, o.v as here, t.v as there from {pairs}"
    says = f"{name} of {claim.table.asset.name} is the same in {other.asset.name} by {by}"
    return by_select(
        claim,
        says,
        examined=f"(select count(*) from {pairs})",
        rows=f"{rows} where {differ}",
        noun="rows",
    )
