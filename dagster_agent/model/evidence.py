"""What detectors and investigations can show for what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from dagster_agent.model.table import ResultTable


class Severity(StrEnum):
    """How bad it is; ERROR where people or models are already misled."""

    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class DetectionStatus(StrEnum):
    """What a detector can say.

    Only PASSED may be shown plainly green. UNTRAINED is shown as what it is, in its first word.
    """

    PASSED = "passed"
    FAILED = "failed"
    UNTRAINED = "untrained"
    COULD_NOT_RUN = "could-not-run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One statement with what proves it."""

    kind: str
    """What sort of proof: `row-accounting`, `timeline`, `counterfactual`, `profile`, `schema`,
    `reconciliation`, `freshness`, `invariant`, `expectation`, `dbt-test`, `run`, `question`."""
    statement: str
    """One sentence with its numbers."""
    id: str = ""
    """`E1`, `E2`, ... once it is part of a report."""
    query: str | None = None
    """The SQL that was run, where there was one."""
    result: ResultTable | None = None
    """Its result, small and masked."""
    source: str | None = None
    """Commit, file and line, or run that it was read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What one detector says about one asset at one moment."""

    detector: str
    """`<engine>/<method>`: `reconciliation/row-count`, `schema-drift`, `anomaly/robust-level`."""
    asset: str
    """dbt unique id of the asset that is judged."""
    status: DetectionStatus
    """Passed, failed, untrained or could not run."""
    headline: str
    """One sentence a person can act on, with the deciding numbers."""
    observed_at: datetime
    """UTC."""
    severity: Severity = Severity.WARN
    """Severity if it failed."""
    metrics: Mapping[str, float] = field(default_factory=lambda: dict[str, float]())
    """Deciding numbers by name, plotted over time."""
    sample: ResultTable | None = None
    """A few rows or lines that show it, masked."""
    evidence: tuple[Evidence, ...] = ()
    """The queries behind the numbers."""
    hint: str = ""
    """What to do next, where that is known."""
    plot: str = ""
    """An SVG picture, where one says more than the sentence; empty otherwise."""
    pair: str = ""
    """Name of the pair that was compared, where the detector judges several of one asset, each by
    itself; empty for what it judges without being told, and for detectors without pairs."""
