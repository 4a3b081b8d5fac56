"""Row conditions of Great Expectations as SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from dagster_agent.errors import DagsterAgentError
from dagster_agent.quality.sql_text import literal, values
from dagster_agent.quality.table import PromisedTable

_OPERATORS = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_NOT_NULL = re.compile(r"""\s*col\(\s*["'](.+?)["']\s*\)\s*\.notnull\(\)\s*""", re.IGNORECASE)
_COMPARISON = re.compile(
    r"""\s*col\(\s*["'](.+?)["']\s*\)\s*(==|!=|<=|>=|<|>)\s*(?:date\()?\s*(.+?)\s*\)?\s*"""
)


class NotCompilable(DagsterAgentError):
    """An expectation says what has no SQL here: Great Expectations itself has to evaluate it."""


def condition_sql(condition: object, table: PromisedTable) -> str:
    """The condition as SQL; empty for none.

    Understood are the condition objects of Great Expectations 1.9 and later, as they are and as a
    suite keeps them, and the older texts `col("x") > 5` and `col("x").notnull()`. A comparison with
    NULL is not true, as in Great Expectations on a database; pandas has `NaN != 5` true.

    Raises:
        NotCompilable: A text in the language of pandas or Spark.
        ConfigError: A column that does not exist.
    """
    if condition is None or condition == "":
        return ""
    if isinstance(condition, str):
        return _text(condition, table)
    as_dict: Any = getattr(condition, "dict", None)
    given: object = as_dict() if callable(as_dict) else condition
    if isinstance(given, Mapping):
        return _object(cast("Mapping[str, Any]", given), table)
    raise NotCompilable(f"the row condition {condition!r} is of an unknown kind")


def _object(given: Mapping[str, Any], table: PromisedTable) -> str:
    kind = given.get("type")
    if kind in ("and", "or"):
        inner = cast("Sequence[Mapping[str, Any]]", given.get("conditions") or ())
        return f" {kind} ".join(f"({_object(each, table)})" for each in inner)
    if kind == "nullity":
        return f"{_column(given, table)} is {'' if given.get('is_null') else 'not '}null"
    if kind == "comparison":
        return _comparison(given, table)
    raise NotCompilable(f"the row condition {given.get('pass_through_filter', given)!r} is no SQL")


def _comparison(given: Mapping[str, Any], table: PromisedTable) -> str:
    column, parameter = _column(given, table), given.get("parameter")
    operator = str(getattr(given.get("operator"), "value", given.get("operator")))
    if operator in ("IN", "NOT_IN"):
        listed = values(cast("Sequence[object]", parameter), table.dialect)
        return f"{column} {'not ' * (operator == 'NOT_IN')}in ({listed})"
    if operator not in _OPERATORS:
        raise NotCompilable(f"the row condition has the unknown operator {operator!r}")
    return f"{column} {_OPERATORS[operator]} {literal(parameter, table.dialect)}"


def _column(given: Mapping[str, Any], table: PromisedTable) -> str:
    column = given.get("column")
    name = cast("Mapping[str, Any]", column).get("name") if isinstance(column, Mapping) else column
    return table.column(str(name))


def _text(text: str, table: PromisedTable) -> str:
    if match := _NOT_NULL.fullmatch(text):
        return f"{table.column(match[1])} is not null"
    match = _COMPARISON.fullmatch(text)
    if match is None:
        raise NotCompilable(f"the row condition {text!r} is no SQL")
    return f"{table.column(match[1])} {_OPERATORS[match[2]]} {_value(match[3], table)}"


def _value(text: str, table: PromisedTable) -> str:
    quoted = re.fullmatch(r"""(["'])(.*)\1""", text)
    if quoted:
        return literal(quoted[2], table.dialect)
    try:
        return literal(float(text) if "." in text else int(text), table.dialect)
    except ValueError:
        raise NotCompilable(f"the row condition compares with {text!r}") from None
