from __future__ import annotations

import pytest
from sqlglot import tokenize
from sqlglot.tokenizer_core import TokenType

from dagster_agent.errors import ConfigError, QueryRefused
from dagster_agent.model import Relation
from dagster_agent.sql.identifiers import parse_relation, quote, relation_sql
from dagster_agent.sql.scopes import Join, SelectScope, contributing, driving_path, select_scopes

FLIGHTS = Relation(database="db", schema="s", name="stg_flights")
PLANES = Relation(database="db", schema="s", name="stg_planes")
COLUMNS = {FLIGHTS: ("tailnum", "dest", "distance"), PLANES: ("tailnum", "model", "seats")}


def only(sql: str) -> SelectScope:
    return select_scopes(sql, "duckdb", columns=COLUMNS)[-1]


def join_of(sql: str) -> Join:
    return only(sql).joins[0]


def test_import_ctes_are_followed_to_their_tables() -> None:
    scopes = select_scopes(
        """
        with flights as (select * from db.s.stg_flights),
        renamed as (select tailnum as tail_number, upper(dest) as dest from flights),
        final as (
            select f.*, p.model from renamed f inner join (select * from db.s.stg_planes) p
            on f.tail_number = p.tailnum
        )
        select * from final
        """,
        "duckdb",
    )
    assert [s.name for s in scopes] == ["flights", "renamed", "final.p", "final", ""]
    final = scopes[3]
    assert final.driving.relation == FLIGHTS
    assert final.driving.scope == "renamed"
    join = final.joins[0]
    assert (join.kind, join.ordinal, join.reads_right) == ("inner", 0, True)
    assert join.keys == (("f.tail_number", "tailnum"),)
    assert join.source.relation == PLANES
    assert join.source.scope == "final.p"
    assert [s.name for s in driving_path(scopes)] == ["", "final", "renamed", "flights"]


@pytest.mark.parametrize(
    "cte",
    [
        "select * from db.s.stg_flights where dest = 'LAX'",
        "select distinct tailnum from db.s.stg_flights",
        "select tailnum, count(*) as n from db.s.stg_flights group by 1",
        "select max(tailnum) as tailnum from db.s.stg_flights",
        "select * from db.s.stg_flights limit 3",
        "select f.* from db.s.stg_flights f left join db.s.stg_planes p using (tailnum)",
        "select unnest([tailnum, dest]) as tailnum from db.s.stg_flights",
        "select * from db.s.stg_flights union all select * from db.s.stg_flights",
        "select * from db.s.stg_flights qualify row_number() over (partition by tailnum) = 1",
        "select * from db.s.stg_flights using sample 10%",
    ],
)
def test_ctes_with_logic_of_their_own_have_no_table_behind_them(cte: str) -> None:
    scope = select_scopes(f"with x as ({cte}) select * from x", "duckdb")[-1]
    assert scope.driving.relation is None
    assert scope.driving.scope == "x"


def test_window_functions_keep_the_grain() -> None:
    scope = only("select *, count(*) over (partition by dest) as n from db.s.stg_flights")
    assert scope.keeps_grain
    scope = only("select *, sum(distance) filter (where true) over () as n from db.s.stg_flights")
    assert scope.keeps_grain


READS = [
    ("select f.*, p.model from db.s.stg_flights f join db.s.stg_planes p using (tailnum)", True),
    ("select f.*, model from db.s.stg_flights f join db.s.stg_planes p using (tailnum)", True),
    ("select * from db.s.stg_flights f join db.s.stg_planes p using (tailnum)", True),
    ("select p.* from db.s.stg_flights f join db.s.stg_planes p using (tailnum)", True),
    ("select f.* from db.s.stg_flights f join db.s.stg_planes p using (tailnum)", False),
    ("select dest, tailnum from db.s.stg_flights join db.s.stg_planes using (tailnum)", False),
    (
        "select f.*, p.tailnum t from db.s.stg_flights f join db.s.stg_planes p"
        " on f.tailnum = p.tailnum",
        False,
    ),
    (
        "select count(*) from db.s.stg_flights f join db.s.stg_planes p on f.tailnum = p.tailnum",
        False,
    ),
    (
        "select sum(p.seats) from db.s.stg_flights f join db.s.stg_planes p using (tailnum)",
        True,
    ),
    (
        "select f.* from db.s.stg_flights f join db.s.stg_planes p using (tailnum) where seats > 9",
        True,
    ),
    (
        "select f.*, m.x from db.s.stg_flights f join db.s.stg_planes p using (tailnum)"
        " left join db.s.models m on m.id = p.model",
        True,
    ),
    (
        "select f.* from db.s.stg_flights f join db.s.stg_planes p using (tailnum)"
        " where exists (select 1 from db.s.seats where seats.n = p.seats)",
        True,
    ),
    (
        "select f.* from db.s.stg_flights f join db.s.stg_planes p using (tailnum)"
        " where exists (select 1 from db.s.other p where p.seats = 3)",
        False,
    ),
    (
        "select f.*, p from db.s.stg_flights f join db.s.stg_planes p using (tailnum)",
        True,
    ),
    (
        "select f.dest as model from db.s.stg_flights f join db.s.stg_planes p using (tailnum)"
        " order by model",
        True,  # DuckDB would take the alias, others the column: treated as read
    ),
]


@pytest.mark.parametrize(("sql", "reads"), READS)
def test_whether_the_joined_table_is_read(sql: str, reads: bool) -> None:
    assert join_of(sql).reads_right is reads


def test_an_unqualified_column_of_unknown_tables_counts_as_read() -> None:
    sql = "select tailnum, seats from a join b using (tailnum)"
    assert select_scopes(sql, "duckdb")[0].joins[0].reads_right


def test_keys() -> None:
    join = join_of(
        "select * from db.s.stg_flights f join db.s.stg_planes p on (p.tailnum = upper(f.tailnum)"
        " and f.distance > p.seats and f.dest = p.model and p.seats = p.seats)"
    )
    assert join.keys == (("UPPER(f.tailnum)", "tailnum"), ("f.dest", "model"))
    assert join.table_keys == ("tailnum", "model")
    sql = "with p as (select tailnum as t from db.s.stg_planes) select * from a join p on p.t = a.t"
    assert select_scopes(sql, "duckdb")[-1].joins[0].table_keys == ("tailnum",)
    sql = "with p as (select 1 as t from db.s.stg_planes) select * from a join p on p.t = a.t"
    assert select_scopes(sql, "duckdb")[-1].joins[0].table_keys == ()
    assert join_of("select * from a join b using (x, y)").keys == (("x", "x"), ("y", "y"))
    assert join_of("select * from a join b on a.x < b.x").keys == ()
    assert join_of("select * from a cross join b").keys == ()


KINDS = [
    ("select * from a join b using (x)", "inner", 0),
    ("select * from a inner join b using (x)", "inner", 0),
    ("select * from a left outer join b using (x)", "left", 0),
    ("select * from a right join b using (x)", "right", 0),
    ("select * from a full outer join b using (x)", "full", 0),
    ("select * from a cross join b", "cross", 0),
    ("select * from a cross join b where a.x = b.x", "cross", 0),
    ("select * from a, b", "cross", None),
    ("select * from a, b where a.x = b.x", "inner", None),
    ("select * from a semi join b using (x)", "semi", 0),
    ("select * from a anti join b using (x)", "anti", 0),
    ("select * from a natural join b", "inner", 0),
    ("select * from a asof join b on a.t >= b.t", "inner", 0),
    ("select * from a asof left join b on a.t >= b.t", "left", 0),
    ("from a join b using (x)", "inner", 0),
]


@pytest.mark.parametrize(("sql", "kind", "ordinal"), KINDS)
def test_kinds_of_joins(sql: str, kind: str, ordinal: int | None) -> None:
    join = select_scopes(sql, "duckdb")[-1].joins[0]
    assert (join.kind, join.ordinal) == (kind, ordinal)


def test_ordinals_count_every_join_keyword_in_text_order() -> None:
    sql = """
    with a as (select 1 as x, (select max(z) from u join m0 using (k)) as y -- join in a comment
               from t join (select 2) on true),
    "join" as (select * from b inner join "Tö b" m2 using (x), c where b.i = c.i)
    select ' join ', a.* from "join" j left join a m3 on j.x = m3.x and exists (
        select 1 from q join m4 using (w)
    )
    cross join lateral (select m3.x + 1 as y) m5
    left join (m6 join m7 using (v)) on m7.v = j.v
    """
    scopes = select_scopes(sql, "duckdb")
    found = [(s.name, j.source.label, j.ordinal) for s in scopes for j in s.joins]
    assert found == [
        ("a", "(...)", 1),
        ("join", "Tö b", 2),
        ("join", "c", None),
        ("", "a", 3),
        ("", "m5", 5),
        ("", "(...)", 6),
    ]
    keywords = [t for t in tokenize(sql, dialect="duckdb") if t.token_type is TokenType.JOIN]
    assert len(keywords) == 8


def test_unions_nested_ctes_and_recursion() -> None:
    scopes = select_scopes(
        """
        with recursive n as (select 1 as i union all select i + 1 from n where i < 3),
        __dbt__cte__eph as (with a as (select * from db.s.x) select * from a),
        u as (select * from __dbt__cte__eph union all (select * from db.s.y) union select * from n)
        select * from u
        """,
        "duckdb",
    )
    names = ["n[2]", "__dbt__cte__eph.a", "__dbt__cte__eph", "u[1]", "u[2]", "u[3]", ""]
    assert [s.name for s in scopes] == names
    assert scopes[0].recursive
    assert scopes[3].driving.relation == Relation(database="db", schema="s", name="x")
    assert [s.name for s in driving_path(scopes)] == [""]
    assert driving_path(scopes[:-1]) == ()
    sources = {"", "u[1]", "u[2]", "u[3]", "__dbt__cte__eph", "__dbt__cte__eph.a", "n[2]"}
    assert contributing(scopes) == sources


def test_clauses() -> None:
    scope = only(
        "select f.dest as d, 1 + count(*) as n from db.s.stg_flights f where f.distance > 3"
        " group by 1, tailnum having count(*) > 2 limit 5"
    )
    assert scope.filters == "f.distance > 3"
    assert (scope.grouped, scope.group_keys, scope.limited) == (
        True,
        (("d", "dest"), ("tailnum", "tailnum")),
        True,
    )
    assert not scope.keeps_grain
    assert only("select max(dest) from db.s.stg_flights").grouped
    assert only("select distinct dest from db.s.stg_flights").distinct
    assert only("select dest from db.s.stg_flights group by upper(dest)").group_keys == ()


def test_labels() -> None:
    sql = 'select * from a join "Tö b" on a.x = "Tö b".x left join s.c on a.k = c.id and a.l = c.l'
    first, second = select_scopes(sql, "duckdb")[0].joins
    assert first.label == "inner join Tö b on x"
    assert second.label == "left join c on k = id and l = l"


def test_what_does_not_parse_is_refused() -> None:
    with pytest.raises(QueryRefused):
        select_scopes("select from where", "duckdb")


def test_identifiers() -> None:
    assert quote('a"b', "duckdb") == '"a""b"'
    assert quote("a`b", "bigquery") in ("`a``b`", "`a\\`b`")
    relation = Relation(database="d", schema="S c", name='t"x')
    assert relation_sql(relation, "duckdb") == '"d"."S c"."t""x"'
    assert parse_relation('d."S c"."t""x"', "duckdb") == relation
    assert parse_relation("t", "snowflake") == Relation(name="t")
    for wrong in ("", "a b c(", "f(x)", "a.b.c.d", "a b", "a, b", "a where x", "(select 1)"):
        with pytest.raises(ConfigError):
            parse_relation(wrong, "duckdb")
