"""Which engines have something to say about a dbt node, told from the manifest at load time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, cast

from dagster_agent.definitions.names import Engine
from dagster_agent.model import Asset, Freshness
from dagster_agent.quality.freshness.relevance import has_freshness
from dagster_agent.quality.relevance import has_promises

_ALWAYS: Mapping[str, frozenset[Engine]] = {
    "source": frozenset({"schema-drift"}),
}
_BUILT: frozenset[Engine] = frozenset({"reconciliation", "schema-drift", "anomaly"})
_MONITORED = ("anomaly", "profiling")
"""Keys of a source's meta that ask for its profile; nobody reads a raw table unasked."""


class Relevance:
    """Reads one manifest, as dagster-dbt keeps it: plain dictionaries.

    Args:
        manifest: The parsed manifest.json.
    """

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self._tests: Mapping[str, Sequence[str]] = _tests_by_asset(manifest)
        self._dialect = str(_mapping(manifest.get("metadata")).get("adapter_type") or "")

    def engines(self, node: Mapping[str, Any]) -> frozenset[Engine]:
        """Engines that judge this node; reads nothing but the manifest."""
        told = _asset(node)
        if told.resource_type == "source" and _is_external(node):
            return frozenset()
        found = set(_ALWAYS.get(told.resource_type, _BUILT))
        ours = _mapping(told.meta.get("dagster_agent"))
        if any(key in ours for key in _MONITORED):
            found.add("anomaly")
        config = _mapping(node.get("config"))
        event_time = config.get("event_time") or config.get("partition_by")
        if has_freshness(told, event_time=event_time, dialect=self._dialect):
            found.add("freshness")
        if has_promises(told, self._tests.get(told.unique_id, ())):
            found.add("quality")
        return frozenset(found)


def _is_external(node: Mapping[str, Any]) -> bool:
    """Whether a source is no table of the warehouse: dbt-duckdb's files and table functions."""
    name = str(node.get("relation_name") or "")
    return name.startswith("'") or "(" in name


def _tests_by_asset(manifest: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """Names of the generic tests of each asset, by dbt unique id."""
    found: dict[str, list[str]] = defaultdict(list)
    for node in manifest.get("nodes", {}).values():
        metadata = _mapping(node.get("test_metadata"))
        if node.get("resource_type") != "test" or not metadata:
            continue
        attached = node.get("attached_node")
        # dbt attaches tests to models only; those of a source depend on nothing else
        parents = [attached] if attached else node.get("depends_on", {}).get("nodes", ())
        if len(parents) == 1:
            found[parents[0]].append(str(metadata.get("name", "")))
    return found


def _asset(node: Mapping[str, Any]) -> Asset:
    """As much of the asset as is needed to tell."""
    meta = {
        **_mapping(node.get("source_meta")),
        **_mapping(_mapping(node.get("config")).get("meta")),
        **_mapping(node.get("meta")),
    }
    return Asset(
        unique_id=node["unique_id"],
        name=node["name"],
        resource_type=node["resource_type"],
        meta=meta,
        declared_columns=tuple(_mapping(node.get("columns"))),
        freshness=_freshness(node) if node["resource_type"] == "source" else None,
    )


def _freshness(node: Mapping[str, Any]) -> Freshness:
    declared = _mapping(node.get("freshness"))
    return Freshness(
        loaded_at_field=node.get("loaded_at_field") or None,
        warn_after_hours=_given(declared.get("warn_after")),
        error_after_hours=_given(declared.get("error_after")),
        off=node.get("freshness") is None,
    )


def _given(threshold: object) -> float | None:
    """A number where the threshold is given; in which unit does not matter here."""
    count = _mapping(threshold).get("count")
    return float(count) if count is not None else None


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
