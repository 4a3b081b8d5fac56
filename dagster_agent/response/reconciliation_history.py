"""What was reconciled, as of when, by which plan and at what cost: kept for audit, read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from dagster_agent.model import Detection, MetricPoint
from dagster_agent.ports import StateStore

KEPT = 200
"""Newest results of an asset that are kept."""
_PREFIX = "reconciliation"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationRecord:
    """One result of one comparison."""

    at: datetime
    """As of when, UTC."""
    asset: str
    """dbt unique id."""
    detector: str
    """`reconciliation/<method>`."""
    status: str
    """`passed`, `failed`, `untrained` or `could-not-run`."""
    headline: str
    """What was found."""
    metrics: Mapping[str, float] = field(default_factory=lambda: dict[str, float]())
    """The deciding numbers, sizes and costs among them."""
    steps: tuple[str, ...] = ()
    """What was compared, what was left out and by which plan, one sentence each."""
    queries: tuple[str, ...] = ()
    """The statements behind it."""
    pair: str = ""
    """Name of the configured pair; empty for what was inferred."""


def keep_results(store: StateStore, detections: Sequence[Detection]) -> None:
    """Keep the results of an asset's reconciliation; the oldest beyond 200 go.

    Samples are not kept: they are in the latest detection, and hold values.
    """
    for asset in dict.fromkeys(d.asset for d in detections):
        prefix = f"{_PREFIX}/{asset}"
        held = {key: str(entry["at"]) for key, entry in store.entries(prefix).items()}
        for detection in (d for d in detections if d.asset == asset):
            record = _record(detection)
            at = record.at.isoformat()
            held[_keep(store, prefix, {**asdict(record), "at": at}, held)] = at
    store.add_metrics(metric_points(detections))


def kept_results(store: StateStore, asset: str) -> Sequence[ReconciliationRecord]:
    """What was kept of an asset, newest first."""
    found = [_read(entry) for entry in store.entries(f"{_PREFIX}/{asset}").values()]
    return sorted(found, key=lambda r: (r.at, r.detector, r.headline), reverse=True)


def metric_points(detections: Sequence[Detection]) -> list[MetricPoint]:
    """The numbers of reconciliation results as series, for learned thresholds and plots."""
    found: dict[tuple[str, str], MetricPoint] = {}
    for d in detections:
        for name, value in d.metrics.items():
            point = MetricPoint(asset=d.asset, metric=name, value=value, at=d.observed_at)
            found.setdefault((d.asset, name), point)
    return list(found.values())


def past(store: StateStore, asset: str, *, now: datetime) -> Callable[[str], Sequence[MetricPoint]]:
    """Earlier points of a metric of the asset, for `reconcile(history=...)`."""

    def history(metric: str) -> Sequence[MetricPoint]:
        return [p for p in store.metric_history(asset, metric) if p.at < now]

    return history


def _keep(store: StateStore, prefix: str, value: Mapping[str, Any], held: Mapping[str, str]) -> str:
    """Keep it under a key of its own, or in the place of the oldest; returns the key."""
    if len(held) < KEPT:
        return store.append(prefix, value)
    oldest = min(held, key=lambda key: (held[key], key))
    store.put(oldest, value)
    return oldest


def _record(detection: Detection) -> ReconciliationRecord:
    return ReconciliationRecord(
        at=detection.observed_at,
        asset=detection.asset,
        detector=detection.detector,
        status=detection.status.value,
        headline=detection.headline,
        metrics=dict(detection.metrics),
        steps=tuple(e.statement for e in detection.evidence),
        queries=tuple(dict.fromkeys(e.query for e in detection.evidence if e.query)),
        pair=detection.pair,
    )


def _read(entry: Any) -> ReconciliationRecord:
    return ReconciliationRecord(
        at=datetime.fromisoformat(entry["at"]),
        asset=entry["asset"],
        detector=entry["detector"],
        status=entry["status"],
        headline=entry["headline"],
        metrics=entry["metrics"],
        steps=tuple(entry["steps"]),
        queries=tuple(entry["queries"]),
        pair=entry.get("pair", ""),  # not there in what was kept before pairs had names
    )
