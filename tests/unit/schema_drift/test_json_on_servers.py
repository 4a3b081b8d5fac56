"""The statement on a PostgreSQL server and, as far as it is emulated, on Snowflake."""

from __future__ import annotations

import importlib
import json
import logging
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dagster_agent.connectors.warehouses import open_warehouse
from dagster_agent.model import Relation
from dagster_agent.schema_drift.config import SchemaDriftConfig
from dagster_agent.schema_drift.json_changes import key_changes
from dagster_agent.schema_drift.json_keys import path_text
from dagster_agent.schema_drift.json_look import JsonLook, take_look
from dagster_agent.schema_drift.json_memory import first_known
from dagster_agent.schema_drift.json_query import SPAN, JsonColumn, Reach, keys_query
from dagster_agent.sql.guard import read_only
from tests.postgres_server import Postgres
from tests.snowflake_server import snowflake_server
from tests.unit.schema_drift.json_sample import rows_of

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
DOCUMENTS = [
    {
        "amount": 1.5 if n % 2 else n,
        "user": {"email": "a@shop.example", "id": None if n % 3 else n},
        "items": [{"sku": "x"}, {"sku": "y", "gift": True}][: n % 3],
        "tags": {f"t{n}": 1},
    }
    for n in range(60)
]
TABLE = """
CREATE TABLE events (id integer, created_at timestamp, payload jsonb, plain json, raw text);
INSERT INTO events SELECT i, timestamp '2026-11-01' + i * interval '1 minute',
  jsonb_build_object('amount', CASE WHEN i % 2 = 0 THEN to_jsonb(i) ELSE to_jsonb(1.5) END,
    'user', jsonb_build_object('email', 'a@shop.example',
      'id', CASE WHEN i % 3 = 0 THEN i END),
    'items', (jsonb_path_query_array('[{"sku": "x"}, {"sku": "y", "gift": true}]'::jsonb,
      ('$[*] ? (' || i || ' % 3 > 0 && (@.sku == "x" || ' || i || ' % 3 > 1))')::jsonpath)),
    'tags', jsonb_build_object('t' || i, 1)),
  '[1]', CASE WHEN i % 2 = 0 THEN '{"a": 1}' ELSE '{no' END
FROM generate_series(0, 59) AS i;
"""


def test_on_postgres_as_on_duckdb(postgres: Postgres, tmp_path: Path) -> None:
    database = postgres.database(empty=True).partition("?")[0].rpartition("/")[2]
    postgres.sql(TABLE, database)
    warehouse = open_warehouse(
        postgres.target(database), base_dir=tmp_path, snapshot_dir=tmp_path / "snapshots"
    )
    events = Relation(database=database, schema="public", name="events")
    schema = warehouse.schemas([events])[events]

    def look(moment: str | None = "created_at", **given: Any) -> JsonLook:
        config = SchemaDriftConfig(json_text_columns=("raw",), **given)
        found = take_look(warehouse, schema, config=config, moment=lambda: moment, now=NOW)
        assert found is not None
        assert found.problem is None
        return found

    query = keys_query(
        '"events"', [JsonColumn(name="payload")], Reach(rows=99, moment="created_at"), "postgres"
    )
    found = warehouse.query(query, purpose="test", max_rows=999)
    assert sorted(found.rows) == [*rows_of(DOCUMENTS[::-1]), (SPAN, "", 1, 0, 0, 0)]

    first = look()
    assert {name: column.documents for name, column in first.found.items()} == {
        "payload": 60,
        "plain": 60,
        "raw": 60,
    }
    assert set(first.found["raw"].keys[()].kinds) == {"object", "invalid"}
    assert set(first.found["plain"].keys["[]",].kinds) == {"integer"}
    # nothing tells which rows are new but where they lie; the budget allows a part of the table
    postgres.sql(
        "INSERT INTO events SELECT 60 + i, timestamp '2026-11-02' + i * interval '1 minute',"
        ' \'{"amount": "1.5"}\' FROM generate_series(1, 40) AS i',
        database,
    )
    for again in (look(), look(None), look(None, json_max_bytes=8191)):
        changes = key_changes(first_known(first.found["payload"]), again.found["payload"])
        told = {(change.kind, path_text("payload", change.path)) for change in changes}
        if "TABLESAMPLE" not in again.query:
            assert told == {
                ("retyped", "payload.amount"),
                ("removed", "payload.items"),
                ("removed", "payload.tags"),
                ("removed", "payload.user"),
            }
    assert "TABLESAMPLE SYSTEM" in again.query


@pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result:UserWarning")
def test_on_snowflake_as_far_as_it_is_emulated(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        connector: Any = importlib.import_module("snowflake.connector")
    document = {
        "amount": 1.5,
        "gone": None,
        "items": [{"sku": "x"}, {"sku": "y"}],
        "user": {"id": "u"},
        "paid": True,
    }
    with snowflake_server() as login:
        logging.getLogger("uvicorn").setLevel(logging.ERROR)
        with connector.connect(**login, database="SHOP", schema="PUBLIC") as connection:
            cursor = connection.cursor()
            cursor.execute("create table events (created_at timestamp, payload variant)")
            told = json.dumps(document)
            cursor.execute(f"insert into events select '2026-11-01', parse_json('{told}')")
            columns = [JsonColumn(name="PAYLOAD")]
            query = keys_query('"EVENTS"', columns, Reach(rows=9, moment="CREATED_AT"), "snowflake")
            # all is emulated but TYPEOF, which calls everything JSON; DuckDB's own function stands
            # in, whose words are the same for what is here
            told = read_only(query, "snowflake").replace("TYPEOF(", "JSON_TYPE(")
            found = sorted(cursor.execute(told).fetchall())
        target = {"type": "snowflake", "database": "shop", "schema": "public", **login}
        warehouse: Any = open_warehouse(target, base_dir=tmp_path, snapshot_dir=tmp_path)
        events = Relation(database="SHOP", schema="PUBLIC", name="EVENTS")
        look = take_look(
            warehouse,
            warehouse.schemas([events])[events],
            config=SchemaDriftConfig(),
            moment=lambda: "CREATED_AT",
            now=NOW,
        )
        warehouse.close()
    assert found == [*rows_of([document]), (SPAN, "", 0, 0, 0, 0)]
    assert look is not None
    assert look.problem is not None
    assert "calls the type of a JSON value 'json', which is none" in look.problem.message
