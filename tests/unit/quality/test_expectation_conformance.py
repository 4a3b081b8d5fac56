"""What is compiled to SQL says what Great Expectations says of the same rows."""

from __future__ import annotations

from typing import Any

import pytest

from dagster_agent.quality.expectations.compiling import COMPILERS
from dagster_agent.quality.expectations.declared import DeclaredExpectation
from dagster_agent.quality.expectations.engine import ExpectationRun, evaluate
from dagster_agent.quality.expectations.expectation import EvaluatedBy, Outcome
from dagster_agent.quality.expectations.gx_runner import evaluate_frame

from .conftest import Promises

TABLE = """
select i as id,
    case when i in (3, 7) then null else i // 2 end as pair,
    case when i in (4, 9) then null else 'v' || (i % 4) end as text,
    case when i = 5 then null else (i - 4) * 1.5::double end as amount,
    case when i = 2 then null when i = 8 then 1000::double else i end as spread,
    case when i = 6 then null else timestamp '2026-01-01' + interval (i) day end as placed_at,
    case when i = 1 then null when i < 5 then i else i + 1 end as other,
    null::integer as nothing,
    i % 3 as three, i % 3 as three_again, 7 - (i % 3) as rest, i > 3 as flag,
    'ä' || chr(39) || i as "odd ""name"
from range(12) t(i)
"""
BIG = {"type": "comparison", "column": {"name": "id"}, "operator": ">", "parameter": 5}
FILLED = {"type": "nullity", "column": {"name": "text"}, "is_null": False}
EITHER = {"type": "or", "conditions": [BIG, FILLED]}
ANY = {"min_value": None, "max_value": None}
C, P, T = "expect_column_values_to_", "expect_column_pair_values_", "expect_table_"
CASES: list[tuple[str, dict[str, Any]]] = [
    (f"{C}not_be_null", {"column": "pair"}),
    (f"{C}not_be_null", {"column": "pair", "mostly": 0.8}),
    (f"{C}not_be_null", {"column": "pair", "row_condition": BIG}),
    (f"{C}not_be_null", {"column": "nothing", "mostly": 0.0}),
    (f"{C}be_null", {"column": "nothing"}),
    (f"{C}be_null", {"column": "pair", "mostly": 0.1}),
    (f"{C}be_in_set", {"column": "text", "value_set": ["v0", "v1", "v2"], "mostly": 0.7}),
    (f"{C}be_in_set", {"column": "text", "value_set": ["v0", None]}),
    (f"{C}be_in_set", {"column": "id", "value_set": [], "mostly": 0.5}),
    (f"{C}be_in_set", {"column": 'odd "name', "value_set": ["ä'1", "ä'2"], "mostly": 0.1}),
    (f"{C}not_be_in_set", {"column": "text", "value_set": ["v3"], "row_condition": EITHER}),
    (f"{C}not_be_in_set", {"column": "flag", "value_set": [True]}),
    (f"{C}be_between", {"column": "amount", "min_value": -3, "max_value": 9}),
    (f"{C}be_between", {"column": "amount", "min_value": -6, "strict_min": True, "mostly": 0.9}),
    (f"{C}be_between", {"column": "placed_at", "max_value": "2026-01-09T00:00:00"}),
    (f"{C}be_between", {"column": "nothing", "min_value": 1}),
    (f"{C}be_unique", {"column": "id"}),
    (f"{C}be_unique", {"column": "pair", "mostly": 0.2}),
    (f"{C}be_unique", {"column": "text", "row_condition": BIG}),
    (f"{C}match_regex", {"column": "text", "regex": "^v[01]$", "mostly": 0.4}),
    (f"{C}match_regex", {"column": "id", "regex": "1"}),
    (f"{C}not_match_regex", {"column": "text", "regex": "[23]"}),
    (f"{C}match_regex_list", {"column": "text", "regex_list": ["0", "1"], "mostly": 0.5}),
    (f"{C}match_regex_list", {"column": "text", "regex_list": ["v", "1"], "match_on": "all"}),
    (f"{C}not_match_regex_list", {"column": "text", "regex_list": ["0", "x"]}),
    ("expect_column_value_lengths_to_be_between", {"column": "text", "min_value": 2}),
    (
        "expect_column_value_lengths_to_be_between",
        {"column": 'odd "name', "max_value": 3, "mostly": 0.8, "strict_max": False},
    ),
    ("expect_column_value_lengths_to_equal", {"column": 'odd "name', "value": 3}),
    (
        "expect_column_value_z_scores_to_be_less_than",
        {"column": "spread", "threshold": 2, "double_sided": True},
    ),
    (
        "expect_column_value_z_scores_to_be_less_than",
        {"column": "spread", "threshold": 4, "double_sided": False},
    ),
    (f"{P}to_be_equal", {"column_A": "id", "column_B": "other", "mostly": 0.3}),
    (
        f"{P}to_be_equal",
        {"column_A": "pair", "column_B": "other", "ignore_row_if": "either_value_is_missing"},
    ),
    (f"{P}to_be_equal", {"column_A": "pair", "column_B": "other", "ignore_row_if": "neither"}),
    (f"{P}a_to_be_greater_than_b", {"column_A": "other", "column_B": "pair", "mostly": 0.5}),
    (
        f"{P}a_to_be_greater_than_b",
        {"column_A": "three", "column_B": "three_again", "or_equal": True},
    ),
    (
        f"{P}to_be_in_set",
        {"column_A": "three", "column_B": "rest", "value_pairs_set": [(0, 7), (1, 6)]},
    ),
    (
        f"{P}to_be_in_set",
        {"column_A": "pair", "column_B": "id", "value_pairs_set": [(None, 3), (0, 1)]},
    ),
    ("expect_compound_columns_to_be_unique", {"column_list": ["pair", "three"]}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["pair", "text"], "mostly": 0.4}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["pair", "nothing"]}),
    ("expect_multicolumn_sum_to_equal", {"column_list": ["three", "rest"], "sum_total": 7}),
    ("expect_multicolumn_sum_to_equal", {"column_list": ["id", "pair"], "sum_total": 7}),
    ("expect_multicolumn_values_to_be_equal", {"column_list": ["three", "three_again"]}),
    ("expect_multicolumn_values_to_be_equal", {"column_list": ["id", "other", "pair"]}),
    (
        "expect_select_column_values_to_be_unique_within_record",
        {"column_list": ["id", "other", "pair"], "mostly": 0.5},
    ),
    ("expect_column_min_to_be_between", {"column": "amount", "min_value": -6, "max_value": 0}),
    ("expect_column_min_to_be_between", {"column": "amount", "min_value": -6, "strict_min": True}),
    ("expect_column_min_to_be_between", {"column": "nothing", "min_value": 0}),
    (
        "expect_column_max_to_be_between",
        {"column": "placed_at", "max_value": "2026-01-10T00:00:00"},
    ),
    ("expect_column_max_to_be_between", {"column": "id", "max_value": 8, "row_condition": BIG}),
    ("expect_column_mean_to_be_between", {"column": "amount", "min_value": 2, "max_value": 2.5}),
    ("expect_column_median_to_be_between", {"column": "id", "min_value": 5.5, "max_value": 5.5}),
    ("expect_column_stdev_to_be_between", {"column": "id", "min_value": 3.6, "max_value": 3.61}),
    ("expect_column_sum_to_be_between", {"column": "id", "min_value": 66, "max_value": 66}),
    ("expect_column_unique_value_count_to_be_between", {"column": "text", "max_value": 3}),
    (
        "expect_column_proportion_of_unique_values_to_be_between",
        {"column": "text", "min_value": 0.4, "max_value": 0.4},
    ),
    (
        "expect_column_proportion_of_non_null_values_to_be_between",
        {"column": "text", "min_value": 0.85},
    ),
    ("expect_column_distinct_values_to_be_in_set", {"column": "three", "value_set": [0, 1, 2, 3]}),
    ("expect_column_distinct_values_to_be_in_set", {"column": "text", "value_set": ["v1"]}),
    ("expect_column_distinct_values_to_equal_set", {"column": "three", "value_set": [0, 1, 2]}),
    ("expect_column_distinct_values_to_equal_set", {"column": "three", "value_set": [0, 1, 2, 3]}),
    ("expect_column_distinct_values_to_contain_set", {"column": "text", "value_set": ["v1"]}),
    ("expect_column_distinct_values_to_contain_set", {"column": "text", "value_set": ["v9"]}),
    (
        "expect_column_most_common_value_to_be_in_set",
        {"column": "three", "value_set": [0, 1], "ties_okay": True},
    ),
    ("expect_column_most_common_value_to_be_in_set", {"column": "three", "value_set": [0, 1]}),
    (
        "expect_column_quantile_values_to_be_between",
        {
            "column": "id",
            "quantile_ranges": {"quantiles": [0.1, 0.9], "value_ranges": [[1, 1], [None, 10]]},
        },
    ),
    (f"{T}row_count_to_be_between", {"min_value": 12, "max_value": 12}),
    (f"{T}row_count_to_equal", {"value": 13}),
    (f"{T}column_count_to_be_between", {"max_value": 12}),
    (f"{T}column_count_to_equal", {"value": 13}),
    (f"{T}columns_to_match_set", {"column_set": ["id", "pair"], "exact_match": False}),
    (f"{T}columns_to_match_set", {"column_set": ["id", "pair"]}),
    (f"{T}columns_to_match_ordered_list", {"column_list": ["id", "pair"]}),
    ("expect_column_to_exist", {"column": "pair", "column_index": 1}),
    ("expect_column_to_exist", {"column": "gone"}),
]
ONLY_SQL = {
    f"{C}match_like_pattern",
    f"{C}not_match_like_pattern",
    f"{C}match_like_pattern_list",
    f"{C}not_match_like_pattern_list",
    f"{C}be_of_type",
    f"{C}be_in_type_list",
    "expect_column_type_to_be",
    f"{T}row_count_to_equal_other_table",
    "unexpected_rows_expectation",
}
"""Those that Great Expectations does not evaluate on pandas, or on pandas' own types."""


def test_compiled_results_equal_those_of_great_expectations(promises: Promises) -> None:
    promises.execute(f"create table awkward as {TABLE}")
    around = promises.around()
    uid = promises.model("awkward")
    around = promises.around()
    table = around.table(around.manifest.asset(uid))
    declared = [DeclaredExpectation(type=type_, kwargs=kwargs) for type_, kwargs in CASES]
    promises.warehouse.sent.clear()
    ours = evaluate(declared, ExpectationRun(table=table, around=around, max_rows=1000))
    assert len(promises.warehouse.sent) == 1
    with promises.warehouse.batches("select * from awkward", purpose="test") as reader:
        frame = reader.read_pandas(date_as_object=False)
    theirs = evaluate_frame(declared, frame)
    differing = [
        (each.type, dict(each.kwargs), one, other)
        for each, one, other in zip(declared, ours, theirs, strict=True)
        if _facts(one) != _facts(other)
    ]
    assert not differing, "\n".join(map(str, differing))
    assert {type_ for type_, _ in CASES} | ONLY_SQL == set(COMPILERS)


def _facts(found: object) -> tuple[bool, int | None] | str:
    if not isinstance(found, Outcome):
        return repr(found)
    unexpected = found.unexpected if found.examined is not None else None
    return found.success, unexpected


@pytest.mark.parametrize(
    ("type_", "kwargs", "success", "unexpected"),
    [
        (f"{C}match_like_pattern", {"column": "text", "like_pattern": "v_"}, True, 0),
        (f"{C}not_match_like_pattern", {"column": "text", "like_pattern": "%1"}, False, 2),
        (
            f"{C}match_like_pattern_list",
            {"column": "text", "like_pattern_list": ["%1", "%2"], "mostly": 0.5},
            True,
            5,
        ),
        (
            f"{C}not_match_like_pattern_list",
            {"column": "text", "like_pattern_list": ["%9"]},
            True,
            0,
        ),
        (f"{C}be_of_type", {"column": "text", "type_": "TEXT"}, True, None),
        (f"{C}be_in_type_list", {"column": "id", "type_list": ["VARCHAR", "BIGINT"]}, True, None),
        ("expect_column_type_to_be", {"column": "id", "type_": "INTEGER"}, False, None),
        (f"{T}row_count_to_equal_other_table", {"other_table_name": "twin"}, True, None),
        (
            "unexpected_rows_expectation",
            {"unexpected_rows_query": "select * from {batch} where id > 9"},
            False,
            2,
        ),
        (
            f"{C}be_null",
            {"column": "text", "row_condition": 'col("id") > 8', "condition_parser": "x"},
            False,
            2,
        ),
    ],
)
def test_what_pandas_does_not_know(
    promises: Promises, type_: str, kwargs: dict[str, Any], success: bool, unexpected: int | None
) -> None:
    promises.execute(f"create table awkward as {TABLE}", "create table twin as from awkward")
    uid = promises.model("awkward")
    promises.model("twin")
    around = promises.around()
    table = around.table(around.manifest.asset(uid))
    declared = [DeclaredExpectation(type=type_, kwargs=kwargs)]
    (found,) = evaluate(declared, ExpectationRun(table=table, around=around, max_rows=1))
    assert isinstance(found, Outcome), found
    assert (found.success, found.unexpected) == (success, unexpected)
    assert found.evaluated_by is EvaluatedBy.COMPILED_SQL
