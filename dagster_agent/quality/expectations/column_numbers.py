"""Expectations of one number or set of a whole column: its mean, its distinct values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, cast

from dagster_agent.errors import ConfigError
from dagster_agent.model import Cell
from dagster_agent.quality.expectations.expectation import (
    CompiledExpectation,
    Compiler,
    EvaluatedBy,
    Outcome,
    Reading,
    compiler,
)
from dagster_agent.quality.measuring import Answers
from dagster_agent.quality.sql_text import all_of, counted, literal, values

_BOUNDS = "column min_value max_value strict_min strict_max"


def outcome(
    success: bool, observed: Cell, *, examined: int | None = None, column: str = ""
) -> Outcome:
    """An outcome that is about one value; `column` is the one whose values it shows."""
    return Outcome(
        success=success,
        evaluated_by=EvaluatedBy.COMPILED_SQL,
        examined=examined,
        observed=observed,
        observed_column=column,
    )


def within(reading: Reading, observed: Cell) -> bool:
    """Whether an observed value lies in the bounds of the arguments; NULL never does.

    Raises:
        ConfigError: A bound is of another kind than the value.
    """
    if observed is None:
        return False
    low, high = reading.get("min_value"), reading.get("max_value")
    try:
        value = _comparable(observed)
        above = low is None or _in_order(_comparable(low, value), value, reading.get("strict_min"))
        return above and (
            high is None or _in_order(value, _comparable(high, value), reading.get("strict_max"))
        )
    except (TypeError, ValueError):
        raise ConfigError(
            f"{reading.declared.type} compares {type(observed).__name__} with {low!r} and {high!r}",
            hint="give bounds of the column's type",
        ) from None


def _in_order(one: Any, other: Any, strictly: object) -> bool:
    return bool(one < other if strictly else one <= other)


def _comparable(value: object, like: object = None) -> object:
    """A value that compares with others of its kind: numbers as floats, moments in UTC."""
    if isinstance(value, str) and isinstance(like, datetime):
        value = datetime.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return float(value) if isinstance(value, bool | int | float | Decimal) else value


def _aggregate(sql: Callable[[Reading, str], str]) -> Compiler:
    """An expectation that an aggregate of the column lies within bounds.

    `sql` gets the column as it counts: NULL where the row condition is not met.
    """

    def compile_(reading: Reading) -> CompiledExpectation:
        column = reading.column()
        if reading.where:
            column = f"case when {reading.where} then {column} end"
        ask, there = sql(reading, column), f"count({column})"

        def judge(answers: Answers) -> Outcome:
            observed = answers.cell(ask)
            return outcome(
                within(reading, observed),
                observed,
                examined=answers.count(there),
                column=reading.declared.about,
            )

        return CompiledExpectation(asks=(ask, there), judge=judge)

    return compiler(_BOUNDS, compile_)


def quantile(share: float, column: str, *, exact: bool) -> str:
    """SQL of a quantile: a value that occurs (exact), or one between two."""
    kind = "percentile_disc" if exact else "percentile_cont"
    return f"{kind}({share!r}) within group (order by {column})"


def _quantiles(reading: Reading) -> CompiledExpectation:
    ranges = cast("Mapping[str, Any]", reading.need("quantile_ranges"))
    shares: Sequence[Any] = ranges.get("quantiles") or []
    bounds: Sequence[Any] = ranges.get("value_ranges") or []
    if not shares or len(shares) != len(bounds):
        raise ConfigError(
            f"{reading.declared.type} has {len(shares)} quantiles and {len(bounds)} value_ranges",
            hint="give as many of the one as of the other",
        )
    column = reading.column()
    if reading.where:
        column = f"case when {reading.where} then {column} end"
    asks = tuple(quantile(float(share), column, exact=True) for share in shares)

    def judge(answers: Answers) -> Outcome:
        found = [answers.cell(ask) for ask in asks]
        good = all(
            value is not None
            and (low is None or _in_order(_comparable(low), _comparable(value), False))
            and (high is None or _in_order(_comparable(value), _comparable(high), False))
            for value, (low, high) in zip(found, bounds, strict=True)
        )
        examined = 0 if all(value is None for value in found) else None
        told = ", ".join(map(str, found))
        return outcome(good, told, examined=examined, column=reading.declared.about)

    return CompiledExpectation(asks=asks, judge=judge)


def _share_of_rows(reading: Reading, part: str) -> CompiledExpectation:
    """How large a part of the rows, or of the values that are there, is."""
    column = reading.column()
    there = all_of([reading.where, f"{column} is not null"])
    whole = there if part.startswith("count(distinct") else all_of([reading.where])
    asks = (part, counted(whole))

    def judge(answers: Answers) -> Outcome:
        some, rows = (answers.count(ask) for ask in asks)
        share = some / rows if rows else 0.0
        return outcome(within(reading, share), share, examined=rows)

    return CompiledExpectation(asks=asks, judge=judge)


def _distinct(reading: Reading, *conditions: str) -> str:
    column = reading.column()
    kept = all_of([reading.where, *conditions])
    return f"count(distinct case when {kept} then {column} end)"


def _unique_share(reading: Reading) -> CompiledExpectation:
    return _share_of_rows(reading, _distinct(reading))


def _filled_share(reading: Reading) -> CompiledExpectation:
    there = all_of([reading.where, f"{reading.column()} is not null"])
    return _share_of_rows(reading, counted(there))


def _distinct_set(reading: Reading) -> CompiledExpectation:
    """Equal, contained in, or containing: what is too much and what is missing is counted."""
    given = {literal(v, reading.dialect) for v in reading.items("value_set") if v is not None}
    listed = ", ".join(sorted(given)) or "null"
    column = reading.column()
    extra = _distinct(reading, f"{column} not in ({listed})") if given else _distinct(reading)
    common = _distinct(reading, f"{column} in ({listed})")
    every = _distinct(reading)
    kind = reading.declared.type

    def judge(answers: Answers) -> Outcome:
        unexpected, missing = answers.count(extra), len(given) - answers.count(common)
        wrong = unexpected if not kind.endswith("contain_set") else 0
        wrong += missing if not kind.endswith("be_in_set") else 0
        told = f"{unexpected} not in the set, {missing} of the set missing"
        return outcome(not wrong, told, examined=answers.count(every))

    return CompiledExpectation(asks=(extra, common, every), judge=judge)


def _most_common(reading: Reading) -> CompiledExpectation:
    column = reading.column()
    counts = (
        f"select {column} as v, count(*) as n from {reading.rows_where(f'{column} is not null')} "
        f"group by {column}"
    )
    top = f"from ({counts}) as c where n = (select max(n) from ({counts}) as m)"
    listed = values(reading.items("value_set"), reading.dialect)
    all_, known = f"(select count(*) {top})", f"(select count(*) {top} and v in ({listed}))"

    def judge(answers: Answers) -> Outcome:
        many, fitting = answers.count(all_), answers.count(known)
        good = fitting > 0 if reading.get("ties_okay") else many == 1 and fitting == 1
        told = f"{many} most common values, {fitting} of them in the set"
        return outcome(good, told, examined=many)

    return CompiledExpectation(asks=(all_, known), judge=judge)


COLUMN_NUMBERS: Mapping[str, Compiler] = {
    "expect_column_min_to_be_between": _aggregate(lambda _, c: f"min({c})"),
    "expect_column_max_to_be_between": _aggregate(lambda _, c: f"max({c})"),
    "expect_column_mean_to_be_between": _aggregate(lambda _, c: f"avg({c})"),
    "expect_column_sum_to_be_between": _aggregate(lambda _, c: f"sum({c})"),
    "expect_column_stdev_to_be_between": _aggregate(lambda _, c: f"stddev_samp({c})"),
    "expect_column_median_to_be_between": _aggregate(lambda _, c: quantile(0.5, c, exact=False)),
    "expect_column_unique_value_count_to_be_between": _aggregate(
        lambda _, c: f"count(distinct {c})"
    ),
    "expect_column_quantile_values_to_be_between": compiler(
        "column quantile_ranges allow_relative_error", _quantiles
    ),
    "expect_column_proportion_of_unique_values_to_be_between": compiler(_BOUNDS, _unique_share),
    "expect_column_proportion_of_non_null_values_to_be_between": compiler(_BOUNDS, _filled_share),
    "expect_column_distinct_values_to_be_in_set": compiler("column value_set", _distinct_set),
    "expect_column_distinct_values_to_equal_set": compiler("column value_set", _distinct_set),
    "expect_column_distinct_values_to_contain_set": compiler("column value_set", _distinct_set),
    "expect_column_most_common_value_to_be_in_set": compiler(
        "column value_set ties_okay", _most_common
    ),
}
"""By type."""
