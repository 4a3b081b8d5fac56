"""Real data: 336,776 flights, careless inner joins, no configuration, no Dagster location."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from assets.flights.project import build_flights_project
from dagster_agent.cli import main

FLIGHTS = 336_776
WITHOUT_PLANE = 52_606
WITHOUT_AIRPORT = 7_602


def _run(command: str, project: Path, *options: str) -> list[dict[str, Any]]:
    place = ["--project-dir", str(project), "--profiles-dir", str(project)]
    result = CliRunner().invoke(main, [command, *place, *options, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["findings"]


def _rows(finding: dict[str, Any], table: str) -> tuple[int, int]:
    (diff,) = [d for d in finding["fix"]["data_diff"] if d["unique_id"].endswith(f".{table}")]
    return diff["rows_before"], diff["rows_after"]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("both")
    return build_flights_project(folder, inner=("planes", "airports"))


@pytest.mark.drill  # test_wt1_the_data_you_inherit.py tells a sweep in less time
def test_a_sweep_finds_the_join_and_the_fix_restores_every_row(
    tmp_path: Path,
) -> None:
    project = build_flights_project(tmp_path, inner=("planes",), git=False)
    (finding,) = _run("sweep", project)
    assert finding["asset"] == "fct_flights"
    assert finding["verdict"] == "cause-found"
    assert finding["cause"]["pattern"] == "inner-join-drops-rows"
    assert finding["cause"]["files"] == ["models/marts/fct_flights.sql"]
    assert "planes" in finding["cause"]["mechanism"]
    assert f"{WITHOUT_PLANE:,}" in finding["cause"]["mechanism"]
    assert finding["fix"]["verified"]
    assert "+    left join planes" in finding["fix"]["diff"]
    assert _rows(finding, "fct_flights") == (FLIGHTS - WITHOUT_PLANE, FLIGHTS)


@pytest.mark.drill
def test_two_joins_are_accounted_one_by_one_and_mended_together(both: Path) -> None:
    (finding,) = _run("investigate", both, "--asset", "fct_flights")
    assert finding["verdict"] == "cause-found"
    assert finding["confidence"] >= 0.9
    mechanism = finding["cause"]["mechanism"]
    assert f"{WITHOUT_PLANE:,}" in mechanism
    assert f"{WITHOUT_AIRPORT:,}" in mechanism
    assert finding["cause"]["commit"]
    assert finding["fix"]["verified"]
    assert _rows(finding, "fct_flights")[1] == FLIGHTS


def test_nothing_of_the_project_is_touched(both: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in both.rglob("*") if p.is_file()}
    warehouse = both.with_name("flights.duckdb")
    stat = warehouse.stat()
    _run("investigate", both, "--question", "why are there fewer flights on tuesdays?")
    after = {p: p.stat().st_mtime_ns for p in both.rglob("*") if p.is_file()}
    assert after == before
    assert (warehouse.stat().st_mtime_ns, warehouse.stat().st_size) == (
        stat.st_mtime_ns,
        stat.st_size,
    )


@pytest.mark.drill
def test_a_healthy_project_is_healthy(tmp_path: Path) -> None:
    project = build_flights_project(tmp_path, inner=())
    assert _run("sweep", project) == []
    (finding,) = _run("investigate", project, "--asset", "fct_flights")
    assert finding["verdict"] == "healthy"
    assert finding["fix"] is None
    with duckdb.connect(str(project.with_name("flights.duckdb")), read_only=True) as connection:
        (rows,) = connection.execute("select count(*) from fct_flights").fetchall()
    assert rows == (FLIGHTS,)
