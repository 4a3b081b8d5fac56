"""The statement that lists keys: on DuckDB it finds what a few lines of Python find."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from dagster_agent.connectors.warehouses import open_warehouse
from dagster_agent.errors import ConfigError
from dagster_agent.model import ColumnSchema, Relation, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.schema_drift.config import SchemaDriftConfig
from dagster_agent.schema_drift.json_keys import is_data, path_text
from dagster_agent.schema_drift.json_look import JsonLook, is_json, take_look
from dagster_agent.schema_drift.json_query import SPAN, JsonColumn, Reach, keys_query
from dagster_agent.sql.guard import read_only
from tests.unit.schema_drift.json_sample import look_at, rows_of

DAY = timedelta(days=1)
MONDAY = datetime(2026, 11, 16)  # noqa: DTZ001 - as a table has it
NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
EVENTS = Relation(database="shop", schema="main", name="events")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**63) | st.just(1.5) | st.text(max_size=3),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.sampled_from("abcd.e"), below, max_size=4)
    ),
    max_leaves=12,
)


def _found(documents: Sequence[Any]) -> list[Any]:
    """The statement's rows for documents, the newest of which come last."""
    query = keys_query(
        '"t"', [JsonColumn(name="d")], Reach(rows=1000, moment="place"), dialect="duckdb"
    )
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("create table t (place timestamp, d json)")
        rows = [(MONDAY + n * DAY / 2, json.dumps(each)) for n, each in enumerate(documents)]
        connection.executemany("insert into t values (?, ?)", rows)
        *found, span = sorted(connection.execute(read_only(query, "duckdb")).fetchall())
    assert span == (SPAN, "", 12 * (len(documents) - 1), 0, 0, 0)
    return found


@effort(max_examples=8)
@given(st.lists(VALUES, min_size=1, max_size=12))
def test_the_statement_finds_what_is_there(documents: list[Any]) -> None:
    assert _found(documents) == rows_of(documents[::-1])


@pytest.mark.parametrize("keys", [30, 50])
def test_rare_keys_of_an_object_with_many_are_folded_in_the_warehouse(keys: int) -> None:
    documents = [{"prices": {f"p{n % keys}": {"usd": 1.5}, "base": 1}} for n in range(200)]
    found = _found(documents)
    assert found == rows_of(documents[::-1])
    below = {str(row[0]).split("\x1f")[2] for row in found if str(row[0]).count("\x1f") == 2}
    names = {f"p{n}" for n in range(30)} if keys == 30 else {"*"}
    assert below == {"base", *names}


def test_documents_are_looked_at_four_levels_deep() -> None:
    found = _found([{"a": {"b": {"c": {"d": {"e": 1}}}}}])
    assert [row[0].count("\x1f") for row in found] == [0, 1, 2, 3, 4]
    assert found[-1][:2] == ("0\x1fa\x1fb\x1fc\x1fd", "object")


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("amount", False),
        ("has space", False),
        ("größe", False),
        ("utm_source", False),
        ("iso8601", False),
        ("sha256", False),
        ("xml:lang", False),
        ("$ref", True),
        ("4711", True),
        ("ann@shop.example", True),
        ("2026-11-21", True),
        ("order-100234", True),
        ("123e4567-e89b-12d3-a456-426614174000", True),
        ("d41d8cd98f00b204", True),
        ("+49 151 2345678", True),
        ("a" * 65, True),
        ("he said that it was", True),
    ],
)
def test_keys_that_are_data(key: str, data: bool) -> None:
    assert is_data(key) is data


def test_no_key_that_is_data_leaves() -> None:
    people = ["anna", "maria", "john", "robert"]
    documents = [
        {
            "by_mail": {f"u{n}@shop.example": 1},
            "by_name": {name: {"visits": 1} for name in people},
            "aws AKIAIOSFODNN7EXAMPLE": 1,
        }
        for n in range(5)
    ]
    found = look_at(documents)
    told = {path_text("payload", path) for path in found.keys}
    assert told == {
        "payload",
        "payload.by_mail",
        "payload.by_mail.*",
        "payload.by_name",
        "payload.by_name.*",
        "payload.by_name.*.visits",
        "payload.*",
    }
    assert found.keys["by_mail", "*"].kinds["integer"].documents == 5


class _Warehouse:
    """What to expect of a look besides its result."""

    def __init__(
        self,
        real: Warehouse,
        *,
        dialect: str = "duckdb",
        scanned: int | None = None,
        truncated: bool = False,
    ):
        self._real = real
        self.dialect = dialect
        self.name = "duckdb:shop"
        self.scanned = scanned
        self.truncated = truncated
        self.asked: list[str] = []

    def bytes_scanned(self, sql: str) -> int | None:
        return self.scanned

    def query(self, sql: str, *, purpose: str, max_rows: int = 1000) -> Any:
        self.asked.append(sql)
        found = self._real.query(sql, purpose=purpose, max_rows=max_rows)
        return replace(found, truncated=self.truncated)


@pytest.fixture
def events(tmp_path: Path) -> Warehouse:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute(
            "create table events as select i as id, timestamp '2026-11-01' + interval (i) minute"
            " as came, case when i % 2 = 0 then {'amount': i, 'ssn': '123-45-6789'}::json end as"
            " payload, case when i % 3 = 0 then 'no json' else '{\"a\": [1, null]}' end as raw"
            " from range(300) as t(i)"
        )
        connection.execute("insert into events values (999, '9999-12-31', '{\"wrong\": 1}', null)")
        connection.execute("create view seen as select * from events")
    return open_warehouse(
        {"type": "duckdb", "path": str(tmp_path / "shop.duckdb")},
        base_dir=tmp_path,
        snapshot_dir=tmp_path / "snapshots",
    )


def _look(warehouse: Any, *, relation: Relation = EVENTS, **given: Any) -> JsonLook | None:
    real = getattr(warehouse, "_real", warehouse)
    return take_look(
        warehouse,
        real.schemas([relation])[relation],
        config=SchemaDriftConfig(**given),
        moment=lambda: "came",
        now=NOW,
    )


def test_a_look_reads_the_newest_documents_and_no_placeholder(events: Warehouse) -> None:
    look = _look(events, json_text_columns=["RAW"])
    assert look is not None
    assert look.problem is None
    payload, raw = look.found["payload"], look.found["raw"]
    assert payload.documents == 150
    assert {path_text("p", path) for path in payload.keys} == {"p", "p.amount", "p.ssn"}
    assert {kind: s.documents for kind, s in raw.keys[()].kinds.items()} == {
        "invalid": 100,
        "object": 200,
    }
    assert set(raw.keys["a", "[]"].kinds) == {"integer", "null"}
    few = _look(events, json_max_rows=100)
    assert few is not None
    assert few.found["payload"].documents == 50


def test_what_is_ignored_is_not_looked_into(events: Warehouse) -> None:
    assert _look(events, json_ignore=["PAYLOAD"]) is None
    assert _look(events, ignore_columns=["pay*"]) is None
    look = _look(events, json_ignore=["payload.s*"])
    assert look is not None
    assert set(look.found["payload"].keys) == {(), ("amount",)}


def test_a_text_column_that_is_not_there(events: Warehouse) -> None:
    with pytest.raises(ConfigError, match="json_text_columns names 'body', which is no column"):
        _look(events, json_text_columns=["body"])


def test_a_dialect_that_is_not_read_is_said_so(events: Warehouse) -> None:
    look = _look(_Warehouse(events, dialect="bigquery"))
    assert look is not None
    assert look.found == {}
    assert look.not_looked == (
        "the keys in payload are not read on bigquery, only on duckdb, postgres, snowflake"
    )


def test_a_view_that_costs_too_much_is_not_read(events: Warehouse) -> None:
    seen = Relation(database="shop", schema="main", name="seen")
    costly = _Warehouse(events, scanned=10**12)
    look = _look(costly, relation=seen)
    assert look is not None
    assert look.not_looked.startswith("the keys in payload are not read: the view would read")
    assert costly.asked == []
    cheap = _look(_Warehouse(events, scanned=10), relation=seen)
    assert cheap is not None
    assert cheap.found["payload"].documents == 150


def test_more_keys_than_can_be_compared_are_a_problem(events: Warehouse) -> None:
    look = _look(_Warehouse(events, truncated=True))
    assert look is not None
    assert look.problem is not None
    assert look.problem.message == "payload have more than 5,000 different keys"
    assert look.found == {}


def test_types_that_hold_documents() -> None:
    told = {
        ("duckdb", "JSON"): True,
        ("duckdb", "STRUCT(a INTEGER)"): False,
        ("postgres", "JSONB"): True,
        ("postgres", "TEXT[]"): False,
        ("snowflake", "VARIANT"): True,
        ("snowflake", "OBJECT"): True,
        ("snowflake", "ARRAY"): True,
        ("snowflake", "OBJECT(a NUMBER)"): False,
        ("redshift", "SUPER"): True,
        ("bigquery", "JSON"): True,
        ("bigquery", "ARRAY<INT64>"): False,
        ("databricks", "VARIANT"): True,
        ("duckdb", "VARCHAR"): False,
    }
    found = {key: is_json(ColumnSchema(name="c", type=key[1]), key[0]) for key in told}
    assert found == told


def test_a_table_without_moments_is_read_from_its_end(events: Warehouse) -> None:
    schema = TableSchema(relation=EVENTS, columns=(ColumnSchema(name="payload", type="JSON"),))
    look = take_look(events, schema, config=SchemaDriftConfig(), moment=lambda: None, now=NOW)
    assert look is not None
    wrong = look.found["payload"].keys["wrong",].filled
    assert wrong is not None
    assert (wrong.newest, wrong.oldest) == (1, 1)
