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
