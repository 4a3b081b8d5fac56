"""One load of a large code location, in a process of its own; its figures go to stdout as JSON.

What is counted is what a code server does from its start until the webserver holds everything: the
imports, the definitions, `load_all_definitions`, the snapshot of the repository, and then that of
each job, which the webserver asks for one by one.

This module must not postpone its annotations: Dagster reads them to find the context.
"""

import json
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtProject, dbt_assets

PLAIN, EMPTY, THREE, DEFAULTS = "plain", "empty", "three", "defaults"
_CHUNK = 200
"""Assets per op of the empty checks, as the agent's own."""


def definitions(mode: str, project: Path) -> dg.Definitions:
    """The dbt assets of a project, and what the mode adds.

    Args:
        mode: `PLAIN`: nothing. `EMPTY`: three checks on each model that do nothing, and no agent.
            `THREE`: the agent, with three checks on each model. `DEFAULTS`: as `attach` does it.
        project: Folder of the dbt project, with its manifest.
    """
    dbt = DbtProject(project_dir=project, profiles_dir=project)

    @dbt_assets(manifest=dbt.manifest_path, project=dbt)
    def big(context: dg.AssetExecutionContext) -> Iterator[Any]:
        for key in sorted(context.selected_asset_keys):
            yield dg.MaterializeResult(asset_key=key)

    if mode == EMPTY:
        return dg.Definitions(assets=[big], asset_checks=_empty_checks(sorted(big.keys)))
    plain = dg.Definitions(assets=[big])
    if mode == DEFAULTS:
        from dagster_agent import DataOpsAgent

        return DataOpsAgent().attach(plain)
    if mode == THREE:
        from dagster_agent.definitions import agent_definitions, discover

        # two engines and the open findings, on what has a model
        refs = [
            replace(ref, engines=frozenset({"schema-drift", "anomaly"}))
            for ref in discover(plain)
            if ref.resource_type != "source"
        ]
        return dg.Definitions.merge(plain, agent_definitions(refs))
    return plain


def _empty_checks(keys: Sequence[dg.AssetKey]) -> list[dg.AssetChecksDefinition]:
    def op(number: int) -> dg.AssetChecksDefinition:
        specs = [
            dg.AssetCheckSpec(name, asset=key)
            for key in keys[number * _CHUNK : (number + 1) * _CHUNK]
            for name in ("one", "two", "three")
        ]

        @dg.multi_asset_check(name=f"empty_{number}", specs=specs, can_subset=True)
        def empty() -> Iterator[dg.AssetCheckResult]:
            yield from ()

        return empty

    return [op(number) for number in range(-(-len(keys) // _CHUNK))]


def main() -> None:
    """Load once, and tell what it took."""
    warnings.simplefilter("ignore")
    mode, project = sys.argv[1], Path(sys.argv[2])
    repository = definitions(mode, project).get_repository_def()
    repository.load_all_definitions()
    loaded = time.process_time()
    size = _serialised(repository)
    told = {
        "cpu": time.process_time(),
        "until_loaded": loaded,
        "megabytes": size / 1e6,
        "checks": len(repository.asset_graph.asset_check_keys),
    }
    print(json.dumps(told))


def _serialised(repository: dg.RepositoryDefinition) -> int:
    """Characters of all that the code server hands over."""
    from dagster._core.remote_representation.external_data import JobDataSnap, RepositorySnap
    from dagster_shared.serdes import serialize_value

    size = len(serialize_value(RepositorySnap.from_def(repository, defer_snapshots=True)))
    for job in repository.get_all_jobs():
        size += len(serialize_value(JobDataSnap.from_job_def(job, include_parent_snapshot=True)))
    return size


if __name__ == "__main__":
    main()
