"""`ReconciliationMethod`: one way to tell whether two tables agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dagster_agent.model import Detection
from dagster_agent.reconciliation.comparison import Comparison

Compare = Callable[[Comparison], Detection | None]
"""Returns None where the method has nothing to say. Raises `ConnectorError` and `QueryRefused` as
the warehouse does; the engine turns them into a result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationMethod:
    """A member of the catalogue in `methods/`."""

    id: str
    """Public id, the file's name with dashes."""
    compare: Compare
    """Looks and judges."""
    rung: int
    """How dear it is: 1 counts, 2 aggregates, 3 rows. Cheaper ones look first."""


def reconciliation_method(
    *,
    id: str,  # noqa: A002 - the public word for it
    rung: int = 3,
) -> Callable[[Compare], ReconciliationMethod]:
    """Make a method of a function; registers nothing."""

    def decorate(compare: Compare) -> ReconciliationMethod:
        return ReconciliationMethod(id=id, compare=compare, rung=rung)

    return decorate
