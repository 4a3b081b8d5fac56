"""`only with`: if the one holds, the other does too.

"shipped_at only with status = 'shipped'": `only_with: {column: shipped_at, when: "status =
'shipped'"}`; with two conditions: `only_with: {if: "amount > 0", then: "paid_at is not null"}`.
Not this form: what holds for all rows, which needs no condition.
"""

from __future__ import annotations

from dagster_agent.quality.invariant import Claim, CompiledInvariant, by_row, invariant_form


@invariant_form(
    id="only-with",
    example="shipped_at only with status = 'shipped'",
    arguments="column when if then",
    sentences=(
        r"(?P<column>\w+) (?:is (?:set|filled) )?only (?:with|when|if|where) (?P<when>.+)",
        r"if (?P<if>.+?),? then (?P<then>.+)",
    ),
)
def only_with(claim: Claim) -> CompiledInvariant:
    """A row violates it in which the first holds and the second is false or unknown."""
    if claim.arguments.get("column") is not None:
        name = claim.table.spelled(claim.text("column"))
        first, told = f"{claim.table.column(name)} is not null", name
        second = claim.text("when")
    else:
        first, second = claim.text("if"), claim.text("then")
        told = first
    says = f"{told} only with {second} in {claim.table.asset.name}"
    return by_row(claim, says, f"({first}) and not coalesce(({second}), false)")
