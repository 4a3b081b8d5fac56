"""Who reads a column: by lineage where the code parses, through stars, to the exposures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.model import Asset, Relation
from dagster_agent.schema_drift.impact import Impact, find_impacts, tree_of
from dagster_agent.schema_drift.reads import Use, use_of

ORDERS = Relation(database="shop", schema="raw", name="orders")
KNOWN = {
    ORDERS: ("id", "user_id", "amount", "note"),
    Relation(database="shop", schema="raw", name="users"): ("id", "email"),
}
IMPORT_CTE = """
with src as (select * from "shop"."raw"."orders"),
renamed as (select id as order_id, amount from src)
select * from renamed
"""


@pytest.mark.parametrize(
    ("code", "column", "use"),
    [
        ('select id, amount from "shop"."raw"."orders"', "AMOUNT", Use.READS),
        ('select id from "shop"."raw"."orders" -- amount', "amount", Use.NONE),
        ('select id from "shop"."raw"."orders" where amount > 0', "amount", Use.READS),
        ('select * from "shop"."raw"."orders"', "amount", Use.HANDS_ON),
        ('select count(*) from "shop"."raw"."orders"', "amount", Use.NONE),
        ('select * exclude (amount) from "shop"."raw"."orders"', "amount", Use.READS),
        # only by lineage: a CTE names the columns it takes, the others end there
        (IMPORT_CTE, "amount", Use.READS),
        (IMPORT_CTE, "note", Use.NONE),
        # the name belongs to the other table
        (
            'select u.email, o.* from "shop"."raw"."orders" as o'
            ' join "shop"."raw"."users" as u on u.id = o.user_id',
            "email",
            Use.NONE,
        ),
        ('select email as note from "shop"."raw"."users"', "note", Use.NONE),
        (
            'select o.*, u.email from "shop"."raw"."orders" as o'
            ' join "shop"."raw"."users" as u on u.id = o.user_id',
            "note",
            Use.HANDS_ON,
        ),
        # nobody can tell whose it is: told
        (
            'select amount from "shop"."raw"."orders", "shop"."raw"."unknown"',
            "amount",
            Use.READS,
        ),
    ],
)
def test_what_a_query_does_with_a_column(code: str, column: str, use: Use) -> None:
    assert use_of(code, ORDERS, column, dialect="duckdb", known=KNOWN) is use


def _manifest(
    models: Mapping[str, tuple[str, list[str]]], exposures: Mapping[str, str]
) -> Manifest:
    nodes: dict[str, Any] = {
        f"model.shop.{name}": {
            "unique_id": f"model.shop.{name}",
            "name": name,
            "resource_type": "model",
            "package_name": "shop",
            "original_file_path": f"models/{name}.sql",
            "relation_name": f'"shop"."main"."{name}"',
            "raw_code": code,
            "compiled_code": code,
            "language": "sql",
            "depends_on": {"nodes": parents},
        }
        for name, (code, parents) in models.items()
    }
    nodes["test.shop.unique_note"] = {
        "unique_id": "test.shop.unique_note",
        "name": "unique_note",
        "resource_type": "test",
        "package_name": "shop",
        "depends_on": {"nodes": ["model.shop.all_orders"]},
        "attached_node": "model.shop.all_orders",
        "column_name": "note",
        "test_metadata": {"name": "unique", "kwargs": {"column_name": "note"}},
    }
    source = {
        "unique_id": "source.shop.raw.orders",
        "name": "orders",
        "resource_type": "source",
        "package_name": "shop",
        "original_file_path": "models/raw.yml",
        "relation_name": '"shop"."raw"."orders"',
    }
    return Manifest.from_bytes(
        json.dumps(
            {
                "metadata": {
                    "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
                    "project_name": "shop",
                    "adapter_type": "duckdb",
                },
                "nodes": nodes,
                "sources": {"source.shop.raw.orders": source},
                "exposures": {
                    f"exposure.shop.{name}": {
                        "unique_id": f"exposure.shop.{name}",
                        "name": name,
                        "depends_on": {"nodes": [f"model.shop.{parent}"]},
                    }
                    for name, parent in exposures.items()
                },
            }
        ).encode()
    )


@pytest.fixture(scope="module")
def impacts_of() -> Callable[..., Mapping[str, Impact]]:
    raw, everything = "source.shop.raw.orders", "model.shop.all_orders"
    manifest = _manifest(
        {
            "all_orders": ('select * from "shop"."raw"."orders"', [raw]),
            "notes": ('select note as text from "shop"."main"."all_orders"', [everything]),
            "words": ('select text from "shop"."main"."notes"', ["model.shop.notes"]),
            "revenue": ('select sum(amount) as eur from "shop"."main"."all_orders"', [everything]),
        },
        {"word_cloud": "words", "orders_sheet": "all_orders", "board": "revenue"},
    )
    columns = {"orders": ("id", "amount", "note"), "all_orders": ("id", "amount", "note")}

    def columns_of(asset: Asset) -> Sequence[str] | None:
        return columns.get(asset.name)

    def found(*names: str) -> Mapping[str, Impact]:
        return find_impacts(manifest, raw, names, columns_of=columns_of)

    return found


def test_the_tree_goes_through_stars_to_tests_and_exposures(
    impacts_of: Callable[..., Mapping[str, Impact]],
) -> None:
    note = impacts_of("note")["note"]
    assert note.names == ("notes", "test unique_note", "exposure orders_sheet")
    assert [(t.name, t.level, t.through) for t in note.behind] == [
        ("words", 2, "notes"),
        ("word_cloud", 3, "words"),
    ]
    assert note.count == "2 models, 2 exposures, 1 test"
    assert note.models == ("model.shop.notes", "model.shop.words")
    assert note.tests == ("unique_note",)
    assert tree_of({"note": note}).rows == (
        ("note", 1, "model", "notes", "all_orders"),
        ("note", 1, "test", "unique_note", "all_orders"),
        ("note", 1, "exposure", "orders_sheet", "all_orders"),
        ("note", 2, "model", "words", "notes"),
        ("note", 3, "exposure", "word_cloud", "words"),
    )


def test_a_column_that_no_model_names(impacts_of: Callable[..., Mapping[str, Impact]]) -> None:
    found = impacts_of("id", "Amount")
    assert found["id"].names == ("exposure orders_sheet",)
    assert found["id"].models == ()
    assert found["amount"].count == "1 model, 2 exposures"
    assert found[""].count == "4 models, 3 exposures"
