"""A metric's history with its expected band, as a small picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from math import isfinite

from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.detector import Series
from dagster_agent.anomaly.metric_kind import is_share, told
from dagster_agent.model import Detection, DetectionStatus, MetricPoint

_WIDTH, _HEIGHT = 560, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 84, 20, 16
_POINTS = 90
"""Newest points that are drawn: what fits into four kilobytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One metric with what was to be expected of it; all sequences of one length, oldest first."""

    metric: str
    """As its check names it."""
    at: Sequence[datetime]
    """Moments, UTC; the last one is judged."""
    values: Sequence[float]
    """What was measured."""
    low: Sequence[float]
    """Smallest ordinary value; NaN where there were too few points."""
    high: Sequence[float]
    """Largest ordinary value; NaN where there were too few points."""
    unusual: Sequence[bool]
    """Which points were."""


def band_of(
    detection: Detection, history: Sequence[MetricPoint], config: AnomalyConfig
) -> Band | None:
    """The band behind the detection of one metric; None for summaries and what has no band.

    Args:
        detection: Of the detector `anomaly/<method>/<metric>`.
        history: Points of that metric, in any order; those from the detection on are left out.
        config: The asset's settings.
    """
    _, _, metric = detection.detector.partition("/")[2].partition("/")
    if metric not in detection.metrics or not history:
        return None
    from dagster_agent.anomaly.study import Study

    series = Series(
        metric=metric,
        value=detection.metrics[metric],
        at=detection.observed_at,
        history=history,
        bounded=is_share(metric),
    )
    study = Study.of([series], config, whole=True)
    values = study.panel.values[0]
    shown = [column for column, value in enumerate(values) if isfinite(value)][-_POINTS:]
    bands, seconds = study.bands, study.panel.moments.seconds
    trained = bands.trained[0]
    unusual = bands.flagged[0] | bands.shifted[0]
    unusual[-1] |= detection.status is DetectionStatus.FAILED
    nothing = float("nan")
    return Band(
        metric=metric,
        at=[datetime.fromtimestamp(float(seconds[c]), UTC) for c in shown],
        values=[float(values[c]) for c in shown],
        low=[float(bands.low[0, c]) if trained[c] else nothing for c in shown],
        high=[float(bands.high[0, c]) if trained[c] else nothing for c in shown],
        unusual=[bool(unusual[c]) for c in shown],
    )


def band_plot(band: Band) -> str:
    """SVG of at most four kilobytes, readable on light and on dark ground.

    To show it in Markdown, make a `data:image/svg+xml;base64,` address of it.
    """
    ends = [*band.values, *(e for e in (*band.low, *band.high) if isfinite(e))]
    least, most = min(ends), max(ends)
    if least == most:
        least, most = least - 1, most + 1
    first, span = band.at[0], (band.at[-1] - band.at[0]).total_seconds() or 1.0

    def place(at: datetime, value: float) -> str:
        x = _LEFT + (at - first).total_seconds() / span * (_WIDTH - _LEFT - _RIGHT)
        y = _TOP + (most - value) / (most - least) * (_HEIGHT - _TOP - _BOTTOM)
        return f"{x:.0f},{y:.0f}"

    drawn = [k for k, low in enumerate(band.low) if isfinite(low)]
    edge = [place(band.at[k], band.high[k]) for k in drawn]
    edge += [place(band.at[k], band.low[k]) for k in reversed(drawn)]
    line = " ".join(place(at, value) for at, value in zip(band.at, band.values, strict=True))
    colour = "#e5484d" if band.unusual[-1] else "#30a46c"
    odd = "".join(
        _dot(place(band.at[k], band.values[k]), "#e5484d", 2)
        for k, is_odd in enumerate(band.unusual[:-1])
        if is_odd
    )
    label = f'<text x="{_WIDTH - _RIGHT + 8}" y="{{y}}" fill="{{fill}}">{{text}}</text>'
    height = place(band.at[-1], band.values[-1]).partition(",")[2]
    now = label.format(y=int(height) + 4, fill=colour, text=told(band.metric, band.values[-1]))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" font-size="11">'
        f'<text x="{_LEFT}" y="12" fill="#8b8d98">{escape(band.metric[:60])}</text>'
        f'<polygon points="{" ".join(edge)}" fill="#6e7bf2" fill-opacity=".25"/>'
        f'<polyline points="{line}" fill="none" stroke="#6e7bf2" stroke-width="1.5"/>'
        f"{odd}{_dot(place(band.at[-1], band.values[-1]), colour, 4)}{now}"
        f'<text x="{_LEFT}" y="{_HEIGHT - 3}" fill="#8b8d98">{first:%Y-%m-%d}</text>'
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 3}" fill="#8b8d98" text-anchor="end">'
        f"{band.at[-1]:%Y-%m-%d %H:%M} UTC</text></svg>"
    )


def _dot(place: str, colour: str, radius: int) -> str:
    x, y = place.split(",")
    return f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{colour}"/>'
