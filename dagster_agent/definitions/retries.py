"""Retries of the customer's runs: the assets that a failed run did not build, once more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from dagster_agent.connectors.orchestrators import dagster_event_log as event_log
from dagster_agent.connectors.orchestrators.dagster import KIND_TAG, RETRY_KIND, RETRY_OF_TAG
from dagster_agent.definitions.assets import Publisher
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.feed import FinishedRun
from dagster_agent.definitions.names import INCIDENT_TAG

if TYPE_CHECKING:
    from dagster_agent.response import Workspace

_PARTITION_TAGS = ("dagster/partition", "dagster/partition/", "dagster/asset_partition_range_")
"""How the run tags begin that say which partitions a run builds; the first is one whole."""


def retry_job(blueprint: Blueprint) -> UnresolvedAssetJobDefinition:
    """The job in which the sensor has a failed run's assets built again.

    It selects nothing by itself: each of its runs is given the assets that it builds, which Dagster
    takes from the whole location. A job over all of them would be held, and told to the webserver,
    once more; and whoever launches it by hand would build the whole project.
    """
    # dagster annotates a metadata parameter, which is not used here, with a bare PathLike.
    return dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] # see above
        blueprint.names.retry_job,
        selection=dg.AssetSelection.assets(),
        description="Builds again what a run did not build for a reason that passes by itself. The"
        f" sensor {blueprint.names.watch_sensor} launches it, with the assets to build.",
        tags={KIND_TAG: RETRY_KIND},
    )


def settle_retry(
    finished: FinishedRun, workspace: Workspace, publisher: Publisher, now: datetime
) -> None:
    """Tell the incident what came of a retry of ours that has ended."""
    from dagster_agent.response import retrying

    incident_id = finished.run.tags.get(INCIDENT_TAG, "")
    succeeded = finished.end is dg.DagsterEventType.RUN_SUCCESS
    finding = retrying.settle(
        workspace, incident_id, finished.run.run_id, succeeded=succeeded, now=now
    )
    if finding is not None:
        publisher.finding(finding, workspace, observe=True)


def due_requests(
    workspace: Workspace, blueprint: Blueprint, instance: dg.DagsterInstance, now: datetime
) -> list[dg.RunRequest]:
    """Run requests of the retries whose time has come."""
    from dagster_agent.response import retrying

    found: list[dg.RunRequest] = []
    for retry in retrying.due_retries(workspace, now=now):
        keys = _not_built(retry.run_id, blueprint, instance)
        run = instance.get_run_by_id(retry.run_id)
        if run is None or not keys:
            # nothing of ours to build: the incident goes on to an investigation
            retrying.settle(workspace, retry.incident_id, retry.run_id, succeeded=False, now=now)
            continue
        tags = {KIND_TAG: RETRY_KIND, RETRY_OF_TAG: retry.run_id, INCIDENT_TAG: retry.incident_id}
        found.append(
            dg.RunRequest(
                run_key=f"retry:{retry.incident_id}:{retry.attempt}",
                job_name=blueprint.names.retry_job,
                asset_selection=keys,
                # as the run's tags have it: the job itself has no partitions to choose from
                tags={**_partition_of(run), **tags},
            )
        )
    return found


def _partition_of(run: dg.DagsterRun) -> dict[str, str]:
    """Tags that make another run build the same partitions."""
    whole, *beginnings = _PARTITION_TAGS
    return {
        key: value
        for key, value in run.tags.items()
        if key == whole or key.startswith(tuple(beginnings))
    }


def _not_built(
    run_id: str, blueprint: Blueprint, instance: dg.DagsterInstance
) -> Sequence[dg.AssetKey]:
    """Watched dbt assets that the run set out to build and did not."""
    missing = event_log.planned_assets(instance, run_id) - event_log.materialised_assets(
        instance, run_id
    )
    buildable = {ref.key for ref in blueprint.refs if ref.resource_type != "source"}
    return sorted(missing & buildable)
