"""Real data: inner joins that drop flights while dbt stays green."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from assets.flights import build_flights_project
from assets.project_history import run_git


def counts(project: Path, *queries: str) -> list[int]:
    with duckdb.connect(str(project.parent / "flights.duckdb"), read_only=True) as connection:
        return [connection.execute(query).fetchall()[0][0] for query in queries]


@pytest.fixture(scope="module")
def planes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_flights_project(tmp_path_factory.mktemp("planes"), inner=("planes",))


def test_what_the_lookups_do_not_know(planes: Path) -> None:
    assert counts(
        planes,
        "select count(*) from raw.flights",
        "select count(*) from raw.flights anti join raw.planes using (tailnum)",
        "select count(*) from raw.flights where tailnum is null",
        "select count(*) from raw.flights anti join raw.airports on dest = faa",
    ) == [336_776, 52_606, 2_512, 7_602]


def test_inner_join_to_planes_drops_flights_while_dbt_is_green(planes: Path) -> None:
    fact = "select count(*) from fct_flights"
    daily = "select sum(departures)::bigint from departures_daily"
    assert counts(planes, fact, daily) == [336_776 - 52_606, 336_776 - 52_606]


def test_history_is_healthy_until_the_last_commit(planes: Path) -> None:
    assert run_git(planes, "log", "--format=%s").splitlines() == [
        "Simplify the joins of fct_flights",
        "Add fct_flights and what operations looks at",
        "Stage the flights out of New York",
    ]
    assert run_git(planes, "show", "--format=", "--shortstat").split()[0] == "1"
    assert "inner join planes" not in run_git(planes, "show", "HEAD~:models/marts/fct_flights.sql")
    assert run_git(planes, "status", "--porcelain") == ""
    head = run_git(planes, "rev-parse", "HEAD")
    assert run_git(planes.with_name("dbt.git"), "rev-parse", "main") == head


def test_no_settings_of_ours_are_in_it(planes: Path) -> None:
    for name in run_git(planes, "ls-files").splitlines():
        assert "dagster" not in (planes / name).read_text(encoding="utf-8"), name


def test_inner_join_to_airports_drops_its_own(tmp_path: Path) -> None:
    project = build_flights_project(tmp_path, inner=("airports",), git=False)
    assert counts(project, "select count(*) from fct_flights") == [336_776 - 7_602]
    assert not (project / ".git").exists()


def test_an_existing_project_is_left_alone(planes: Path) -> None:
    with pytest.raises(FileExistsError, match="exists already"):
        build_flights_project(planes.parent)
