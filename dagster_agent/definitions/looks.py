"""Looking at the schemas of many tables at once, and not again where nothing can have changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_agent.definitions.discovery import DbtAssetRef
from dagster_agent.errors import DagsterAgentError
from dagster_agent.ports import TellsStamp

if TYPE_CHECKING:
    from dagster_agent.model import Asset, Relation, TableSchema
    from dagster_agent.response import Workspace
    from dagster_agent.settings import Settings

_BESIDE = "beside:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The schemas of some assets at one moment."""

    manifest: Path
    """Where the project's lineage was read from."""
    assets: Mapping[str, Asset]
    """All assets with a table that it knows, by unique id."""
    tables: Mapping[str, Relation]
    """Where the watched ones lie."""
    schemas: Mapping[Relation, TableSchema]
    """Those that are there."""
    dialect: str
    """sqlglot's name of the dialect of their types."""

    def same_aim(self, other: Look) -> bool:
        """Whether the other looks at the same tables, told by the same reading of a manifest."""
        return self.assets is other.assets and self.tables == other.tables

    def documents(self, settings: Settings) -> Iterator[str]:
        """Unique ids of the sources whose JSON columns are watched, in no order."""
        from dagster_agent.schema_drift.json_look import json_columns

        for uid, table in self.tables.items():
            asset, schema = self.assets[uid], self.schemas.get(table)
            if asset.resource_type != "source" or schema is None:
                continue
            try:
                own = settings.for_asset(asset) if "dagster_agent" in asset.meta else settings
                config = own.schema_drift
                found = json_columns(schema, config=config, dialect=self.dialect)
            except DagsterAgentError:
                # a wrong setting of one asset: its own check tells it
                continue
            if found and config.json_keys != "off":
                yield uid

    def digests(self, workspace: Workspace) -> dict[str, str]:
        """A digest of each watched schema, and of what lies undeclared beside the sources."""
        from dagster_agent.schema_drift.neighbours import place_of, speakers, undeclared_tables
        from dagster_agent.schema_drift.snapshot import digest

        found = {uid: digest(self.schemas.get(table)) for uid, table in self.tables.items()}
        told = {uid: table for uid, table in speakers(self.assets).items() if uid in self.tables}
        config = workspace.settings.schema_drift
        try:
            beside = undeclared_tables(
                workspace.warehouse, self.assets, list(told.values()), config
            )
        except DagsterAgentError:
            # what lies beside is news at the most; the sources themselves were read
            return found
        for uid, table in told.items():
            found[_BESIDE + uid] = ",".join(beside[place_of(table)])
        return found


def look_at(workspace: Workspace, refs: Iterable[DbtAssetRef]) -> Look:
    """Read the schemas of assets in one query, without compiling the project.

    Raises:
        ConfigError: There is no manifest yet.
        ConnectorError: The warehouse does not answer.
    """
    return _looked(_aimed(workspace, refs), workspace)


def look_again(workspace: Workspace, refs: Iterable[DbtAssetRef]) -> tuple[Look, Mapping[str, str]]:
    """As `look_at`, with the digests.

    Both are those of the last time in this process where the warehouse tells, without being opened,
    that nothing in it has changed since, and the manifest is the same.
    """
    aimed, warehouse = _aimed(workspace, refs), workspace.warehouse
    ignored = tuple(workspace.settings.schema_drift.ignore_tables)
    # told before the look: what changes during it is seen by the next
    state = (warehouse.stamp(), ignored) if isinstance(warehouse, TellsStamp) else None
    last = _LAST.get(workspace.project.root)
    if last is not None and last.state == state and last.look.same_aim(aimed):
        return last.look, last.digests
    look = _looked(aimed, workspace)
    digests = look.digests(workspace)
    # a look that could not see what lies beside the sources is to be made again
    if state is not None and any(uid.startswith(_BESIDE) for uid in digests):
        _LAST[workspace.project.root] = _Last(state=state, look=look, digests=digests)
    return look, digests


@dataclass(frozen=True, slots=True, kw_only=True)
class _Last:
    """What was seen last in a project."""

    state: tuple[str, tuple[str, ...]]
    """Stamp of the warehouse, and the names of tables that are not told."""
    look: Look
    """As it was."""
    digests: Mapping[str, str]
    """Of that look."""


_LAST: dict[Path, _Last] = {}
"""By folder of the project, in this process."""


def _aimed(workspace: Workspace, refs: Iterable[DbtAssetRef]) -> Look:
    """What is to be looked at; no schema has been read."""
    from dagster_agent.schema_drift.snapshot import assets_in, newest_manifest

    project = workspace.project
    target = project.root / str(project.config.get("target-path") or "target")
    manifest = newest_manifest(target, workspace.state_directory / "manifests")
    assets = assets_in(manifest)
    tables = {
        ref.unique_id: relation
        for ref in refs
        if (asset := assets.get(ref.unique_id)) is not None
        and (relation := asset.relation) is not None
    }
    dialect = workspace.warehouse.dialect
    return Look(manifest=manifest, assets=assets, tables=tables, schemas={}, dialect=dialect)


def _looked(aimed: Look, workspace: Workspace) -> Look:
    return replace(aimed, schemas=workspace.warehouse.schemas(list(aimed.tables.values())))


def asset_of(news: str) -> str:
    """Unique id of the asset whose check tells a piece of news of a look."""
    return news.removeprefix(_BESIDE)
