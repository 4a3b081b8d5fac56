"""Output columns whose names stand in the query, as DuckDB would call them."""

from __future__ import annotations

import duckdb
import pytest

from dagster_agent.model import Relation
from dagster_agent.sql.output_names import named_outputs

KNOWN = {Relation(name="t"): ("a", "b")}


@pytest.mark.parametrize(
    "sql",
    [
        "select a, b as c from t",
        "select * from t",
        "select x.*, 1 as one from t as x",
        "select * exclude (a) from t",
        "with s as (select a, count(*) as n from t group by 1) select * from s",
        "select a from t union all select a + 1 from t",
        "with s as (select * from t) select * from s join (select 2 as two) on true",
    ],
)
def test_names_are_the_warehouses(sql):
    connection = duckdb.connect()
    connection.execute("create table t as select 1 as a, 2 as b")
    columns = [column[0] for column in connection.execute(sql).description]
    assert list(named_outputs(sql, "duckdb", KNOWN)) == columns


@pytest.mark.parametrize(
    "sql",
    [
        "select a + 1 from t",
        "with s as (select a, count(*) from t group by 1) select * from s",
        "select * rename (a as b) from t",
        "select q.* from (select max(a) from t) as q",
        "select * from unknown",
    ],
)
def test_names_that_nobody_can_tell(sql):
    assert named_outputs(sql, "duckdb", KNOWN) == ()
