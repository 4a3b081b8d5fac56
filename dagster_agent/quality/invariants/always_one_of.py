"""`always one of`: a column holds one of a few values, or NULL.

"status is always one of paid, open": `always_one_of: {column: status, values: [paid, open]}`.
Not this form: values that another table lists, for which there is a dbt relationships test.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

from dagster_agent.quality.invariant import Claim, CompiledInvariant, by_row, invariant_form
from dagster_agent.quality.sql_text import values as listed


@invariant_form(
    id="always-one-of",
    example="status is always one of paid, open",
    arguments="column values",
    sentences=(r"(?P<column>\w+) is always (?:one of|either) (?P<values>.+)",),
)
def always_one_of(claim: Claim) -> CompiledInvariant:
    """A row violates it that has another value; NULL is none."""
    name = claim.table.spelled(claim.text("column"))
    given = _values(claim)
    column = claim.table.column(name)
    broken = f"{column} is not null and {column} not in ({listed(given, claim.table.dialect)})"
    says = f"{name} of {claim.table.asset.name} is always one of {', '.join(map(str, given))}"
    kwargs = {"column": name, "value_set": list(given)}
    return by_row(claim, says, broken, ("expect_column_values_to_be_in_set", kwargs))


def _values(claim: Claim) -> Sequence[object]:
    given = claim.arguments.get("values")
    if isinstance(given, str):  # a sentence: `paid, open or 'on hold'`
        return [part.strip().strip("'\"") for part in re.split(r",\s*(?:or )?|\s+or\s+", given)]
    if isinstance(given, list | tuple) and given:
        return cast("Sequence[object]", given)
    raise claim.wrong("values", "a list")
