"""How to call what an anomaly check shows expected: links to a form that is filled in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from dagster_agent.definitions.links import Place, expected_link
from dagster_agent.definitions.names import Names
from dagster_agent.model import Detection, DetectionStatus
from dagster_agent.ports import StateStore

_LINKS = 3
"""Of the metrics that lead; more would be longer than what the UI shows at once."""


def expected_links(
    detections: Sequence[Detection], asset: str, store: StateStore, place: Place, names: Names
) -> str:
    """One link for each metric that is unusual, as Markdown; empty where none is known by name.

    Args:
        detections: What the anomaly check says.
        asset: Asset key, as people write it.
        store: Has the points: those of days are older than the check that judges them.
        place: Where links lead.
        names: Of the agent's jobs.
    """
    found = list(_unusual(detections, store))[:_LINKS]
    if len(found) == 1:
        return expected_link("This is expected", asset, *found[0], place, names)
    return " · ".join(
        expected_link(f"{metric} is expected", asset, metric, at, place, names)
        for metric, at in found
    )


def _unusual(detections: Sequence[Detection], store: StateStore) -> Iterator[tuple[str, datetime]]:
    """Metrics with the moment of the point that was judged, in the check's order."""
    for detection in detections:
        engine_method_metric = detection.detector.split("/", 2)
        if detection.status is not DetectionStatus.FAILED or len(engine_method_metric) < 3:
            continue
        metric = engine_method_metric[2]
        points = store.metric_history(detection.asset, metric)
        judged = [point.at for point in points if point.at <= detection.observed_at]
        if judged:
            yield metric, max(judged)
