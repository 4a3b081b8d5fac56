"""`unique together`: no two rows have the same values in these columns.

"order_id and line are unique together": `unique_together: [order_id, line]`. Rows with a NULL in
one of the columns are left out: NULL equals nothing.
Not this form: a share of repeated rows that is tolerated, which is the dimension uniqueness.
"""

from __future__ import annotations

import re

from dagster_agent.quality.invariant import Claim, CompiledInvariant, by_select, invariant_form
from dagster_agent.quality.sql_text import all_of


@invariant_form(
    id="unique-together",
    example="order_id and line are unique together",
    arguments="columns",
    short="columns",
    without="money",
    sentences=(
        r"(?P<columns>\w+(?:(?:, | and |, and )\w+)+) are unique together",
        r"(?P<columns>\w+) (?:is unique|occurs (?:only )?once|never repeats)",
    ),
)
def unique_together(claim: Claim) -> CompiledInvariant:
    """Counts the values that several rows share."""
    given = claim.texts("columns")
    parts = re.split(r",\s*(?:and )?|\s+and\s+", given[0]) if len(given) == 1 else given
    names = [claim.table.spelled(name) for name in parts]
    columns = [claim.table.column(name) for name in names]
    there = all_of([claim.where, *(f"{column} is not null" for column in columns)])
    listed = ", ".join(columns)
    rows = (
        f"select {listed}, count(*) as rows_with_it from {claim.table.rows} where {there} "
        f"group by {listed} having count(*) > 1"
    )
    examined = f"(select count(*) from {claim.table.rows} where {there})"
    says = f"{', '.join(names)} of {claim.table.asset.name} is unique"
    return by_select(claim, says, examined=examined, rows=rows, noun="values")
