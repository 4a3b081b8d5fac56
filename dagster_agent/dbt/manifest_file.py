"""`manifest.json` as dbt writes it: only the fields that are read here, decoded by msgspec."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from dagster_agent.errors import ConfigError

SUPPORTED_SCHEMA = 12
"""Manifest schema of dbt 1.8 to 1.11."""

_VERSION = re.compile(r"/manifest/v(\d+)\.json$")
_REBUILD = "run `dbt compile` (or `dbt build`) in the project to write it again"


class Metadata(msgspec.Struct):
    dbt_schema_version: str
    project_name: str | None = None
    adapter_type: str | None = None


class NodeConfig(msgspec.Struct):
    enabled: bool | None = True
    materialized: str | None = None
    unique_key: Any = None
    incremental_strategy: str | None = None
    severity: str | None = None
    where: str | None = None
    meta: dict[str, Any] | None = None
    tags: Any = None
    contract: dict[str, Any] | None = None
    event_time: str | None = None
    partition_by: Any = None


class DependsOn(msgspec.Struct):
    nodes: list[str] = msgspec.field(default_factory=lambda: list[str]())


class Column(msgspec.Struct):
    name: str
    data_type: str | None = None
    constraints: list[dict[str, Any]] | None = None


class TestMetadata(msgspec.Struct):
    name: str
    kwargs: dict[str, Any] | None = None


class Node(msgspec.Struct):
    """A model, seed, snapshot, test, analysis, operation or source."""

    unique_id: str
    name: str
    resource_type: str
    package_name: str = ""
    original_file_path: str = ""
    patch_path: str | None = None
    relation_name: str | None = None
    config: NodeConfig = msgspec.field(default_factory=NodeConfig)
    tags: list[str] | None = None
    meta: dict[str, Any] | None = None
    source_meta: dict[str, Any] | None = None
    source_name: str | None = None
    description: str | None = None
    group: str | None = None
    columns: dict[str, Column] | None = None
    depends_on: DependsOn = msgspec.field(default_factory=DependsOn)
    language: str | None = "sql"
    raw_code: str | None = None
    compiled_code: str | None = None
    primary_key: list[str] | None = None
    constraints: list[dict[str, Any]] | None = None
    column_name: str | None = None
    attached_node: str | None = None
    test_metadata: TestMetadata | None = None
    loaded_at_field: str | None = None
    freshness: dict[str, Any] | None = msgspec.field(default_factory=lambda: dict[str, Any]())


class Exposure(msgspec.Struct):
    unique_id: str
    name: str
    type: str | None = None
    owner: dict[str, Any] | None = None
    url: str | None = None
    config: NodeConfig = msgspec.field(default_factory=NodeConfig)
    depends_on: DependsOn = msgspec.field(default_factory=DependsOn)


class Group(msgspec.Struct):
    name: str
    owner: dict[str, Any] | None = None


class ManifestFile(msgspec.Struct):
    metadata: Metadata
    nodes: dict[str, Node]
    sources: dict[str, Node]
    exposures: dict[str, Exposure] = msgspec.field(default_factory=lambda: dict[str, Exposure]())
    groups: dict[str, Group] = msgspec.field(default_factory=lambda: dict[str, Group]())


class _Header(msgspec.Struct):
    metadata: Metadata | None = None


def read(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        ConfigError: It is missing or cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"no dbt manifest at {path}", hint=_REBUILD) from None
    except OSError as error:
        raise ConfigError(
            f"the dbt manifest {path} cannot be read: {error.strerror}",
            hint="give the path of a manifest.json that this user may read",
        ) from error


def decode(data: bytes, *, origin: str) -> ManifestFile:
    """Decode a manifest.

    Args:
        data: Content of a `manifest.json`.
        origin: Where it came from, for error messages.

    Raises:
        ConfigError: Empty, truncated, not JSON, no manifest, or of another schema version.
    """
    if not data.strip():
        raise ConfigError(f"the dbt manifest {origin} is empty", hint=_REBUILD)
    try:
        decoded = msgspec.json.decode(data, type=ManifestFile)
    except msgspec.ValidationError as error:
        _require_version(_header(data), origin)
        raise ConfigError(
            f"the dbt manifest {origin} does not look as dbt writes it: {error}", hint=_REBUILD
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the dbt manifest {origin} is no complete JSON: {error}",
            hint=f"dbt may have been interrupted while writing it; {_REBUILD}",
        ) from error
    _require_version(decoded.metadata, origin)
    return decoded


def _header(data: bytes) -> Metadata | None:
    try:
        return msgspec.json.decode(data, type=_Header).metadata
    except msgspec.MsgspecError:
        return None


def _require_version(metadata: Metadata | None, origin: str) -> None:
    written = metadata.dbt_schema_version if metadata else "nothing"
    version = _VERSION.search(written)
    if version is None:
        raise ConfigError(
            f"{origin} is no dbt manifest: its `dbt_schema_version` says {written!r}",
            hint="give the path of `target/manifest.json`",
        )
    if int(version[1]) != SUPPORTED_SCHEMA:
        raise ConfigError(
            f"the dbt manifest {origin} has schema version {version[1]}, "
            f"but version {SUPPORTED_SCHEMA} is needed",
            hint="write it with dbt 1.8 to 1.11",
        )
