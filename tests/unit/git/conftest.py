"""A small real repository with a local bare remote."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]


@pytest.fixture(autouse=True)
def _nobodys_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run git as the customer would, in the folder `shop` unless told otherwise."""

    def call(*args: str, cwd: Path | None = None, day: int = 1) -> str:
        when = f"2026-11-{day:02}T06:00:00+00:00"
        settings = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        env = {**os.environ, "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        done = subprocess.run(
            ["git", *settings, *args],
            cwd=cwd or tmp_path / "shop",
            env=env,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    return call


@pytest.fixture
def shop(tmp_path: Path, run: Run) -> Path:
    """Two commits on `main`, pushed to the bare repository beside it."""
    root = tmp_path / "shop"
    (root / "dbt" / "models").mkdir(parents=True)
    run(
        "init",
        "--quiet",
        "--bare",
        "--initial-branch=main",
        str(tmp_path / "shop.git"),
        cwd=tmp_path,
    )
    run("init", "--quiet", "--initial-branch=main")
    (root / "dbt" / "models" / "orders.sql").write_text("select 1 as id\n")
    (root / "README").write_text("shop\n")
    run("add", "--all")
    run("commit", "--quiet", "--message", "Begin", day=1)
    (root / "dbt" / "models" / "orders.sql").write_text("select 1 as id\nfrom a left join b\n")
    run("commit", "--quiet", "--all", "--message", "Join b", day=2)
    run("remote", "add", "origin", str(tmp_path / "shop.git"))
    run("push", "--quiet", "origin", "main")
    return root
