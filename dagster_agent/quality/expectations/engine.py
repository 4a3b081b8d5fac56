"""Evaluate expectations on one table: as SQL where there is one, else by Great Expectations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dagster_agent.errors import ConfigError, ConnectorError, DagsterAgentError
from dagster_agent.quality.expectations.compiling import compile_expectation
from dagster_agent.quality.expectations.declared import DeclaredExpectation
from dagster_agent.quality.expectations.expectation import (
    CompiledExpectation,
    Outcome,
)
from dagster_agent.quality.expectations.row_condition import NotCompilable
from dagster_agent.quality.measuring import Answers, ask_all
from dagster_agent.quality.table import PromisedTable, Surroundings

Found = Outcome | DagsterAgentError
"""What came of an expectation, or why nothing did."""

_PURPOSE = "expectations"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectationRun:
    """Where expectations are evaluated, and how much may be fetched."""

    table: PromisedTable
    """Of which table."""
    around: Surroundings
    """The project, its warehouse and its other tables."""
    max_rows: int
    """Largest table that is fetched for Great Expectations."""
    url: str | None = None
    """SQLAlchemy URL of a PostgreSQL warehouse, where Great Expectations may evaluate there."""


@dataclass(slots=True)
class ExpectationPlan:
    """Expectations of one table, compiled or not."""

    declared: Sequence[DeclaredExpectation | DagsterAgentError]
    """In the order given; an error where one could not be read."""
    compiled: Mapping[int, CompiledExpectation] = field(
        default_factory=lambda: dict[int, CompiledExpectation]()
    )
    """By position."""
    left: Mapping[int, DeclaredExpectation] = field(
        default_factory=lambda: dict[int, DeclaredExpectation]()
    )
    """By position: those left to Great Expectations."""
    refused: Mapping[int, DagsterAgentError] = field(
        default_factory=lambda: dict[int, DagsterAgentError]()
    )
    """By position: those with a mistake in them."""

    @property
    def asks(self) -> tuple[str, ...]:
        """SQL of one value each, for `measuring.ask_all`."""
        return tuple(ask for each in self.compiled.values() for ask in each.asks)


def plan_expectations(
    declared: Sequence[DeclaredExpectation | DagsterAgentError], run: ExpectationRun
) -> ExpectationPlan:
    """Compile what can be compiled."""
    compiled: dict[int, CompiledExpectation] = {}
    left: dict[int, DeclaredExpectation] = {}
    refused: dict[int, DagsterAgentError] = {}
    for position, each in enumerate(declared):
        if isinstance(each, DagsterAgentError):
            refused[position] = each
            continue
        try:
            compiled[position] = compile_expectation(each, run.table, run.around)
        except NotCompilable:
            wrong = _missing_column(each, run.table)
            if wrong is None:
                left[position] = each
            else:
                refused[position] = wrong
        except DagsterAgentError as error:
            refused[position] = error
    return ExpectationPlan(declared=declared, compiled=compiled, left=left, refused=refused)


def _missing_column(declared: DeclaredExpectation, table: PromisedTable) -> ConfigError | None:
    """Told apart here: a column that is not there would stop the others of the same fetch."""
    column = declared.kwargs.get("column")
    try:
        if isinstance(column, str):
            table.spelled(column)
    except ConfigError as error:
        return error
    return None


def outcomes(plan: ExpectationPlan, run: ExpectationRun, answers: Answers) -> list[Found]:
    """One for each expectation, in the order given; Great Expectations is asked for what is left.

    Raises:
        ConnectorError: The warehouse is away.
    """
    found: dict[int, Found] = dict(plan.refused)
    for position, compiled in plan.compiled.items():
        try:
            found[position] = compiled.judge(answers)
        except DagsterAgentError as error:
            found[position] = error
    if plan.left:
        evaluated = _by_gx(list(plan.left.values()), run)
        found |= dict(zip(plan.left, evaluated, strict=True))
    return [found[position] for position in range(len(plan.declared))]


def evaluate(
    declared: Sequence[DeclaredExpectation | DagsterAgentError], run: ExpectationRun
) -> list[Found]:
    """Compile, ask in one statement, and judge."""
    plan = plan_expectations(declared, run)
    answers = Answers(found={}, queries=())
    if plan.asks:
        answers = ask_all(plan.asks, run.table, run.around.warehouse, purpose=_PURPOSE)
    return outcomes(plan, run, answers)


def _by_gx(declared: Sequence[DeclaredExpectation], run: ExpectationRun) -> Sequence[Found]:
    try:
        if run.url is not None:
            return _in_the_warehouse(declared, run, run.url)
        return _on_fetched_rows(declared, run)
    except DagsterAgentError as error:
        if isinstance(error, ConnectorError) and error.retryable:
            raise
        return [error] * len(declared)


def _in_the_warehouse(
    declared: Sequence[DeclaredExpectation], run: ExpectationRun, url: str
) -> Sequence[Found]:
    """In the warehouse first; what its SQL engine does not know, on fetched rows."""
    from dagster_agent.quality.expectations.gx_runner import evaluate_postgres

    found = list(evaluate_postgres(declared, run.table, url))
    again = [i for i, each in enumerate(found) if isinstance(each, DagsterAgentError)]
    if again:
        fetched = _on_fetched_rows([declared[i] for i in again], run)
        for position, each in zip(again, fetched, strict=True):
            if isinstance(each, Outcome):
                found[position] = each
    return found


def _on_fetched_rows(
    declared: Sequence[DeclaredExpectation], run: ExpectationRun
) -> Sequence[Found]:
    from dagster_agent.quality.expectations.gx_runner import evaluate_frame

    columns = _columns(declared, run.table)
    warehouse = run.around.warehouse
    sql = f"select {columns} from {run.table.rows}"
    rows = warehouse.query(f"select count(*) as n from {run.table.rows}", purpose=_PURPOSE)
    count = int(str(rows.scalar()))
    if count > run.max_rows:
        raise ConfigError(
            f"only Great Expectations can evaluate it, on fetched rows, and {run.table.asset.name}"
            f" has {count:,} rows, more than {run.max_rows:,}",
            hint="raise quality.gx_max_rows, or say it as an invariant: those run in the warehouse",
        )
    with warehouse.batches(sql, purpose=_PURPOSE) as reader:
        frame = reader.read_pandas(date_as_object=False)
    return evaluate_frame(declared, frame)


def _columns(declared: Sequence[DeclaredExpectation], table: PromisedTable) -> str:
    """Only the columns that are spoken of, where no condition or plug-in may need others."""
    names: dict[str, None] = {}
    for each in declared:
        column = each.kwargs.get("column")
        if not isinstance(column, str) or each.kwargs.get("row_condition"):
            return "*"
        names[table.column(column)] = None
    return ", ".join(names)
