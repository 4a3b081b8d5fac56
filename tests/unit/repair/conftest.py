"""A small real dbt project on DuckDB whose inner join drops rows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from dagster_agent.connectors.warehouses import open_warehouse
from dagster_agent.dbt.invocation import DbtOutcome
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.dbt.project import DbtProject
from dagster_agent.model import Detection, DetectionStatus, ResultTable
from dagster_agent.ports import Warehouse
from tests import warm_dbt

NOW = datetime(2026, 11, 21, tzinfo=UTC)

FILES = {
    "dbt_project.yml": """
name: flights
version: "1.0"
profile: flights
models:
  flights:
    +materialized: table
""",
    "profiles.yml": """
flights:
  target: dev
  outputs:
    dev: {type: duckdb, path: "data/flüge.duckdb", threads: 2}
""",
    "models/sources.yml": """
sources:
  - name: raw
    schema: raw
    tables: [{name: flights}, {name: planes}]
models:
  - name: stg_flights
    columns:
      - name: id
        data_tests: [unique, not_null]
  - name: by_maker
    columns:
      - name: maker
        data_tests:
          - accepted_values:
              arguments: {values: [Airbus, unknown]}
""",
    "models/staging/stg_flights.sql": """-- every flight, with its plane; no inner join here
select f.id, f.tailnum, p.maker
from {{ source('raw', 'flights') }} as f
inner join {{ source('raw', 'planes') }} as p  -- ä
    on f.tailnum = p.tailnum
""",
    "models/by_maker.sql": """select coalesce(maker, 'unknown') as maker, count(*) as flights
from {{ ref('stg_flights') }} group by 1
""",
    "models/makers.sql": """{{ config(materialized='view') }}
select distinct maker from {{ ref('stg_flights') }} where maker is not null
""",
    "models/planes.sql": "select * from {{ source('raw', 'planes') }}\n",
    "models/history.sql": """{{ config(materialized='incremental', unique_key='id') }}
select id from {{ ref('stg_flights') }}
{% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}
""",
}


@pytest.fixture(scope="session")
def built_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once; never changed by a test."""
    root = tmp_path_factory.mktemp("flights")
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "data").mkdir()
    with duckdb.connect(str(root / "data" / "flüge.duckdb")) as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.flights as select i as id, 'N' || (i % 10) as tailnum "
            "from range(1, 101) t(i)"
        )
        connection.execute(
            "create table raw.planes as select 'N' || i as tailnum, 'Airbus' as maker "
            "from range(8) t(i)"
        )
    warm_dbt.run(root, "build")
    return root


@pytest.fixture
def project(built_project: Path) -> DbtProject:
    return DbtProject.open(built_project)


@pytest.fixture
def warehouse(project: DbtProject, tmp_path: Path) -> Warehouse:
    return open_warehouse(
        project.output, base_dir=project.root, snapshot_dir=tmp_path / "snapshots"
    )


class Said:
    """A narrator that remembers."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def step(self, what: str, *, why: str, result: str) -> None:
        assert why
        self.lines.append((what, result))


@pytest.fixture
def said() -> Said:
    return Said()


def all_flights_arrive(warehouse: Warehouse, manifest: Manifest, outcome: DbtOutcome) -> Detection:
    """The failed thing: stg_flights has a row per raw flight."""
    staged = manifest.find("stg_flights").relation
    raw = manifest.find("raw.flights").relation
    assert staged is not None
    assert raw is not None
    rows = warehouse.query(
        f"select (select count(*) from {raw.sql()}), (select count(*) from {staged.sql()})",
        purpose="test",
    ).rows[0]
    return Detection(
        detector="reconciliation/row-count",
        asset="model.flights.stg_flights",
        status=DetectionStatus.PASSED if rows[0] == rows[1] else DetectionStatus.FAILED,
        headline=f"{rows[1]} of {rows[0]} flights arrive",
        observed_at=NOW,
        sample=ResultTable(columns=("raw", "staged"), rows=(rows,)),
    )


@pytest.fixture
def recheck():
    return all_flights_arrive
