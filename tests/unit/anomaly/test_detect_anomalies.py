"""From profiles to detections."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.anomaly.config import AnomalyConfig, ExcludedWindow, Mute
from dagster_agent.anomaly.engine import detect_anomalies
from dagster_agent.anomaly.false_discovery import discoveries
from dagster_agent.anomaly.feedback import Feedback
from dagster_agent.anomaly.profiling.points import metric_points
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
from dagster_agent.model.profile import Distribution

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


def _detect(
    past: Sequence[TableProfile], now: TableProfile, config: AnomalyConfig | None = None
) -> list[Detection]:
    points = [point for profile in [*past, now] for point in metric_points(ASSET, profile)]

    def history(metric: str) -> Sequence[MetricPoint]:
        return [point for point in points if point.metric == metric]

    return detect_anomalies(ASSET, now, history, config or AnomalyConfig(), now.profiled_at)


STEADY = [_profile(day, 10_000 + 10 * (day % 3), nulls=100, total=5e5) for day in range(20)]


def test_as_usual() -> None:
    summary, rows = _detect(STEADY, _profile(20, 10_005, nulls=101, total=5e5))
    assert (summary.detector, summary.status) == ("anomaly", DetectionStatus.PASSED)
    assert summary.headline == (
        "fct_orders: row_count is 10,005 (usual 9,560 to 10,460); 5 metrics as usual"
    )
    assert (rows.detector, rows.status) == (
        "anomaly/robust-level/row_count",
        DetectionStatus.PASSED,
    )
    assert rows.evidence[0].statement == (
        "judged by 20 points of 20 days; sees a change of 5.4% or more four times in five, "
        "untrained below 5 points"
    )


def test_half_of_the_rows_are_gone() -> None:
    summary, rows, *others = _detect(STEADY, _profile(20, 5_000, nulls=50, total=2.5e5))
    assert (summary.status, summary.severity) == (DetectionStatus.FAILED, Severity.ERROR)
    assert summary.headline == (
        "fct_orders: row_count fell by 50.0% to 5,000 (usual 9,560 to 10,460), unusual since "
        "2026-01-21 06:00 UTC; 2 of 5 metrics unusual, with it moved sum.amount"
    )
    assert summary.metrics["metrics_unusual"] == 2.0
    assert summary.metrics["sum.amount"] == 2.5e5
    assert summary.sample is not None
    assert [row[0] for row in summary.sample.rows] == ["row_count", "sum.amount"]
    assert (rows.metrics["row_count"], rows.metrics["score"]) == (5000.0, -50.04995004995005)
    assert "set `since: 2026-01-21T06:00:00+00:00`" in rows.hint
    assert [row[-1] for row in summary.sample.rows] == [None, "row_count"]
    assert not others  # a consequence has no detection of its own


def test_nulls_where_there_were_few() -> None:
    summary, rows, nulls = _detect(STEADY, _profile(20, 10_000, nulls=3_000, total=5e5))
    assert (summary.status, summary.severity) == (DetectionStatus.FAILED, Severity.WARN)
    assert rows.status is DetectionStatus.PASSED
    assert nulls.headline == (
        "fct_orders: null_share.email rose to 30.0% (usual 0.0% to 2.1%), unusual since "
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
        "fct_orders: row_count is 10,010 (usual 9,560 to 10,460), as usual again"
    )


def test_untrained_falls_back_to_the_trailing_mean_and_says_so() -> None:
    past = [_profile(day, rows) for day, rows in enumerate([9_000, 10_000, 11_500])]
    summary, rows = _detect(past, _profile(3, 100))
    assert (summary.status, rows.status) == (DetectionStatus.FAILED, DetectionStatus.FAILED)
    assert rows.detector == "anomaly/trailing-mean/row_count"
    assert rows.headline == (
        "fct_orders: row_count fell by 99.0% to 100 (usual 7,117 to 13,217, 7-day trailing mean, "
        "the fallback while the learned band is untrained), unusual since 2026-01-04 06:00 UTC"
    )
    summary, rows = _detect(past, _profile(3, 9_500))
    assert rows.status is DetectionStatus.PASSED
    assert "the fallback while the learned band is untrained" in rows.headline


def test_untrained_says_what_it_has_and_needs() -> None:
    summary, rows = _detect([_profile(0, 9_000)], _profile(1, 100))
    assert (summary.status, rows.status) == (DetectionStatus.UNTRAINED, DetectionStatus.UNTRAINED)
    assert rows.headline == (
        "fct_orders: row_count is 100, untrained: 1 point of 1 day, needs 2 to see a change of 50%"
    )
    assert rows.metrics == {"row_count": 100.0}


def test_a_backfill_is_measured_and_not_judged() -> None:
    window = ExcludedWindow(
        since=START + timedelta(19), until=START + timedelta(22), reason="orders are reloaded"
    )
    (only,) = _detect(STEADY, _profile(20, 5), AnomalyConfig(exclude_windows=(window,)))
    assert only.status is DetectionStatus.UNTRAINED
    assert only.headline == "fct_orders: not judged until 2026-01-23 06:00 UTC: orders are reloaded"


def test_a_mute_ends() -> None:
    mute = Mute(metric="row_*", until=START + timedelta(21), reason="known")
    config = AnomalyConfig(mutes=(mute, Mute(metric="sum.*", until=START + timedelta(21))))
    summary, rows = _detect(STEADY, _profile(20, 5_000, nulls=50, total=2.5e5), config)
    assert (summary.status, rows.status) == (DetectionStatus.UNTRAINED, DetectionStatus.UNTRAINED)
    assert rows.headline == (
        "fct_orders: row_count is 5,000 (usual 9,560 to 10,460), unusual but muted until "
        "2026-01-22 06:00 UTC (known)"
    )
    assert "2 muted" in summary.headline
    late = [*STEADY, _profile(20, 5_000, nulls=50, total=2.5e5)]
    summary, *_ = _detect(late, _profile(21, 5_000, nulls=50, total=2.5e5), config)
    assert summary.status is DetectionStatus.FAILED


def test_feedback_and_distributions_reach_the_detectors() -> None:
    labels = ("paid", "open")
    past = [
        Distribution(
            column="status",
            at=START + timedelta(day),
            kind="category",
            labels=labels,
            counts=(9_000.0 + day % 5, 1_000.0),
        )
        for day in range(20)
    ]
    now = replace(
        _profile(20, 10_000, nulls=100, total=5e5),
        distributions=(replace(past[0], at=START + timedelta(20), counts=(4_000.0, 6_000.0)),),
    )
    points = [point for profile in [*STEADY, now] for point in metric_points(ASSET, profile)]
    found = detect_anomalies(
        ASSET,
        now,
        lambda metric: [point for point in points if point.metric == metric],
        AnomalyConfig(),
        now.profiled_at,
        distributions=lambda _: past,
        feedback=[Feedback(metric="row_count", at=START)],
    )
    drift = next(d for d in found if d.detector == "anomaly/distribution-drift/distribution.status")
    assert drift.status is DetectionStatus.FAILED
    assert "went from 90.0% to 40.0% of the values" in drift.headline


def test_an_expected_mix_and_an_expected_label_are_ordinary() -> None:
    def mix(day: int, *counts: float) -> Distribution:
        labels = ("paid", "open", "void")[: len(counts)]
        at = START + timedelta(day)
        return Distribution(column="status", at=at, kind="category", labels=labels, counts=counts)

    past = [mix(day, 9_000.0 + day % 5, 1_000.0) for day in range(20)]
    past.append(mix(20, 4_000.0, 5_000.0, 1_000.0))
    now = replace(_profile(21, 10_000), distributions=(mix(21, 4_010.0, 4_990.0, 1_000.0),))

    def alarms(feedback: Sequence[Feedback]) -> set[str]:
        found = detect_anomalies(
            ASSET,
            now,
            lambda _: [],
            AnomalyConfig(),
            now.profiled_at,
            distributions=lambda _: past,
            feedback=feedback,
        )
        return {d.detector for d in found if d.status is DetectionStatus.FAILED}

    told = {d.rpartition("/")[2] for d in alarms([])}
    assert "categories.status" in told
    assert "distribution.status" not in told, "it follows from the label that is new"
    assert not alarms([Feedback(metric="categories.status", at=past[-1].at)])
    mix_alone = [Feedback(metric="distribution.status", at=past[-1].at)]
    assert any(d.endswith("categories.status") for d in alarms(mix_alone))


def test_only_what_failed_has_a_picture_and_numbers_left_out_are_told() -> None:
    summary, rows = _detect(STEADY, _profile(20, 10_005, nulls=100, total=5e5))
    assert (summary.plot, rows.plot) == ("", "")
    summary, rows = _detect(STEADY, _profile(20, 5_000, nulls=50, total=2.5e5))
    assert summary.plot == rows.plot
    assert rows.plot.startswith("<svg")
    assert len(rows.plot.encode()) <= 4096
    odd = [_profile(5, 10_000, total=float("nan")), *STEADY[:5], *STEADY[6:]]
    summary, *_ = _detect(odd, _profile(20, 10_000, nulls=100, total=9e5))
    assert "1 that are no finite number left out" in summary.evidence[0].statement


def test_first_sight() -> None:
    summary, rows = _detect([], _profile(0, 100))
    assert (summary.status, rows.status) == (DetectionStatus.UNTRAINED, DetectionStatus.UNTRAINED)
    assert "0 points of 0 days" in summary.headline
    assert summary.headline.endswith("; 4 metrics untrained until 18 daily points (0 so far)")


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
