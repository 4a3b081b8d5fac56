"""What holds of every statement: a refused part stays refused wherever it is put."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.errors import QueryRefused
from dagster_agent.model import Relation
from dagster_agent.sql.functions import DIALECTS
from dagster_agent.sql.guard import judge, read_only
from tests.case_files import read_cases

CASES = Path(__file__).parents[2] / "cases" / "security"
PLACES = (
    "with x as ({}) select * from x",
    "with a as (select 1), x as ({}) select * from a",
    "select * from ({}) as x",
    "select 1 as a union all ({})",
    "({}) union all select 1",
    "select (select count(*) from ({}) as y) as n",
    "select 1 as a where exists ({})",
    "select 1 as a where 1 in ({})",
    "select * from t as o cross join ({}) as x",
    "select case when exists ({}) then 1 else 0 end as c",
    "select 1 as a from t order by (select count(*) from ({}) as z)",
    "select * from (select * from (with d as ({}) select * from d) as e) as f",
)


def _queries(kind: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for dialect in DIALECTS:
        path = CASES / f"guard-{dialect}.yaml"
        data: dict[str, Any] = read_cases(path) if path.exists() else {kind: []}
        found += [(dialect, sql) for sql in data[kind] if _nests(sql)]
    return found


def _nests(sql: str) -> bool:
    """Statements that other parts may stand around: comments and semicolons would cut them."""
    plain = not any(sign in sql for sign in (";", "--", "/*", "|>", "$$"))
    return plain and sql.startswith(("select ", "with "))


REFUSED = _queries("refused")
ALLOWED = _queries("allowed")


def test_there_is_enough_to_draw_from() -> None:
    assert len(REFUSED) > 250
    assert len(ALLOWED) > 250


@given(st.sampled_from(REFUSED), st.lists(st.sampled_from(PLACES), min_size=1, max_size=3))
def test_what_is_refused_is_refused_inside_anything(
    case: tuple[str, str], places: list[str]
) -> None:
    dialect, sql = case
    for place in places:
        sql = place.format(sql)
    assert not judge(sql, dialect).allowed


@given(st.sampled_from(ALLOWED), st.sampled_from(("with x as ({}) select * from x",)))
def test_what_passes_passes_inside_a_cte(case: tuple[str, str], place: str) -> None:
    dialect, sql = case
    if dialect == "bigquery" and sql.startswith("with"):
        return  # sqlglot does not read every nested WITH there
    verdict = judge(place.format(sql), dialect)
    assert verdict.allowed, verdict.reason


NAMES = st.sampled_from(["orders", "items", "secret", '"Secret"', "raw.secret", "shop.orders"])


@given(st.sampled_from(PLACES), st.sampled_from(sorted(set(DIALECTS) - {"bigquery"})), NAMES)
def test_a_hidden_table_is_found_wherever_it_is_read(place: str, dialect: str, name: str) -> None:
    name = name.replace('"', "`") if dialect in {"databricks", "spark"} else name
    sql = place.format(f"select * from {name}")
    relations = [Relation(schema="shop", name="orders"), Relation(schema="shop", name="t")]
    expected = name in {"orders", "shop.orders"}
    assert judge(sql, dialect, relations).allowed is expected


@given(st.text(max_size=60), st.sampled_from(DIALECTS))
def test_no_text_is_judged_with_an_exception(text: str, dialect: str) -> None:
    verdict = judge(text, dialect, ["a.b"])
    assert verdict.reason


@pytest.mark.parametrize("dialect", DIALECTS)
def test_more_relations_never_forbid(dialect: str) -> None:
    few, more = [Relation(name="a")], [Relation(name="a"), Relation(schema="x", name="b")]
    assert read_only("select * from a", dialect, relations=few)
    assert read_only("select * from a", dialect, relations=more)
    with pytest.raises(QueryRefused, match="not among"):
        read_only("select * from b", dialect, relations=few)
