"""The wheel holds `dagster_agent` and nothing else, with everything it needs at run time."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_the_library_only(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"dagster_agent"}
    assert "dagster_agent/py.typed" in names


def test_the_wheel_holds_the_migrations(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    folder = "dagster_agent/connectors/state_stores/migrations/"
    assert f"{folder}env.py" in names
    assert any(name.startswith(f"{folder}versions/0001") for name in names)


def test_the_wheel_works_where_the_repository_is_not(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    code = (
        "import dagster_agent; from dagster_agent import DataOpsAgent\n"
        "from dagster_agent.connectors.state_stores import open_store\n"
        "from dagster_agent.investigation.bug_pattern import bug_patterns\n"
        "open_store('sqlite:///' + 'state.db').close()\n"
        "print(dagster_agent.__file__, 'inner-join-drops-rows' in bug_patterns().members())"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(site / "dagster_agent" / "__init__.py"), "True"]
