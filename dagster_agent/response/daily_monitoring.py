"""Judge the newest closed day of a table by the days before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from glob import escape

from dagster_agent.anomaly.config import Mute
from dagster_agent.anomaly.engine import detect_anomalies
from dagster_agent.anomaly.feedback import Feedback
from dagster_agent.anomaly.profiling.daily import PREFIX, Days, first_day, read_days, start_of
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
    return read_days(
        schema.relation,
        columns,
        by,
        workspace.warehouse,
        since=first_day(memory.newest_day(), now, config),
        now=now,
        config=config,
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
    config = workspace.settings.for_asset(asset).anomaly
    excused = [_excuse(word, now) for word in feedback if word.at == profiled.profiled_at]
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
    said = [_said(mute) for mute in excused]
    summary = replace(
        found[0], detector=DETECTOR, evidence=(*found[0].evidence, read, *traced.values(), *said)
    )
    return [summary, *(_of_day(each, traced) for each in found[1:])]


def _excuse(word: Feedback, now: datetime) -> Mute:
    """A day is judged at every check until the next is closed; what was said of it holds."""
    until = start_of((now + timedelta(days=1)).date())
    return Mute(metric=escape(word.metric), until=until, reason=f"expected, says {word.said_by}")


def _said(mute: Mute) -> Evidence:
    return Evidence(kind="question", statement=f"{mute.metric} of this day is {mute.reason}")


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
