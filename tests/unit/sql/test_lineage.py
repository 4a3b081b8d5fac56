from __future__ import annotations

from typing import Any

import pytest

from dagster_agent.model import Relation
from dagster_agent.sql.lineage import column_origin, output_columns, tables_read
from dagster_agent.sql.unmatched import unmatched_keys

F = Relation(database="db", schema="s", name="flights")
P = Relation(database="db", schema="s", name="planes")
COLUMNS = {F: ("id", "tailnum", "dest"), P: ("tailnum", "model")}

ORIGINS = [
    ("select id from db.s.flights", "id", (F, "id")),
    ("select f.id as flight_id from db.s.flights f", "FLIGHT_ID", (F, "id")),
    ("select * from db.s.flights", "dest", (F, "dest")),
    ("with a as (select id as x from db.s.flights) select x as y from a", "y", (F, "id")),
    ("select q.* from (select *, 1 as one from db.s.flights) q", "id", (F, "id")),
    (
        "select f.*, p.model from db.s.flights f left join db.s.planes p using (tailnum)",
        "model",
        (P, "model"),
    ),
    ("select * from db.s.flights f left join db.s.planes p using (tailnum)", "model", (P, "model")),
    (
        "select * from db.s.flights f left join db.s.planes p using (tailnum)",
        "tailnum",
        (F, "tailnum"),
    ),
    (
        "select model from db.s.flights f left join db.s.planes p using (tailnum)",
        "model",
        (P, "model"),
    ),
    ("select upper(dest) as dest from db.s.flights", "dest", None),
    ("select id from db.s.flights union all select id from db.s.flights", "id", None),
    (
        "select a.x from db.s.a join db.s.b using (k)",
        "x",
        (Relation(database="db", schema="s", name="a"), "x"),
    ),
    ("select x from db.s.a join db.s.b using (k)", "x", None),
    ("with t(u, v, w) as (select * from db.s.flights) select u from t", "u", None),
]


@pytest.mark.parametrize(("sql", "column", "expected"), ORIGINS)
def test_origin_of_an_output_column(sql: str, column: str, expected: Any) -> None:
    assert column_origin(sql, "duckdb", column, columns=COLUMNS) == expected


def test_output_columns() -> None:
    sql = (
        "select f.* exclude (dest), p.model as m, 1 as one from db.s.flights f"
        " join db.s.planes p using (tailnum)"
    )
    assert output_columns(sql, "duckdb", columns=COLUMNS) == ("id", "tailnum", "m", "one")
    assert output_columns(sql, "duckdb") == ()
    union = "(select id from db.s.flights) union select 3"
    assert output_columns(union, "duckdb") == ("id",)


def test_the_keys_without_a_match(memory: Any) -> None:
    memory.connection.execute(
        "create table f as from (values (1, 'a'), (2, 'b'), (3, 'b'), (4, null)) t(id, tail);"
        "create table p as from (values ('a', 1)) t(tail_number, seats)"
    )
    sql = "with x as (select f.*, seats from f, p where f.tail = tail_number) select * from x"
    found = unmatched_keys(sql, memory, scope="x", position=0)
    assert found is not None
    assert found[1].columns == ("tail", "rows_without_match")
    assert found[1].rows == (("b", 2), (None, 1))
    sql = "select * from f join p on f.tail < p.tail_number"
    assert unmatched_keys(sql, memory, scope="", position=0) is None


def test_every_table_that_is_read() -> None:
    sql = (
        "with flights as (select * from db.s.flights) select *, (select max(x) from y) from flights"
        " where id > (select max(id) from db.s.planes)"
    )
    assert tables_read(sql, "duckdb") == (F, P, Relation(name="y"))


def test_a_file_is_no_table() -> None:
    joined = "join 'exports/planes.parquet' using (id) join \"a.csv\" using (id)"
    sql = f"select * from db.s.flights {joined}"
    assert tables_read(sql, "duckdb") == (F,)
    assert tables_read('select * from "odd name", s."a.csv"', "duckdb") == (
        Relation(name="odd name"),
        Relation(schema="s", name="a.csv"),
    )
