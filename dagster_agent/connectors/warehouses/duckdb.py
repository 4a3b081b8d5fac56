"""DuckDB files, read without ever standing in the way of a dbt run."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_agent.connectors.warehouses.config import WarehouseConfig
from dagster_agent.connectors.warehouses.connector import WarehouseConnector
from dagster_agent.connectors.warehouses.duckdb_files import DuckDBFiles
from dagster_agent.connectors.warehouses.duckdb_profile import Attachment, catalog_of, read_target
from dagster_agent.connectors.warehouses.duckdb_reader import DuckDBReader
from dagster_agent.connectors.warehouses.duckdb_snapshot import copy_when_free, stamp
from dagster_agent.errors import ConfigError
from dagster_agent.ports import Scratch, Warehouse

if TYPE_CHECKING:
    from dagster_agent.connectors.warehouses.duckdb_reader import DuckDBConnection


class DuckDBWarehouse(DuckDBReader):
    """Reads a DuckDB file, and those attached to it; how it stays out of the way: `DuckDBFiles`.

    Args:
        path: The main file; need not exist yet.
        attach: Further DuckDB files. One that does not exist is left out.
        snapshot_dir: Private folder for the copies; made when needed.
        config: Waiting times and limits.
        wait_seconds: Replaces the one of `config`.
        settings: DuckDB settings to apply to each connection.
        unread: Catalogs that cannot be attached, each with its reason, for error messages.
    """

    def __init__(
        self,
        path: Path,
        *,
        attach: Sequence[Attachment] = (),
        snapshot_dir: Path | None = None,
        config: WarehouseConfig | None = None,
        wait_seconds: float | None = None,
        settings: Mapping[str, Any] | None = None,
        unread: Sequence[str] = (),
    ) -> None:
        config = config or WarehouseConfig()
        if wait_seconds is not None:
            config = config.model_copy(update={"wait_seconds": wait_seconds})
        name = f"duckdb:{path.name}"
        self._config = config
        self._originals = (Attachment(alias=catalog_of(path), path=path), *attach)
        self._settings = dict(settings or {})
        self._unread = tuple(unread)
        self._files = DuckDBFiles(
            self._originals,
            snapshot_dir=snapshot_dir,
            config=config,
            settings=self._settings,
            unread=self._unread,
            name=name,
        )
        super().__init__(
            self._files,
            name=name,
            catalog=self._originals[0].alias,
            seconds=config.statement_seconds,
            unread=self._unread,
        )

    def together(self) -> AbstractContextManager[None]:
        """See `SharesConnection`."""
        return self._files.together()

    @contextlib.contextmanager
    def beside(
        self, prepare: Callable[[DuckDBConnection], None]
    ) -> Generator[tuple[DuckDBConnection, str] | None]:
        """A connection to the files, and the name of the private catalog in memory that it has
        beside them; see `DuckDBFiles.beside`."""
        with self._files.beside(prepare) as connection:
            yield (connection, self._files.own_catalog) if connection is not None else None

    @property
    def catalog(self) -> str:
        """Name of the main file's catalog."""
        return self._originals[0].alias

    def stamp(self) -> str:
        """See `TellsStamp`."""
        main, *others = (file.path for file in self._originals)
        return " ".join(stamp(path) for path in (main, *filter(Path.exists, others)))

    def scratch(self, directory: Path) -> Scratch:
        """Copies of all files, the main one as `<directory>/<its name>`; see `Warehouse.scratch`.

        dbt gets copies of the attached files too; catalogs that are no DuckDB files are left out,
        so that the sandbox cannot write to them.
        """
        main, *others = self._originals
        copy = self._copy(main.path, directory)
        attach: list[Attachment] = []
        for other in others:
            if other.path.exists():
                folder = directory / "attached" / other.alias
                folder.mkdir(parents=True)
                attach.append(Attachment(alias=other.alias, path=self._copy(other.path, folder)))
        warehouse = DuckDBWarehouse(
            copy, attach=attach, config=self._config, settings=self._settings, unread=self._unread
        )
        output: dict[str, Any] = {"path": str(copy)}
        if others or self._unread:
            output["attach"] = [{"alias": a.alias, "path": str(a.path)} for a in attach]
        return Scratch(warehouse=warehouse, dbt_output=output)

    def _copy(self, original: Path, folder: Path) -> Path:
        readable = self._files.readable(original)
        copy_when_free(readable, folder, wait_seconds=self._config.wait_seconds)
        return folder / original.name

    def close(self) -> None:
        """Give back the connection to the copies; a later statement opens another one."""
        self._files.close()


def _open(
    output: Mapping[str, Any], *, base_dir: Path, snapshot_dir: Path, config: WarehouseConfig
) -> Warehouse:
    if importlib.util.find_spec("duckdb") is None:
        raise ConfigError(
            "the dbt profile's target is DuckDB, but the package duckdb is not installed",
            hint="pip install 'dagster-agent[duckdb]'",
        )
    target = read_target(output, base_dir=base_dir)
    return DuckDBWarehouse(
        target.path,
        attach=target.attach,
        snapshot_dir=snapshot_dir,
        config=config,
        settings=target.settings,
        unread=target.unread,
    )


DUCKDB = WarehouseConnector(id="duckdb", open=_open)
"""Local DuckDB files."""
