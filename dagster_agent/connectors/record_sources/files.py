"""CSV, Parquet and JSON files as a source of truth."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from dagster_agent.connectors.record_sources.csv_dialect import (
    Option,
    crooked,
    dialect_of,
    literal,
)
from dagster_agent.connectors.record_sources.landing import Rows, land_source
from dagster_agent.errors import ConfigError, ConnectorError

Format = Literal["csv", "parquet", "json"]

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
        ConnectorError: A file cannot be read as it is, to the last line, or changed while it was
            read; or all are empty.
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
    paths = sorted(before)
    try:
        land_source(_rows(kind, paths, given), database, name=pattern)
    except ConnectorError as error:
        if _stamps(pattern, base_dir) != before:
            raise _changed(pattern) from error  # a line that was half written
        raise
    if _stamps(pattern, base_dir) != before:
        raise _changed(pattern)


def _changed(pattern: str) -> ConnectorError:
    return ConnectorError(
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


def _rows(kind: Format, paths: Sequence[Path], given: Mapping[str, Option]) -> Rows:
    """How the files are read.

    Raises:
        ConnectorError: A CSV file has lines that make no table.
    """
    if kind != "csv":
        read_as = {o: v for o, v in given.items() if o in ("format", "compression")}
        return Rows(
            sql=f"read_{kind}(?{_FIXED[kind]}{_written(given)})",
            parameters=[[str(path) for path in paths]],
            objects=f"read_json_objects(?{_written(read_as)})" if kind == "json" else "",
        )
    alike = _by_dialect(paths, given)

    def read(more: str) -> str:
        parts = [f"select * from read_csv(?{_FIXED[kind]}{d}{more})" for d in alike]
        return f"({' union all by name '.join(parts)})"

    def why() -> ConnectorError | None:
        return next(filter(None, (crooked(path, given) for path in paths)), None)

    return Rows(
        sql=read(""),
        parameters=list(alike.values()),
        texts="" if "all_varchar" in given else read(", all_varchar = true"),
        guesses_days=not {"dateformat", "timestampformat"} & set(given),
        why=why,
    )


def _by_dialect(paths: Sequence[Path], given: Mapping[str, Option]) -> Mapping[str, list[str]]:
    """The files by the reader's options for them."""
    import duckdb

    found: dict[str, list[str]] = {}
    with duckdb.connect(":memory:") as connection:
        for path in paths:
            options = _written(dialect_of(connection, path, given))
            found.setdefault(options, []).append(str(path))
    return found


def _written(options: Mapping[str, Option]) -> str:
    return "".join(f", {name} = {literal(value)}" for name, value in sorted(options.items()))
