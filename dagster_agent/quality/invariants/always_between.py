"""`always between`: a column lies between two bounds, both included, or is NULL.

"amount is always between 0 and 1000": `always_between: {column: amount, min: 0, max: 1000}`; one of
the bounds may be left out.
Not this form: what is usual, which anomaly detection learns.
"""

from __future__ import annotations

import re

from dagster_agent.quality.invariant import Claim, CompiledInvariant, by_row, invariant_form
from dagster_agent.quality.sql_text import as_text, literal

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_FLOAT = re.compile("DOUBLE|FLOAT|REAL", re.IGNORECASE)


@invariant_form(
    id="always-between",
    example="amount is always between 0 and 1000",
    arguments="column min max",
    sentences=(
        rf"(?P<column>\w+) is always between (?P<min>{_NUMBER}) and (?P<max>{_NUMBER})",
        rf"(?P<column>\w+) is (?:always at least|never (?:below|less than)) (?P<min>{_NUMBER})",
        rf"(?P<column>\w+) is (?:always at most|never (?:above|more than)) (?P<max>{_NUMBER})",
        r"(?P<column>\w+) is never negative(?P<min>)",
    ),
)
def always_between(claim: Claim) -> CompiledInvariant:
    """A row violates it that lies outside."""
    name = claim.table.spelled(claim.text("column"))
    column, dialect = claim.table.column(name), claim.table.dialect
    bounds = {key: _bound(claim, key) for key in ("min", "max")}
    outside = [
        f"{column} {sign} {literal(bounds[key], dialect)}"
        for key, sign in (("min", "<"), ("max", ">"))
        if bounds[key] is not None
    ]
    if outside and bounds["max"] is None and _FLOAT.match(claim.table.type_of(name)):
        # warehouses sort what is no number above every number
        outside.append(f"lower({as_text(column, dialect)}) = 'nan'")
    if not outside:
        raise claim.wrong("min", "a number, unless there is a max")
    told = [
        f"{word} {bounds[key]}"
        for key, word in (("min", "at least"), ("max", "at most"))
        if bounds[key] is not None
    ]
    says = f"{name} of {claim.table.asset.name} is always {' and '.join(told)}"
    kwargs = {"column": name, "min_value": bounds["min"], "max_value": bounds["max"]}
    return by_row(claim, says, " or ".join(outside), ("expect_column_values_to_be_between", kwargs))


def _bound(claim: Claim, key: str) -> object:
    given = claim.arguments.get(key)
    if not isinstance(given, str):
        return given
    if not given:  # "never negative"
        return 0
    try:
        return int(given) if given.lstrip("-").isdigit() else float(given)
    except ValueError:
        return given  # a date as text: the warehouse compares it
