"""CSV, Parquet and JSON files as a source of truth."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from dagster_agent.connectors.record_sources.landing import land_source
from dagster_agent.errors import ConfigError, ConnectorError

Format = Literal["csv", "parquet", "json"]
Option = bool | int | str

_FIXED: Mapping[Format, str] = {
    # types are told from all rows: a column that turns to text in the last row is text
    "csv": ", sample_size = -1, union_by_name = true",
    "json": ", sample_size = -1, union_by_name = true, map_inference_threshold = -1",
    "parquet": ", union_by_name = true",
}
_OPTIONS: Mapping[Format, frozenset[str]] = {
    "csv": frozenset(
        {
            *("delim", "header", "quote", "escape", "nullstr", "skip", "comment", "thousands"),
            *("dateformat", "timestampformat", "decimal_separator", "encoding", "all_varchar"),
        }
    ),
    "json": frozenset({"format", "dateformat", "timestampformat", "compression"}),
    "parquet": frozenset({"hive_partitioning"}),
}


def land_files(
    pattern: str,
    kind: Format,
    database: Path,
    *,
    base_dir: Path,
    options: Mapping[str, Option] | None = None,
) -> None:
    """Land all files of a pattern as one table; columns are matched by name.

    Args:
        pattern: A path or glob; relative ones start at `base_dir`. `**` crosses folders.
        kind: Format of the files.
        database: The DuckDB file to make.
        base_dir: The dbt project.
        options: Options of DuckDB's reader of that format.

    Raises:
        ConfigError: No file matches, or an option is not known.
        ConnectorError: A file cannot be read, or changed while it was read; or all are empty.
    """
    given = dict(options or {})
    unknown = sorted(set(given) - _OPTIONS[kind])
    if unknown:
        known = ", ".join(sorted(_OPTIONS[kind]))
        raise ConfigError(f"{kind} files have no option {unknown[0]!r}", hint=f"known: {known}")
    before = _stamps(pattern, base_dir)
    if not before:
        raise ConfigError(
            f"no file matches {pattern!r}", hint=f"paths start at the dbt project {base_dir.name}"
        )
    if not any(size for size, _ in before.values()):
        raise ConnectorError(
            f"{pattern} is empty",
            hint="an empty source of truth proves nothing; check that its writer finished",
        )
    sql = f"read_{kind}(?{_FIXED[kind]}"
    sql += "".join(f", {name} = {_literal(value)}" for name, value in sorted(given.items())) + ")"
    land_source(sql, [[str(path) for path in sorted(before)]], database, name=pattern)
    if _stamps(pattern, base_dir) != before:
        raise ConnectorError(
            f"{pattern} changed while it was read",
            hint="it is read again at the next check; have its writer rename a finished file",
            retryable=True,
        )


def _stamps(pattern: str, base_dir: Path) -> Mapping[Path, tuple[int, int]]:
    """Size and time of each file."""
    # a pattern may be absolute, which pathlib's own glob refuses
    paths = glob.glob(str(base_dir / Path(pattern).expanduser()), recursive=True)  # noqa: PTH207
    found: dict[Path, tuple[int, int]] = {}
    for path in map(Path, paths):
        if path.is_file():
            stat = path.stat()
            found[path] = (stat.st_size, stat.st_mtime_ns)
    return found


def _literal(value: Option) -> str:
    if isinstance(value, bool | int):
        return str(value).lower()
    return "'" + value.replace("'", "''") + "'"
