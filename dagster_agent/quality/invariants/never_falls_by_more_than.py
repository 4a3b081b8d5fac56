"""`never falls by more than`: a share at most is lost from one week to the next.

"orders never fall by more than 20 % week over week": `never_falls_by_more_than: {share: 0.2, by:
placed_at}`. The last seven whole days are compared with the seven before, so that a day in progress
is no fall; `of: amount` compares sums in place of counts, `days: 1` days.
Not this form: what is unusual for the season, which anomaly detection judges.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from dagster_agent.errors import ConfigError
from dagster_agent.quality.invariant import Claim, CompiledInvariant, by_select, invariant_form
from dagster_agent.quality.sql_text import all_of, literal, moment

_DAYS = {"day": 1, "week": 7, "month": 28}


@invariant_form(
    id="never-falls-by-more-than",
    example="orders never fall by more than 20 % week over week",
    arguments="share of by days percent period",
    without="money",
    sentences=(
        r"(?P<of>\w+) of (?P<subject>.+?) never falls? by more than (?P<percent>\d+(?:\.\d+)?) ?%"
        r"(?: (?P<period>day|week|month) over \w+)?(?: by (?P<by>\w+))?",
        r"(?P<subject>.+?) never falls? by more than (?P<percent>\d+(?:\.\d+)?) ?%"
        r"(?: (?P<period>day|week|month) over \w+)?(?: by (?P<by>\w+))?",
    ),
)
def never_falls_by_more_than(claim: Claim) -> CompiledInvariant:
    """One row where the later period has too little. Untrained while the earlier has nothing."""
    share, days, by = _share(claim), _days(claim), _moment_column(claim)
    column = claim.table.column(by)
    end = datetime.combine(claim.now.date(), time(), tzinfo=claim.now.tzinfo)
    dialect = claim.table.dialect
    last, middle, first = (moment(end - timedelta(days=n * days), dialect) for n in range(3))
    of = claim.optional("of")
    measured = f"coalesce({claim.table.column(of)}, 0)" if of else "1"
    here = all_of([claim.where, f"{column} >= {first}", f"{column} < {last}"])
    sums = (
        f"select coalesce(sum(case when {column} < {middle} then {measured} else 0 end), 0) as "
        f"earlier, coalesce(sum(case when {column} >= {middle} then {measured} else 0 end), 0) as "
        f"later from {claim.table.rows} where {here}"
    )
    least = literal(1 - share, dialect)
    rows = f"select earlier, later from ({sums}) as s where later < earlier * {least}"
    examined = f"(select count(*) from ({sums}) as s where earlier > 0)"
    what = f"{of} of {claim.table.asset.name}" if of else claim.table.asset.name
    says = f"{what} never falls by more than {share * 100:g} % in {days} days"
    return by_select(claim, says, examined=examined, rows=rows, noun="periods")


def _share(claim: Claim) -> float:
    percent = claim.arguments.get("percent")
    share = float(percent) / 100 if isinstance(percent, str) else claim.number("share")
    if not 0 < share < 1:
        raise ConfigError(
            f"a fall by {share * 100:g} % can be no limit", hint="share lies between 0 and 1"
        )
    return share


def _days(claim: Claim) -> int:
    period = claim.optional("period")
    return _DAYS[period.lower()] if period else int(claim.number("days", 7))


def _moment_column(claim: Claim) -> str:
    """The column that was named, else the only one with a date or a timestamp."""
    named = claim.optional("by")
    if named is not None:
        return claim.table.spelled(named)
    moments = [
        column.name
        for column in claim.table.schema.columns
        if column.type.upper().startswith(("TIMESTAMP", "DATE"))
    ]
    if len(moments) != 1:
        raise ConfigError(
            f"{claim.table.asset.name} has {len(moments)} columns with a date or a timestamp"
            f"{': ' if moments else ''}{', '.join(moments)}",
            hint="say by which: end the sentence with `by <column>`, or give `by: <column>`",
        )
    return moments[0]
