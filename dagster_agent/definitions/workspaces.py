"""Opening the agent's workspace inside a run or a sensor tick."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.discovery import DbtProjectRef
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
    blueprint: Blueprint, project: DbtProjectRef, instance: dg.DagsterInstance
) -> Workspace:
    """The workspace of one dbt project; the caller closes it.

    Imports everything heavy, so it is called in runs and ticks only, never at load.
    """
    from dagster_agent.response import Workspace

    return Workspace.open(
        blueprint.settings,
        project_dir=project.project_dir,
        profiles_dir=project.profiles_dir,
        target=project.target,
        state_directory=state_directory(blueprint.settings, instance),
    )
