"""Loading a customer's code location stays cheap: nothing heavy, no network, no query."""

from __future__ import annotations

import subprocess
import sys

PROBE = """
import sys
import dagster, dagster_dbt
before = set(sys.modules)
import dagster_agent
from dagster_agent import DataOpsAgent
heavy = ["alembic", "anthropic", "duckdb", "great_expectations", "pandas", "scipy", "sqlalchemy",
         "sqlglot", "dbt.cli.main"]
print(",".join(name for name in heavy if name in set(sys.modules) - before))
"""


def test_importing_the_face_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROBE], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
