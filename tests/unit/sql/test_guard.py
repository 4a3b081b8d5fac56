from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlglot import exp

from dagster_agent.errors import QueryRefused
from dagster_agent.model import Relation
from dagster_agent.sql.functions import REFUSED_TYPED, TYPED
from dagster_agent.sql.guard import read_only

ALLOWED = [
    "select 1",
    "select hash(a), sum(b), count(*), approx_count_distinct(c), epoch_us(d), md5(e) from t -- x",
    "(select 1) union all select 2",
    "with a as (select 1 as x) select * from a where x in (select 1);",
    "select * from range(10)",
    "select * from t, unnest([1,2]) u(x)",
    "select ('0x' || substr(md5(x), 1, 15))::bigint, floor(x * 1e6 + 0.5)::decimal(38, 0) from t",
    'select * from "my.table" t',
    "select x->>'$.a', [i for i in l if i > 1], l[1], s.f, {'a': 1} from t",
    "select * exclude (a) replace (1 as b) from t",
    "select count(*) filter (where x) over (partition by y order by z) from t",
    "select * from t pivot (sum(c) for b in (1, 2))",
    "select distinct on (a) * from t qualify row_number() over () = 1 limit 3 offset 2",
    "select * from t using sample 10%",
    "select quantile_cont(x, 0.5), list(x order by y), string_agg(a, ','), arg_max(a, b) from t",
    "select strftime(x, '%Y'), date_diff('day', a, b), extract(year from x), now() from t",
    "select * from a asof join b on a.t >= b.t",
    "select * from (values (1, 2), (3, 4)) v(a, b)",
    "select list_transform(l, lambda x: x + 1) from t",
    "select grouping(a), a from t group by rollup (a)",
    "select * from t union by name select * from u",
    'select "Größe" from "tö b" where "Größe" is distinct from 1',
    "/* hello */ select /*+ a_hint */ 1",
    "from t select a",
]

REFUSED = [
    ("select 1; select 2", "2 statements"),
    ("", "0 statements"),
    ("-- nothing", "0 statements"),
    ("insert into t values (1)", "INSERT"),
    ("update t set a = 1", "UPDATE"),
    ("delete from t", "DELETE"),
    ("create table x as select 1", "CREATE"),
    ("drop table t", "DROP"),
    ("copy t to 'x'", "COPY"),
    ("pragma database_list", "PRAGMA"),
    ("set x = 1", "SET"),
    ("attach 'x'", "ATTACH"),
    ("install httpfs", "INSTALL"),
    ("load httpfs", "LOAD"),
    ("call foo()", "CALL"),
    ("explain select 1", "EXPLAIN"),
    ("describe t", "DESCRIBE"),
    ("summarize t", "SUMMARIZE"),
    ("show tables", "SHOW"),
    ("select * from t for update", "LOCK"),
    ("with x as (insert into t values (1) returning *) select * from x", "INSERT"),
    ("select * from read_csv('x')", "READ_CSV"),
    ("select * from 'x.csv'", "'x.csv'"),
    ("select * from 's3://bucket/b.parquet'", "s3://"),
    ("select * from '/etc/passwd'", "/etc/passwd"),
    ("select * from read_text('/etc/passwd')", "READ_TEXT"),
    ("select * from glob('*')", "GLOB"),
    ("select * from query('select 1')", "QUERY"),
    ("select * from duckdb_secrets()", "DUCKDB_SECRETS"),
    ("select query_table('x')", "QUERY_TABLE"),
    ("select nextval('s')", "NEXTVAL"),
    ("select s.nextval", "sequence s"),
    ("select getenv('HOME')", "GETENV"),
    ("select current_setting('x')", "CURRENT_SETTING"),
    ("select getvariable('x')", "GETVARIABLE"),
    ("select evil.md5(1)", "evil.md5(1)"),
    ("select 'a'.read_text()", "read_text"),
    ("select foo(1)", "FOO"),
    ("select $1", "PLACEHOLDER"),
]

OTHER_DIALECTS = [
    ("snowflake", "select * from table('secret_table')"),
    ("snowflake", "select seq.nextval from t"),
    ("snowflake", "select system$cancel_query('x')"),
    ("snowflake", "select * from @stage"),
    ("databricks", "select secret('s', 'k')"),
    ("databricks", "select session_user()"),
    ("postgres", "select pg_sleep(1)"),
    ("postgres", "select dblink('x')"),
    ("postgres", "select * from pg_read_file('x')"),
    ("postgres", "select * into u from t"),
    ("bigquery", "select net.ip_from_string('x')"),
    ("bigquery", "select * from ml.predict(model m, table t)"),
    ("tsql", "select * from openrowset(1)"),
]


@pytest.mark.parametrize("sql", ALLOWED)
def test_reading_is_allowed_and_written_anew_without_comments(sql: str) -> None:
    text = read_only(sql, "duckdb")
    assert "--" not in text
    assert "/*" not in text
    assert read_only(text, "duckdb") == text


@pytest.mark.parametrize(("sql", "named"), REFUSED)
def test_everything_else_is_refused_and_named(sql: str, named: str) -> None:
    with pytest.raises(QueryRefused) as refusal:
        read_only(sql, "duckdb")
    assert named.casefold() in refusal.value.message.casefold()


@pytest.mark.parametrize(("dialect", "sql"), OTHER_DIALECTS)
def test_tricks_of_other_dialects_are_refused(dialect: str, sql: str) -> None:
    with pytest.raises(QueryRefused):
        read_only(sql, dialect)


def test_snowflake_models_pass() -> None:
    sql = "select a:b.c::int, iff(x, 1, 2), f.value from t, lateral flatten(input => t.x) f"
    assert "FLATTEN" in read_only(sql, "snowflake")


def test_a_parse_error_tells_the_position() -> None:
    with pytest.raises(QueryRefused, match="line 2, column"):
        read_only("select a\nfrom t wheree x = = 1", "duckdb")


def test_what_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(QueryRefused):
        read_only("select " + "(" * 100_000 + "1" + ")" * 100_000, "duckdb")


def test_what_is_too_long_is_refused_unread() -> None:
    with pytest.raises(QueryRefused, match="characters"):
        read_only("select 1" + " " * 1_000_000, "duckdb")


def test_every_function_class_of_sqlglot_is_classified() -> None:
    def subclasses(kind: type) -> Iterator[type]:
        for each in kind.__subclasses__():
            yield each
            yield from subclasses(each)

    known = {kind.__name__ for kind in subclasses(exp.Func)}
    assert sorted(known - TYPED - REFUSED_TYPED) == []
    assert not TYPED & REFUSED_TYPED


def test_a_verdict_holds_for_its_relations_and_dialect_alone() -> None:
    sql, orders, rates = "select * from orders", Relation(name="orders"), Relation(name="rates")
    for _ in range(2):
        assert read_only(sql, "duckdb") == read_only(sql, "duckdb", relations=[rates, orders])
        with pytest.raises(QueryRefused, match="not among the relations"):
            read_only(sql, "duckdb", relations=[rates])
        with pytest.raises(QueryRefused, match="not among the relations"):
            read_only(sql, "duckdb", relations=[])
        assert read_only("select `a` from t", "bigquery") == "SELECT `a` FROM t"
        assert read_only("select `a` from t", "spark") == "SELECT `a` FROM t"
        with pytest.raises(QueryRefused):
            read_only("select `a` from t", "postgres")


def test_what_is_sent_means_the_same_to_duckdb() -> None:
    connection = duckdb.connect(":memory:")
    sql = """
        with t as (select * from range(20) r(i)), u as (select i % 3 as g, i, i / 2.0 as h from t)
        select g, count(*) as n, sum(h) as s, list(i order by i desc) as l, max(i) filter (i < 9)
        from u where i not in (4, 5) group by all having n > 1 order by g nulls last
    """
    assert connection.execute(read_only(sql, "duckdb")).fetchall() == (
        connection.execute(sql).fetchall()
    )
    connection.close()


@example("?[(")
@given(st.text(max_size=40))
def test_any_text_is_refused_or_a_query_that_passes_again(text: str) -> None:
    try:
        written = read_only(text, "duckdb")
    except QueryRefused:
        return
    assert read_only(written, "duckdb") == written


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1))
def test_literals_and_quoted_names_survive_unchanged(text: str) -> None:
    literal = "'" + text.replace("'", "''") + "'"
    name = '"' + text.replace('"', '""') + '"'
    connection = duckdb.connect(":memory:")
    sql = read_only(f"select {literal} as {name}", "duckdb")
    cursor = connection.execute(sql)
    assert cursor.fetchall() == [(text,)]
    assert [column[0] for column in cursor.description or ()] == [text]
    connection.close()
