"""Which of our checks to measure after the customer's runs have ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import dagster as dg

from dagster_agent.connectors.orchestrators import dagster_event_log as event_log
from dagster_agent.connectors.orchestrators.dagster import CHECKED_RUN_TAG, KIND_TAG
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.feed import FinishedRun


def check_requests(
    finished: Sequence[FinishedRun], blueprint: Blueprint, instance: dg.DagsterInstance
) -> list[dg.RunRequest]:
    """One checks run per customer's run that built something or left checks of ours red.

    An asset that several of the runs built is judged once, after the last of them.

    Args:
        finished: The customer's runs, oldest first.
        blueprint: What is watched.
        instance: Where the runs are recorded.
    """
    taken: set[dg.AssetCheckKey] = set()
    requests: list[dg.RunRequest] = []
    for run in reversed(finished):
        wanted = _wanted(run, blueprint, instance) - taken
        taken |= wanted
        if wanted:
            requests.append(_request(run, sorted(wanted), blueprint))
    return requests[::-1]


def _wanted(
    finished: FinishedRun, blueprint: Blueprint, instance: dg.DagsterInstance
) -> set[dg.AssetCheckKey]:
    run_id = finished.run.run_id
    promised = event_log.promised(instance, run_id, of_checks=finished.failed)
    found = {
        check
        for key in promised.built_assets
        if (ref := blueprint.by_key.get(key)) is not None
        for check in blueprint.check_keys(ref)
    }
    found |= _source_checks(promised.planned_assets | promised.built_assets, blueprint)
    if finished.failed:
        found |= _false_reds(promised, blueprint)
    return found


def _source_checks(assets: Iterable[dg.AssetKey], blueprint: Blueprint) -> set[dg.AssetCheckKey]:
    """Drift checks of the sources that these assets read: nothing else would ever launch them."""
    refs = (blueprint.by_key.get(key) for key in assets)
    parents = {uid for ref in refs if ref is not None for uid in ref.parents}
    sources = (blueprint.by_uid.get(uid) for uid in parents)
    return {
        check
        for ref in sources
        if ref is not None and ref.resource_type == "source"
        for check in blueprint.check_keys(ref)
    }


def _false_reds(promised: event_log.Promised, blueprint: Blueprint) -> set[dg.AssetCheckKey]:
    """Checks of ours that were planned in a failed run and never came to run.

    Dagster shows them as failed although nothing is known of them. Their op repeats the latest
    result where the asset was not built, and measures where there is none.
    """
    return {
        key
        for key in promised.planned_checks - promised.made_checks
        if blueprint.names.owns_check(key) and key.asset_key in blueprint.by_key
    }


def _request(
    finished: FinishedRun, keys: Sequence[dg.AssetCheckKey], blueprint: Blueprint
) -> dg.RunRequest:
    run_id = finished.run.run_id
    return dg.RunRequest(
        run_key=f"checks:{run_id}",
        job_name=blueprint.names.checks_job,
        asset_check_keys=keys,
        tags={KIND_TAG: "checks", CHECKED_RUN_TAG: run_id},
    )
