"""`null-safe-condition` against its case file, and where expressions stand in their text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from dagster_agent.model import ProposedChange
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.expression_text import place_of
from dagster_agent.repair.fixer import Fault, fixers
from dagster_agent.repair.null_safe_edits import GuardKind, NullGuard
from dagster_agent.sql.guard import parse_select
from tests.case_files import read_cases

CASES = Path(__file__).parents[2] / "cases" / "fixer" / "null-safe-condition.yaml"


def _guard(spec: dict[str, str], sql: str) -> NullGuard:
    written = spec["expression"]
    start = sql.index(written) + len(written) - len(written.lstrip())
    return NullGuard(
        kind=GuardKind(spec["kind"]),
        start=start,
        end=start + len(written.strip()),
        column=spec["column"],
    )


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=c["name"]) for c in read_cases(CASES)["cases"]]
)
def test_case(case: dict[str, Any]) -> None:
    text = case["text"]
    compiled = case.get("compiled", text)
    fault = Fault(
        asset="model.case.m",
        path=case.get("path", "models/m.sql"),
        text=text,
        compiled_code=compiled,
        dialect="duckdb",
        null_guards=tuple(_guard(spec, compiled) for spec in case["guards"]),
    )
    proposed = fixers().get("null-safe-condition").propose(fault)
    if "reason" in case:
        assert isinstance(proposed, NoEdit)
        assert case["reason"] in proposed.reason
        return
    assert isinstance(proposed, ProposedChange), proposed
    (edit,) = proposed.edits
    pairs = zip(text.splitlines(), edit.after.splitlines(), strict=True)
    different = {n: new for n, (old, new) in enumerate(pairs, 1) if old != new}
    assert different == case["after"]
    assert f"Line {min(different)} of models/m.sql" in proposed.rationale


@pytest.mark.parametrize("dialect", ["duckdb", "snowflake", "postgres", "bigquery", "databricks"])
@pytest.mark.parametrize(
    "condition",
    [
        "status <> 'x'",
        "not (lower(o.status) = 'x')",
        "coalesce(o.a, 0) not in (1, 2, -3)",
        "o.name not like '%x%'",
        "a not in (select b from u where (c = (select max(d) from v)))",
        "cast(a as int) <> 3",
    ],
)
def test_a_condition_is_found_among_others(condition: str, dialect: str) -> None:
    sql = f"select 1 from o where (x = 1) and {condition} /* why */ and (y = 2 or {condition})"
    where = parse_select(sql, dialect).args["where"].this
    node = where.left.right
    assert isinstance(node, exp.Expr)
    place = place_of(node, sql, dialect)
    assert place is not None
    assert sql[slice(*place)] == condition
    assert place[0] == sql.index(condition)


@given(
    st.lists(st.sampled_from(["a", "t.b", "(c)", "abs(d)", "1", "'ä'"]), min_size=1, max_size=5),
    st.sampled_from([" + ", "+", "\n  - ", " /* x */ * "]),
)
def test_the_stretch_reads_as_the_expression(operands: list[str], operator: str) -> None:
    text = operator.join(operands)
    sql = f"select z, {text} as y, {text} from t where {text} > 0"
    tree = parse_select(sql, "duckdb")
    node = tree.expressions[1].this
    place = place_of(node, sql, "duckdb")
    assert place is not None
    read = parse_select(f"select {sql[slice(*place)]}", "duckdb").expressions[0]
    assert read == node
