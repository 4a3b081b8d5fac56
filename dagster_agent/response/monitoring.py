"""Measure a table, remember the numbers, and judge them by their past.

Two series of numbers never mix: those of the whole table as it is at each check, and those of its
closed days by the time at which rows happened (`daily.`). The latter reach back to before the first
check.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from dagster_agent.anomaly.engine import detect_anomalies
from dagster_agent.anomaly.profiling.daily import PREFIX
from dagster_agent.anomaly.profiling.measure import Known, profile_table
from dagster_agent.anomaly.profiling.memory import ProfileMemory
from dagster_agent.anomaly.profiling.points import metric_points
from dagster_agent.errors import ConfigError
from dagster_agent.model import (
    Asset,
    Detection,
    DetectionStatus,
    Evidence,
    MetricPoint,
    TableProfile,
    TableSchema,
)
from dagster_agent.response.daily_monitoring import daily_detections, event_time_of
from dagster_agent.response.workspace import Workspace
from dagster_agent.settings import AssetSettings


def anomaly_detections(workspace: Workspace, asset: Asset, now: datetime) -> list[Detection]:
    """Judge the asset's table as it is now, and its newest closed day, by what they were before.

    Raises:
        ConfigError: There is no such table, or the asset's meta is wrong.
        ConnectorError: The warehouse does not answer.
    """
    schema = _observed_schema(workspace, asset)
    memory = ProfileMemory(store=workspace.store, asset=asset.unique_id)
    settings = workspace.settings.for_asset(asset)
    distributions = memory.distributions()
    known = replace(
        _known(workspace, asset, schema),
        distributions={column: kept[-1] for column, kept in distributions.items()},
        cost=memory.cost(),
    )
    profiled = profile_table(
        schema.relation,
        schema,
        workspace.warehouse,
        now,
        config=settings.profiling,
        known=known,
    )
    feedback = memory.feedback()
    found = detect_anomalies(
        asset.unique_id,
        profiled,
        _history(workspace, asset),
        config=settings.anomaly,
        now=now,
        distributions=lambda column: distributions.get(column, []),
        feedback=[word for word in feedback if not word.metric.startswith(PREFIX)],
    )
    workspace.store.add_metrics(metric_points(asset.unique_id, profiled))
    memory.keep(profiled)
    return [
        _with_notes(found[0], profiled),
        *found[1:],
        *_unmeasured(asset, profiled, now),
        *daily_detections(workspace, asset, schema, memory, now),
    ]


def profile(workspace: Workspace, asset: str, *, now: datetime) -> TableProfile:
    """Aggregates of one asset's table as it is now; remembers nothing.

    Raises:
        ConfigError: There is no such table.
        ConnectorError: The warehouse does not answer.
    """
    watched = workspace.manifest.asset(asset)
    schema = _observed_schema(workspace, watched)
    return profile_table(
        schema.relation,
        schema,
        workspace.warehouse,
        now,
        config=workspace.settings.for_asset(watched).profiling,
        known=_known(workspace, watched, schema),
    )


def mark_expected(
    workspace: Workspace, asset: str, metric: str, at: datetime, who: str, why: str, now: datetime
) -> None:
    """Record that a person called a point of a metric expected; it is judged so from then on.

    Args:
        workspace: The opened project.
        asset: dbt unique id or name.
        metric: As its check names it; `daily.` metrics by any moment of their day.
        at: When the point was measured, UTC.
        who: As the person named themselves.
        why: In their words.
        now: UTC.

    Raises:
        ConfigError: There is no such asset or point.
        ApprovalRequired: Paused, nobody is named, or over the limit. Nothing was done.
    """
    node = workspace.manifest.find(asset)
    memory = ProfileMemory(store=workspace.store, asset=node.unique_id)
    meant = memory.point_meant(metric, at)
    workspace.guard("decision").perform(
        "mark-expected",
        node.unique_id,
        now=now,
        work=lambda: memory.mark_expected(metric, meant, who=who, why=why, now=now),
        detail={"metric": metric, "at": meant.isoformat(), "why": why},
        approved_by=who,
    )


def _known(workspace: Workspace, asset: Asset, schema: TableSchema) -> Known:
    return Known(
        key=workspace.manifest.unique_key(asset.unique_id),
        personal=AssetSettings.of(asset).pii,
        by_day=_has_days(workspace, asset, schema),
    )


def _has_days(workspace: Workspace, asset: Asset, schema: TableSchema) -> bool:
    try:
        return event_time_of(workspace, asset, schema) is not None
    except ConfigError:
        return False  # the daily detection says what is wrong


def _history(workspace: Workspace, asset: Asset) -> Callable[[str], Sequence[MetricPoint]]:
    kept = workspace.store.metric_histories(asset.unique_id)
    return lambda metric: kept.get(metric, ())


def _observed_schema(workspace: Workspace, asset: Asset) -> TableSchema:
    if asset.relation is None:
        raise ConfigError(f"{asset.name} is ephemeral: it has no table", hint="exclude it")
    observed = workspace.schema(asset.relation)
    if observed is None:
        raise ConfigError(
            f"{asset.relation} does not exist", hint="build it, or take it out of the project"
        )
    return replace(observed, relation=asset.relation)


def _with_notes(summary: Detection, profiled: TableProfile) -> Detection:
    """What was not measured in full is told with the verdict."""
    if not profiled.notes:
        return summary
    notes = tuple(Evidence(kind="profile", statement=note) for note in profiled.notes)
    partly = profiled.scope != "whole"
    return replace(
        summary,
        headline=summary.headline + f" ({profiled.notes[0]})" * partly,
        evidence=(*summary.evidence, *notes),
    )


def _unmeasured(asset: Asset, profiled: TableProfile, now: datetime) -> list[Detection]:
    return [
        Detection(
            detector=f"anomaly/{metric}",
            asset=asset.unique_id,
            status=DetectionStatus.COULD_NOT_RUN,
            headline=f"{asset.name}: {metric} could not be measured: {reason}",
            observed_at=now,
            hint="mend it in the asset's profiling settings",
        )
        for metric, reason in profiled.unmeasured.items()
    ]
