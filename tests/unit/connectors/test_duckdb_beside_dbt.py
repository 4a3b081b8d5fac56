"""dbt builds while the agent reads: every build succeeds, every read answers."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import duckdb

from dagster_agent.connectors.warehouses import open_warehouse
from tests.warm_dbt import executable

MODELS = {
    "a.sql": "{{ config(materialized='table') }} select range as id from range(50000)",
    "b.sql": "{{ config(materialized='table') }} select id, id % 7 as g from {{ ref('a') }}",
    "c.sql": "select g, count(*) as n from {{ ref('b') }} group by g",
}


def _project(directory: Path) -> None:
    (directory / "models").mkdir()
    (directory / "dbt_project.yml").write_text(
        "name: tiny\nversion: '1.0.0'\nprofile: tiny\nmodel-paths: [models]\n"
    )
    (directory / "profiles.yml").write_text(
        "tiny:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb, threads: 1}\n"
    )
    for name, text in MODELS.items():
        (directory / "models" / name).write_text(text)


def _build(directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [executable(), "build", "--profiles-dir", "."],
        cwd=directory,
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_builds_and_reads_at_the_same_time(tmp_path: Path) -> None:
    _project(tmp_path)
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute("CREATE VIEW c AS SELECT 50000 AS n")
    warehouse = open_warehouse(
        {"type": "duckdb", "path": "shop.duckdb"},
        base_dir=tmp_path,
        snapshot_dir=tmp_path / "snapshots",
    )
    reads = 0
    for _ in range(4):
        build = _build(tmp_path)
        while build.poll() is None:
            total = warehouse.query("SELECT sum(n) AS n FROM shop.main.c", purpose="test").scalar()
            assert total == 50_000
            reads += 1
            time.sleep(0.01)
        log, _ = build.communicate()
        assert build.returncode == 0, log
    assert reads > 20
