"""What came of expectations, as detections."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import Asset, Detection, DetectionStatus, Evidence, ResultTable, Severity
from dagster_agent.quality.expectations.declared import DeclaredExpectation
from dagster_agent.quality.expectations.engine import Found
from dagster_agent.quality.expectations.expectation import Outcome

Mask = Callable[[ResultTable], ResultTable]
"""Hides the values of a small table that may not leave the warehouse."""

_SEVERITIES = {
    "critical": Severity.ERROR,
    "warning": Severity.WARN,
    "info": Severity.INFO,
}


def detection(
    name: str,
    declared: DeclaredExpectation | DagsterAgentError,
    found: Found,
    asset: Asset,
    *,
    now: datetime,
    mask: Mask,
) -> Detection:
    """One expectation's result. Which way it was evaluated stands in the headline's end."""
    detector = f"quality/expectation/{name}"
    if isinstance(found, DagsterAgentError) or isinstance(declared, DagsterAgentError):
        error = found if isinstance(found, DagsterAgentError) else declared
        return _could_not_run(detector, declared, error, asset, now)
    status = DetectionStatus.PASSED if found.success else DetectionStatus.FAILED
    if found.examined == 0 and not found.unexpected:
        status = DetectionStatus.UNTRAINED
    told = _headline(declared, found, mask)
    return Detection(
        detector=detector,
        asset=asset.unique_id,
        status=status,
        headline=f"{told} ({found.evaluated_by})",
        observed_at=now,
        severity=_SEVERITIES[declared.severity],
        metrics=_metrics(found),
        sample=ResultTable(
            columns=("expectation", "about", "evaluated_by"),
            rows=((declared.type, declared.about, found.evaluated_by.value),),
        ),
        evidence=(Evidence(kind="expectation", statement=told, query=found.query),),
    )


def _headline(declared: DeclaredExpectation, found: Outcome, mask: Mask) -> str:
    if found.examined == 0 and not found.unexpected:
        return f"{declared.says}: there are no values to judge by"
    if found.unexpected is not None and found.examined is not None:
        if not found.unexpected:
            return f"{declared.says}: all {found.examined:,} as expected"
        share = found.unexpected / found.examined * 100
        told = (
            f"{declared.says}: {found.unexpected:,} of {found.examined:,} are not ({share:.2f} %)"
        )
        mostly = declared.kwargs.get("mostly")
        return f"{told}, tolerated are {(1 - float(mostly)) * 100:g} %" if mostly else told
    return f"{declared.says}: {'as expected' if found.success else 'not so'}, {_seen(found, mask)}"


def _seen(found: Outcome, mask: Mask) -> str:
    if found.observed is None:
        return "nothing was observed"
    value = found.observed
    if found.observed_column:
        shown = mask(ResultTable(columns=(found.observed_column,), rows=((value,),)))
        value = shown.scalar()
    return f"observed {value}"


def _metrics(found: Outcome) -> dict[str, float]:
    metrics: dict[str, float] = {}
    if found.unexpected is not None:
        metrics["unexpected"] = float(found.unexpected)
        if found.examined:
            metrics["unexpected_share"] = found.unexpected / found.examined
    if isinstance(found.observed, int | float) and not isinstance(found.observed, bool):
        metrics["observed"] = float(found.observed)
    return metrics


def _could_not_run(
    detector: str,
    declared: DeclaredExpectation | DagsterAgentError,
    error: DagsterAgentError | DeclaredExpectation,
    asset: Asset,
    now: datetime,
) -> Detection:
    says = f"{declared.says}: " if isinstance(declared, DeclaredExpectation) else ""
    reason = error.message if isinstance(error, DagsterAgentError) else ""
    return Detection(
        detector=detector,
        asset=asset.unique_id,
        status=DetectionStatus.COULD_NOT_RUN,
        headline=f"{says}{reason}",
        observed_at=now,
        hint=error.hint if isinstance(error, DagsterAgentError) else "",
    )
