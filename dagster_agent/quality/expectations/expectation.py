"""What an expectation says, how it compiles, and what came of it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from dagster_agent.errors import ConfigError
from dagster_agent.model import Cell
from dagster_agent.quality.expectations.declared import DeclaredExpectation, is_many
from dagster_agent.quality.expectations.row_condition import condition_sql
from dagster_agent.quality.measuring import Answers
from dagster_agent.quality.sql_text import all_of
from dagster_agent.quality.table import PromisedTable, Surroundings


class EvaluatedBy(StrEnum):
    """Which way an expectation was evaluated."""

    COMPILED_SQL = "compiled-sql"
    """Compiled here, pushed down to the warehouse, many in one statement."""
    GX_SQLALCHEMY = "gx-sqlalchemy"
    """By Great Expectations in the warehouse, through SQLAlchemy."""
    GX_PANDAS = "gx-pandas"
    """By Great Expectations, on rows fetched up to a limit."""
    GX_CHECKPOINT = "gx-checkpoint"
    """By the customer's own checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one expectation."""

    success: bool
    """As Great Expectations would say."""
    evaluated_by: EvaluatedBy
    """Which way."""
    examined: int | None = None
    """Rows that were looked at; None where it is not about rows. 0: it says nothing."""
    unexpected: int | None = None
    """Rows that do not meet it."""
    observed: Cell = None
    """What was seen, where it is one value."""
    observed_column: str = ""
    """The column that the observed value is one of, so that it is masked as such."""
    query: str | None = None
    """The SQL of the rows that do not meet it, or of the number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledExpectation:
    """An expectation as SQL."""

    asks: tuple[str, ...]
    """SQL of one value each; see `measuring.ask_all`."""
    judge: Callable[[Answers], Outcome]
    """From the answers to the outcome."""
    rows: str | None = None
    """A SELECT of the rows that do not meet it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One expectation on one table, while it is compiled."""

    declared: DeclaredExpectation
    """What is expected."""
    table: PromisedTable
    """Of which table."""
    around: Surroundings
    """The other tables."""

    @property
    def dialect(self) -> str:
        """sqlglot's name of the dialect."""
        return self.table.dialect

    def get(self, name: str, default: Any = None) -> Any:
        """An argument; None counts as not given."""
        value = self.declared.kwargs.get(name)
        return default if value is None else value

    def need(self, name: str) -> Any:
        """A required argument.

        Raises:
            ConfigError: It is missing.
        """
        value = self.declared.kwargs.get(name)
        if value is None:
            raise ConfigError(
                f"{self.declared.type} has no {name!r}", hint=f"give {name} in kwargs"
            )
        return value

    def items(self, name: str) -> list[Any]:
        """A required argument that is a list or a set; raises like `need`."""
        value = self.need(name)
        if not is_many(value):
            raise ConfigError(f"{self.declared.type} has {name}: {value!r}", hint="give a list")
        return list(cast("Iterable[Any]", value))

    def column(self, name: str = "column") -> str:
        """The quoted column that an argument names.

        Raises:
            ConfigError: The argument is missing, or there is no such column.
        """
        return self.table.column(str(self.need(name)))

    def columns(self) -> list[str]:
        """The quoted columns of `column_list`; raises like `column`."""
        return [self.table.column(str(name)) for name in self.items("column_list")]

    @property
    def where(self) -> str:
        """SQL of `row_condition`; empty for all rows.

        Raises:
            NotCompilable: It is in a language that only Great Expectations reads.
        """
        return condition_sql(self.declared.kwargs.get("row_condition"), self.table)

    def rows_where(self, *conditions: str) -> str:
        """A FROM clause of the rows that meet the row condition and all of these."""
        return f"{self.table.rows} where {all_of([self.where, *conditions])}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """How one type of expectation compiles."""

    arguments: frozenset[str]
    """Names of the arguments that it knows."""
    compile: Callable[[Reading], CompiledExpectation]
    """May raise ConfigError (a mistake of the customer's) or NotCompilable (left to GX)."""


def compiler(arguments: str, compile_: Callable[[Reading], CompiledExpectation]) -> Compiler:
    """A compiler, its arguments written with spaces between."""
    return Compiler(arguments=frozenset(arguments.split()), compile=compile_)


EVERYWHERE = frozenset(
    """
    batch_id catch_exceptions column_index condition_parser description id meta notes
    rendered_content result_format row_condition severity windows
    """.split()  # noqa: SIM905 - one line is easier to review than a tower of words
)
"""Arguments that every expectation knows and that change nothing here, or are read elsewhere."""


def require_known(declared: DeclaredExpectation, known: frozenset[str]) -> None:
    """Refuse arguments that the expectation does not have.

    Raises:
        ConfigError: Names the argument and near ones.
    """
    for name in declared.kwargs:
        if name not in known and name not in EVERYWHERE:
            near = difflib.get_close_matches(name, sorted(known), n=2, cutoff=0.5)
            hint = (
                f"did you mean {' or '.join(near)}?"
                if near
                else f"it takes {', '.join(sorted(known))}"
            )
            raise ConfigError(f"{declared.type} has no argument {name!r}", hint=hint)
