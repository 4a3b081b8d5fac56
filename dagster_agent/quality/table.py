"""`PromisedTable`: the table of which something is promised, and the tables around it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConfigError
from dagster_agent.model import Asset, Relation, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.sql.identifiers import quote, relation_sql

_CALL = re.compile(r"""(ref|source)\(\s*(['"])(.+?)\2\s*(?:,\s*(['"])(.+?)\4\s*)?""")
SchemaOf = Callable[[Relation], TableSchema | None]
"""Looks up a schema; None when there is no such table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisedTable:
    """A table as it is now, with its names written for SQL."""

    asset: Asset
    """What dbt knows of it."""
    schema: TableSchema
    """Its columns as they are."""
    dialect: str
    """sqlglot's name of the warehouse's dialect."""

    @property
    def rows(self) -> str:
        """The table, to stand after FROM."""
        return relation_sql(self.schema.relation, self.dialect)

    def spelled(self, name: str) -> str:
        """The column's name as the warehouse spells it.

        Raises:
            ConfigError: There is no such column; near ones are named.
        """
        found = self.schema.column(name)
        if found is None:
            names = [c.name for c in self.schema.columns]
            near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(names)}"
            raise ConfigError(f"{self.asset.name} has no column {name!r}", hint=hint)
        return found.name

    def column(self, name: str) -> str:
        """The column, quoted; raises like `spelled`."""
        return quote(self.spelled(name), self.dialect)

    def type_of(self, name: str) -> str:
        """The column's type in the warehouse's own words; raises like `spelled`."""
        found = self.schema.column(self.spelled(name))
        return found.type if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where the tables that promises speak of are found."""

    manifest: Manifest
    """The project."""
    warehouse: Warehouse
    """Where the tables are."""
    schema_of: SchemaOf
    """Reads a schema."""

    def table(self, asset: Asset) -> PromisedTable:
        """The asset's table.

        Raises:
            ConfigError: It has none, or it does not exist.
        """
        if asset.relation is None:
            raise ConfigError(f"{asset.name} is ephemeral: it has no table", hint="exclude it")
        schema = self.schema_of(asset.relation)
        if schema is None:
            raise ConfigError(
                f"{asset.relation} does not exist", hint="build it, or take it out of the project"
            )
        return PromisedTable(asset=asset, schema=schema, dialect=self.warehouse.dialect)

    def named(self, text: str) -> PromisedTable:
        """The table that a person or a dbt test means.

        Args:
            text: `ref('orders')`, `source('raw', 'orders')`, a dbt name or a unique id.

        Raises:
            ConfigError: Nothing is called so, or it does not exist.
        """
        call = _CALL.search(text)
        if call is None:
            return self.table(self.manifest.find(text.strip()))
        kind, one, two = call[1], call[3], call[5]
        if kind == "source" and two:
            return self.table(self.manifest.find(f"{one}.{two}"))
        return self.table(self.manifest.find(two or one))

    def loosely(self, text: str) -> PromisedTable:
        """The table that a sentence means: as `named`, else the one whose name ends with the word.

        `refunds` is `stg_refunds` where nothing is called `refunds` and nothing else ends so.

        Raises:
            ConfigError: Nothing or several things end so.
        """
        try:
            asset = self.manifest.find(text.strip())
        except ConfigError:
            ending = f"_{text.strip().casefold()}"
            found = [
                asset
                for asset in self.manifest.assets.values()
                if asset.name.casefold().endswith(ending) and asset.relation is not None
            ]
            if len(found) != 1:
                raise
            asset = found[0]
        return self.table(asset)
