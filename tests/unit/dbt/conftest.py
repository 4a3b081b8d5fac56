"""A tiny real dbt project and one warm dbt process on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dagster_agent.dbt.invocation import DbtWorker

FILES = {
    "dbt_project.yml": """
name: tiny
version: "1.0"
profile: tiny
models: {tiny: {+materialized: table}}
""",
    "profiles.yml": """
tiny:
  target: dev
  outputs:
    dev: {type: duckdb, path: tiny.duckdb, threads: 1}
""",
    "models/schema.yml": """
groups:
  - {name: finance, owner: {name: Finance team, email: finance@example.com}}
sources:
  - name: raw
    schema: raw
    config: {meta: {owner: Ingestion, dagster_agent: {critical: true}}}
    tables:
      - name: orders
        config: {meta: {dagster_agent: {tolerance: 1}}}
        columns:
          - {name: id, data_tests: [unique]}
      - {name: retired, config: {enabled: false}}
models:
  - name: a
    config: {group: finance}
    columns:
      - {name: id, data_tests: [unique, not_null]}
      - {name: größe, quote: true}
  - name: b
    config: {meta: {dagster: {owners: ["team:ops", "ada@example.com"]}}}
    columns:
      - name: id
        data_tests:
          - relationships: {arguments: {to: ref('a'), field: id}}
          - accepted_values: {arguments: {values: [1, 2]}, config: {severity: warn}}
exposures:
  - name: dashboard
    type: dashboard
    url: https://example.com
    owner: {name: Ops, email: ops@example.com}
    depends_on: [ref('b')]
""",
    "models/a.sql": "\nselect id, 1 as \"größe\" from {{ source('raw', 'orders') }}\n\n",
    "models/b.sql": """{{ config(materialized='incremental', unique_key=['id']) }}
select id from {{ ref('a') }}
""",
    "models/c.sql": "{{ config(materialized='ephemeral') }} select * from {{ ref('a') }}",
    "models/d.sql": """select c.id, x.id as other
from {{ ref('c') }} c join {{ ref('b') }} x on c.id = x.id
""",
    "models/off.sql": "{{ config(enabled=false) }} select 1 as id",
    "tests/no_negative.sql": "select * from {{ ref('b') }} where id < 0",
}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's folder; its warehouse holds the raw table."""
    root = tmp_path_factory.mktemp("tiny")
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with duckdb.connect(str(root / "tiny.duckdb")) as connection:
        connection.execute("create schema raw; create table raw.orders as select 1 as id")
    return root


@pytest.fixture(scope="session")
def worker(tiny: Path) -> Iterator[DbtWorker]:
    with DbtWorker(
        project_dir=tiny,
        profiles_dir=tiny,
        target="dev",
        target_path=tiny / "private" / "target",
        log_path=tiny / "private" / "logs",
    ) as opened:
        yield opened
