"""From an expectation to SQL, or to the reason why there is none."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from dagster_agent.errors import ConfigError
from dagster_agent.quality.expectations.column_numbers import COLUMN_NUMBERS
from dagster_agent.quality.expectations.column_values import COLUMN_VALUES
from dagster_agent.quality.expectations.declared import DeclaredExpectation
from dagster_agent.quality.expectations.expectation import (
    CompiledExpectation,
    Compiler,
    Reading,
    require_known,
)
from dagster_agent.quality.expectations.row_condition import NotCompilable
from dagster_agent.quality.expectations.several_columns import SEVERAL_COLUMNS
from dagster_agent.quality.expectations.whole_table import WHOLE_TABLE
from dagster_agent.quality.table import PromisedTable, Surroundings

COMPILERS: Mapping[str, Compiler] = {
    **COLUMN_VALUES,
    **SEVERAL_COLUMNS,
    **COLUMN_NUMBERS,
    **WHOLE_TABLE,
}
"""All expectations that are evaluated as SQL, by type."""

ONLY_GX = frozenset(
    """
    expect_column_kl_divergence_to_be_less_than expect_column_values_to_be_dateutil_parseable
    expect_column_values_to_be_decreasing expect_column_values_to_be_increasing
    expect_column_values_to_be_json_parseable expect_column_values_to_match_json_schema
    expect_column_values_to_match_strftime_format expect_column_values_to_not_be_outliers
    expect_query_results_to_match_comparison
    """.split()  # noqa: SIM905 - one line is easier to review than a tower of words
)
"""Those of GX 1.24 that only Great Expectations evaluates."""


def compile_expectation(
    declared: DeclaredExpectation, table: PromisedTable, around: Surroundings
) -> CompiledExpectation:
    """The expectation as SQL.

    Raises:
        NotCompilable: Only Great Expectations itself can evaluate it, or somebody's own type.
        ConfigError: A wrong argument, or a column or table that does not exist.
    """
    compiler = COMPILERS.get(declared.type)
    if compiler is None:
        raise NotCompilable(f"{declared.type} has no SQL here")
    require_known(declared, compiler.arguments)
    return compiler.compile(Reading(declared=declared, table=table, around=around))


def unknown_type(type_: str) -> ConfigError:
    """The error of a type that neither we nor Great Expectations know, with near ones."""
    near = difflib.get_close_matches(type_, sorted({*COMPILERS, *ONLY_GX}), n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "see the gallery of Great Expectations"
    return ConfigError(f"there is no expectation {type_!r}", hint=hint)
