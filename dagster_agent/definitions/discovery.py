"""Which dbt assets a code location holds, read from its unresolved definitions.

dagster-dbt leaves dbt's unique id, the manifest and the project in the metadata of each spec; that
is all that is looked at, so any version and any flavour of it works, and nothing is resolved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_agent.definitions.names import Engine
from dagster_agent.definitions.relevance import Relevance

_UNIQUE_ID = "dagster_dbt/unique_id"
_MANIFEST = "dagster_dbt/manifest"
_PROJECT = "dagster_dbt/project"
_TRANSLATOR = "dagster_dbt/dagster_dbt_translator"
_BUILT_TYPES = frozenset({"model", "seed", "snapshot"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtProjectRef:
    """Where a dbt project lies, as the dbt assets or a dbt resource tell it."""

    project_dir: Path | None
    """None where nothing tells it: the settings must."""
    profiles_dir: Path | None = None
    """None: dbt's own search order."""
    target: str | None = None
    """None: the profile's default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtAssetRef:
    """A dbt node that is an asset of the code location."""

    key: dg.AssetKey
    """Its asset key."""
    unique_id: str
    """dbt's unique id."""
    name: str
    """dbt's name."""
    resource_type: str
    """`model`, `seed`, `snapshot` or `source`."""
    path: str
    """File, relative to the dbt project."""
    project: DbtProjectRef
    """The project it belongs to."""
    parents: tuple[str, ...] = ()
    """dbt unique ids it reads directly, sorted."""
    engines: frozenset[Engine] = frozenset({"schema-drift"})
    """Engines that have something to say about it."""


def discover(definitions: dg.Definitions) -> tuple[DbtAssetRef, ...]:
    """All dbt models, seeds and snapshots with rows, and the sources they read; by unique id.

    Sources are taken where they are nodes of the asset graph, which is where something depends on
    them. Works with `@dbt_assets` and with `DbtProjectComponent`.
    """
    return discover_in(definitions.assets or (), resources=definitions.resources or {})


def discover_in(
    assets: Iterable[object], *, resources: Mapping[str, object] | None = None
) -> tuple[DbtAssetRef, ...]:
    """As `discover`, from assets that are not in a `Definitions` yet.

    Args:
        assets: `AssetsDefinition`s and `AssetSpec`s; others are skipped.
        resources: Where a dbt project is looked for when the assets do not tell it.
    """
    fallback = _project_of_resources(resources or {})
    found: dict[str, DbtAssetRef] = {}
    known: dict[int, Relevance] = {}
    for spec in specs_of(assets):
        uid, wrapper = spec.metadata.get(_UNIQUE_ID), spec.metadata.get(_MANIFEST)
        if not isinstance(uid, str) or wrapper is None:
            continue
        manifest = _manifest(wrapper)
        project = _project(spec.metadata.get(_PROJECT)) or fallback
        node = manifest.get("nodes", {}).get(uid)
        if node is None or not _has_rows(node):
            continue
        if id(manifest) not in known:
            known[id(manifest)] = Relevance(manifest)
        relevance = known[id(manifest)]
        ref = _ref(spec.key, node, project, relevance)
        found.setdefault(uid, ref)
        for source in _sources(ref, spec, manifest, relevance):
            found.setdefault(source.unique_id, source)
    return tuple(found[uid] for uid in sorted(found))


def specs_of(assets: Iterable[object]) -> Iterator[dg.AssetSpec]:
    """The specs behind assets, unresolved."""
    for asset in assets:
        if isinstance(asset, dg.AssetsDefinition):
            yield from asset.specs
        elif isinstance(asset, dg.AssetSpec):
            yield asset


def _manifest(wrapper: object) -> Mapping[str, Any]:
    return getattr(wrapper, "manifest", wrapper)  # pyright: ignore[reportReturnType] # duck-typed


def _has_rows(node: Mapping[str, Any]) -> bool:
    materialized = node.get("config", {}).get("materialized")
    return node.get("resource_type") in _BUILT_TYPES and materialized != "ephemeral"


def _ref(
    key: dg.AssetKey, node: Mapping[str, Any], project: DbtProjectRef, relevance: Relevance
) -> DbtAssetRef:
    return DbtAssetRef(
        key=key,
        unique_id=node["unique_id"],
        name=node["name"],
        resource_type=node["resource_type"],
        path=node.get("original_file_path", ""),
        project=project,
        parents=tuple(sorted(set(node.get("depends_on", {}).get("nodes", ())))),
        engines=relevance.engines(node),
    )


def _sources(
    ref: DbtAssetRef, spec: dg.AssetSpec, manifest: Mapping[str, Any], relevance: Relevance
) -> Iterator[DbtAssetRef]:
    """The sources a node reads, under the keys by which its spec depends on them."""
    dependencies = {dependency.asset_key for dependency in spec.deps}
    for uid in ref.parents:
        node = manifest.get("sources", {}).get(uid)
        if node is None:
            continue
        key = _source_key(node, spec.metadata.get(_TRANSLATOR))
        if key in dependencies:
            yield _ref(key, node, ref.project, relevance)


def _source_key(node: Mapping[str, Any], translator: Any) -> dg.AssetKey:
    """The key that the customer's translator gives, else dagster-dbt's default."""
    namer = getattr(translator, "get_asset_key", None)
    if namer is not None:
        return namer(node)
    return dg.AssetKey([node["source_name"], node["name"]])


def _project(project: Any) -> DbtProjectRef | None:
    if project is None or getattr(project, "project_dir", None) is None:
        return None
    profiles_dir = getattr(project, "profiles_dir", None)
    return DbtProjectRef(
        project_dir=Path(project.project_dir),
        profiles_dir=Path(profiles_dir) if profiles_dir else None,
        target=getattr(project, "target", None),
    )


def _project_of_resources(resources: Mapping[str, object]) -> DbtProjectRef:
    """The one dbt project that the resources name; none when there are several or no such one."""
    found: Sequence[DbtProjectRef] = sorted(
        {ref for resource in resources.values() if (ref := _project(resource)) is not None},
        key=str,
    )
    return found[0] if len(found) == 1 else DbtProjectRef(project_dir=None)
