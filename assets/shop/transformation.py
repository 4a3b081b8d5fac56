"""The shop's dbt project as Dagster assets."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)

from assets.shop.workspace import ShopWorkspace

PARSED = ("dbt_project.yml", "profiles.yml", "macros", "models", "seeds", "tests")


def shop_dbt_project(shop: ShopWorkspace) -> DbtProject:
    """The clone's dbt project with a manifest that is as new as its files.

    Parsed only when a commit has changed the project. `prepare_if_dev` would parse at each load
    under `dagster dev`, so in each process of each run, and nowhere else.
    """
    # dbt finds the databases through SHOP_HOME, dagster-dbt finds dbt on PATH: the one that is
    # installed beside this Python, also when nobody has activated the virtual environment.
    os.environ["SHOP_HOME"] = str(shop.home)
    beside_python = str(Path(sys.executable).parent)
    places = os.environ.get("PATH", "").split(os.pathsep)
    if places[0] != beside_python:
        os.environ["PATH"] = os.pathsep.join([beside_python, *places])
    project = DbtProject(shop.dbt_project)
    manifest = project.manifest_path
    if not manifest.exists() or manifest.stat().st_mtime < _last_change(project.project_dir):
        project.preparer.prepare(project)
    return project


def shop_dbt_assets(project: DbtProject) -> dg.AssetsDefinition:
    """One asset per model and seed, one check per test, built by `dbt build`."""
    translator = DagsterDbtTranslator(
        DagsterDbtTranslatorSettings(enable_asset_checks=True, enable_source_tests_as_checks=True)
    )

    @dbt_assets(
        manifest=project.manifest_path,
        project=project,
        name="shop_dbt",
        dagster_dbt_translator=translator,
    )
    def shop_dbt(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        yield from dbt.cli(["build"], context=context).stream()  # pyright: ignore[reportUnknownMemberType] dagster-dbt leaves its event type open

    return shop_dbt


def _last_change(project_dir: Path) -> float:
    """When a parsed file was last written, added or removed (directories change then), epoch."""
    given = [project_dir / name for name in PARSED]
    found = [*given, *(path for place in given for path in place.rglob("*"))]
    return max(path.stat().st_mtime for path in found)
