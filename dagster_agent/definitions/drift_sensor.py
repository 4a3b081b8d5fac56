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
from dagster_agent.definitions.looks import Look, asset_of, look_again
from dagster_agent.definitions.watching import watching_sensor
from dagster_agent.definitions.workspaces import open_workspace
from dagster_agent.errors import DagsterAgentError

if TYPE_CHECKING:
    from dagster_agent.definitions.discovery import DbtProjectRef

_FRESHNESS = "@freshness"
"""Key in the cursor: when freshness was asked for last. No dbt unique id begins so."""
_DOCUMENTS = "@documents"
"""Key in the cursor: when JSON columns were to be looked into last, and the last of the tables."""
_TABLES = 50
"""Tables whose documents are looked into at a time: each costs a statement."""


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
    looks: list[Look] = []
    for project in blueprint.projects:
        try:
            look, news, remembered = _look(blueprint, project, context, remembered)
        except DagsterAgentError as error:
            # a failed look is no drift: what was known stays known
            troubles.append(str(error))
            continue
        looked += len(look.tables)
        changed += news
        looks.append(look)
    now = datetime.now(UTC)
    due = [*_freshness_due(blueprint, remembered, now)]
    due += _documents_due(blueprint, looks, remembered, now)
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


def _documents_due(
    blueprint: Blueprint, looks: Sequence[Look], remembered: dict[str, str], now: datetime
) -> list[dg.RunRequest]:
    """Have JSON columns looked into now and then, some tables at a time, those next in turn.

    Reading schemas is one cheap query for all tables; looking into documents is one for each. So
    it is done by the checks, in a run, and never in a tick.

    Args:
        blueprint: What is watched.
        looks: The tables of each project; at the first tick all of them are checked anyway.
        remembered: The sensor's memory; moment and place are kept there.
        now: UTC.
    """
    wait = timedelta(minutes=blueprint.settings.schema_drift.json_poll_minutes)
    last, _, place = remembered.setdefault(_DOCUMENTS, f"{now.isoformat()}|").partition("|")
    if not wait or not looks or now - datetime.fromisoformat(last) < wait:
        return []
    documents = sorted(uid for look in looks for uid in look.documents(blueprint.settings))
    if not documents:
        remembered[_DOCUMENTS] = f"{now.isoformat()}|"
        return []
    start = next((n for n, uid in enumerate(documents) if uid > place), 0)
    turn = documents[start : start + _TABLES]
    keys = [
        key for uid in turn for key in blueprint.check_keys(blueprint.by_uid[uid], ["schema-drift"])
    ]
    remembered[_DOCUMENTS] = f"{now.isoformat()}|{turn[-1]}"
    return [_checks(blueprint, f"documents:{now:%Y%m%dT%H%M%S%f}", keys)] if keys else []


def _look(
    blueprint: Blueprint,
    project: DbtProjectRef,
    context: dg.SensorEvaluationContext,
    before: Mapping[str, str],
) -> tuple[Look, Sequence[str], dict[str, str]]:
    """A look at the tables of a project, which of them are news, and what to remember."""
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
    return look, [asset_of(one) for one in news], remembered


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
