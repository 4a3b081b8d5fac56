"""Manifests as tests write them: of as little as dbt 1.8 writes."""

from __future__ import annotations

import json
from typing import Any

from dagster_agent.dbt.manifest import Manifest

V12 = "https://schemas.getdbt.com/dbt/manifest/v12.json"


def built(*nodes: dict[str, Any], adapter: str = "duckdb", **sections: Any) -> Manifest:
    """A manifest of the given nodes."""
    content: dict[str, Any] = {
        "metadata": {"dbt_schema_version": V12, "project_name": "shop", "adapter_type": adapter},
        "nodes": {n["unique_id"]: n for n in nodes if n["resource_type"] != "source"},
        "sources": {n["unique_id"]: n for n in nodes if n["resource_type"] == "source"},
        **sections,
    }
    return Manifest.from_bytes(json.dumps(content).encode())


def node(uid: str, **fields: Any) -> dict[str, Any]:
    resource_type, package, *_, name = uid.split(".")
    return {
        "unique_id": uid,
        "name": name,
        "resource_type": resource_type,
        "package_name": package,
        "relation_name": f'"shop"."main"."{name}"',
        **fields,
    }
