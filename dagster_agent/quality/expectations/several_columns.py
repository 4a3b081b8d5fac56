"""Expectations of pairs and lists of columns, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from dagster_agent.errors import ConfigError
from dagster_agent.quality.expectations.column_values import by_row
from dagster_agent.quality.expectations.expectation import (
    CompiledExpectation,
    Compiler,
    EvaluatedBy,
    Outcome,
    Reading,
    compiler,
)
from dagster_agent.quality.measuring import Answers
from dagster_agent.quality.sql_text import all_of, counted, literal

_IGNORED = {
    "both_values_are_missing": "any",
    "either_value_is_missing": "all",
    "neither": "none",
    "all_values_are_missing": "any",
    "any_value_is_missing": "all",
    "never": "none",
}
"""Of which columns a value must be there, so that a row is looked at."""


def _applies(reading: Reading, columns: Sequence[str], default: str) -> str:
    ignored = str(reading.get("ignore_row_if", default))
    if ignored not in _IGNORED:
        raise ConfigError(
            f"{reading.declared.type} has ignore_row_if: {ignored!r}",
            hint=f"known: {', '.join(_IGNORED)}",
        )
    there = [f"{column} is not null" for column in columns]
    needed = _IGNORED[ignored]
    if needed == "none":
        return ""
    return all_of(there) if needed == "all" else " or ".join(there)


def _pair(reading: Reading, expected: str) -> CompiledExpectation:
    both = (reading.column("column_A"), reading.column("column_B"))
    return by_row(reading, _applies(reading, both, "both_values_are_missing"), expected)


def _list(reading: Reading, columns: Sequence[str], expected: str) -> CompiledExpectation:
    return by_row(reading, _applies(reading, columns, "all_values_are_missing"), expected)


def _equal(reading: Reading) -> CompiledExpectation:
    return _pair(reading, f"{reading.column('column_A')} = {reading.column('column_B')}")


def _greater(reading: Reading) -> CompiledExpectation:
    sign = ">=" if reading.get("or_equal") else ">"
    return _pair(reading, f"{reading.column('column_A')} {sign} {reading.column('column_B')}")


def _pairs(reading: Reading) -> CompiledExpectation:
    a, b = reading.column("column_A"), reading.column("column_B")
    known: list[str] = []
    for pair in reading.items("value_pairs_set"):
        one, other = pair
        known.append(f"{_is(reading, a, one)} and {_is(reading, b, other)}")
    return _pair(reading, " or ".join(f"({k})" for k in known) or "1 = 0")


def _is(reading: Reading, column: str, value: object) -> str:
    if value is None:
        return f"{column} is null"
    return f"{column} = {literal(value, reading.dialect)}"


def _sum(reading: Reading) -> CompiledExpectation:
    columns = reading.columns()
    total = literal(reading.need("sum_total"), reading.dialect)
    return _list(reading, columns, f"{' + '.join(columns)} = {total}")


def _same(one: str, other: str) -> str:
    return f"coalesce({one} = {other}, false) or ({one} is null and {other} is null)"


def _all_equal(reading: Reading) -> CompiledExpectation:
    first, *others = columns = reading.columns()
    return _list(reading, columns, all_of([_same(first, other) for other in others]))


def _all_different(reading: Reading) -> CompiledExpectation:
    columns = reading.columns()
    different = [f"not ({_same(a, b)})" for a, b in combinations(columns, 2)]
    return _list(reading, columns, all_of(different))


def _compound(reading: Reading) -> CompiledExpectation:
    """Every row of a repeated combination is unexpected; two NULLs are the same."""
    columns = reading.columns()
    there = _applies(reading, columns, "all_values_are_missing")
    listed = ", ".join(columns)
    repeated = (
        f"select {listed}, count(*) as rows_with_it from {reading.rows_where(there)} "
        f"group by {listed} having count(*) > 1"
    )
    examined = counted(all_of([reading.where, there]))
    missed = f"(select coalesce(sum(rows_with_it), 0) from ({repeated}) as r)"
    mostly = float(reading.get("mostly", 1.0))

    def judge(answers: Answers) -> Outcome:
        of, unexpected = answers.count(examined), answers.count(missed)
        return Outcome(
            success=not of or (of - unexpected) / of >= mostly,
            evaluated_by=EvaluatedBy.COMPILED_SQL,
            examined=of,
            unexpected=unexpected,
            query=repeated,
        )

    return CompiledExpectation(asks=(examined, missed), judge=judge, rows=repeated)


_A_PAIR = "column_A column_B mostly ignore_row_if"
_A_LIST = "column_list mostly ignore_row_if"

SEVERAL_COLUMNS: Mapping[str, Compiler] = {
    "expect_column_pair_values_to_be_equal": compiler(_A_PAIR, _equal),
    "expect_column_pair_values_a_to_be_greater_than_b": compiler(f"{_A_PAIR} or_equal", _greater),
    "expect_column_pair_values_to_be_in_set": compiler(f"{_A_PAIR} value_pairs_set", _pairs),
    "expect_compound_columns_to_be_unique": compiler(_A_LIST, _compound),
    "expect_multicolumn_sum_to_equal": compiler(f"{_A_LIST} sum_total", _sum),
    "expect_multicolumn_values_to_be_equal": compiler(_A_LIST, _all_equal),
    "expect_select_column_values_to_be_unique_within_record": compiler(_A_LIST, _all_different),
}
"""By type."""
