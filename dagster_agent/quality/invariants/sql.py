"""`sql`: whatever a SELECT of the violating rows says.

`sql: "select * from {this} where paid_at < placed_at"` with the sentence it stands for in `says:`.
`{this}` is the asset's table.
Not this form: anything that another form can say, since that can be read without SQL.
"""

from __future__ import annotations

from dagster_agent.errors import ConfigError, QueryRefused
from dagster_agent.quality.invariant import Claim, CompiledInvariant, by_select, invariant_form


@invariant_form(
    id="sql",
    example='sql: "select * from {this} where paid_at < placed_at"',
    arguments="select",
    short="select",
    without="where money",
)
def sql(claim: Claim) -> CompiledInvariant:
    """Counts the rows that the SELECT yields."""
    from dagster_agent.sql.guard import read_only

    text = claim.text("select").rstrip().rstrip(";")
    try:
        rows = read_only(text.replace("{this}", claim.table.rows), claim.table.dialect)
    except QueryRefused as refusal:
        raise ConfigError(
            f"the SQL of an invariant of {claim.table.asset.name} was refused: {refusal.message}",
            hint="write one SELECT of the rows that violate it",
        ) from refusal
    total = f"(select count(*) from {claim.table.rows})"
    says = f"no row of {claim.table.asset.name} is found by: {' '.join(text.split())[:120]}"
    return by_select(claim, says, examined=total, rows=rows, noun="rows")
