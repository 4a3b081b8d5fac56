"""Judge the quality dimensions of one asset, in one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from dagster_agent.catalog import Catalog
from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import (
    Detection,
    DetectionStatus,
    Evidence,
    MetricPoint,
    ResultTable,
    Severity,
)
from dagster_agent.quality import dimensions
from dagster_agent.quality.dimension import Dimension, DimensionResult, Plan, Subject
from dagster_agent.quality.measuring import Answers
from dagster_agent.quality.scoring import Score, score
from dagster_agent.quality.shares import percent

DIMENSIONS = Catalog(dimensions, Dimension)
"""All quality dimensions."""

_UNJUDGED = (DetectionStatus.UNTRAINED, DetectionStatus.COULD_NOT_RUN)


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionPlans:
    """What the dimensions want to know of one asset."""

    subject: Subject
    """What is judged."""
    plans: tuple[tuple[str, Plan | DagsterAgentError], ...]
    """By dimension; an error where a declaration is wrong."""

    @property
    def asks(self) -> tuple[str, ...]:
        """SQL of one value each, for `measuring.ask_all`."""
        return tuple(ask for _, plan in self.plans if isinstance(plan, Plan) for ask in plan.asks)

    def results(self, answers: Answers) -> list[DimensionResult]:
        """Every dimension's result, in the order of the catalogue."""
        return [self._result(dimension, plan, answers) for dimension, plan in self.plans]

    def _result(
        self, dimension: str, plan: Plan | DagsterAgentError, answers: Answers
    ) -> DimensionResult:
        if isinstance(plan, DagsterAgentError):
            return _could_not_run(dimension, self.subject, plan)
        try:
            return plan.judge(answers)
        except DagsterAgentError as error:
            return _could_not_run(dimension, self.subject, error)


def plan_dimensions(subject: Subject) -> DimensionPlans:
    """What has to be asked of the asset's table."""
    plans: list[tuple[str, Plan | DagsterAgentError]] = []
    for dimension in DIMENSIONS:
        try:
            plans.append((dimension.id, dimension.plan(subject)))
        except DagsterAgentError as error:
            plans.append((dimension.id, error))
    return DimensionPlans(subject=subject, plans=tuple(plans))


def dimension_detections(
    subject: Subject, results: Sequence[DimensionResult], queries: Sequence[str]
) -> list[Detection]:
    """The summary with the score first, then each dimension that is declared or was judged."""
    told = [r for r in results if r.declared or r.status not in _UNJUDGED]
    return [_summary(subject, results), *(_detection(subject, r, queries) for r in told)]


def metric_points(subject: Subject, results: Sequence[DimensionResult]) -> list[MetricPoint]:
    """The history of the asset: `quality.<dimension>` of what was judged, and `quality.score`."""
    point = partial(MetricPoint, asset=subject.asset.unique_id, at=subject.now)
    points = [
        point(metric=f"quality.{r.dimension}", value=r.value)
        for r in results
        if r.value is not None
    ]
    total = score(results)
    if total is not None:
        points.append(point(metric="quality.score", value=total.worst))
    return points


def _could_not_run(dimension: str, subject: Subject, error: DagsterAgentError) -> DimensionResult:
    return DimensionResult(
        dimension=dimension,
        status=DetectionStatus.COULD_NOT_RUN,
        headline=f"the {dimension} of {subject.asset.name} was not measured: {error.message}",
        severity=Severity.WARN,
        hint=error.hint,
    )


def _summary(subject: Subject, results: Sequence[DimensionResult]) -> Detection:
    """Never red by itself: the dimensions are, each with its own reason."""
    total = score(results)
    name = subject.asset.name
    judged = [r for r in results if r.value is not None]
    if total is None:
        headline = f"nothing that {name} promises could be judged"
    else:
        parts = ", ".join(f"{r.dimension} {shown(r)}" for r in judged)
        headline = f"quality of {name}: score {percent(total.worst)} ({parts})"
    return Detection(
        detector="quality",
        asset=subject.asset.unique_id,
        status=DetectionStatus.PASSED if total else DetectionStatus.UNTRAINED,
        headline=headline,
        observed_at=subject.now,
        severity=Severity.INFO,
        metrics=_numbers(judged, total),
        sample=_table(results),
        hint="" if total else "; ".join(r.hint for r in results if r.hint),
    )


def _numbers(judged: Sequence[DimensionResult], total: Score | None) -> dict[str, float]:
    found = {r.dimension: r.value for r in judged if r.value is not None}
    if total is not None:
        found |= {"score": total.worst, "mean_score": total.mean}
    return found


def _table(results: Sequence[DimensionResult]) -> ResultTable:
    """All dimensions, also those that could not be judged, with what to declare."""
    rows = tuple(
        (
            r.dimension,
            r.status.value,
            shown(r) if r.value is not None else "",
            shown(r, r.target) if r.target is not None else "",
            shown(r, r.alert) if r.alert is not None else "",
            r.hint or (r.parts[0].says if r.parts else ""),
        )
        for r in results
    )
    return ResultTable(columns=("dimension", "status", "is", "target", "alert", "by"), rows=rows)


def shown(result: DimensionResult, value: float | None = None) -> str:
    """A value of the dimension as people read it: a share, or an age in hours."""
    number = result.value if value is None else value
    if number is None:
        return ""
    return f"{number:.1f} h" if result.dimension == "freshness" else percent(number)


def _detection(subject: Subject, result: DimensionResult, queries: Sequence[str]) -> Detection:
    return Detection(
        detector=f"quality/{result.dimension}",
        asset=subject.asset.unique_id,
        status=result.status,
        headline=result.headline,
        observed_at=subject.now,
        severity=result.severity,
        metrics=dict(_metrics(result)),
        sample=_parts(result) if result.parts else None,
        evidence=tuple(
            Evidence(kind="profile", statement=result.headline, query=query)
            for query in queries
            if result.value is not None and result.dimension != "accuracy"
        ),
        hint=result.hint,
    )


def _metrics(result: DimensionResult) -> Iterator[tuple[str, float]]:
    if result.value is None:
        return
    yield result.dimension, result.value
    for name, limit in (("target", result.target), ("alert", result.alert)):
        if limit is not None:
            yield name, limit
    yield from result.metrics.items()


def _parts(result: DimensionResult) -> ResultTable:
    rows = tuple((p.says, p.examined, p.broken, round(p.share, 6)) for p in result.parts)
    return ResultTable(columns=("promise", "rows", "broken", "share"), rows=rows)
