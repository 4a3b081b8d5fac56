"""`TruthStores`: opens the sources of truth outside the project's warehouse, each once."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from dagster_agent.connectors.record_sources.files import Format, land_files
from dagster_agent.connectors.record_sources.http_api import HttpApi
from dagster_agent.connectors.record_sources.landing import LANDED, land_records, land_table
from dagster_agent.connectors.record_sources.page_walk import PageWalk
from dagster_agent.dbt.profiles import read_output
from dagster_agent.dbt.project import DbtProject
from dagster_agent.errors import ConfigError, ConnectorError, DagsterAgentError
from dagster_agent.model import Relation
from dagster_agent.ports import Warehouse
from dagster_agent.reconciliation.truths import (
    ApiRecords,
    AssetRecords,
    CallableRecords,
    CsvFile,
    DuckDBTable,
    JsonFile,
    ParquetFile,
    TargetTable,
    Truth,
)
from dagster_agent.sql.identifiers import parse_relation

LoadAsset = Callable[[str], object]
"""The value of a Dagster asset by its key `a/b/c`, as its IO manager loads it."""
OpenOutput = Callable[[Mapping[str, Any]], Warehouse]
"""Opens the warehouse of a rendered dbt target."""


class TruthStores:
    """Opens each once; what is no database is landed in a private file. Close it.

    Args:
        project: Relative paths start here, and so do its profiles.
        directory: Private folder for landed files; made when needed.
        open_output: Opens a database from a dbt target.
        load_asset: Loads assets; None outside Dagster.
    """

    def __init__(
        self,
        project: DbtProject,
        directory: Path,
        *,
        open_output: OpenOutput,
        load_asset: LoadAsset | None = None,
    ) -> None:
        self._project = project
        self._directory = directory
        self._open_output = open_output
        self._load_asset = load_asset
        self._landed: Path | None = None
        self._opened: dict[str, tuple[Warehouse, Relation]] = {}
        self.outputs: list[Mapping[str, Any]] = []
        """dbt targets that were opened: they hold secrets that no text may show."""

    def open(self, truth: Truth) -> tuple[Warehouse, Relation]:
        """The store that can be asked, and the table in it.

        Raises:
            ConfigError: Its description is wrong.
            ConnectorError: It does not answer, or not as a whole.
        """
        key = f"{type(truth).__name__}:{truth.model_dump_json()}"
        if key not in self._opened:
            self._opened[key] = self._open(truth, hashlib.sha256(key.encode()).hexdigest()[:16])
        return self._opened[key]

    def close(self) -> None:
        """Remove what was landed."""
        for warehouse, _ in self._opened.values():
            closer = getattr(warehouse, "close", None)
            if closer is not None:
                closer()
        self._opened.clear()
        if self._landed is not None:
            shutil.rmtree(self._landed, ignore_errors=True)
            self._landed = None

    def _open(self, truth: Truth, digest: str) -> tuple[Warehouse, Relation]:
        if isinstance(truth, DuckDBTable):
            warehouse = self._open_output({"type": "duckdb", "path": truth.duckdb})
            return warehouse, parse_relation(truth.table, warehouse.dialect)
        if isinstance(truth, TargetTable):
            profile = truth.profile or self._project.profile_name
            _, output = read_output(self._project.profiles_dir, profile, truth.target)
            self.outputs.append(output)
            warehouse = self._open_output(output)
            return warehouse, parse_relation(truth.table, warehouse.dialect)
        database = self._folder() / f"{digest}.duckdb"
        try:
            self._land(truth, database)
        except BaseException:
            database.unlink(missing_ok=True)
            raise
        return self._open_output({"type": "duckdb", "path": str(database)}), LANDED

    def _land(
        self,
        truth: CsvFile | ParquetFile | JsonFile | ApiRecords | AssetRecords | CallableRecords,
        database: Path,
    ) -> None:
        if isinstance(truth, ApiRecords):
            given = truth.api.model_dump(exclude={"pagination"})
            way = PageWalk(**truth.api.pagination.model_dump())
            api = HttpApi(**given, pagination=way)
            land_records(api.read(), database, name=api.name)
        elif isinstance(truth, AssetRecords):
            _land_value(self._asset(truth.asset), database, name=truth.asset)
        elif isinstance(truth, CallableRecords):
            value = _called(truth.callable_, truth.arguments)
            _land_value(value, database, name=truth.callable_)
        else:
            kind = cast("Format", type(truth).__name__.removesuffix("File").lower())
            land_files(
                truth.pattern,
                kind,
                database,
                base_dir=self._project.root,
                options=truth.options,
            )

    def _asset(self, key: str) -> object:
        if self._load_asset is None:
            raise ConfigError(
                f"the asset {key!r} can only be loaded inside Dagster",
                hint="run the check from the Dagster UI, or name a table or file instead",
            )
        return self._load_asset(key)

    def _folder(self) -> Path:
        if self._landed is None:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._landed = Path(tempfile.mkdtemp(prefix="landed-", dir=self._directory))
        return self._landed


def _called(path: str, arguments: Mapping[str, Any]) -> object:
    """What the function returns."""
    module, _, name = path.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"{path!r} cannot be imported: {error}",
            hint="write `package.module:function`, importable where Dagster runs",
        ) from error
    try:
        inspect.signature(found).bind(**arguments)
    except TypeError as error:
        raise ConfigError(
            f"{path!r} cannot be called with {dict(arguments)}: {error}", hint="mend `arguments`"
        ) from error
    return _guarded(path, lambda: found(**arguments))


def _guarded(name: str, work: Callable[[], object]) -> object:
    """Whatever the customer's code raises says whose it is."""
    try:
        return work()
    except DagsterAgentError:
        raise
    except Exception as error:
        raise ConnectorError(
            f"{name} failed: {type(error).__name__}: {error}",
            hint="nothing was compared; it is tried again at the next check",
            retryable=True,
        ) from error


def _land_value(value: object, database: Path, *, name: str) -> None:
    """Land a table or an iterable of records, whichever it is."""
    tabular = hasattr(value, "__arrow_c_stream__") or type(value).__module__.startswith("pyarrow")
    if tabular or not isinstance(value, Iterable):
        land_table(value, database, name=name)
        return
    records = cast("Iterable[Mapping[str, Any]]", value)
    _guarded(name, lambda: land_records(records, database, name=name))
