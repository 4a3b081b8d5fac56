"""Judge the newest closed day of a table by the days before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from glob import escape

from dagster_agent.anomaly.config import AnomalyConfig, Mute
from dagster_agent.anomaly.engine import detect_anomalies
from dagster_agent.anomaly.feedback import Feedback
from dagster_agent.anomaly.profiling.daily import PREFIX, Days, first_day, read_days, start_of
from dagster_agent.anomaly.profiling.daily_segments import is_segment_of, segment_columns
from dagster_agent.anomaly.profiling.event_time import EventTime, event_time
from dagster_agent.anomaly.profiling.kinds import measured_columns
from dagster_agent.anomaly.profiling.memory import ProfileMemory
from dagster_agent.anomaly.profiling.origin import shifts_of, source_evidence, source_of
from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import (
    Asset,
    Detection,
    DetectionStatus,
    Evidence,
    MetricPoint,
    Relation,
    TableProfile,
    TableSchema,
)
from dagster_agent.response.workspace import Workspace
from dagster_agent.settings import AssetSettings

DETECTOR = "anomaly/daily"
"""Of the summary; those of metrics are `anomaly/<method>/daily.<metric>`."""
_TRACED = 3
"""Shifts of one day that are looked for at their source."""


def event_time_of(workspace: Workspace, asset: Asset, schema: TableSchema) -> EventTime | None:
    """The column by which the asset's days are told apart; None where none does.

    Raises:
        ConfigError: The configured one cannot be used.
    """
    profiling = workspace.settings.for_asset(asset).profiling
    if not profiling.daily:
        return None
    columns = measured_columns(
        schema.columns, workspace.warehouse.dialect, personal=AssetSettings.of(asset).pii
    )
    declared = (workspace.manifest.time_column(asset.unique_id),)
    return event_time(columns, configured=profiling.timestamp, declared=declared)


def daily_detections(
    workspace: Workspace, asset: Asset, schema: TableSchema, memory: ProfileMemory, now: datetime
) -> list[Detection]:
    """Measure the closed days, remember them, and judge the newest; [] for tables without days."""
    try:
        by = event_time_of(workspace, asset, schema)
        if by is None:
            return []
        days = _read(workspace, asset, schema, by, memory, now)
    except DagsterAgentError as error:
        return [_could_not_run(asset, error, now)]
    workspace.store.add_metrics(list(days.points(asset.unique_id)))
    memory.keep_arrivals(days, workspace.settings.for_asset(asset).profiling.late_days, now)
    if not days.metrics:
        return [_without_days(asset, by, now)]
    return _judged(workspace, asset, schema.relation, days, memory, now)


def _read(
    workspace: Workspace,
    asset: Asset,
    schema: TableSchema,
    by: EventTime,
    memory: ProfileMemory,
    now: datetime,
) -> Days:
    config = workspace.settings.for_asset(asset).profiling
    columns = measured_columns(
        schema.columns, workspace.warehouse.dialect, personal=AssetSettings.of(asset).pii
    )
    kept = [m for m in workspace.store.metric_histories(asset.unique_id) if m.startswith(PREFIX)]
    # a segment that was not measured before is read as far back as the rest was
    told = all(
        any(is_segment_of(metric.removeprefix(PREFIX), segment.name) for metric in kept)
        for segment in segment_columns(columns, config.segments)
    )
    return read_days(
        schema.relation,
        columns,
        by,
        workspace.warehouse,
        since=first_day(memory.newest_day() if told else None, now, config),
        now=now,
        config=config,
        known=kept,
    )


def _judged(
    workspace: Workspace,
    asset: Asset,
    relation: Relation,
    days: Days,
    memory: ProfileMemory,
    now: datetime,
) -> list[Detection]:
    day, metrics = list(days.metrics.items())[-1]
    plain = {metric.removeprefix(PREFIX): value for metric, value in metrics.items()}
    profiled = TableProfile(
        relation=Relation(name=f"{relation.name} on {day}"),
        row_count=int(plain.pop("row_count")),
        columns=(),
        profiled_at=start_of(day),
        further=plain,
    )

    kept = workspace.store.metric_histories(asset.unique_id)

    def history(metric: str) -> Sequence[MetricPoint]:
        return kept.get(f"{PREFIX}{metric}", ())

    feedback = [
        replace(word, metric=word.metric.removeprefix(PREFIX))
        for word in memory.feedback()
        if word.metric.startswith(PREFIX)
    ]
    config = _of_days(workspace.settings.for_asset(asset).anomaly)
    of_today = [word for word in feedback if word.at == profiled.profiled_at]
    excused = [mute for word in of_today for mute in _excuses(word, now)]
    found = detect_anomalies(
        asset.unique_id,
        profiled,
        history,
        config=config.model_copy(update={"mutes": (*excused, *config.mutes)}),
        now=now,
        arrivals=memory.arrivals(),
        feedback=feedback,
    )
    basis = f"days by {days.event_time.column.name} ({days.event_time.evidence})"
    basis += f"; {days.note}" * bool(days.note)
    read = Evidence(kind="profile", statement=basis, query=days.query)
    traced = _traced(workspace, asset, found[0], now)
    said = [_said(word) for word in of_today]
    summary = replace(
        found[0], detector=DETECTOR, evidence=(*found[0].evidence, read, *traced.values(), *said)
    )
    return [summary, *(_of_day(each, traced) for each in found[1:])]


def _of_days(config: AnomalyConfig) -> AnomalyConfig:
    """Metrics of days may be named as their check names them, `daily.row_count`."""
    mutes = [m.model_copy(update={"metric": m.metric.removeprefix(PREFIX)}) for m in config.mutes]
    ignored = [pattern.removeprefix(PREFIX) for pattern in config.ignore_metrics]
    return config.model_copy(update={"mutes": tuple(mutes), "ignore_metrics": tuple(ignored)})


def _excuses(word: Feedback, now: datetime) -> Iterator[Mute]:
    """A day is judged at every check until the next is closed; what was said of it holds.

    Who expects the rows of a day expects those of its segments.
    """
    until, reason = start_of((now + timedelta(days=1)).date()), f"expected, says {word.said_by}"
    yield Mute(metric=escape(word.metric), until=until, reason=reason)
    if word.metric == "row_count":
        yield Mute(metric="row_count{*", until=until, reason=reason)


def _said(word: Feedback) -> Evidence:
    told = f"{word.metric} of this day is expected, says {word.said_by}"
    return Evidence(kind="question", statement=told)


def _of_day(detection: Detection, traced: dict[str, Evidence]) -> Detection:
    engine, method, metric = detection.detector.split("/", 2)
    values = {
        f"{PREFIX}{name}" if name == metric else name: value
        for name, value in detection.metrics.items()
    }
    more = (traced[metric],) if metric in traced else ()
    return replace(
        detection,
        detector=f"{engine}/{method}/{PREFIX}{metric}",
        metrics=values,
        evidence=(*detection.evidence, *more),
    )


def _traced(
    workspace: Workspace, asset: Asset, summary: Detection, now: datetime
) -> dict[str, Evidence]:
    """By metric: whether the source's column shifted on the same day."""
    found: dict[str, Evidence] = {}
    if summary.status is not DetectionStatus.FAILED:
        return found
    config = workspace.settings.for_asset(asset).profiling
    for shift in list(shifts_of(summary))[:_TRACED]:
        manifest, warehouse = workspace.manifest, workspace.warehouse
        source = source_of(manifest, asset, shift.column, warehouse.dialect, workspace.schema)
        if source is None:
            continue
        try:
            evidence = source_evidence(
                shift,
                source,
                manifest=manifest,
                warehouse=warehouse,
                schema=workspace.schema,
                config=config,
                now=now,
            )
        except DagsterAgentError:
            continue  # it only adds to a verdict that stands without it
        if evidence is not None:
            found[f"{shift.kind}.{shift.column}"] = evidence
    return found


def _without_days(asset: Asset, by: EventTime, now: datetime) -> Detection:
    return Detection(
        detector=DETECTOR,
        asset=asset.unique_id,
        status=DetectionStatus.UNTRAINED,
        headline=f"{asset.name}: no closed day with rows by {by.column.name} to judge, untrained",
        observed_at=now,
        hint="freshness says whether rows should have come",
    )


def _could_not_run(asset: Asset, error: DagsterAgentError, now: datetime) -> Detection:
    return Detection(
        detector=DETECTOR,
        asset=asset.unique_id,
        status=DetectionStatus.COULD_NOT_RUN,
        headline=f"{asset.name} could not be measured by day: {error.message}",
        observed_at=now,
        hint=error.hint,
    )
