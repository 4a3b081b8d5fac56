"""The agent in a code location of its own: no run of the customer's ever plans its checks.

The asset keys come from the dbt manifest, by the translator that the customer's location uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from dagster_agent.connectors.orchestrators import dagster_event_log as event_log
from dagster_agent.connectors.orchestrators.dagster import KIND_TAG
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.discovery import DbtAssetRef, discover_in
from dagster_agent.errors import ConfigError
from dagster_agent.settings import Settings

if TYPE_CHECKING:
    from dagster_dbt import DagsterDbtTranslator, DbtProject

    Manifest = Mapping[str, Any] | str | Path


def assets_of_project(
    settings: Settings,
    *,
    project: DbtProject | str | Path | None,
    manifest: Manifest | None,
    translator: DagsterDbtTranslator | None,
    select: str,
    exclude: str,
) -> tuple[DbtAssetRef, ...]:
    """The dbt assets as the customer's code location names them, without any of its definitions.

    Args:
        settings: Name the project where `project` does not.
        project: The dbt project, or its folder.
        manifest: Its manifest; by default the one in the project's target folder.
        translator: The one that the customer's dbt assets are made with; it decides the keys.
        select: dbt selection of the customer's dbt assets.
        exclude: dbt exclusion of the customer's dbt assets.

    Raises:
        ConfigError: There is no such project, no manifest, or no asset in it.
    """
    from dagster_dbt import build_dbt_asset_specs

    opened = _opened(settings, project)
    known = manifest or _manifest_of(opened)
    specs = build_dbt_asset_specs(
        manifest=known if isinstance(known, Mapping) else _existing(Path(known)),
        dagster_dbt_translator=translator,
        select=select,
        exclude=exclude,
        project=opened,
    )
    found = discover_in(specs, resources={} if opened is None else {"project": opened})
    if not found:
        raise ConfigError(
            f"the manifest holds no dbt asset for select {select!r} and exclude {exclude!r}",
            hint="select what the code location that builds the project selects",
        )
    return found


def settings_there(settings: Settings) -> Settings:
    """The settings as they are in force in a location of its own.

    A run of ours cannot build assets that another location defines, so nothing is retried there.
    """
    incidents = settings.incidents.model_copy(update={"max_retries": 0})
    return settings.model_copy(update={"placement": "own_location", "incidents": incidents})


def watched_elsewhere(
    blueprint: Blueprint, instance: dg.DagsterInstance
) -> Callable[[dg.DagsterRun], bool]:
    """Which runs of other code locations are the sensor's business.

    Those that build or check a watched asset, where the agent stands alone; else none. Runs of
    another agent never are.
    """
    if blueprint.settings.placement == "embedded":
        return lambda _: False

    def touches(run: dg.DagsterRun) -> bool:
        if KIND_TAG in run.tags:
            return False
        assets = event_log.planned_assets(instance, run.run_id)
        assets |= {key.asset_key for key in event_log.planned_checks(instance, run.run_id)}
        return any(key in blueprint.by_key for key in assets)

    return touches


def _opened(settings: Settings, project: DbtProject | str | Path | None) -> DbtProject | None:
    from dagster_dbt import DbtProject

    if isinstance(project, DbtProject):
        return project
    folder = project or settings.project_dir
    if folder is None:
        return None
    if not (Path(folder) / "dbt_project.yml").is_file():
        raise ConfigError(
            f"there is no dbt project in {str(folder)!r}",
            hint="project_dir is the folder that holds dbt_project.yml",
        )
    opened = DbtProject(
        project_dir=folder, profiles_dir=settings.profiles_dir, target=settings.target
    )
    opened.prepare_if_dev()
    return opened


def _manifest_of(project: DbtProject | None) -> Path:
    if project is None:
        raise ConfigError(
            "own_location needs to know the dbt project",
            hint="pass project=, or set project_dir in the settings",
        )
    return project.manifest_path


def _existing(manifest: Path) -> Path:
    if not manifest.is_file():
        raise ConfigError(
            f"there is no dbt manifest at {str(manifest)!r}",
            hint="run `dbt parse` in the project before the location is loaded",
        )
    return manifest
