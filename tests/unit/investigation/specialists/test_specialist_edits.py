"""What a specialist may propose: the smallest edits of models in scope, and nothing beyond."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dagster_agent.investigation.specialists.toolbox import Toolbox
from dagster_agent.investigation.specialists.yml_edits import yml_trouble
from dagster_agent.model import Recheck

STG = "models/staging/stg_orders.sql"
YML = "models/staging/stg_orders.yml"
CURE = {"path": STG, "old": "inner join", "new": "left join"}


def proposed(use: Any, *edits: dict[str, str], **changes: Any) -> Any:
    arguments: dict[str, Any] = {
        "title": "Keep orders without a rate",
        "rationale": "The inner join drops them.",
        "edits": list(edits),
        "recheck": "reconciliation",
        "invariant": None,
    }
    return use("propose_change", **{**arguments, **changes})


def edit(old: str, new: str, path: str = STG) -> dict[str, str]:
    return {"path": path, "old": old, "new": new}


def test_a_small_cure_is_recorded(use: Any, toolbox: Toolbox) -> None:
    answer = proposed(use, CURE, title="Keep orders, fixes #12 @org [x](http://evil.example)")
    told = json.loads(answer.text)["data"]
    assert told["proposal"] == "P1"
    assert told["rebuilds"] == ["model.shop.stg_orders"]
    assert "-inner join" in told["diff"]
    proposal = toolbox.proposals["P1"]
    assert proposal.change is not None
    assert proposal.change.title == "Keep orders, fixes no. 12 (at)org x"
    (file,) = proposal.change.edits
    assert file.before is not None
    assert file.after == file.before.replace("inner join", "left join")


def test_a_cause_in_the_data_needs_an_invariant_that_runs(use: Any, toolbox: Toolbox) -> None:
    claim = {
        "statement": "every currency has a rate",
        "sql": "select count(*) as n from raw.orders as o "
        "left join raw.rates as r on r.currency = o.currency where r.currency is null",
    }
    answer = proposed(use, recheck="invariant", invariant=claim)
    assert json.loads(answer.text)["data"]["violated_now"] == 25
    proposal = toolbox.proposals["P1"]
    assert proposal.change is None
    assert proposal.recheck is Recheck.INVARIANT
    assert proposal.invariant is not None
    assert '"shop"."raw"."rates"' in proposal.invariant.sql
    for changes, word in (
        ({}, "needs an invariant"),
        ({"recheck": "invariant"}, "go together"),
        ({"invariant": claim}, "go together"),
        ({"recheck": "invariant", "invariant": {**claim, "sql": "select 'a' as a"}}, "one number"),
        (
            {"recheck": "invariant", "invariant": {**claim, "sql": "select id from hr.salaries"}},
            "no table of the dbt project",
        ),
        (
            {
                "recheck": "invariant",
                "invariant": {**claim, "sql": "select max(email) from raw.orders"},
            },
            "about people",
        ),
    ):
        assert word in proposed(use, **changes).text
    assert list(toolbox.proposals) == ["P1"]


@pytest.mark.parametrize(
    "path",
    [
        *("dbt_project.yml", "macros/to_usd.sql", "profiles.yml", "models/sources.yml"),
        *("models/people.sql", "../other/models/a.sql", "/etc/passwd", ".github/workflows/ci.yml"),
        *("packages.yml", "models/staging/../../dbt_project.yml", "models/staging/new.sql"),
    ],
)
def test_other_files_are_out_of_reach(use: Any, toolbox: Toolbox, path: str) -> None:
    answer = proposed(use, edit("name", "eman", path))
    assert answer.failed
    assert "may not be" in answer.text or "no path inside" in answer.text
    assert not toolbox.proposals


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("outer join", "left join", "stands 0 times"),
        ("orders", "o", "times in"),
        ("inner join", "inner join", "nothing changes"),
        ("inner join", "left\u200b join", "invisible"),
        ("inner join", "left join" + " " * 13_000, "too long"),
        ("orders.status", "{{ env_var('AWS_SECRET_ACCESS_KEY') }}", "Jinja expression"),
        ("orders.status", "{{ run_query('drop table raw.orders') }}", "Jinja expression"),
        ("orders.status", "{{ to_usd(env_var('X')) }}", "Jinja expression"),
        ("orders.status", "{{ to_usd(\"(select 1)\") }}", "Jinja expression"),
        ("orders.status", "{{ adapter.dispatch('x')() }}", "Jinja expression"),
        ("orders.status", "{{ ''.__class__ }}", "Jinja expression"),
        ("orders.status", "{{ ref(*['a']) }}", "Jinja expression"),
        ("-- one row", "{{ config(post_hook='grant all') }}-- one row", "Jinja expression"),
        ("-- one row", "{{ config(materialized='external') }}-- one row", "Jinja expression"),
        ("-- one row", "{% do run_query('x') %}-- one row", "Jinja statement"),
        ("-- one row", "{% set x = 1 %}-- one row", "Jinja statement"),
        ("-- one row", "{# hi #}-- one row", "Jinja comment"),
        ("orders.status", "{{ broken", "Jinja"),
        ("orders.status", "(select max(salary) from hr.salaries) as status", "hr.salaries by name"),
        ("orders.status", "(select content from read_text('/etc/passwd')) as status", "read"),
        ("orders.status", "getenv('HOME') as status", "not known to be harmless"),
        ("orders.currency = rates.currency", "true; drop table raw.orders", "2 statements"),
    ],
)  # fmt: skip
def test_what_an_edit_may_not_bring_in(use: Any, old: str, new: str, word: str) -> None:
    answer = proposed(use, edit(old, new))
    assert answer.failed
    assert word in answer.text


@pytest.mark.parametrize(
    "new",
    [
        "coalesce(orders.status, 'unknown') as status",
        "{{ to_usd('orders.tax') }} as tax, orders.status",
        "(select max(usd) from {{ source('raw', 'rates') }}) as status",
        "{# never mind #}orders.status".replace("{# never mind #}", ""),
    ][:3],
)
def test_what_a_cure_may_need(use: Any, new: str) -> None:
    answer = proposed(use, edit("orders.status", new))
    assert not answer.failed, answer.text


def test_config_may_say_how_rows_are_kept(use: Any) -> None:
    new = "{{ config(materialized='table', unique_key=['id']) }}\n-- one row"
    assert not proposed(use, edit("-- one row", new)).failed


MODELS = """version: 2
models:
  - name: a
    config: {materialized: table}
    meta: {dagster_agent: {reconciliation: {max_lost_share: 0.1}}}
    columns:
      - name: id
        data_tests: [unique, not_null]
      - name: other
  - name: b
"""


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("max_lost_share: 0.1", "max_lost_share: 1", "`meta` may not change"),
        ("materialized: table", "post-hook: 'x'", "`config` may not change"),
        ("[unique, not_null]", "[unique]", "no test may be"),
        ("[unique, not_null]", "[unique, not_null, shop.evil]", "may be added as tests"),
        ("[unique, not_null]", "[unique, not_null, {unique: {where: '1=1'}}]", "may be added"),
        ("      - name: id\n        data_tests: [unique, not_null]\n", "", "tested column id"),
        ("- name: other", '- name: "id) or (1=1"', "more than letters"),
        ("- name: other", "- name: other\n        constraints: [{type: x}]", "may not change"),
        ("- name: other", "- name: other\n        data_type: text", "may not change"),
        (
            "- name: other",
            "- name: other\n        data_tests: [{relationships: {to: run_query(1), field: id}}]",
            "may be added",
        ),
        (
            "- name: other",
            "- name: other\n        data_tests: [{accepted_values: {values: [\"x' or '1\"]}}]",
            "may be added",
        ),
        (
            "- name: other",
            "- name: other\n        data_tests: [{accepted_values: {values: [1], quote: false}}]",
            "may be added",
        ),
        ("  - name: b\n", "", "added, removed or renamed"),
        ("  - name: b\n", "  - name: b\n    description: new\n", "b is not in scope"),
        ("version: 2", "version: 2\nseeds: [{name: s}]", "only what stands under"),
        ("  - name: b", "  - name: b\n    description: \"{{ env_var('X') }}\"", "Jinja"),
        ("models:", "models: [", "no YAML"),
        ("version: 2\nmodels:", "version: 2\nmodels: 3\nx:", "only what stands under"),
    ],
)
def test_what_an_edit_of_yml_may_not_do(old: str, new: str, word: str) -> None:
    assert MODELS.count(old) == 1
    assert word in yml_trouble(MODELS, MODELS.replace(old, new), models={"a"})


def test_what_an_edit_of_yml_may_do() -> None:
    for old, new in (
        ("- name: other", "- name: renamed"),
        ("- name: other", "- name: other\n        data_tests: [not_null]"),
        (
            "- name: other",
            "- name: other\n        data_tests: [{accepted_values: {arguments: {values: [1]}}}]",
        ),
        ("  - name: a\n", "  - name: a\n    description: better\n"),
        (
            "- name: other",
            "- name: other\n        data_tests: [{relationships: {arguments: "
            "{to: ref('b'), field: id}, config: {severity: warn}}}]",
        ),
    ):
        assert yml_trouble(MODELS, MODELS.replace(old, new), models={"a"}) == ""


def test_a_model_and_its_yml_together(use: Any, toolbox: Toolbox) -> None:
    tests = edit("[unique, not_null]", "[unique, not_null]\n      - name: status", YML)
    assert not proposed(use, CURE, tests).failed
    change = toolbox.proposals["P1"].change
    assert change is not None
    assert [e.path for e in change.edits] == [STG, YML]
    assert change.assets == ("model.shop.stg_orders",)
    meta = proposed(use, edit("pii: [amount_usd]", "pii: []", YML))
    assert "`meta` may not change" in meta.text
