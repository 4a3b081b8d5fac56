"""The manifest: what it tells, and every way in which it can be wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConfigError
from dagster_agent.model import Relation
from tests.unit.dbt.small_manifest import V12, built, node


@pytest.fixture(scope="module")
def manifest(worker) -> Manifest:
    """As dbt really writes it."""
    return Manifest.load(worker.run(["compile"]).manifest_path)


# what dbt writes ---------------------------------------------------------------------------------
def test_assets_are_models_and_sources_sorted_without_disabled_ones(manifest):
    assert manifest.project_name == "tiny"
    assert manifest.adapter_type == "duckdb"
    assert list(manifest.assets) == [
        "model.tiny.a",
        "model.tiny.b",
        "model.tiny.c",
        "model.tiny.d",
        "source.tiny.raw.orders",
    ]


def test_an_asset_knows_where_it_is_and_whose(manifest):
    a = manifest.asset("model.tiny.a")
    assert a.relation == Relation(database="tiny", schema="main", name="a")
    assert (a.materialized, a.path, a.owner) == ("table", "models/a.sql", "Finance team")
    assert a.declared_columns == ("id", "größe")
    assert manifest.asset("model.tiny.b").owner == "team:ops, ada@example.com"
    assert manifest.asset("model.tiny.c").relation is None
    source = manifest.asset("source.tiny.raw.orders")
    assert (source.materialized, source.owner) == ("source", "Ingestion")


def test_meta_of_source_and_table_are_merged(manifest):
    meta = manifest.asset("source.tiny.raw.orders").meta
    assert meta["dagster_agent"] == {"critical": True, "tolerance": 1}
    assert meta["owner"] == "Ingestion"


def test_code_is_there_raw_and_compiled(manifest):
    assert manifest.raw_code("model.tiny.a").endswith("{{ source('raw', 'orders') }}")
    assert '"tiny"."raw"."orders"' in manifest.compiled_code("model.tiny.a")
    assert "__dbt__cte__c" in manifest.compiled_code("model.tiny.d")
    assert manifest.compiled_code("source.tiny.raw.orders") is None


def test_lineage_is_nearest_first(manifest):
    assert manifest.parents("model.tiny.d") == ("model.tiny.b", "model.tiny.c")
    assert manifest.children("model.tiny.a") == ("model.tiny.b", "model.tiny.c")
    assert manifest.upstream("model.tiny.d") == (
        "model.tiny.b",
        "model.tiny.c",
        "model.tiny.a",
        "source.tiny.raw.orders",
    )
    assert manifest.downstream("source.tiny.raw.orders") == (
        "model.tiny.a",
        "model.tiny.b",
        "model.tiny.c",
        "model.tiny.d",
    )
    assert manifest.downstream("model.tiny.d") == ()


def test_tests_know_what_they_test(manifest):
    found = {t.kind: t for t in manifest.tests_of("model.tiny.b")}
    assert set(found) == {"relationships", "accepted_values", "no_negative"}
    assert found["relationships"].kwargs["to"] == "ref('a')"
    assert found["relationships"].column == "id"
    assert found["accepted_values"].severity == "warn"
    assert found["accepted_values"].kwargs["values"] == [1, 2]
    assert found["no_negative"].asset is None
    assert found["no_negative"].depends_on == ("model.tiny.b",)


def test_the_test_of_a_source_is_attached_to_it(manifest):
    (unique,) = manifest.tests_of("source.tiny.raw.orders")
    assert (unique.kind, unique.asset) == ("unique", "source.tiny.raw.orders")


def test_unique_keys(manifest):
    assert manifest.unique_key("model.tiny.a") == ("id",)
    assert manifest.unique_key("model.tiny.b") == ("id",)
    assert manifest.unique_key("source.tiny.raw.orders") == ("id",)
    assert manifest.unique_key("model.tiny.d") == ()


def test_exposures_are_reached_through_lineage(manifest):
    (dashboard,) = manifest.exposures_of(["source.tiny.raw.orders"])
    assert (dashboard.name, dashboard.owner, dashboard.type) == ("dashboard", "Ops", "dashboard")
    assert dashboard.url == "https://example.com"
    assert manifest.exposures_of(["model.tiny.d"]) == ()


@pytest.mark.parametrize(
    "text",
    [
        "source.tiny.raw.orders",
        "raw.orders",
        "orders",
        "RAW.Orders",
        '"tiny"."raw"."orders"',
        "tiny.raw.orders",
    ],
)
def test_find_takes_what_people_write(manifest, text):
    assert manifest.find(text).unique_id == "source.tiny.raw.orders"


def test_find_names_near_matches(manifest):
    with pytest.raises(ConfigError, match=r"no asset 'ordesr'.*did you mean orders"):
        manifest.find("ordesr")
    with pytest.raises(ConfigError, match=r"'model\.tiny\.off'"):
        manifest.asset("model.tiny.off")


def test_by_relation_ignores_letter_case(manifest):
    found = manifest.by_relation(Relation(database="TINY", schema="Main", name="A"))
    assert found is manifest.asset("model.tiny.a")
    assert manifest.by_relation(Relation(name="b")) is manifest.asset("model.tiny.b")
    assert manifest.by_relation(Relation(database="x", schema="main", name="a")) is None
    assert manifest.by_relation(Relation(name="nope")) is None


# what else may be in one -------------------------------------------------------------------------
def test_the_smallest_manifest():
    manifest = built()
    assert (manifest.assets, manifest.tests, manifest.exposures) == ({}, {}, ())
    with pytest.raises(ConfigError, match="no asset 'x' in the dbt project 'shop'"):
        manifest.find("x")


def test_source_meta_is_merged_key_by_key():
    table = node(
        "source.shop.raw.t",
        source_meta={"dagster_agent": {"owner": "Ada", "a": {"x": 1}}, "k": 1},
        meta={"dagster_agent": {"a": {"y": 2}}},
        config={"meta": {"k": 2}},
    )
    asset = built(table).asset("source.shop.raw.t")
    assert asset.meta == {"dagster_agent": {"owner": "Ada", "a": {"x": 1, "y": 2}}, "k": 2}
    assert asset.owner == "Ada"


def test_a_model_is_meant_before_a_source_of_the_same_name():
    manifest = built(node("model.shop.orders"), node("source.shop.raw.orders"))
    assert manifest.find("orders").unique_id == "model.shop.orders"
    assert manifest.find("raw.orders").unique_id == "source.shop.raw.orders"


def test_an_ambiguous_name_lists_what_it_may_mean():
    manifest = built(node("model.shop.dim.v1", name="dim"), node("model.shop.dim.v2", name="dim"))
    with pytest.raises(ConfigError, match=r"may mean model\.shop\.dim\.v1, model\.shop\.dim\.v2"):
        manifest.find("dim")
    assert manifest.find("dim.v2").unique_id == "model.shop.dim.v2"


@pytest.mark.parametrize(
    ("adapter", "text", "relation"),
    [
        ("duckdb", '"a ""b"""."S"."ä.x"', Relation(database='a "b"', schema="S", name="ä.x")),
        ("snowflake", "db.sch.orders", Relation(database="DB", schema="SCH", name="ORDERS")),
        ("snowflake", 'db.sch."orders"', Relation(database="DB", schema="SCH", name="orders")),
        ("postgres", '"Db".Sch."T"', Relation(database="Db", schema="sch", name="T")),
        ("bigquery", "`my-project`.`d`.`t`", Relation(database="my-project", schema="d", name="t")),
        ("databricks", "`s`.`t`", Relation(schema="s", name="t")),
        ("duckdb", "read_csv('x.csv')", None),
        ("duckdb", "'data/*.parquet'", None),
        ("duckdb", None, None),
        ("duckdb", "a.b.c.d", None),
        ("duckdb", "a.", None),
    ],
)
def test_relation_names_of_all_dialects(adapter, text, relation):
    manifest = built(node("model.shop.m", relation_name=text), adapter=adapter)
    assert manifest.asset("model.shop.m").relation == relation


def test_packages_python_models_and_odd_nodes():
    manifest = built(
        node("model.other.m", original_file_path="models\\m.sql", compiled_code="select 1"),
        node("model.shop.py", language="python", compiled_code="def model(): ..."),
        node("analysis.shop.x"),
        node("model.shop.off", config={"enabled": False}),
        disabled={"model.shop.older": [{}]},
    )
    assert list(manifest.assets) == ["model.other.m", "model.shop.py"]
    assert manifest.asset("model.other.m").path == "dbt_packages/other/models/m.sql"
    assert manifest.compiled_code("model.shop.py") is None


def test_a_cycle_or_a_missing_parent_does_not_hang():
    manifest = built(
        node("model.shop.a", depends_on={"nodes": ["model.shop.b", "model.shop.gone"]}),
        node("model.shop.b", depends_on={"nodes": ["model.shop.a"]}),
    )
    assert manifest.downstream("model.shop.a") == ("model.shop.b",)
    assert manifest.upstream("model.shop.a") == ("model.shop.b",)


# what cannot be read -----------------------------------------------------------------------------
def other_version(version: str) -> bytes:
    return json.dumps({"metadata": {"dbt_schema_version": version}, "nodes": 1}).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b'{"metadata": {"dbt_sch', "no complete JSON"),
        (b"not json", "no complete JSON"),
        (b"\xff\xfe", "no complete JSON"),
        (b"[]", "no dbt manifest"),
        (b"{}", "no dbt manifest"),
        (other_version("https://schemas.getdbt.com/dbt/catalog/v1.json"), "no dbt manifest"),
        (other_version(V12.replace("v12", "v10")), "schema version 10, but version 12 is needed"),
        (other_version(V12.replace("v12", "v20")), "schema version 20"),
        (other_version(V12), r"does not look as dbt writes it: .*\$\.nodes"),
    ],
)
def test_a_broken_manifest_says_what_is_wrong(tmp_path: Path, content: bytes, message: str):
    path = tmp_path / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        Manifest.load(path)
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_a_missing_manifest_and_a_folder(tmp_path: Path):
    with pytest.raises(ConfigError, match="no dbt manifest at"):
        Manifest.load(tmp_path / "manifest.json")
    with pytest.raises(ConfigError, match="cannot be read"):
        Manifest.load(tmp_path)
