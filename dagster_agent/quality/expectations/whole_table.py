"""Expectations of the table: its rows, its columns and their types, and what a query finds."""

from __future__ import annotations

from collections.abc import Mapping

from dagster_agent.errors import ConfigError
from dagster_agent.quality.expectations.column_numbers import outcome, within
from dagster_agent.quality.expectations.expectation import (
    CompiledExpectation,
    Compiler,
    EvaluatedBy,
    Outcome,
    Reading,
    compiler,
)
from dagster_agent.quality.measuring import Answers
from dagster_agent.quality.sql_text import all_of, counted


def _known(outcome_: Outcome) -> CompiledExpectation:
    """What the schema tells without asking."""

    def judge(answers: Answers) -> Outcome:  # noqa: ARG001 - nothing was asked
        return outcome_

    return CompiledExpectation(asks=(), judge=judge)


def _rows(reading: Reading) -> CompiledExpectation:
    ask = counted(all_of([reading.where]))

    def judge(answers: Answers) -> Outcome:
        found = answers.count(ask)
        if reading.declared.type.endswith("to_equal"):
            return outcome(found == reading.need("value"), found)
        return outcome(within(reading, found), found)

    return CompiledExpectation(asks=(ask,), judge=judge)


def _as_many_rows(reading: Reading) -> CompiledExpectation:
    other = reading.around.loosely(str(reading.need("other_table_name")))
    asks = (counted(all_of([reading.where])), f"(select count(*) from {other.rows})")

    def judge(answers: Answers) -> Outcome:
        here, there = (answers.count(ask) for ask in asks)
        return outcome(here == there, f"{here} here, {there} in {other.asset.name}")

    return CompiledExpectation(asks=asks, judge=judge)


def _names(reading: Reading) -> list[str]:
    return [column.name for column in reading.table.schema.columns]


def _column_count(reading: Reading) -> CompiledExpectation:
    found = len(_names(reading))
    if reading.declared.type.endswith("to_equal"):
        return _known(outcome(found == reading.need("value"), found))
    return _known(outcome(within(reading, found), found))


def _exists(reading: Reading) -> CompiledExpectation:
    name = str(reading.need("column"))
    names = _names(reading)
    position = names.index(name) if name in names else None
    index = reading.get("column_index")
    good = position is not None and (index is None or position == index)
    told = f"{name} is column {position} from 0" if position is not None else f"no column {name}"
    return _known(outcome(good, told))


def _set_of_columns(reading: Reading) -> CompiledExpectation:
    wanted, names = {str(name) for name in reading.items("column_set")}, set(_names(reading))
    missing, extra = sorted(wanted - names), sorted(names - wanted)
    good = not missing and (not extra or reading.get("exact_match", True) is False)
    return _known(outcome(good, f"missing: {missing}, unexpected: {extra}"))


def _order_of_columns(reading: Reading) -> CompiledExpectation:
    wanted, names = [str(name) for name in reading.items("column_list")], _names(reading)
    return _known(outcome(wanted == names, ", ".join(names)))


def _type(reading: Reading) -> CompiledExpectation:
    name = str(reading.need("column"))
    found = reading.table.type_of(name)
    if reading.declared.type.endswith("type_list"):
        wanted = [str(type_) for type_ in reading.items("type_list")]
    else:
        wanted = [str(reading.need("type_"))]
    good = any(_same_type(found, type_, reading.dialect) for type_ in wanted)
    return _known(outcome(good, found))


def _same_type(found: str, wanted: str, dialect: str) -> bool:
    """Whether both name the same type in the dialect: `VARCHAR` is `TEXT` where it is a synonym.

    A type without a length or precision stands for all of them.

    Raises:
        ConfigError: `wanted` is no type of the dialect, such as pandas' `object`.
    """
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        type_ = exp.DataType.build(wanted.removesuffix("Type"), dialect=dialect)
        ours = exp.DataType.build(found, dialect=dialect)
    except (SqlglotError, ValueError):
        if found.casefold() == wanted.casefold():
            return True
        raise ConfigError(
            f"{wanted!r} is no type of {dialect}", hint=f"name it as the warehouse does: {found}"
        ) from None
    if not type_.expressions:
        return ours.this == type_.this
    return ours == type_


def _query(reading: Reading) -> CompiledExpectation:
    """`{batch}` in the query is the table."""
    from dagster_agent.sql.guard import read_only

    text = str(reading.need("unexpected_rows_query")).rstrip().rstrip(";")
    if "{batch}" in text and reading.where:
        batch = f"(select * from {reading.rows_where()}) as batch_rows"
    else:
        batch = reading.table.rows
    rows = read_only(text.replace("{batch}", batch), reading.dialect)
    ask = f"(select count(*) from ({rows}) as unexpected)"

    def judge(answers: Answers) -> Outcome:
        found = answers.count(ask)
        return Outcome(
            success=not found,
            evaluated_by=EvaluatedBy.COMPILED_SQL,
            unexpected=found,
            observed=f"{found} rows",
            query=rows,
        )

    return CompiledExpectation(asks=(ask,), judge=judge, rows=rows)


WHOLE_TABLE: Mapping[str, Compiler] = {
    "expect_table_row_count_to_be_between": compiler(
        "min_value max_value strict_min strict_max", _rows
    ),
    "expect_table_row_count_to_equal": compiler("value", _rows),
    "expect_table_row_count_to_equal_other_table": compiler("other_table_name", _as_many_rows),
    "expect_table_column_count_to_be_between": compiler("min_value max_value", _column_count),
    "expect_table_column_count_to_equal": compiler("value", _column_count),
    "expect_table_columns_to_match_set": compiler("column_set exact_match", _set_of_columns),
    "expect_table_columns_to_match_ordered_list": compiler("column_list", _order_of_columns),
    "expect_column_to_exist": compiler("column column_index", _exists),
    "expect_column_values_to_be_of_type": compiler("column type_ mostly", _type),
    "expect_column_values_to_be_in_type_list": compiler("column type_list mostly", _type),
    "expect_column_type_to_be": compiler("column type_", _type),
    "unexpected_rows_expectation": compiler("unexpected_rows_query", _query),
}
"""By type."""
