"""Expectations of each value of a column, of a pair of columns, or of a list of columns.

A row counts as unexpected when its condition is false or unknown. Values that are NULL are left
out, except where the expectation is about NULL; of no values at all everything is true, which the
outcome shows by having examined none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dagster_agent.errors import ConfigError
from dagster_agent.quality.expectations.expectation import (
    CompiledExpectation,
    Compiler,
    EvaluatedBy,
    Outcome,
    Reading,
    compiler,
)
from dagster_agent.quality.measuring import Answers
from dagster_agent.quality.sql_text import all_of, as_text, counted, literal, matches, values

Expected = Callable[[Reading, str], str]
"""From a reading and its quoted column to the SQL condition of a value that is as expected."""


def by_row(reading: Reading, applies: str, expected: str) -> CompiledExpectation:
    """Judge row by row.

    Args:
        reading: The expectation.
        applies: SQL condition of the rows that it is about.
        expected: SQL condition of a row that meets it.
    """
    about = all_of([reading.where, applies])
    missed = all_of([about, f"not coalesce(({expected}), {_false(reading)})"])
    return _counted(
        reading,
        counted(about),
        counted(missed),
        f"select * from {reading.table.rows} where {missed}",
    )


def _counted(reading: Reading, examined: str, missed: str, rows: str) -> CompiledExpectation:
    mostly = float(reading.get("mostly", 1.0))
    if not 0 <= mostly <= 1:
        raise ConfigError(
            f"{reading.declared.type} has mostly: {mostly}", hint="it lies between 0 and 1"
        )

    def judge(answers: Answers) -> Outcome:
        of, unexpected = answers.count(examined), answers.count(missed)
        return Outcome(
            success=not of or (of - unexpected) / of >= mostly,
            evaluated_by=EvaluatedBy.COMPILED_SQL,
            examined=of,
            unexpected=unexpected,
            query=rows,
        )

    return CompiledExpectation(asks=(examined, missed), judge=judge, rows=rows)


def _false(reading: Reading) -> str:
    return "1 = 0" if reading.dialect == "tsql" else "false"


def _each(arguments: str, expected: Expected) -> Compiler:
    """An expectation of each value that is not NULL."""

    def compile_(reading: Reading) -> CompiledExpectation:
        column = reading.column()
        return by_row(reading, f"{column} is not null", expected(reading, column))

    return compiler(f"column mostly {arguments}", compile_)


def _nulls(reading: Reading) -> CompiledExpectation:
    wanted = "is not null" if "not_be_null" in reading.declared.type else "is null"
    return by_row(reading, "", f"{reading.column()} {wanted}")


def _in_set(reading: Reading, column: str) -> str:
    given = [value for value in reading.items("value_set") if value is not None]
    return f"{column} in ({values(given, reading.dialect)})" if given else "1 = 0"


def _not_in_set(reading: Reading, column: str) -> str:
    return f"not ({_in_set(reading, column)})"


def between(reading: Reading, value: str, low: str = "min_value", high: str = "max_value") -> str:
    """SQL condition of a value within the bounds of the reading's arguments."""
    bounds = [
        (low, ">" if reading.get("strict_min") else ">="),
        (high, "<" if reading.get("strict_max") else "<="),
    ]
    given = [
        f"{value} {sign} {literal(reading.get(name), reading.dialect)}"
        for name, sign in bounds
        if reading.get(name) is not None
    ]
    if not given:
        raise ConfigError(
            f"{reading.declared.type} has no bound", hint=f"give {low} or {high} in kwargs"
        )
    return all_of(given)


def _lengths(reading: Reading, column: str) -> str:
    length = f"length({as_text(column, reading.dialect)})"
    if reading.declared.type.endswith("to_equal"):
        return f"{length} = {literal(reading.need('value'), reading.dialect)}"
    return between(reading, length)


def _regex(reading: Reading, column: str) -> str:
    pattern = str(reading.get("regex", "(?s).*"))
    return matches(as_text(column, reading.dialect), pattern, reading.dialect)


def _not_regex(reading: Reading, column: str) -> str:
    return f"not ({_regex(reading, column)})"


def _regexes(reading: Reading, column: str) -> str:
    text = as_text(column, reading.dialect)
    each = [matches(text, str(p), reading.dialect) for p in reading.items("regex_list")]
    return _any_or_all(reading, each)


def _no_regex(reading: Reading, column: str) -> str:
    return f"not ({_regexes(reading, column)})"


def _like(reading: Reading, column: str) -> str:
    return _pattern(reading, column, str(reading.need("like_pattern")))


def _not_like(reading: Reading, column: str) -> str:
    return f"not ({_like(reading, column)})"


def _likes(reading: Reading, column: str) -> str:
    each = [_pattern(reading, column, str(p)) for p in reading.items("like_pattern_list")]
    return _any_or_all(reading, each)


def _no_like(reading: Reading, column: str) -> str:
    return f"not ({_likes(reading, column)})"


def _pattern(reading: Reading, column: str, pattern: str) -> str:
    text = f"{column} like {literal(pattern, reading.dialect)}"
    escape = reading.get("escape")
    return f"{text} escape {literal(str(escape), reading.dialect)}" if escape else text


def _any_or_all(reading: Reading, each: list[str]) -> str:
    if not each:
        raise ConfigError(f"{reading.declared.type} has an empty list", hint="give a pattern")
    return (" and " if reading.get("match_on") == "all" else " or ").join(f"({e})" for e in each)


def _unique(reading: Reading) -> CompiledExpectation:
    """Every row of a repeated value is unexpected, not only its repetitions."""
    column = reading.column()
    there = f"{column} is not null"
    repeated = (
        f"select {column} as v, count(*) as n from {reading.rows_where(there)} "
        f"group by {column} having count(*) > 1"
    )
    twice = f"{column} in (select v from ({repeated}) as r)"
    rows = f"select * from {reading.rows_where(there, twice)}"
    missed = f"(select coalesce(sum(n), 0) from ({repeated}) as r)"
    return _counted(reading, counted(all_of([reading.where, there])), missed, rows)


def _z_scores(reading: Reading) -> CompiledExpectation:
    """A z-score that is not defined, of a constant column, meets any threshold."""
    column, there = reading.column(), f"{reading.column()} is not null"
    of = reading.rows_where(there)
    score = f"({column} - z.m) / nullif(z.s, 0)"
    score = f"abs({score})" if reading.get("double_sided") else score
    limit = literal(reading.need("threshold"), reading.dialect)
    rows = (
        f"select {column} as value from (select * from {of}) as t cross join (select "
        f"avg({column}) as m, stddev_samp({column}) as s from {of}) as z where {score} >= {limit}"
    )
    missed = f"(select count(*) from ({rows}) as far)"
    return _counted(reading, counted(all_of([reading.where, there])), missed, rows)


COLUMN_VALUES: Mapping[str, Compiler] = {
    "expect_column_values_to_not_be_null": compiler("column mostly", _nulls),
    "expect_column_values_to_be_null": compiler("column mostly", _nulls),
    "expect_column_values_to_be_in_set": _each("value_set", _in_set),
    "expect_column_values_to_not_be_in_set": _each("value_set", _not_in_set),
    "expect_column_values_to_be_between": _each(
        "min_value max_value strict_min strict_max", between
    ),
    "expect_column_values_to_be_unique": compiler("column mostly", _unique),
    "expect_column_value_lengths_to_be_between": _each(
        "min_value max_value strict_min strict_max", _lengths
    ),
    "expect_column_value_lengths_to_equal": _each("value", _lengths),
    "expect_column_value_z_scores_to_be_less_than": compiler(
        "column mostly threshold double_sided", _z_scores
    ),
    "expect_column_values_to_match_regex": _each("regex", _regex),
    "expect_column_values_to_not_match_regex": _each("regex", _not_regex),
    "expect_column_values_to_match_regex_list": _each("regex_list match_on", _regexes),
    "expect_column_values_to_not_match_regex_list": _each("regex_list", _no_regex),
    "expect_column_values_to_match_like_pattern": _each("like_pattern escape", _like),
    "expect_column_values_to_not_match_like_pattern": _each("like_pattern escape", _not_like),
    "expect_column_values_to_match_like_pattern_list": _each(
        "like_pattern_list match_on escape", _likes
    ),
    "expect_column_values_to_not_match_like_pattern_list": _each(
        "like_pattern_list escape", _no_like
    ),
}
"""By type."""
