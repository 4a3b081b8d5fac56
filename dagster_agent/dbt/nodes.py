"""From the nodes of a manifest to assets, tests and exposures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from dagster_agent.dbt.manifest_file import Group, ManifestFile, Node
from dagster_agent.model import Asset, Freshness, Relation

ASSET_TYPES = frozenset({"model", "seed", "snapshot", "source"})

_PART = re.compile(r'"((?:[^"]|"")+)"|`([^`]+)`|\[([^\]]+)\]|([\w$-]+)')
_SOURCE_CALL = re.compile(r"""source\(\s*['"](.+?)['"]\s*,\s*['"](.+?)['"]\s*\)""")
_HOURS = {"minute": 1 / 60, "hour": 1.0, "day": 24.0}
_COLUMN = re.compile(r"""^(["`]?)([\w$ ]+)\1$""")


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtTest:
    """A data test of the dbt project."""

    unique_id: str
    """dbt's unique id."""
    name: str
    """dbt's name."""
    kind: str
    """`unique`, `not_null`, `relationships`, `accepted_values`, the name of another generic test
    without its package, or a singular test's own name."""
    asset: str | None
    """Unique id of the asset it is written on; None for singular tests."""
    depends_on: tuple[str, ...]
    """Unique ids it reads."""
    column: str | None = None
    """Column it is written on."""
    kwargs: Mapping[str, Any] = field(default_factory=lambda: dict[str, Any]())
    """Arguments of a generic test."""
    severity: str = "error"
    """`error` or `warn`."""
    where: str | None = None
    """SQL condition that limits the rows it looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What is built on the assets outside dbt."""

    name: str
    """dbt's name."""
    owner: str | None
    """Owner's name, else e-mail address."""
    depends_on: tuple[str, ...]
    """Unique ids it reads."""
    type: str = ""
    """`dashboard`, `notebook`, ..."""
    url: str | None = None
    """Where it is."""


def enabled(file: ManifestFile) -> dict[str, Node]:
    """Nodes and sources that are not disabled, sorted by unique id."""
    every = {**file.nodes, **file.sources}
    return {uid: every[uid] for uid in sorted(every) if every[uid].config.enabled is not False}


def asset(node: Node, *, file: ManifestFile) -> Asset:
    """The asset that a node describes."""
    meta = _merge(node.source_meta or {}, _merge(node.meta or {}, node.config.meta or {}))
    is_source = node.resource_type == "source"
    return Asset(
        unique_id=node.unique_id,
        name=node.name,
        resource_type=node.resource_type,
        relation=relation(node.relation_name, file.metadata.adapter_type or ""),
        materialized="source" if is_source else node.config.materialized or "table",
        path=_path(node, file.metadata.project_name),
        description=node.description or "",
        owner=_owner(meta, node.group, file.groups),
        tags=tuple(node.tags or ()),
        meta=meta,
        declared_columns=tuple(column.name for column in (node.columns or {}).values()),
        freshness=_freshness(node) if is_source else None,
    )


def _freshness(node: Node) -> Freshness:
    return Freshness(
        loaded_at_field=node.loaded_at_field or None,
        warn_after_hours=_hours(_mapping(node.freshness).get("warn_after")),
        error_after_hours=_hours(_mapping(node.freshness).get("error_after")),
        off=node.freshness is None,
    )


def _hours(threshold: Any) -> float | None:
    """Hours of dbt's `{count: 36, period: hour}`."""
    count, period = _mapping(threshold).get("count"), _mapping(threshold).get("period")
    hours = _HOURS.get(str(period))
    return count * hours if isinstance(count, int | float) and hours else None


def relation(text: str | None, adapter_type: str) -> Relation | None:
    """Parse dbt's `relation_name`.

    Unquoted parts are folded as the warehouse does. None for ephemeral models and for sources that
    are no table (dbt-duckdb's external locations).
    """
    parts: list[str] = []
    position = 0
    while text:
        match = _PART.match(text, position)
        if match is None:
            return None
        quoted = match[1] or match[2] or match[3]
        parts.append(quoted.replace('""', '"') if quoted else _folded(match[4], adapter_type))
        position = match.end()
        if position == len(text):
            break
        if text[position] != ".":
            return None
        position += 1
    if not 1 <= len(parts) <= 3:
        return None
    database, schema, name = [None] * (3 - len(parts)) + parts
    return Relation(database=database, schema=schema, name=cast(str, name))


def _folded(part: str, adapter_type: str) -> str:
    if adapter_type == "snowflake":
        return part.upper()
    return part.lower() if adapter_type in {"postgres", "redshift"} else part


def test(node: Node, known: Mapping[str, Node]) -> DbtTest:
    """The data test that a node describes."""
    metadata = node.test_metadata
    kwargs = dict(metadata.kwargs or {}) if metadata else {}
    return DbtTest(
        unique_id=node.unique_id,
        name=node.name,
        kind=metadata.name if metadata else node.name,
        asset=node.attached_node or _tested_source(node, kwargs, known),
        depends_on=tuple(node.depends_on.nodes),
        column=node.column_name,
        kwargs={name: value for name, value in kwargs.items() if name != "model"},
        severity=(node.config.severity or "error").lower(),
        where=node.config.where,
    )


def _tested_source(node: Node, kwargs: Mapping[str, Any], known: Mapping[str, Node]) -> str | None:
    """dbt attaches no node to the generic tests of sources; their argument names the table."""
    call = _SOURCE_CALL.search(str(kwargs.get("model", "")))
    if call is None:
        return None
    for uid in node.depends_on.nodes:
        source = known.get(uid)
        if source is not None and (source.source_name, source.name) == (call[1], call[2]):
            return uid
    return None


def exposures(file: ManifestFile) -> tuple[Exposure, ...]:
    """Enabled exposures, sorted by name."""
    return tuple(
        Exposure(
            name=exposure.name,
            owner=_contact(exposure.owner),
            depends_on=tuple(exposure.depends_on.nodes),
            type=exposure.type or "",
            url=exposure.url,
        )
        for exposure in sorted(file.exposures.values(), key=lambda e: e.name)
        if exposure.config.enabled is not False
    )


def unique_key(node: Node, tests: Sequence[DbtTest]) -> tuple[str, ...]:
    """Columns that identify a row; () when unknown."""
    return tuple(node.primary_key or ()) or _configured_key(node) or _tested_key(node, tests)


def replaces_by_key(node: Node, tests: Sequence[DbtTest]) -> bool:
    """Whether `unique_key` may name the slices that a run replaces instead of identifying a row.

    All rows with a key of the increment are deleted and its rows inserted, several per key as well
    (`delete+insert` by day). Only `merge` needs one row per key. A test, where there is one, tells.
    """
    if node.config.materialized != "incremental" or node.config.incremental_strategy == "merge":
        return False
    key = _configured_key(node)
    return bool(key) and not node.primary_key and _tested_key(node, tests) != key


def _configured_key(node: Node) -> tuple[str, ...]:
    # a snapshot's `unique_key` is the key of what it follows: its own table has a row per version
    configured = None if node.resource_type == "snapshot" else node.config.unique_key
    columns = [_COLUMN.match(text.strip()) for text in _texts(configured)]
    return tuple(match[2] for match in columns if match) if all(columns) else ()


def _tested_key(node: Node, tests: Sequence[DbtTest]) -> tuple[str, ...]:
    for found in tests:
        if found.asset != node.unique_id or found.where:
            continue
        if found.kind == "unique" and found.column:
            return (found.column,)
        combination = found.kwargs.get("combination_of_columns")
        if found.kind == "unique_combination_of_columns" and combination:
            return tuple(_texts(combination))
    return ()


def time_column(node: Node) -> str | None:
    """The column that says when a row happened: `event_time`, else that of `partition_by`."""
    partition = node.config.partition_by
    fields = _mapping(partition).get("field") or partition
    texts = (*_texts(node.config.event_time), *_texts(fields))
    columns = [match[2] for text in texts if (match := _COLUMN.match(text.strip()))]
    return columns[0] if columns else None


def _path(node: Node, project_name: str | None) -> str:
    path = node.original_file_path.replace("\\", "/")
    if node.package_name in ("", project_name):
        return path
    return f"dbt_packages/{node.package_name}/{path}"


def _owner(meta: Mapping[str, Any], group: str | None, groups: Mapping[str, Group]) -> str | None:
    places = (
        _mapping(meta.get("dagster_agent")).get("owner"),
        meta.get("owner"),
        _mapping(meta.get("dagster")).get("owners"),
    )
    for place in places:
        if owner := ", ".join(_texts(place)):
            return owner
    described = next((g for g in groups.values() if g.name == group), None)
    return (_contact(described.owner) if described else None) or group


def _contact(owner: Mapping[str, Any] | None) -> str | None:
    if not owner:
        return None
    return ", ".join(_texts(owner.get("name") or owner.get("email"))) or None


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for item in cast("Sequence[Any]", value):
            yield from _texts(item)
    elif isinstance(value, str) and value:
        yield value


def _merge(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    """`inner` over `outer`, mapping by mapping."""
    merged = dict(outer)
    for key, value in inner.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            value = _merge(cast("Mapping[str, Any]", below), cast("Mapping[str, Any]", value))
        merged[key] = value
    return merged
