"""`DriftRule`: one kind of difference, and how bad it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dagster_agent.model import Severity
from dagster_agent.schema_drift.diff import SchemaDiff
from dagster_agent.schema_drift.types import TypeChange

EFFECT = {
    TypeChange.WIDENED: "wider: old values still fit",
    TypeChange.NARROWED: "narrower: old values may be cut or refused",
    TypeChange.CHANGED: "another kind of values",
}
"""What a change of type does to the values that are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One difference that a rule found."""

    statement: str
    """What happened, without who reads it, such as `column amount is gone`."""
    column: str = ""
    """The column it is about, as accepted, or as observed for a new one; empty for the table."""
    before: str = ""
    """What was accepted."""
    after: str = ""
    """What is there."""
    readers: Sequence[str] = ()
    """Names of the models, tests and exposures that it concerns."""
    severity: Severity | None = None
    """Replaces the rule's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedDrift:
    """A drift with the severity that the settings give it."""

    rule: str
    """Id of the rule that found it."""
    drift: Drift
    """What was found."""
    severity: Severity
    """INFO passes, WARN and ERROR fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRule:
    """A member of the catalogue in `rules/`."""

    id: str
    """Public id, the file's name with dashes."""
    severity: Severity
    """INFO passes, WARN and ERROR fail; a single drift may say otherwise."""
    find: Callable[[SchemaDiff], Iterator[Drift]]
    """Its findings in table order."""


def drift_rule(
    *,
    id: str,  # noqa: A002 - the public word for it
    severity: Severity,
) -> Callable[[Callable[[SchemaDiff], Iterator[Drift]]], DriftRule]:
    """Make a rule of a function; registers nothing."""

    def decorate(find: Callable[[SchemaDiff], Iterator[Drift]]) -> DriftRule:
        return DriftRule(id=id, severity=severity, find=find)

    return decorate


def severity_of(change: TypeChange, *, read: bool) -> Severity:
    """How bad another type is, by what it does to values and whether anybody reads them."""
    if change is TypeChange.WIDENED:
        return Severity.WARN if read else Severity.INFO
    return Severity.ERROR if read else Severity.WARN
