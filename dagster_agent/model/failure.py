"""What an error message of a run says, read without guessing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureFacts:
    """What the message names. Everything in it is untrusted text of the software that failed."""

    relation: str | None = None
    """Table or view, as the message spells it."""
    column: str | None = None
    """Column, as the message spells it."""
    candidates: tuple[str, ...] = ()
    """Names that the software proposes in its place."""
    model: str | None = None
    """dbt node, as dbt names it: a model's name, or a test's."""
    path: str | None = None
    """File of the dbt project."""
    line: int | None = None
    """1-based line, of the compiled SQL where dbt does not say otherwise."""
    code: str | None = None
    """Vendor code: SQLSTATE, `ORA-00942`, `002003`, an HTTP status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One error message, classified."""

    failure_class: str
    """Id of the failure class: `missing_column`, `transient_infra`, ..., `unknown`."""
    retryable: bool
    """Whether the same run may succeed later with nothing changed."""
    confidence: float
    """0 to 1; 0 for `unknown`."""
    rule: str
    """Id of the rule that decided: `<class>/<rule>`; empty for `unknown`."""
    excerpt: str = ""
    """The deciding line, redacted, at most 300 characters."""
    facts: FailureFacts = FailureFacts()
    """What the message names."""
