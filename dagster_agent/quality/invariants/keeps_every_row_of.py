"""`keeps every row of`: nothing is lost on the way from another table.

"stg_orders keeps every row of raw_orders by order_id": `keeps_every_row_of: {of: raw_orders, by:
order_id}`; the key's name there is `by_there`, a condition on its rows `where_there`. Without a key
the rows are counted. `staging keeps every source row` takes the one table that it is built from.
Not this form: a loss at a join of the model's own SQL, which reconciliation finds unasked.
"""

from __future__ import annotations

from dagster_agent.errors import ConfigError
from dagster_agent.quality.invariant import Claim, CompiledInvariant, by_select, invariant_form
from dagster_agent.quality.sql_text import all_of
from dagster_agent.quality.table import PromisedTable


@invariant_form(
    id="keeps-every-row-of",
    example="stg_orders keeps every row of raw_orders by order_id",
    arguments="of by by_there where_there",
    short="of",
    without="money",
    sentences=(
        r"(?P<subject>.+?) keeps? (?:every|each|all) (?:the )?rows? of (?P<of>[\w.]+)"
        r"(?: (?:by|per) (?P<by>\w+))?",
        r"(?P<subject>.+?) keeps? (?:every|each|all) source rows?(?: (?:by|per) (?P<by>\w+))?",
    ),
)
def keeps_every_row_of(claim: Claim) -> CompiledInvariant:
    """Counts the rows there whose key is not here, or by how many rows there are fewer here."""
    other = _other(claim)
    condition = claim.optional("where_there") or ""
    says = f"{claim.table.asset.name} keeps every row of {other.asset.name}"
    total = f"(select count(*) from {other.rows} where {all_of([condition])})"
    by = claim.optional("by")
    if by is None:
        by = _shared_key(claim, other)
    if by is None:
        own = f"(select count(*) from {claim.table.rows} where {all_of([claim.where])})"
        rows = (
            "select t.n as rows_there, o.n as rows_here, t.n - o.n as rows_missing from "
            f"(select {total} as n) as t cross join (select {own} as n) as o where o.n < t.n"
        )
        return by_select(claim, says, examined=total, rows=rows, noun="rows", weight="rows_missing")
    key = claim.table.column(by)
    there = other.column(claim.optional("by_there") or by)
    rows = (
        f"select t.* from {other.rows} as t where {all_of([condition])} and not exists "
        f"(select 1 from (select {key} as k from {claim.table.rows} where "
        f"{all_of([claim.where])}) as o where o.k = t.{there})"
    )
    return by_select(claim, f"{says} by {by}", examined=total, rows=rows, noun="rows")


def _other(claim: Claim) -> PromisedTable:
    if claim.arguments.get("of") is not None:
        return claim.around.loosely(claim.text("of"))
    asset = claim.table.asset
    parents = claim.around.manifest.parents(asset.unique_id)
    if len(parents) != 1:
        names = ", ".join(claim.around.manifest.asset(uid).name for uid in parents) or "nothing"
        raise ConfigError(
            f"{asset.name} is built from {names}, so that `source` is not one table",
            hint=f"write `{asset.name} keeps every row of <table>`",
        )
    return claim.around.table(claim.around.manifest.asset(parents[0]))


def _shared_key(claim: Claim, other: PromisedTable) -> str | None:
    """The asset's own key, where the other table has a column of that name."""
    key = claim.around.manifest.unique_key(claim.table.asset.unique_id)
    if len(key) != 1 or claim.table.schema.column(key[0]) is None:
        return None
    return key[0] if other.schema.column(key[0]) else None
