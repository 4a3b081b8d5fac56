"""Fixers of columns against their case files."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_agent.model import ProposedChange, Relation
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import ColumnFault, Fault, YmlFile, fixers
from tests.case_files import read_cases

CASES = Path(__file__).parents[2] / "cases" / "fixer"
KINDS = ("column-alias", "column-placeholder", "column-cast", "carry-column")
LOADED = [
    pytest.param(
        kind,
        {**{k: content[k] for k in ("columns", "known")}, **case},
        id=f"{kind}: {case['name']}",
    )
    for kind in KINDS
    for content in [read_cases(CASES / f"{kind}.yaml")]
    for case in content["cases"]
]
RAW = ("orders",)


def relation(name: str) -> Relation:
    return Relation(database="shop", schema="raw" if name in RAW else "main", name=name)


def compiled(text: str) -> str:
    """The file as dbt compiles it, for the plain references in it."""
    sql = re.sub(r"\{#.*?#\}", "", text)
    sql = re.sub(r"\{\{ source\('raw', '(\w+)'\) \}\}", r'"shop"."raw"."\1"', sql)
    return re.sub(r"\{\{ ref\('(\w+)'\) \}\}", r'"shop"."main"."\1"', sql)


def fault(case: dict[str, Any], dialect: str = "duckdb") -> Fault:
    columns = [
        ColumnFault(**{**column, "relation": relation(column["relation"])})
        for column in case["columns"]
    ]
    return Fault(
        asset="model.shop.m",
        path="models/m.sql",
        text=case["text"],
        compiled_code=case.get("compiled") or compiled(case["text"]),
        dialect=dialect,
        columns=tuple(columns),
        yml=YmlFile(path="models/m.yml", text=case["yml"]) if "yml" in case else None,
        known={relation(name): tuple(names) for name, names in case["known"].items()},
    )


@pytest.mark.parametrize(("kind", "case"), LOADED)
def test_case(kind: str, case: dict[str, Any]) -> None:
    proposed = fixers().get(kind).propose(fault(case))
    if "reason" in case:
        assert isinstance(proposed, NoEdit)
        assert case["reason"] in proposed.reason
        return
    assert isinstance(proposed, ProposedChange), proposed
    edit, *described = proposed.edits
    assert edit.after == case["after"]
    if "yml" in case:
        texts = [e.after for e in described]
        assert texts == ([case["yml_after"]] if case["yml_after"] != case["yml"] else [])
    assert case.get("says", "") in proposed.rationale
    assert proposed.assets == ("model.shop.m",)


@pytest.mark.parametrize(
    ("kind", "case"),
    [p for p in LOADED if "after" in p.values[1] and "compiled" not in p.values[1]],
)
def test_the_warehouse_takes_the_edited_query(kind: str, case: dict[str, Any]) -> None:
    """Before: an error or another type. After: the columns that there were, by the same names."""
    connection = duckdb.connect(":memory:")
    connection.execute("attach ':memory:' as shop")
    connection.execute("create schema shop.raw")
    old = {"id": "1", "user_id": "'u'", "amount": "1.5", "day": "date '2026-01-01'", "name": "'n'"}
    for name, columns in case["known"].items():
        parts = ", ".join(f'{old.get(c, "null")} as "{c}"' for c in columns)
        connection.execute(f"create table {relation(name).sql()} as select {parts}")
    query = compiled(case["text"])
    before = [c[0] for c in connection.execute(query).description]
    for column in case["columns"] if kind != "carry-column" else ():
        table, name = relation(column["relation"]).sql(), column["column"]
        change = {
            "column-alias": f"rename column {name} to {column.get('new_name')}",
            "column-placeholder": f"drop column {name}",
            "column-cast": f"alter column {name} type {column.get('new_type')}",
        }[kind]
        connection.execute(f"alter table {table} {change}")
    if kind in ("column-alias", "column-placeholder"):
        with pytest.raises(duckdb.Error):
            connection.execute(query)
    proposed = fixers().get(kind).propose(fault(case))
    assert isinstance(proposed, ProposedChange)
    mended = connection.execute(compiled(proposed.edits[0].after))
    added = [c["column"] for c in case["columns"]] if kind == "carry-column" else []
    assert [c[0] for c in mended.description] == before + added


def test_warehouses_that_fold_letter_case():
    case = {
        "columns": [{"relation": "orders", "column": "USER_ID", "new_name": "CUSTOMER_REF"}],
        "known": {"orders": ["ID", "USER_ID"]},
        "text": "select id, user_id from {{ source('raw', 'orders') }}\n",
    }
    proposed = fixers().get("column-alias").propose(fault(case, "snowflake"))
    assert isinstance(proposed, ProposedChange)
    assert "id, customer_ref as user_id from" in proposed.edits[0].after
    case["columns"][0]["new_name"] = "Customer Ref"
    proposed = fixers().get("column-alias").propose(fault(case, "snowflake"))
    assert isinstance(proposed, ProposedChange)
    assert 'id, "Customer Ref" as user_id from' in proposed.edits[0].after


def test_a_package_is_left_alone():
    case = {"columns": [], "known": {}, "text": "select 1"}
    broken = replace(
        fault(case),
        path="dbt_packages/x/models/m.sql",
        columns=(ColumnFault(relation=relation("orders"), column="a", new_name="b", type="INT"),),
    )
    for kind in KINDS:
        proposed = fixers().get(kind).propose(broken)
        assert isinstance(proposed, NoEdit)
        assert "package" in proposed.reason


def test_postgres_names_a_cast_after_its_column():
    case = {
        "columns": [{"relation": "orders", "column": "user_id", "new_name": "customer_ref"}],
        "known": {"orders": ["id", "user_id"]},
        "text": "select user_id::int from {{ source('raw', 'orders') }}\n",
    }
    proposed = fixers().get("column-alias").propose(fault(case, "postgres"))
    assert isinstance(proposed, NoEdit)
    assert "takes its name from it" in proposed.reason


PROJECTIONS = st.lists(
    st.sampled_from(
        [
            *("user_id", "o.user_id", "user_id as buyer", "lower(o.user_id) as user_key"),
            *("amount", "amount * 2 as twice", "'user_id' as label", "o.day -- user_id"),
            "(select max(user_id) from {{ source('raw', 'orders') }}) as greatest",
            "count(*) over (partition by user_id order by amount) as nth",
        ]
    ),
    min_size=1,
    max_size=5,
    unique=True,
)
CONDITIONS = st.sampled_from(
    [
        "",
        "where user_id is not null",
        "where o.user_id <> 'user_id'",
        "where exists (select 1 from {{ source('raw', 'orders') }} as p where p.id = o.id "
        "and p.user_id = o.user_id)",
        "qualify row_number() over (partition by o.user_id order by id) = 1",
    ]
)


@given(items=PROJECTIONS, condition=CONDITIONS, wrapped=st.booleans(), upper=st.booleans())
@settings(max_examples=60, deadline=None)
def test_law_the_mended_query_yields_what_it_did(items, condition, wrapped, upper):
    """Of the renamed table the new text yields the rows that the old text did of the old one."""
    listed = "\n    , ".join(items)
    source = "{{ source('raw', 'orders') }}"
    text = f"select\n    id\n    , {listed}\nfrom {source} as o {condition}\n"
    if wrapped:
        inner = text.replace(f"from {source} as o", "from source as o")
        text = f"with source as (select * from {source})\n{inner}"
    if upper:
        text = text.replace("select", "SELECT").replace(" as ", " AS ").replace("from", "FROM")
    case = {
        "columns": [{"relation": "orders", "column": "user_id", "new_name": "customer_ref"}],
        "known": {"orders": ["id", "user_id", "amount", "day"]},
        "text": text,
    }
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as shop; create schema shop.raw")
        connection.execute(
            "create table shop.raw.orders as select i as id, 'U' || (i % 3) as user_id, "
            "i * 1.5 as amount, date '2026-11-01' as day from range(7) t(i)"
        )
        before = answer(connection, text)
        connection.execute("alter table shop.raw.orders rename column user_id to customer_ref")
        proposed = fixers().get("column-alias").propose(fault(case))
        if isinstance(proposed, NoEdit):
            assert "does not read it by name" in proposed.reason
        else:
            text = proposed.edits[0].after
        assert answer(connection, text) == before


def answer(connection: duckdb.DuckDBPyConnection, text: str) -> tuple[list[str], list[Any]]:
    result = connection.execute(compiled(text))
    return [column[0] for column in result.description], sorted(result.fetchall())
