"""`never more than`: of one kind of child a parent never has more than of another.

"an order never has more refunds than payments": `never_more_than: {of: refunds, than: payments,
per: order_id}`. `sum: amount` compares sums in place of counts. A child without a key is left out.
Not this form: a bound that is a number, for which there is `always between`.
"""

from __future__ import annotations

from dagster_agent.errors import ConfigError
from dagster_agent.quality.invariant import Claim, CompiledInvariant, by_select, invariant_form
from dagster_agent.quality.table import PromisedTable


@invariant_form(
    id="never-more-than",
    example="an order never has more refunds than payments",
    arguments="of than per sum parent",
    without="where",
    sentences=(
        r"an? (?P<parent>\w+) never has more (?P<sum>\w+) (?:in|of) (?P<of>\w+) than (?:in |of )?"
        r"(?P<than>\w+)",
        r"an? (?P<parent>\w+) never has more (?P<of>\w+) than (?P<than>\w+)",
        r"never more (?P<of>\w+) than (?P<than>\w+) per (?P<per>\w+)",
    ),
)
def never_more_than(claim: Claim) -> CompiledInvariant:
    """Counts the keys that have more of the first than of the second, none as 0."""
    first = claim.around.loosely(claim.text("of"))
    second = claim.around.loosely(claim.text("than"))
    per = claim.optional("per") or _key(claim, first, second)
    more, most = _per_key(first, per, claim), _per_key(second, per, claim)
    rows = (
        f"select m.k as {first.column(per)}, m.n as has, coalesce(l.n, 0) as allowed, "
        f"m.n - coalesce(l.n, 0) as difference "
        f"from ({more}) as m left join ({most}) as l on l.k = m.k where m.n > coalesce(l.n, 0)"
    )
    what = f"{claim.optional('sum')} in " if claim.optional("sum") else ""
    says = f"a {per} never has more {what}{first.asset.name} than {what}{second.asset.name}"
    examined = f"(select count(*) from ({more}) as m)"
    stake = "difference" if claim.money and claim.optional("sum") else None
    return by_select(claim, says, examined=examined, rows=rows, noun="keys", stake=stake)


def _per_key(table: PromisedTable, per: str, claim: Claim) -> str:
    key = table.column(per)
    total = claim.optional("sum")
    measure = f"coalesce(sum({table.column(total)}), 0)" if total else "count(*)"
    there = f"{key} is not null"
    return f"select {key} as k, {measure} as n from {table.rows} where {there} group by {key}"


def _key(claim: Claim, first: PromisedTable, second: PromisedTable) -> str:
    """`order` in a sentence: the column `order_id`, or `order`, of both tables."""
    parent = claim.optional("parent") or claim.table.asset.name
    for name in (f"{parent}_id", f"{parent}id", f"id_{parent}", f"{parent}_key", parent):
        if first.schema.column(name) and second.schema.column(name):
            return name
    raise ConfigError(
        f"{first.asset.name} and {second.asset.name} have no column {parent}_id in common",
        hint="name the key: `never_more_than: {of: ..., than: ..., per: <column>}`",
    )
