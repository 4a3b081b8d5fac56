"""Reads of columns that are not there: by the code of models, and the tables of all others."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.investigation.accounts.broken_reads import Columns, broken_reads
from dagster_agent.investigation.clues.output_history import commit_that_took
from dagster_agent.model import ColumnSchema, Relation, TableSchema

RAW = "source.case.raw.orders"


def manifest(models: Mapping[str, str], *, adapter: str = "duckdb") -> Manifest:
    """Models read the source and each model that they name."""
    nodes = {}
    for name, sql in models.items():
        others = [f"model.case.{o}" for o in models if o != name and f"main.{o}" in sql]
        nodes[f"model.case.{name}"] = {
            "unique_id": f"model.case.{name}",
            "name": name,
            "resource_type": "model",
            "original_file_path": f"models/{name}.sql",
            "relation_name": Relation(schema="main", name=name).sql(),
            "raw_code": sql,
            "compiled_code": sql,
            "depends_on": {"nodes": [RAW, *others]},
        }
    source = {
        "unique_id": RAW,
        "name": "orders",
        "source_name": "raw",
        "resource_type": "source",
        "original_file_path": "models/sources.yml",
        "relation_name": Relation(schema="raw", name="orders").sql(),
    }
    metadata = {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "project_name": "case",
        "adapter_type": adapter,
    }
    content = {"metadata": metadata, "nodes": nodes, "sources": {RAW: source}}
    return Manifest.from_bytes(json.dumps(content).encode())


def table(schema: str, name: str, *columns: str) -> TableSchema:
    found = tuple(
        ColumnSchema(name=c, type="VARCHAR", position=n) for n, c in enumerate(columns, 1)
    )
    return TableSchema(relation=Relation(schema=schema, name=name), columns=found)


def broken(
    models: Mapping[str, str], schemas: Mapping[str, TableSchema], dialect: str = "duckdb"
) -> list[tuple[str, str, str]]:
    known = manifest(models)
    found = broken_reads(tuple(known.assets), known, schemas, dialect)
    return [(b.asset.split(".")[-1], b.upstream.split(".")[-1], b.column) for b in found]


def test_a_source_lacks_it():
    models = {"stg": "select id, user_id, user_id as again from raw.orders"}
    assert broken(models, {RAW: table("raw", "orders", "id")}) == [("stg", "orders", "user_id")]


def test_an_older_table_does_not_break_what_the_code_puts_out():
    models = {"stg": "select id, user_id from raw.orders", "fct": "select user_id from main.stg"}
    schemas = {
        RAW: table("raw", "orders", "id", "user_id"),
        "model.case.stg": table("main", "stg", "id"),
    }
    assert broken(models, schemas) == []


def test_an_older_table_does_not_hide_what_the_code_no_longer_puts_out():
    models = {
        "stg": "select id, user_id as buyer from raw.orders",
        "fct": "select user_id from main.stg",
    }
    stale = table("main", "stg", "id", "user_id")
    schemas = {RAW: table("raw", "orders", "id", "user_id"), "model.case.stg": stale}
    assert broken(models, schemas) == [("fct", "stg", "user_id")]


def test_what_a_star_passes_on_is_what_its_source_has():
    models = {"stg": "select * from raw.orders", "fct": "select user_id from main.stg"}
    stale = table("main", "stg", "id", "user_id")
    schemas = {RAW: table("raw", "orders", "id"), "model.case.stg": stale}
    assert broken(models, schemas) == [("fct", "stg", "user_id")]
    assert broken(models, {"model.case.stg": stale}) == []  # the source is not known


def test_a_name_that_the_warehouse_makes_up_is_looked_up_in_the_table():
    models = {
        "stg": "select count(*) from raw.orders",
        "fct": 'select "count_star()" as n from main.stg',
    }
    schemas = {
        RAW: table("raw", "orders", "id"),
        "model.case.stg": table("main", "stg", "count_star()"),
    }
    assert broken(models, schemas) == []


@pytest.mark.parametrize(
    ("dialect", "spelled", "found"),
    [
        ("duckdb", '"USER_ID"', []),
        ("snowflake", "user_id", []),
        ("snowflake", '"user_id"', [("stg", "orders", "user_id")]),
        ("snowflake", '"USER_ID"', []),
        ("bigquery", "`user_id`", []),
    ],
)
def test_letter_case_as_the_dialect_has_it(dialect, spelled, found):
    models = {"stg": f"select {spelled} as u from raw.orders"}
    assert broken(models, {RAW: table("raw", "orders", "USER_ID")}, dialect) == found


def test_what_cannot_be_read_is_passed_over():
    models = {
        "a": "select from where",
        "b": "{% macro %}",
        "c": "select x from raw.orders o, main.a",
    }
    assert broken(models, {RAW: table("raw", "orders", "id")}) == []


def test_an_inlined_ephemeral_model_is_not_the_readers_own():
    sql = "with __dbt__cte__e as (select gone from raw.orders) select gone from __dbt__cte__e"
    assert broken({"m": sql}, {RAW: table("raw", "orders", "id")}) == []


def test_models_that_read_each_other_end():
    known = manifest({"a": "select * from main.b", "b": "select * from main.a"})
    columns = Columns(known, {}, "duckdb")
    assert columns.of("model.case.a") is None


class History:
    """A file's versions, newest first."""

    dialect = "duckdb"

    def __init__(self, *texts: str) -> None:
        self._texts = texts

    def versions(self, path: str):
        pairs = zip(self._texts, [*self._texts[1:], None], strict=True)
        yield from ((n, after, before) for n, (after, before) in enumerate(pairs))


def took(*texts: str):
    found = commit_that_took(History(*texts), "models/m.sql", "user_id")  # type: ignore[arg-type]
    return None if found is None else (found.commit, found.added, found.same)


def version(columns: str) -> str:
    return (
        "{{ config(tags=['x']) }}\n"
        "with s as (select * from {{ source('raw', 'orders') }})\n"
        f"select id, {columns} from s\n{{% if is_incremental() %}}where id > 1{{% endif %}}\n"
    )


def test_the_commit_that_renamed_it():
    newest = version("user_id as buyer_id, day")
    assert took(newest, version("user_id, day")) == (0, ("buyer_id",), "buyer_id")
    assert took(newest + "-- note", newest, version("user_id")) == (
        1,
        ("buyer_id", "day"),
        "buyer_id",
    )


def test_the_commit_that_dropped_it():
    assert took(version("day"), version("user_id")) == (0, ("day",), None)
    assert took(version("lower(x) as y"), version("lower(x) as user_id")) == (0, ("y",), None)


def test_no_commit_took_it():
    assert took(version("user_id")) is None
    assert took(version("USER_ID"), version("user_id")) is None
    assert took("select {{ columns() }} from (", version("user_id")) is None
    assert took("select * from {{ ref('x') }}", version("user_id")) is None
