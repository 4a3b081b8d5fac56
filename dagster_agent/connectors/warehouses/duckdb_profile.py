"""What a dbt profile's target says about its DuckDB files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from dagster_agent.errors import ConfigError

_SETTINGS = frozenset(
    {
        "calendar",
        "default_collation",
        "default_null_order",
        "default_order",
        "ieee_floating_point_ops",
        "integer_division",
        "max_memory",
        "memory_limit",
        "null_order",
        "old_implicit_casting",
        "order_by_non_integer_literal",
        "scalar_subquery_error_on_multiple_rows",
        "threads",
        "timezone",
    }
)
"""Settings that change what a SELECT means, or how much it may use. All others are left out:
extensions, secrets and file systems serve writing and external files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One more DuckDB file that the profile attaches."""

    alias: str
    """Catalog name in SQL."""
    path: Path
    """Absolute path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DuckDBTarget:
    """The part of a dbt target that reading needs."""

    path: Path
    """Absolute path of the main file."""
    attach: tuple[Attachment, ...] = ()
    """Further DuckDB files, in the profile's order."""
    settings: Mapping[str, Any] = field(default_factory=lambda: dict[str, Any]())
    """Settings that are safe to apply, by name."""
    unread: tuple[str, ...] = ()
    """Catalogs of the profile that are no plain DuckDB files, each with its kind. Their paths may
    hold passwords, so they are not kept."""


def catalog_of(path: Path) -> str:
    """DuckDB's name for a file's catalog: the first part of the file name that is not empty."""
    return path.name.lstrip(".").split(".")[0]


def read_target(output: Mapping[str, Any], *, base_dir: Path) -> DuckDBTarget:
    """Read a rendered target of profiles.yml.

    Args:
        output: The target's keys.
        base_dir: Folder that relative paths start from: the dbt project.

    Raises:
        ConfigError: The database is not a local file.
    """
    path = _local_file(output.get("path", ":memory:"), base_dir=base_dir)
    attach: list[Attachment] = []
    unread: list[str] = []
    for entry in _entries(output):
        text = str(entry.get("path", ""))
        kind = str(entry.get("type") or "duckdb").lower()
        alias = str(entry.get("alias") or catalog_of(Path(text)))
        if kind != "duckdb" or _remote(text) or entry.get("options") or entry.get("secret"):
            unread.append(f"{alias} ({'remote ' if _remote(text) else ''}{kind})")
            continue
        attach.append(Attachment(alias=alias, path=_local_file(text, base_dir=base_dir)))
    return DuckDBTarget(
        path=path, attach=tuple(attach), settings=_settings(output), unread=tuple(unread)
    )


def _local_file(value: object, *, base_dir: Path) -> Path:
    text = str(value or "")
    if text in {"", ":memory:"}:
        raise ConfigError(
            f"DuckDB path {text!r} keeps the data in memory, out of reach for anybody else",
            hint="give `path` in the dbt profile a file, such as `shop.duckdb`",
        )
    if _remote(text):
        raise ConfigError(
            f"DuckDB path {text.partition('?')[0]!r} is no local file",
            hint="MotherDuck, DuckLake and remote files are not supported yet; use a local file",
        )
    return (base_dir / Path(text).expanduser()).resolve()


def _remote(text: str) -> bool:
    scheme = text.partition(":")[0].lower()
    return "://" in text or scheme in {"md", "motherduck", "ducklake"}


def _entries(output: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    given: object = output.get("attach") or []
    if not isinstance(given, list):
        raise ConfigError(f"`attach` of the dbt profile is {given!r}", hint="it must be a list")
    entries: list[Mapping[str, Any]] = []
    for entry in cast("list[object]", given):
        if not isinstance(entry, Mapping) or "path" not in entry:
            raise ConfigError(
                f"`attach` of the dbt profile holds {entry!r}", hint="each entry needs a `path`"
            )
        entries.append(cast("Mapping[str, Any]", entry))
    return entries


def _settings(output: Mapping[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for key in ("config_options", "settings"):
        part: object = output.get(key) or {}
        if isinstance(part, Mapping):
            given.update(cast("Mapping[str, Any]", part))
    return {name: value for name, value in sorted(given.items()) if name.lower() in _SETTINGS}
