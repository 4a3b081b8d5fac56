"""Each tool on a real project: what it shows, what it refuses, and what never leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dagster_agent.investigation.specialists.tool import tools
from dagster_agent.investigation.specialists.toolbox import RESULT_CHARACTERS, Toolbox
from dagster_agent.ports.chat_model import ToolAnswer
from dagster_agent.testing import RecordingNarrator

SHOP = "shop"


def data(answer: ToolAnswer) -> Any:
    assert not answer.failed, answer.text
    wrapped = json.loads(answer.text)
    assert wrapped["trust"] == "untrusted"
    return wrapped["data"]


def test_every_tool_is_described_and_strict(toolbox: Toolbox) -> None:
    specs = {spec.name: spec for spec in toolbox.specs()}
    assert list(specs) == [tool.name for tool in tools()]
    assert set(specs) == {
        *("git_diff", "git_log", "list_lineage", "propose_change", "query", "read_model"),
        *("row_accounting", "search_code", "table_profile", "table_schema"),
    }
    for spec in specs.values():
        assert len(spec.description) > 60
        assert spec.schema["additionalProperties"] is False
        assert set(spec.schema["required"]) == set(spec.schema["properties"])


def test_read_model(use: Any, narrator: RecordingNarrator) -> None:
    found = data(use("read_model", name="stg_orders"))
    assert found["path"] == "models/staging/stg_orders.sql"
    assert "inner join {{ source('raw', 'rates') }}" in found["file"]
    assert '"raw"."rates"' in found["compiled_sql"]
    assert list(found["yml"]) == ["models/staging/stg_orders.yml"]
    (step,) = narrator.steps
    assert step.what == 'Claude: read_model {"name": "stg_orders"}'
    assert (step.why, step.result) == (
        "to see",
        "stg_orders: 9 lines of models/staging/stg_orders.sql",
    )


def test_list_lineage(use: Any) -> None:
    found = data(use("list_lineage", name="stg_orders"))
    assert [a["name"] for a in found["upstream"]] == ["orders", "rates"]
    assert found["downstream"] == [
        {
            "name": "orders_daily",
            "unique_id": "model.shop.orders_daily",
            "table": "shop.main.orders_daily",
        }
    ]


def test_query_counts_and_masks(use: Any, toolbox: Toolbox) -> None:
    found = data(
        use(
            "query",
            purpose="rows by currency",
            sql="select currency, count(*) as n, count(distinct email) as people "
            "from raw.orders group by currency order by 1",
        )
    )
    assert found == {
        "columns": ["currency", "n", "people"],
        "rows": [["CHF", 25, 25], ["USD", 75, 75]],
    }
    record = toolbox.records["T1"]
    assert record.evidence == "query"
    assert record.query is not None
    assert '"shop"."raw"."orders"' in record.query
    notes = data(use("query", purpose="notes", sql="select notes, id from raw.orders order by id"))
    assert notes["rows"][:2] == [["‹text›", 1], ["‹text›", 2]]
    assert len(notes["rows"]) == 30
    assert "only the first 30 rows" in notes["more"]


def test_a_text_cannot_be_shown_by_calling_it_a_code(use: Any) -> None:
    for sql in (
        "select notes as status from raw.orders where id = 1",
        "select coalesce(notes, '') as status from raw.orders where id = 1",
        "with a as (select notes as status from raw.orders where id = 1) "
        "select coalesce(status, '') as status from a",
        "select max(notes) as status from raw.orders where id = 1",
        "select o.status || o.notes as status from raw.orders as o where id = 1",
        "select 'x' as status union all select notes from raw.orders where id = 1",
    ):
        assert "note 1" not in use("query", purpose="p", sql=sql).text, sql
    plain = data(use("query", purpose="p", sql="select distinct status from raw.orders order by 1"))
    assert plain["rows"] == [["paid"], ["returned"]]
    filled = (
        "select coalesce(status, 'none') as s, count(*) as n from raw.orders group by 1 order by 1"
    )
    assert data(use("query", purpose="p", sql=filled))["rows"] == [["paid", 67], ["returned", 33]]


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("select salary from hr.salaries", "no table of the dbt project"),
        ("select count(*) as n from information_schema.tables", "no table of the dbt project"),
        ("select id from (with salaries as (select 1 as id) select id from salaries) as x, "
         "hr.salaries", "every join needs ON"),
        ("select x.id from (with salaries as (select 1 as id) select id from salaries) as x "
         "join salaries as s on s.id = x.id", "no table of the dbt project"),
        ("select email from raw.orders", "about people"),
        ("select count(*) as n from raw.orders where email like 'p1@%'", "about people"),
        ("select count(case when email = 'p1@example.com' then 1 end) as n from raw.orders",
         "about people"),
        ("select length(first_name) as n from raw.customers", "about people"),
        ("select max(salary) as n from raw.customers", "about people"),
        ("select * from raw.orders", "`*` is not allowed"),
        ("select o.* from raw.orders as o", "`*` is not allowed"),
        ("from raw.orders", "`*` is not allowed"),
        ("select orders from raw.orders", "is a table here"),
        ("select x.a as n from raw.customers as x(a, b, c, d, e, f)", "renaming all columns"),
        ("select #1 from raw.orders", "not"),
        ("select columns('sal.*') from raw.customers", "not"),
        ("select a.id from raw.orders as a cross join raw.orders as b", "every join needs ON"),
        ("select a.id from raw.orders as a join raw.orders as b on true", "every join needs ON"),
        ("with recursive t as (select 1 as n union all select n + 1 from t) select n from t",
         "recursion"),
        ("select g.x from generate_series(1, 1000000000000) as g(x)", "not"),
        ("select range from range(1000000000000)", "not"),
        ("select ascii(notes) as a from raw.orders", "spelling out"),
        ("select a from read_csv('/etc/passwd')", "not"),
        ("select content from read_text('/etc/passwd')", "not"),
        ("copy raw.orders to '/tmp/out.csv'", "not SELECT"),
        ("select 1 as a; drop table raw.orders", "2 statements"),
        ("delete from raw.orders", "not SELECT"),
        ("select id from raw.orders where " + " or ".join(["id = 1"] * 900), "characters"),
    ],
)  # fmt: skip
def test_query_refuses(use: Any, narrator: RecordingNarrator, sql: str, word: str) -> None:
    answer = use("query", purpose="p", sql=sql)
    assert answer.failed
    assert word in answer.text
    assert narrator.steps[-1].result.startswith("refused: ")


def test_people_may_be_counted_joined_and_missed(use: Any) -> None:
    sql = (
        "select count(*) as n, count(distinct c.email) as people from raw.orders as o "
        "join raw.customers as c on o.email = c.email where c.email is not null"
    )
    assert data(use("query", purpose="p", sql=sql))["rows"] == [[10, 10]]


def test_a_column_that_the_team_marked(use: Any) -> None:
    assert not use("query", purpose="p", sql="select sum(amount) as a from raw.orders").failed
    answer = use("query", purpose="p", sql="select sum(amount_usd) as a from stg_orders")
    assert "about people" in answer.text
    told = data(use("table_profile", name="stg_orders"))["columns"]
    assert [c["name"] for c in told if "sum" in c] == ["id"]


def test_an_error_of_the_warehouse_shows_no_value(use: Any) -> None:
    answer = use("query", purpose="p", sql="select cast(notes as integer) as n from raw.orders")
    assert answer.failed
    assert "‹value›" in answer.text
    assert "note 1" not in answer.text
    unknown = use("query", purpose="p", sql="select amont from raw.orders")
    assert "amont" in unknown.text
    assert "amount" in unknown.text


def test_table_schema_and_profile(use: Any) -> None:
    columns = data(use("table_schema", name="raw.orders"))["columns"]
    assert [c["name"] for c in columns][:3] == ["id", "email", "status"]
    profile = data(use("table_profile", name="raw.customers"))
    assert profile["rows"] == 10
    told = {c["name"]: c for c in profile["columns"]}
    assert told["id"]["max"] == 10.0
    assert "max" not in told["salary"]


def test_row_accounting(use: Any, narrator: RecordingNarrator) -> None:
    steps = data(use("row_accounting", name="stg_orders"))["steps"]
    assert [(s["lost"], s["added"]) for s in steps if "rates" in s["step"]] == [(25, 0)]
    assert narrator.steps[0].result == "2 steps of stg_orders: 25 rows lost, 0 added"


def test_git(use: Any) -> None:
    (commit,) = data(use("git_log", path="models/staging/stg_orders.sql"))
    assert commit["author"] == "Mallory"
    diff = data(use("git_diff", sha=commit["sha"], path="models/staging/stg_orders.sql"))
    assert "+inner join" in diff["diff"]
    assert use("git_diff", sha="HEAD; rm -rf /", path="models/staging/stg_orders.sql").failed
    assert use("git_diff", sha="0" * 40, path="models/staging/stg_orders.sql").failed


@pytest.mark.parametrize(
    "path", ["profiles.yml", "../secret.sql", "/etc/passwd", ".env", ".git/config", "a/../../b.sql"]
)
def test_files_that_may_not_be_read(use: Any, path: str) -> None:
    assert use("git_log", path=path).failed
    assert use("git_diff", sha="abcdef0", path=path).failed


def test_search_code(use: Any) -> None:
    found = data(use("search_code", text="TO_USD"))
    assert [f["path"] for f in found["found"]] == [
        "macros/to_usd.sql",
        "models/staging/stg_orders.sql",
        "models/staging/stg_orders.sql",
        "models/staging/stg_orders.yml",
    ]
    assert data(use("search_code", text="type: duckdb"))["found"] == []


def test_calls_that_make_no_sense(use: Any) -> None:
    assert "there is no tool 'rm'" in use("rm", path="/").text
    wrong = use("query", sql=3, everything="yes").text
    assert "sql: Input should be a valid string" in wrong
    assert "purpose: Field required" in wrong
    assert "everything: Extra inputs are not permitted" in wrong
    assert "no asset 'ordres'" in use("read_model", name="ordres").text


def test_results_are_bounded_and_redacted(
    use: Any, codebase: Any, tmp_path: Path, toolbox: Toolbox
) -> None:
    path = codebase.root / "models" / "big.sql"
    path.write_text(
        "-- token=abcdef1234567890 hunter2-hunter2\n" + f"-- needle \u202e{'y' * 230}\n" * 1000
    )
    try:
        found = use("search_code", text="needle")
        assert len(found.text) < RESULT_CHARACTERS + 500
        assert "\u202e" not in found.text
        secret = use("search_code", text="token=").text
        assert "abcdef1234567890" not in secret
        assert "hunter2" not in secret
        for _ in range(60):
            last = use("search_code", text="needle")
        assert "no more results can be shown" in last.text
    finally:
        path.unlink()
