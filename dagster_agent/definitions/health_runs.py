"""The customer's runs of the last days, and the groups of assets they are counted under."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.discovery import DbtAssetRef
from dagster_agent.definitions.silence_runs import is_watched

if TYPE_CHECKING:
    from dagster_agent.response.health import RunEnd

_ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE]
_MOST = 5000
"""Runs that are counted; the newest ones."""


def run_ends(
    instance: dg.DagsterInstance,
    blueprint: Blueprint,
    now: datetime,
    *,
    days: int = 30,
    location: str | None = None,
) -> list[RunEnd]:
    """Runs that ended well or badly in the last days, newest first; one query, at most 5,000 runs.

    A run counts for the group of the assets that were selected, where they are of one; else for its
    job.

    Args:
        instance: Where the runs are recorded.
        blueprint: Knows the assets.
        now: UTC.
        days: How far back.
        location: Name of the code location; None: any.
    """
    from dagster_agent.response.health import RunEnd

    since = now - timedelta(days=days)
    records = instance.get_run_records(
        RunsFilter(statuses=_ENDED, updated_after=since), limit=_MOST
    )
    return [
        RunEnd(
            group=_group_of_run(record.dagster_run, blueprint),
            ended_at=datetime.fromtimestamp(record.end_time, UTC),
            succeeded=record.dagster_run.status is DagsterRunStatus.SUCCESS,
        )
        for record in records
        if record.end_time is not None and is_watched(record.dagster_run, location)
    ]


def grouping(blueprint: Blueprint) -> Callable[[str], str]:
    """The group of an asset by its dbt unique id."""

    def group_of(uid: str) -> str:
        ref = blueprint.by_uid.get(uid)
        return group_of_asset(ref) if ref is not None else "other"

    return group_of


def group_of_asset(ref: DbtAssetRef) -> str:
    """The folder of a model below `models/`; `sources`, or the project where it has none."""
    if ref.resource_type == "source":
        return "sources"
    parts = PurePosixPath(ref.path.replace("\\", "/")).parts
    return parts[1] if len(parts) > 2 else parts[0] if parts else "other"


def _group_of_run(run: dg.DagsterRun, blueprint: Blueprint) -> str:
    refs = (blueprint.by_key.get(key) for key in run.asset_selection or ())
    groups = {group_of_asset(ref) for ref in refs if ref is not None}
    return groups.pop() if len(groups) == 1 else f"job {run.job_name}"
