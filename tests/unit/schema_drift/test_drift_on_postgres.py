"""On a PostgreSQL server: the statements run there, and its catalogue tells what the rules need."""

from __future__ import annotations

from pathlib import Path

from dagster_agent.connectors.warehouses import open_warehouse
from dagster_agent.model import Asset, Relation
from dagster_agent.schema_drift.config import SchemaDriftConfig
from dagster_agent.schema_drift.diff import diff_schemas
from dagster_agent.schema_drift.engine import RULES
from dagster_agent.schema_drift.fingerprints import Samples, take_sketches
from dagster_agent.schema_drift.neighbours import place_of, undeclared_tables
from tests.postgres_server import Postgres

TABLE = """
CREATE TABLE orders (
  id integer PRIMARY KEY, user_id bigint, "Größe" numeric(10,2), status text DEFAULT 'new',
  code varchar(10), note text COLLATE "C", "select" text, payload jsonb, tags integer[]);
INSERT INTO orders SELECT i, 1000 + i, i * 1.5, 'new', 'c' || i, 'n' || i, 'x', '{}', ARRAY[i]
FROM generate_series(1, 500) AS i;
"""
CHANGES = {
    'ALTER TABLE orders RENAME COLUMN user_id TO "buyer"': ["column-renamed"],
    "ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'open'": ["column-default-changed"],
    "ALTER TABLE orders ALTER COLUMN code TYPE varchar(5) USING left(code, 5)": ["column-retyped"],
    "ALTER TABLE orders ALTER COLUMN note TYPE text": ["column-collation-changed"],
    "ALTER TABLE orders ALTER COLUMN code SET NOT NULL": ["column-tightened"],
    "ALTER TABLE orders DROP CONSTRAINT orders_pkey": ["primary-key-changed"],
    "COMMENT ON COLUMN orders.id IS 'of the shop'": ["comment-changed"],
    'ALTER TABLE orders RENAME COLUMN note TO "NOTE"': ["column-recased"],
    'ALTER TABLE orders DROP COLUMN "select"': ["column-removed"],
    "ALTER TABLE orders ALTER COLUMN code TYPE text": ["column-retyped"],
}


def test_each_change_on_a_server_is_one_drift(postgres: Postgres, tmp_path: Path) -> None:
    database = postgres.database(empty=True).partition("?")[0].rpartition("/")[2]
    postgres.sql(TABLE, database)
    warehouse = open_warehouse(
        postgres.target(database), base_dir=tmp_path, snapshot_dir=tmp_path / "snapshots"
    )
    orders = Relation(database=database, schema="public", name="orders")
    for statement, expected in CHANGES.items():
        before = warehouse.schemas([orders])[orders]
        sketches = take_sketches(warehouse, orders, before.columns, salt="ab", rows=1000)
        assert {"id", "Größe", "code"} <= sketches.keys()
        assert not sketches.keys() & {"payload", "tags", "status", "select"}
        postgres.sql(statement, database)
        after = warehouse.schemas([orders])[orders]
        now = take_sketches(warehouse, orders, after.columns, salt="ab", rows=1000)
        diff = diff_schemas(
            before,
            after,
            dialect="postgres",
            rename_confidence=0.6,
            samples=Samples(before=sketches, after=now),
        )
        assert [rule.id for rule in RULES for _ in rule.find(diff)] == expected, statement
        if expected == ["column-renamed"]:
            assert "100% of sampled values the same" in diff.renamed[0].evidence

    postgres.sql('CREATE TABLE "Refunds" (id integer)', database)
    known = Asset(unique_id="o", name="orders", resource_type="source", relation=orders)
    found = undeclared_tables(warehouse, {"o": known}, [orders], SchemaDriftConfig())
    assert found == {place_of(orders): ("Refunds",)}
