"""What an asset reads, and who reads it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from dagster_agent.investigation.specialists.tool import Bench, ToolArguments, ToolOutput, tool

_MOST = 60


class ListLineage(ToolArguments):
    """Around which asset."""

    name: str = Field(description="dbt name or unique id.")


@tool(id="list-lineage", arguments=ListLineage)
def list_lineage(arguments: ListLineage, bench: Bench) -> ToolOutput:
    """List what an asset is made from (all ancestors, nearest first), who reads it (all
    descendants, nearest first) and which dashboards depend on it, each with its full table name as
    `query` wants it. Use it to find where to look next.
    """
    manifest = bench.manifest
    uid = bench.asset(arguments.name).unique_id
    up, down = manifest.upstream(uid), manifest.downstream(uid)

    def told(uids: tuple[str, ...]) -> list[dict[str, Any]]:
        assets = [manifest.asset(u) for u in uids[:_MOST]]
        return [
            {"name": a.name, "unique_id": a.unique_id, "table": str(a.relation or "ephemeral")}
            for a in assets
        ]

    data = {
        "reads_directly": list(manifest.parents(uid)),
        "upstream": told(up),
        "downstream": told(down),
        "exposures": [e.name for e in manifest.exposures_of([uid])],
        "left_out": max(0, len(up) - _MOST) + max(0, len(down) - _MOST),
    }
    return ToolOutput(data=data, summary=f"{len(up)} assets upstream, {len(down)} downstream")
