"""Which pairs of an asset are reconciled, by the names under which their results are kept."""

from __future__ import annotations

from dagster_agent.errors import DagsterAgentError
from dagster_agent.reconciliation.entries import named_entries
from dagster_agent.response.workspace import Workspace


def pair_names(workspace: Workspace, asset: str) -> tuple[str, ...]:
    """The pairs that the team configured, in its order; () where these cannot be read.

    What is wrong with them is told by the check that compares them.
    """
    manifest = workspace.lineage
    found = manifest.assets.get(asset)
    if found is None:
        return ()
    try:
        entries = named_entries(found, manifest=manifest, dialect=workspace.warehouse.dialect)
    except DagsterAgentError:
        return ()
    return tuple(entry.name for entry in entries if entry.name)
