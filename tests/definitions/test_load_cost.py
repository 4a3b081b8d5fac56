"""Loading a customer's location with the agent imports nothing heavy and resolves nothing."""

import json
import subprocess
import sys

from tests.warm_dbt import executable

from .conftest import Project

PROBE = """
import json, sys
from pathlib import Path
import dagster as dg
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

project = DbtProject(project_dir=Path(sys.argv[1]), profiles_dir=Path(sys.argv[1]))

@dbt_assets(manifest=project.manifest_path, project=project)
def jaffle(context: dg.AssetExecutionContext, dbt: DbtCliResource):
    yield from dbt.cli(["build"], context=context).stream()

defs = dg.Definitions(
    assets=[jaffle],
    resources={"dbt": DbtCliResource(project_dir=project, dbt_executable=sys.argv[2])},
)
defs.get_repository_def()
before = set(sys.modules)

from dagster_agent.definitions import DataOpsAgent
attached = DataOpsAgent().attach(defs)
attached.get_repository_def()
new = {name.partition(".")[0] for name in set(sys.modules) - before}
rooms = sorted(n for n in set(sys.modules) - before if n.startswith("dagster_agent."))
print(json.dumps({"packages": sorted(new), "rooms": rooms}))
"""

HEAVY = {
    "alembic",
    "anthropic",
    "dbt",
    "duckdb",
    "great_expectations",
    "msgspec",
    "numpy",
    "pandas",
    "ruamel",
    "scipy",
    "sqlalchemy",
    "sqlglot",
}


def test_attaching_imports_nothing_heavy(project: Project) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROBE, str(project.root), executable()],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert set(told["packages"]) & HEAVY == set()
    assert "dagster_agent.definitions.sensors" in told["rooms"]
    assert [room for room in told["rooms"] if room.endswith((".response", ".engine"))] == []
