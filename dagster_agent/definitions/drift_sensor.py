"""The sensor that looks at schemas, and at the age of data, on intervals of its own.

A change is known before a model runs on it, and a source that stopped although nothing runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import dagster as dg

from dagster_agent.connectors.orchestrators.dagster import KIND_TAG
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.holds import cancel_queued, keep_holds
from dagster_agent.definitions.jobs import Job
from dagster_agent.definitions.looks import asset_of, look_again
from dagster_agent.definitions.watching import watching_sensor
from dagster_agent.definitions.workspaces import open_workspace
from dagster_agent.errors import DagsterAgentError

if TYPE_CHECKING:
    from dagster_agent.definitions.discovery import DbtProjectRef

_FRESHNESS = "@freshness"
"""Key in the cursor: when freshness was asked for last. No dbt unique id begins so."""


def build_drift_sensor(blueprint: Blueprint, checks: Job) -> dg.SensorDefinition:
    """The sensor that watches the sources' schemas.

    Args:
        blueprint: What is watched.
        checks: The checks job, which it launches for the sources that changed.
    """
    return watching_sensor(
        blueprint,
        blueprint.names.drift_sensor,
        _tick,
        description="Reads the schemas of all sources in one query per database, apart from runs,"
        " and has the age of the data measured now and then.",
        jobs=[checks],
        interval_seconds=blueprint.settings.schema_drift.poll_seconds,
    )


def _tick(
    blueprint: Blueprint, context: dg.SensorEvaluationContext
) -> dg.SensorResult | dg.SkipReason:
    remembered = _parse(context.cursor)
    looked = 0
    changed: list[str] = []
    troubles: list[str] = []
    for project in blueprint.projects:
        try:
            seen, news, remembered = _look(blueprint, project, context, remembered)
        except DagsterAgentError as error:
            # a failed look is no drift: what was known stays known
            troubles.append(str(error))
            continue
        looked += seen
        changed += news
    due = _freshness_due(blueprint, remembered, datetime.now(UTC))
    context.update_cursor(json.dumps(remembered, sort_keys=True))
    if changed or due:
        requests = [_request(blueprint, changed)] if changed else []
        return dg.SensorResult(run_requests=[*requests, *due])
    what = "tables" if blueprint.settings.schema_drift.poll_models else "sources"
    told = f"{looked} {what} as they were" + "".join(f"; {t}" for t in troubles)
    return dg.SkipReason(told)


def _freshness_due(
    blueprint: Blueprint, remembered: dict[str, str], now: datetime
) -> list[dg.RunRequest]:
    """Have the age of data measured now and then: what stopped coming starts no run of its own.

    Args:
        blueprint: What is watched.
        remembered: The sensor's memory; the moment is kept there.
        now: UTC.
    """
    wait = timedelta(minutes=blueprint.settings.freshness.poll_minutes)
    last = remembered.get(_FRESHNESS)
    if not wait or (last and now - datetime.fromisoformat(last) < wait):
        return []
    keys = [
        key
        for ref in blueprint.refs
        if "freshness" in ref.engines
        for key in blueprint.check_keys(ref, ["freshness"])
    ]
    if not keys:
        return []
    remembered[_FRESHNESS] = now.isoformat()
    return [_checks(blueprint, f"freshness:{now:%Y%m%dT%H%M%S%f}", keys)]


def _look(
    blueprint: Blueprint,
    project: DbtProjectRef,
    context: dg.SensorEvaluationContext,
    before: Mapping[str, str],
) -> tuple[int, Sequence[str], dict[str, str]]:
    """How many tables of a project were looked at, which are news, and what to remember."""
    from dagster_agent.schema_drift.snapshot import compare_looks

    config = blueprint.settings.schema_drift
    refs = [
        ref
        for ref in blueprint.refs
        if (config.poll_models or ref.resource_type == "source") and ref.project == project
    ]
    with open_workspace(blueprint, project, context.instance) as workspace:
        look, digests = look_again(workspace, refs)
        news, remembered = compare_looks(before, digests)
        if config.cancel_queued:
            keep_holds(workspace, look, news)
            cancel_queued(blueprint, context, workspace)
    return len(look.tables), [asset_of(one) for one in news], remembered


def _parse(cursor: str | None) -> dict[str, str]:
    try:
        kept = json.loads(cursor or "{}")
    except ValueError:
        return {}
    return cast("dict[str, str]", kept) if isinstance(kept, dict) else {}


def _request(blueprint: Blueprint, changed: Sequence[str]) -> dg.RunRequest:
    keys = [
        key
        for uid in dict.fromkeys(changed)
        for key in blueprint.check_keys(blueprint.by_uid[uid], ["schema-drift"])
    ]
    return _checks(blueprint, f"drift:{datetime.now(UTC):%Y%m%dT%H%M%S%f}", keys)


def _checks(blueprint: Blueprint, run_key: str, keys: Sequence[dg.AssetCheckKey]) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=run_key,
        job_name=blueprint.names.checks_job,
        asset_check_keys=keys,
        tags={KIND_TAG: "checks"},
    )
