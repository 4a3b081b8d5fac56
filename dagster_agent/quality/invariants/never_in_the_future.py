"""`never in the future`: a moment lies before now, or is NULL.

"placed_at is never in the future": `never_in_the_future: placed_at`. Clocks may differ by
`tolerance_minutes`, 5 by default; a timestamp without a zone is taken as UTC.
Not this form: how recent the newest row is, which is freshness.
"""

from __future__ import annotations

from datetime import timedelta

from dagster_agent.quality.invariant import Claim, CompiledInvariant, by_row, invariant_form
from dagster_agent.quality.sql_text import moment

_TOLERANCE_MINUTES = 5.0


@invariant_form(
    id="never-in-the-future",
    example="placed_at is never in the future",
    arguments="column tolerance_minutes",
    short="column",
    sentences=(r"(?P<column>\w+) (?:is|lies) never in the future",),
)
def never_in_the_future(claim: Claim) -> CompiledInvariant:
    """A row violates it whose moment lies ahead of the clock."""
    name = claim.table.spelled(claim.text("column"))
    minutes = claim.number("tolerance_minutes", _TOLERANCE_MINUTES)
    latest = moment(claim.now + timedelta(minutes=minutes), claim.table.dialect)
    zoned = "TZ" in claim.table.type_of(name).upper() or "ZONE" in claim.table.type_of(name).upper()
    if zoned:
        latest = latest.replace("as timestamp)", "as timestamptz)").replace("' as", "+00:00' as")
    says = f"{name} of {claim.table.asset.name} is never in the future"
    return by_row(claim, says, f"{claim.table.column(name)} > {latest}")
