"""Checks of a real DuckDB file, one after the other, as the project lives on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConnectorError
from dagster_agent.model import (
    Detection,
    DetectionStatus,
    Relation,
    ResultTable,
    Severity,
    TableSchema,
)
from dagster_agent.response import accept_baseline
from dagster_agent.response.schema_detection import (
    accepted_baseline,
    holds,
    schema_detections,
)
from dagster_agent.response.workspace import Workspace
from dagster_agent.settings import Settings

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
ORDERS = "source.shop.raw.orders"
USERS = "source.shop.raw.users"
PROJECT = "name: shop\nprofile: shop\n"
PROFILES = "shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb}}}\n"
STAGED = 'select id, amount, user_id from "shop"."main"."orders"'


def _source(name: str) -> dict[str, Any]:
    return {
        "unique_id": f"source.shop.raw.{name}",
        "name": name,
        "resource_type": "source",
        "relation_name": f'"shop"."main"."{name}"',
    }


MANIFEST = {
    "metadata": {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "project_name": "shop",
        "adapter_type": "duckdb",
    },
    "nodes": {
        "model.shop.stg_orders": {
            "unique_id": "model.shop.stg_orders",
            "name": "stg_orders",
            "resource_type": "model",
            "relation_name": '"shop"."main"."stg_orders"',
            "raw_code": STAGED,
            "compiled_code": STAGED,
            "depends_on": {"nodes": [ORDERS]},
        },
        "test.shop.not_null_amount": {
            "unique_id": "test.shop.not_null_amount",
            "name": "not_null_amount",
            "resource_type": "test",
            "column_name": "amount",
            "attached_node": "model.shop.stg_orders",
            "depends_on": {"nodes": [ORDERS]},
            "test_metadata": {"name": "not_null", "kwargs": {"column_name": "amount"}},
        },
    },
    "sources": {name: _source(name.rpartition(".")[2]) for name in (ORDERS, USERS)},
}


class Shop:
    """A shop's raw tables, and the agent that looks at them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = NOW
        (root / "dbt_project.yml").write_text(PROJECT)
        (root / "profiles.yml").write_text(PROFILES)
        self.sql(
            "create table orders as select i as id, 1000 + i as user_id, i * 1.5 as amount,"
            " 'note ' || i as note from range(500) as t(i)"
        )
        self.sql("create table users as select i as id, 'a' || i as email from range(20) as t(i)")
        settings = Settings.parse({"project_dir": root, "profiles_dir": root})
        opened = Workspace.open(settings, state_directory=root / "state")
        self.workspace = replace(
            opened, _manifest=Manifest.from_bytes(json.dumps(MANIFEST).encode())
        )

    def sql(self, statement: str) -> None:
        with duckdb.connect(str(self.root / "shop.duckdb")) as connection:
            connection.execute(statement)

    def look(self, uid: str = ORDERS) -> Detection:
        """One check, an hour after the last."""
        self.now += timedelta(hours=1)
        run = replace(self.workspace, _schemas=None)  # a run reads the schemas once
        (found,) = schema_detections(run, run.manifest.asset(uid), self.now)
        return found


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.workspace.close()


def test_a_rename_is_known_by_its_values(shop: Shop) -> None:
    first = shop.look()
    assert first.status is DetectionStatus.UNTRAINED
    baseline = shop.workspace.store.baseline(ORDERS)
    assert baseline is not None
    sizes = {name: len(found) for name, found in baseline.fingerprints.items()}
    assert sizes == {"id": 100, "user_id": 100, "amount": 100, "note": 100}
    assert str(1000) not in json.dumps(baseline.fingerprints["user_id"][:3])

    # another name at another place, with a rival of the same type that holds other values
    shop.sql(
        "create or replace table orders as select id, amount, note, -id as rank,"
        " user_id as customer from orders"
    )
    found = shop.look()
    assert found.status is DetectionStatus.FAILED
    assert found.headline.startswith(
        "orders: column user_id looks renamed to customer (0.93: same type BIGINT, names"
    )
    assert "100% of sampled values the same" in found.headline
    assert "read by stg_orders" in found.headline
    assert found.severity is Severity.ERROR


def test_other_values_in_the_same_place_are_no_rename(shop: Shop) -> None:
    shop.look()
    shop.sql(
        "create or replace table orders as select id, -(id::bigint) as discount, amount, note"
        " from orders"
    )
    found = shop.look()
    assert found.headline.startswith("orders: column user_id (BIGINT) is gone; read by stg_orders")


def test_acceptance_moves_the_baseline_with_its_sketches(shop: Shop) -> None:
    shop.look()
    shop.sql("alter table orders rename column amount to total")
    assert shop.look().status is DetectionStatus.FAILED
    (hold,) = holds(shop.workspace.store)
    assert hold.affected == ("model.shop.stg_orders",)
    assert hold.tests == ("not_null_amount",)
    assert shop.look().status is DetectionStatus.FAILED

    accept_baseline(
        shop.workspace, "orders", decided_by="ann", now=shop.now, comment="agreed with the shop"
    )
    accepted = accepted_baseline(shop.workspace.store, ORDERS)
    assert accepted is not None
    assert accepted.accepted_by == "ann"
    assert set(accepted.fingerprints) == {"id", "user_id", "total", "note"}
    record = shop.workspace.store.audit()[-1]
    assert record.action == "accept-schema"
    intents = [r.detail for r in shop.workspace.store.audit() if r.detail.get("comment")]
    assert intents[0]["comment"] == "agreed with the shop"
    assert shop.look().status is DetectionStatus.PASSED
    assert holds(shop.workspace.store) == ()


def test_a_revert_ends_the_hold(shop: Shop) -> None:
    shop.look()
    shop.sql("alter table orders drop column amount")
    assert shop.look().status is DetectionStatus.FAILED
    assert holds(shop.workspace.store)
    shop.sql("alter table orders add column amount decimal(21,1)")
    shop.sql("create or replace table orders as select id, user_id, amount, note from orders")
    assert shop.look().headline.startswith("orders: all 4 columns are as accepted")
    assert holds(shop.workspace.store) == ()


def test_sketches_are_taken_anew_when_they_are_old(shop: Shop) -> None:
    shop.look()
    shop.sql("update orders set user_id = user_id + 100000")
    shop.look()
    kept = accepted_baseline(shop.workspace.store, ORDERS)
    assert kept == shop.workspace.store.baseline(ORDERS)
    shop.now += timedelta(days=2)
    shop.look()
    fresh = accepted_baseline(shop.workspace.store, ORDERS)
    assert kept is not None
    assert fresh is not None
    assert fresh.fingerprints["id"] == kept.fingerprints["id"]
    assert not set(fresh.fingerprints["user_id"]) & set(kept.fingerprints["user_id"])
    assert fresh.accepted_at == kept.accepted_at


def test_a_table_that_was_replaced_with_the_same_columns_is_quiet(shop: Shop) -> None:
    shop.look()
    shop.sql("create table new_orders as select * from orders where id < 5")
    shop.sql("drop table orders")
    shop.sql("alter table new_orders rename to orders")
    assert shop.look().headline.startswith("orders: all 4 columns are as accepted")
    shop.sql("drop table orders")
    gone = shop.look()
    assert (gone.status, gone.severity) == (DetectionStatus.FAILED, Severity.ERROR)


def test_a_new_table_beside_a_source_is_told_once_by_the_first_source(shop: Shop) -> None:
    for uid in (ORDERS, USERS):
        shop.look(uid)
    shop.sql("create table refunds (id integer)")
    shop.sql("create table _dlt_loads (id integer)")
    assert shop.look(USERS).headline.startswith("users: all 2 columns are as accepted")
    told = shop.look()
    assert told.headline.startswith("orders: table main.refunds is new beside it, and no source (")
    assert (told.status, told.severity) == (DetectionStatus.PASSED, Severity.INFO)
    assert shop.look().headline.startswith("orders: all 4 columns are as accepted")


def test_nothing_is_sketched_where_the_settings_say_so(shop: Shop) -> None:
    off = shop.workspace.settings.model_copy(
        update={
            "schema_drift": shop.workspace.settings.schema_drift.model_copy(
                update={"fingerprints": "off"}
            )
        }
    )
    shop.workspace.settings = off
    shop.look()
    baseline = shop.workspace.store.baseline(ORDERS)
    assert baseline is not None
    assert baseline.fingerprints == {}


def test_a_project_keeps_its_salt(shop: Shop) -> None:
    shop.look()
    (salt,) = shop.workspace.store.entries("schema-drift/salt/shop").values()
    shop.now += timedelta(days=2)
    shop.look()
    assert list(shop.workspace.store.entries("schema-drift/salt/shop").values()) == [salt]


class Withheld:
    """A warehouse whose catalogue shows nothing, as to a role that lost a grant."""

    dialect = "duckdb"

    def __init__(self, error: str = "") -> None:
        self.error = error

    def schemas(self, relations: Sequence[Relation]) -> dict[Relation, TableSchema]:
        return {}

    def query(self, sql: str, *, purpose: str, max_rows: int = 1000) -> ResultTable:
        if self.error:
            raise ConnectorError(self.error)
        return ResultTable(columns=("there",), rows=())


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("", DetectionStatus.COULD_NOT_RUN),
        ("permission denied for table orders", DetectionStatus.COULD_NOT_RUN),
        ('relation "orders" does not exist', DetectionStatus.FAILED),
        ("Object 'ORDERS' does not exist or not authorized", DetectionStatus.FAILED),
    ],
)
def test_a_lost_grant_is_no_drop(shop: Shop, error: str, status: DetectionStatus) -> None:
    shop.look()
    shop.workspace = replace(shop.workspace, warehouse=Withheld(error))  # type: ignore[arg-type]
    found = shop.look()
    assert found.status is status
    if status is DetectionStatus.COULD_NOT_RUN:
        assert "the columns of shop.main.orders are not shown to this user" in found.headline
        assert found.hint == "grant the agent's user SELECT on shop.main.orders"
