"""A look at unchanged tables is not repeated; whatever may have changed is looked at again."""

import os
from collections.abc import Iterator

import dagster as dg
import pytest

from dagster_agent.definitions import discover
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.looks import look_again, look_at
from dagster_agent.definitions.workspaces import open_workspace
from dagster_agent.response import Workspace
from dagster_agent.settings import Settings

from .conftest import Project, build_everything
from .test_attach import DefinitionsOf

SOURCE = "source.jaffle.shop.events"


@pytest.fixture
def blueprint(definitions_of: DefinitionsOf) -> Blueprint:
    return Blueprint.of(discover(definitions_of(build_everything)), Settings())


@pytest.fixture
def workspace(blueprint: Blueprint, instance: dg.DagsterInstance) -> Iterator[Workspace]:
    with open_workspace(blueprint, blueprint.projects[0], instance) as opened:
        yield opened


def test_what_has_not_changed_is_not_looked_at_again(
    blueprint: Blueprint, workspace: Workspace
) -> None:
    look, digests = look_again(workspace, blueprint.refs)
    again, same = look_again(workspace, blueprint.refs)
    assert again is look
    assert same is digests
    assert digests == look_at(workspace, blueprint.refs).digests(workspace)


def test_a_change_in_the_warehouse_is_seen_at_once(
    blueprint: Blueprint, workspace: Workspace, project: Project
) -> None:
    _, before = look_again(workspace, blueprint.refs)
    project.sql("alter table events add column extra integer")
    _, changed = look_again(workspace, blueprint.refs)
    assert changed[SOURCE] != before[SOURCE]
    project.sql("create table newcomer as select 1 as one")
    _, beside = look_again(workspace, blueprint.refs)
    assert "newcomer" in beside[f"beside:{SOURCE}"]


def test_other_tables_another_manifest_or_other_settings_are_looked_at_anew(
    blueprint: Blueprint, workspace: Workspace, project: Project
) -> None:
    look, _ = look_again(workspace, blueprint.refs)
    fewer = [ref for ref in blueprint.refs if ref.unique_id == SOURCE]
    assert look_again(workspace, fewer)[0].tables.keys() == {SOURCE}

    _, listed = look_again(workspace, blueprint.refs)
    config = workspace.settings.schema_drift.model_copy(update={"ignore_tables": ("newcomer",)})
    project.sql("create table newcomer as select 1 as one")
    told = look_again(workspace, blueprint.refs)[1]
    assert told != listed
    workspace.settings = workspace.settings.model_copy(update={"schema_drift": config})
    assert look_again(workspace, blueprint.refs)[1] == listed

    manifest = project.root / "target" / "manifest.json"
    os.utime(manifest, ns=(0, manifest.stat().st_mtime_ns + 1))
    assert look_again(workspace, blueprint.refs)[0].assets is not look.assets
