"""`never null`: a column always has a value.

"revenue rows never have a null amount": `never_null: amount`, or a list of columns.
Not this form: a column that may be empty in some rows, for which there is `only with`.
"""

from __future__ import annotations

from dagster_agent.quality.invariant import Claim, CompiledInvariant, by_row, invariant_form


@invariant_form(
    id="never-null",
    example="amount is never null",
    arguments="columns",
    short="columns",
    sentences=(
        r"(?P<columns>\w+) (?:is|are) never (?:null|empty|missing)",
        r"(?:every|each) (?P<subject>.+?) has an? (?P<columns>\w+)",
        r"(?P<subject>.+?) (?:rows )?never ha(?:ve|s) an? (?:null|empty|missing) (?P<columns>\w+)",
    ),
)
def never_null(claim: Claim) -> CompiledInvariant:
    """A row violates it that has NULL in any of the columns."""
    names = [claim.table.spelled(name) for name in claim.texts("columns")]
    broken = " or ".join(f"{claim.table.column(name)} is null" for name in names)
    expectation = None
    if len(names) == 1:
        expectation = ("expect_column_values_to_not_be_null", {"column": names[0]})
    says = f"{', '.join(names)} of {claim.table.asset.name} is never null"
    return by_row(claim, says, broken, expectation)
