"""A series of numbers from a file, every point judged as if it were the newest."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite

from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.engine import judge_point
from dagster_agent.errors import ConfigError
from dagster_agent.model import MetricPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPoint:
    """One point with what would have been said of it on its day."""

    timestamp: str
    """As the file writes it."""
    value: float
    """As the file has it."""
    anomaly: bool
    """Whether it is unusual, given the points before it."""
    score: float
    """Distance from the usual level in units of the usual spread, negative below."""
    trained: bool
    """False where there were too few points to say anything."""


def read_series(lines: Iterable[str]) -> list[tuple[str, MetricPoint]]:
    """Read a CSV with the header `timestamp,value`, in the order of time.

    Naive timestamps are UTC.

    Raises:
        ConfigError: Another header, a timestamp that is no ISO 8601, a value that is no finite
            number, or two points of one time; names the line.
    """
    rows = csv.reader(lines)
    header = [name.strip().casefold() for name in next(rows, list[str]())]
    if header != ["timestamp", "value"]:
        raise ConfigError(
            f"the header is {','.join(header)!r}", hint="the first line must be `timestamp,value`"
        )
    found: dict[datetime, tuple[str, MetricPoint]] = {}
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != 2:
            raise ConfigError(f"line {rows.line_num} has {len(row)} fields, not 2")
        at, value = _moment(row[0], rows.line_num), _number(row[1], rows.line_num)
        if at in found:
            raise ConfigError(
                f"line {rows.line_num} repeats the timestamp {row[0]!r}",
                hint="give one point for each moment",
            )
        point = MetricPoint(asset="csv", metric="value", value=value, at=at)
        found[at] = row[0].strip(), point
    return [found[at] for at in sorted(found)]


def judge_series(points: Sequence[tuple[str, MetricPoint]]) -> list[JudgedPoint]:
    """Judge each point by those before it, and by nothing else; `points` as of `read_series`."""
    config = AnomalyConfig()
    judged: list[JudgedPoint] = []
    history: list[MetricPoint] = []
    for text, point in points:
        found = judge_point(point, history, config)
        judged.append(
            JudgedPoint(
                timestamp=text,
                value=point.value,
                anomaly=found.trained and found.unusual,
                score=round(found.score, 3),
                trained=found.trained,
            )
        )
        history.append(point)
    return judged


def _moment(text: str, line: int) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ConfigError(
            f"line {line}: {text!r} is no timestamp", hint="write ISO 8601: 2026-11-21T06:00:00Z"
        ) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _number(text: str, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ConfigError(f"line {line}: {text!r} is no number") from None
    if not isfinite(value):
        raise ConfigError(f"line {line}: {text!r} is not finite", hint="leave the point out")
    return value
