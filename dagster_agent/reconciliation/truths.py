"""Where the other side of a pair may be: another database, a file, an API, an asset, a callable.

What they describe is opened outside this room, by the `OpenStore` that is passed in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from dagster_agent.model import Relation
from dagster_agent.ports import Warehouse
from dagster_agent.reconciliation.api_request import ApiRequest


class _Place(BaseModel, ABC):
    """A place of tables or records."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    @abstractmethod
    def label(self) -> str:
        """What a person calls it unless the entry names it."""


class DuckDBTable(_Place):
    """A table in a DuckDB file outside the project's warehouse."""

    duckdb: str
    """Path of a DuckDB file, relative to the dbt project."""
    table: str
    """`schema.table` in it."""

    @property
    def label(self) -> str:
        """The table's bare name."""
        return _last_part(self.table)


class TargetTable(_Place):
    """A table in another database, reached by a target of `profiles.yml`."""

    target: str
    """dbt target, with any adapter that is installed."""
    profile: str | None = None
    """Profile of that target; the project's own by default."""
    table: str
    """`schema.table` in it."""

    @property
    def label(self) -> str:
        """The table's bare name."""
        return _last_part(self.table)


class _Files(_Place, ABC):
    """Files of one format, read as one table; columns are matched by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @property
    @abstractmethod
    def pattern(self) -> str:
        """Path or glob."""

    @property
    def options(self) -> Mapping[str, bool | int | str]:
        """What is set besides the pattern, by the names of DuckDB's readers."""
        given = self.model_dump(exclude_none=True, by_alias=True)
        return {name: value for name, value in given.items() if name not in PLACES}

    @property
    def label(self) -> str:
        """The file's name without its ending."""
        return _file_name(self.pattern)


class CsvFile(_Files):
    """One or several CSV files. What is not given is told from the text."""

    csv: str
    """Path or glob, relative to the dbt project."""
    delim: str | None = None
    """Between values."""
    header: bool | None = None
    """Whether the first line names the columns."""
    quote: str | None = None
    """Around values with a delimiter in them."""
    escape: str | None = None
    """Before a quote inside a value."""
    nullstr: str | None = None
    """Text that stands for NULL."""
    skip: int | None = Field(default=None, ge=0)
    """Lines before the header."""
    comment: str | None = None
    """Starts a line that is no data."""
    thousands: str | None = None
    """Between thousands in numbers."""
    decimal_separator: str | None = None
    """In numbers, such as `,`."""
    dateformat: str | None = None
    """Such as `%d.%m.%Y`."""
    timestampformat: str | None = None
    """Such as `%d.%m.%Y %H:%M`."""
    encoding: str | None = None
    """Of the text; UTF-8 by default."""
    all_varchar: bool | None = None
    """Whether every column stays text."""

    @property
    def pattern(self) -> str:
        """Path or glob."""
        return self.csv


class ParquetFile(_Files):
    """One or several Parquet files."""

    parquet: str
    """Path or glob, relative to the dbt project."""
    hive_partitioning: bool | None = None
    """Whether folders such as `day=2026-11-17` are columns."""

    @property
    def pattern(self) -> str:
        """Path or glob."""
        return self.parquet


class JsonFile(_Files):
    """One or several JSON files, of records or of lines."""

    json_: str = Field(alias="json")
    """Path or glob, relative to the dbt project."""
    format: str | None = None
    """`array`, `newline_delimited` or `unstructured`; told from the text by default."""
    dateformat: str | None = None
    """Such as `%d.%m.%Y`."""
    timestampformat: str | None = None
    """Such as `%d.%m.%Y %H:%M`."""
    compression: str | None = None
    """`gzip` or `zstd`; told from the name by default."""

    @property
    def pattern(self) -> str:
        """Path or glob."""
        return self.json_


class ApiRecords(_Place):
    """Records of an HTTP API."""

    api: ApiRequest
    """What is asked."""

    @property
    def label(self) -> str:
        """The last part of the path."""
        return _file_name(self.api.url.split("?")[0]) or self.api.url


class AssetRecords(_Place):
    """What a Dagster asset holds, loaded through its IO manager."""

    asset: str
    """Asset key, `a/b/c`."""

    @property
    def label(self) -> str:
        """The last part of the key."""
        return _file_name(self.asset)


class CallableRecords(_Place):
    """What a Python function yields."""

    callable_: str = Field(alias="callable", pattern=r"^[\w.]+:[\w.]+$")
    """`package.module:function`; yields mappings, or returns an Arrow table or a data frame."""
    arguments: Mapping[str, Any] = Field(default_factory=lambda: dict[str, Any]())
    """Given to it by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @property
    def label(self) -> str:
        """The function's name."""
        return self.callable_.rpartition(":")[2]


PLACES: Mapping[str, type[_Place]] = {
    "duckdb": DuckDBTable,
    "target": TargetTable,
    "csv": CsvFile,
    "parquet": ParquetFile,
    "json": JsonFile,
    "api": ApiRecords,
    "asset": AssetRecords,
    "callable": CallableRecords,
}
"""The key that tells what a mapping describes."""


def _kind(value: Any) -> str | None:
    if isinstance(value, _Place):
        return next(name for name, model in PLACES.items() if isinstance(value, model))
    if not isinstance(value, Mapping):
        return "name"
    return next((name for name in PLACES if name in cast("Mapping[str, Any]", value)), None)


Truth = (
    DuckDBTable
    | TargetTable
    | CsvFile
    | ParquetFile
    | JsonFile
    | ApiRecords
    | AssetRecords
    | CallableRecords
)
"""A source of truth outside the project's warehouse."""

OtherSide = Annotated[
    Annotated[str, Tag("name")]
    | Annotated[DuckDBTable, Tag("duckdb")]
    | Annotated[TargetTable, Tag("target")]
    | Annotated[CsvFile, Tag("csv")]
    | Annotated[ParquetFile, Tag("parquet")]
    | Annotated[JsonFile, Tag("json")]
    | Annotated[ApiRecords, Tag("api")]
    | Annotated[AssetRecords, Tag("asset")]
    | Annotated[CallableRecords, Tag("callable")],
    Discriminator(
        _kind,
        custom_error_type="unknown_place",
        custom_error_message=f"a mapping here has one of the keys {', '.join(PLACES)}",
    ),
]
"""What `with` may say: a dbt name, a table of the warehouse, or a place of its own."""

OpenStore = Callable[[Truth], tuple[Warehouse, Relation]]
"""Opens a source of truth: the store that can be asked, and the table in it. Raises `ConfigError`
for what is wrong in its description, `ConnectorError` for what does not answer."""


def _last_part(table: str) -> str:
    return table.split(".")[-1].strip('"`')


def _file_name(path: str) -> str:
    name = path.rstrip("/").rsplit("/", 1)[-1]
    return name.split(".")[0] or name
