"""May a table be read whole, in part, or not at all?"""

from __future__ import annotations

from dataclasses import dataclass

from dagster_agent.anomaly.profiling_config import ProfilingConfig
from dagster_agent.model import ProfileScope, TableFacts

_LEAST_SHARE = 1e-5
"""Of a table so much larger than its budget, a sample says nothing that it would be worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What reading a table whole took."""

    seconds: float
    """All statements together."""
    rows: int
    """Rows it had then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What may be read, and why not more."""

    scope: ProfileScope
    """Whole, a sample, or nothing."""
    share: float = 1.0
    """Largest share of the rows that may be read."""
    note: str = ""
    """Why it is not all, with the numbers; a sentence."""


def allowance(
    facts: TableFacts | None,
    scanned: int | None,
    rows: int,
    *,
    view: bool,
    last: Cost | None,
    config: ProfilingConfig,
) -> Allowance:
    """Compare the cost with the budget.

    Args:
        facts: What the catalogue says.
        scanned: Bytes that the first statement would read, by the warehouse's own estimate; None
            where it cannot tell, then the bytes stored count.
        rows: Of the table.
        view: Reading a part of a view costs as much as all of it.
        last: What reading it whole took when that was last done.
        config: The budget.
    """
    size = scanned if scanned is not None else (facts.bytes if facts else None)
    budget = config.max_bytes_per_profile
    if budget == 0:
        return Allowance(scope="facts", note="max_bytes_per_profile is 0: no table is read")
    if size is not None and size > budget:
        over = f"reading it would take {size:,} bytes, max_bytes_per_profile is {budget:,}"
        share = budget / size
        if view or share < _LEAST_SHARE:
            return Allowance(scope="facts", note=f"not read: {over}")
        return Allowance(scope="sample", share=share, note=f"a sample of {share:.2%}: {over}")
    expected = last.seconds * rows / last.rows if last and last.rows else 0.0
    if expected > config.max_seconds:
        share = config.max_seconds / expected
        over = f"read whole it took {expected:.0f} s, max_seconds is {config.max_seconds:g}"
        if view:
            return Allowance(scope="facts", note=f"not read: {over}")
        return Allowance(scope="sample", share=share, note=f"a sample of {share:.2%}: {over}")
    return Allowance(scope="whole")
