"""Opening the agent's workspace inside a run or a sensor tick."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.discovery import DbtProjectRef
from dagster_agent.errors import ConnectorError
from dagster_agent.settings import Settings

if TYPE_CHECKING:
    from dagster_agent.response import Workspace


def state_directory(settings: Settings, instance: dg.DagsterInstance) -> Path:
    """Where the agent keeps its files: as set, else below DAGSTER_HOME.

    An ephemeral instance has a temporary root, so nothing outlives it. Where runs and sensors do
    not share a disk, `state.url` must name a database.
    """
    configured = settings.state.directory
    return configured or Path(instance.root_directory) / "dagster_agent"


def open_workspace(
    blueprint: Blueprint,
    project: DbtProjectRef,
    instance: dg.DagsterInstance,
    *,
    load_asset: Callable[[str], object] | None = None,
) -> Workspace:
    """The workspace of one dbt project; the caller closes it.

    Imports everything heavy, so it is called in runs and ticks only, never at load.

    Args:
        blueprint: What is watched.
        project: Which project.
        instance: Where the agent's files lie.
        load_asset: See `asset_loader`; None where no asset is a source of truth.
    """
    from dagster_agent.response import Workspace

    return Workspace.open(
        blueprint.settings,
        project_dir=project.project_dir,
        profiles_dir=project.profiles_dir,
        target=project.target,
        state_directory=state_directory(blueprint.settings, instance),
        load_asset=load_asset,
    )


def asset_loader(
    context: dg.AssetCheckExecutionContext | dg.OpExecutionContext,
) -> Callable[[str], object]:
    """Loads the value of an asset of this code location by its key, through its IO manager."""

    def load(key: str) -> object:
        repository = context.repository_def
        try:
            return repository.load_asset_value(
                dg.AssetKey.from_user_string(key), instance=context.instance
            )
        except Exception as error:
            # whatever the customer's IO manager raises
            raise ConnectorError(
                f"the asset {key!r} cannot be loaded: {type(error).__name__}: {error}",
                hint="materialise it, and check that its IO manager can load it",
                retryable=True,
            ) from error

    return load
