"""A workspace without dbt, on a warehouse and a state in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from dagster_agent.dbt.project import DbtProject
from dagster_agent.response.workspace import Workspace
from dagster_agent.settings import Settings
from dagster_agent.testing.memory_store import MemoryStore
from dagster_agent.testing.memory_warehouse import MemoryWarehouse


@contextmanager
def memory_workspace(folder: Path) -> Iterator[tuple[Workspace, duckdb.DuckDBPyConnection]]:
    """The workspace, and the connection through which a test fills its warehouse."""
    (folder / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    (folder / "profiles.yml").write_text(
        "shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb}}}\n"
    )
    with duckdb.connect(":memory:") as connection:
        opened = Workspace(
            settings=Settings(),
            project=DbtProject.open(folder, profiles_dir=folder),
            warehouse=MemoryWarehouse(connection),
            store=MemoryStore(),
            repository=None,
            state_directory=folder,
        )
        yield opened, connection
