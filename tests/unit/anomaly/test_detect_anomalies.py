"""From profiles to detections."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.engine import detect_anomalies
from dagster_agent.anomaly.false_discovery import discoveries
from dagster_agent.anomaly.profile import metric_points
from dagster_agent.errors import ConnectorError
from dagster_agent.model import (
    ColumnProfile,
    Detection,
    DetectionStatus,
    MetricPoint,
    Relation,
    Severity,
    TableProfile,
)

START = datetime(2026, 1, 1, 6, tzinfo=UTC)
ASSET = "model.shop.fct_orders"


def _profile(day: int, rows: int, *, nulls: int = 0, total: float | None = None) -> TableProfile:
    column = ColumnProfile(name="email", type="VARCHAR", null_count=nulls)
    amount = ColumnProfile(name="amount", type="DOUBLE", null_count=0, sum=total)
    key = ColumnProfile(name="order_id", type="BIGINT", null_count=0, sum=rows * rows * 0.5)
    return TableProfile(
        relation=Relation(name="fct_orders"),
        row_count=rows,
        columns=(column, amount, key),
        profiled_at=START + timedelta(day),
    )


def _detect(past: Sequence[TableProfile], now: TableProfile) -> list[Detection]:
    points = [point for profile in [*past, now] for point in metric_points(ASSET, profile)]

    def history(metric: str) -> Sequence[MetricPoint]:
        return [point for point in points if point.metric == metric]

    return detect_anomalies(ASSET, now, history, AnomalyConfig(), now.profiled_at)


STEADY = [_profile(day, 10_000 + 10 * (day % 3), nulls=100, total=5e5) for day in range(20)]


def test_as_usual() -> None:
    summary, rows = _detect(STEADY, _profile(20, 10_005, nulls=101, total=5e5))
    assert (summary.detector, summary.status) == ("anomaly", DetectionStatus.PASSED)
    assert summary.headline == (
        "fct_orders: row_count is 10,005 (usual 9,660 to 10,360); 5 metrics as usual"
    )
    assert (rows.detector, rows.status) == (
        "anomaly/robust-level/row_count",
        DetectionStatus.PASSED,
    )
    assert rows.evidence[0].statement == (
        "judged by 20 points of 20 days; sees a change of 4.4% or more four times in five"
    )


def test_half_of_the_rows_are_gone() -> None:
    summary, rows, *others = _detect(STEADY, _profile(20, 5_000, nulls=50, total=2.5e5))
    assert (summary.status, summary.severity) == (DetectionStatus.FAILED, Severity.ERROR)
    assert summary.headline == (
        "fct_orders: row_count fell by 50.0% to 5,000 (usual 9,660 to 10,360), unusual since "
        "2026-01-21 06:00 UTC; 2 of 5 metrics unusual"
    )
    assert summary.metrics["metrics_unusual"] == 2.0
    assert summary.metrics["sum.amount"] == 2.5e5
    assert summary.sample is not None
    assert [row[0] for row in summary.sample.rows] == ["row_count", "sum.amount"]
    assert (rows.metrics["row_count"], rows.metrics["score"]) == (5000.0, -50.04995004995005)
    assert "set `since: 2026-01-21T06:00:00+00:00`" in rows.hint
    assert [other.detector for other in others] == ["anomaly/robust-level/sum.amount"]


def test_nulls_where_there_were_few() -> None:
    summary, rows, nulls = _detect(STEADY, _profile(20, 10_000, nulls=3_000, total=5e5))
    assert (summary.status, summary.severity) == (DetectionStatus.FAILED, Severity.WARN)
    assert rows.status is DetectionStatus.PASSED
    assert nulls.headline == (
        "fct_orders: null_share.email rose to 30.0% (usual 0.0% to 4.5%), unusual since "
        "2026-01-21 06:00 UTC"
    )


def test_it_stays_red_and_then_tells_the_return() -> None:
    broken = [*STEADY, *(_profile(day, 0) for day in range(20, 40))]
    summary, rows = _detect(broken, _profile(40, 0))
    assert summary.status is DetectionStatus.FAILED
    assert "unusual since 2026-01-21 06:00 UTC" in rows.headline
    summary, rows = _detect(broken, _profile(40, 10_010, nulls=100, total=5e5))
    assert (summary.status, rows.status) == (DetectionStatus.PASSED, DetectionStatus.PASSED)
    assert rows.headline == (
        "fct_orders: row_count is 10,010 (usual 9,660 to 10,360), as usual again"
    )


def test_untrained_says_what_it_has_and_needs() -> None:
    past = [_profile(day, rows) for day, rows in enumerate([9_000, 10_000, 11_500])]
    summary, rows = _detect(past, _profile(3, 100))
    assert (summary.status, rows.status) == (DetectionStatus.UNTRAINED, DetectionStatus.UNTRAINED)
    assert rows.headline == (
        "fct_orders: row_count is 100, untrained: 3 points of 3 different days, needs 15 to see a "
        "change of 50%"
    )
    assert rows.metrics == {"row_count": 100.0}


def test_first_sight() -> None:
    summary, rows = _detect([], _profile(0, 100))
    assert (summary.status, rows.status) == (DetectionStatus.UNTRAINED, DetectionStatus.UNTRAINED)
    assert "0 points of 0 different days" in summary.headline


def test_a_failed_profile_is_no_anomaly() -> None:
    problem = ConnectorError("duckdb:shop.duckdb: held by PID 7", hint="wait", retryable=True)
    (found,) = detect_anomalies(ASSET, problem, lambda _: [], AnomalyConfig(), START)
    assert found.status is DetectionStatus.COULD_NOT_RUN
    assert "held by PID 7" in found.headline


def test_keys_are_not_summed_up() -> None:
    summary, *_ = _detect(STEADY, _profile(20, 10_000, total=5e5))
    assert summary.metrics["metrics_trained"] == 5.0  # rows, three null shares, one sum


def test_many_noisy_columns_seldom_raise_a_table_alarm() -> None:
    alarms = 0
    for seed in range(40):
        source = random.Random(seed)  # noqa: S311 - noise
        profiles = [
            TableProfile(
                relation=Relation(name="wide"),
                row_count=1000,
                columns=tuple(
                    ColumnProfile(
                        name=f"m{number}", type="DOUBLE", null_count=0, sum=source.gauss(100, 10)
                    )
                    for number in range(30)
                ),
                profiled_at=START + timedelta(day),
            )
            for day in range(21)
        ]
        alarms += _detect(profiles[:-1], profiles[-1])[0].status is DetectionStatus.FAILED
    assert alarms / 40 <= 0.05


PROBABILITIES = st.lists(st.floats(0, 1), max_size=30)


@given(PROBABILITIES, st.floats(0.001, 0.5))
def test_discoveries_are_the_least_probable_ones(found: list[float], share: float) -> None:
    rejected = discoveries(found, share)
    kept = [p for p, is_rejected in zip(found, rejected, strict=True) if not is_rejected]
    gone = [p for p, is_rejected in zip(found, rejected, strict=True) if is_rejected]
    assert not kept or not gone or max(gone) < min(kept)
    assert all(p <= share for p in gone)
    assert all(p > share / len(found) for p in kept)
