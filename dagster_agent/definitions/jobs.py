"""How our jobs are made: ops in a row, and the job over our checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from dagster_agent.connectors.orchestrators.dagster import KIND_TAG
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.checks import CHUNK

Job = dg.JobDefinition | UnresolvedAssetJobDefinition
"""What `Definitions(jobs=...)` takes; dagster does not export the second by name."""


def chain_job(
    name: str, *, description: str, kind: str, ops: Mapping[str, dg.OpDefinition]
) -> dg.JobDefinition:
    """Ops that run one after the other.

    The ops' definitions carry the prefix, since their names must be unique in the location; in the
    graph and in the run config they go by the short names given here.

    Args:
        name: Name of the job.
        description: What it is for.
        kind: Value of the run tag that says it is ours.
        ops: By their name in the graph, in order; each after the first has an input `start`.
    """
    order = list(ops)
    dependencies: dict[dg.NodeInvocation, dict[str, dg.DependencyDefinition]] = {}
    for place, (alias, op) in enumerate(ops.items()):
        start = {"start": dg.DependencyDefinition(order[place - 1])} if place else {}
        dependencies[dg.NodeInvocation(op.name, alias=alias)] = start
    graph = dg.GraphDefinition(name, node_defs=list(ops.values()), dependencies=dependencies)
    # dagster annotates a metadata parameter, which is not used here, with a bare PathLike.
    return graph.to_job(  # pyright: ignore[reportUnknownMemberType] # see above
        description=description,
        tags={KIND_TAG: kind},
        # A process for each short op would double the time.
        executor_def=dg.in_process_executor,
        # Nothing goes through it; the customer's own must not be opened for runs of ours.
        resource_defs={"io_manager": dg.mem_io_manager},
    )


def checks_job(
    blueprint: Blueprint, keys: Sequence[dg.AssetCheckKey]
) -> UnresolvedAssetJobDefinition:
    """The job in which our sensor has checks measured; also for a person to launch.

    Args:
        blueprint: What is watched.
        keys: All our checks of the location.
    """
    # One chunk is one step: a process of its own for it would only cost its start.
    small = len(blueprint.refs) <= CHUNK
    # dagster annotates a metadata parameter, which is not used here, with a bare PathLike.
    return dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] # see above
        blueprint.names.checks_job,
        selection=dg.AssetSelection.checks(*keys),
        description="Measure the agent's checks now. Narrow it to assets in the Launchpad.",
        tags={KIND_TAG: "checks"},
        executor_def=dg.in_process_executor if small else None,
    )
