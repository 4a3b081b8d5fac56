"""Ask many numbers of one table in one statement."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from dagster_agent.errors import ConnectorError, DagsterAgentError
from dagster_agent.model import Cell
from dagster_agent.ports import Warehouse
from dagster_agent.quality.table import PromisedTable

_PER_STATEMENT = 300
"""Numbers asked at once: a wider result would meet the column limits of some warehouses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the warehouse said, by the SQL that asked."""

    found: Mapping[str, Cell | DagsterAgentError]
    """The value, or why there is none."""
    queries: tuple[str, ...]
    """The statements that were run."""

    def cell(self, ask: str) -> Cell:
        """The answer.

        Raises:
            DagsterAgentError: The warehouse refused or could not compute it.
        """
        answer = self.found[ask]
        if isinstance(answer, DagsterAgentError):
            raise answer
        return answer

    def number(self, ask: str) -> float | None:
        """The answer as a number; None for NULL. Raises like `cell`."""
        return number(self.cell(ask))

    def count(self, ask: str) -> int:
        """The answer as a whole number, NULL as 0. Raises like `cell`."""
        return int(self.number(ask) or 0)


def number(cell: Cell) -> float | None:
    """A cell as a number; None for NULL and for what is no number."""
    if isinstance(cell, bool | int | float | Decimal):
        value = float(cell)
        return None if math.isnan(value) else value
    return None


def ask_all(
    asks: Sequence[str], table: PromisedTable, warehouse: Warehouse, *, purpose: str
) -> Answers:
    """Ask all numbers at once; where that fails, one by one, so that one mistake stands alone.

    Args:
        asks: SQL of one value each: an aggregate over the rows of the table, or a subselect in
            parentheses.
        table: Whose rows.
        warehouse: Where it is.
        purpose: A few words for logs.

    Raises:
        ConnectorError: The warehouse is away; the same may go through later.
    """
    wanted = list(dict.fromkeys(asks))
    found: dict[str, Cell | DagsterAgentError] = {}
    queries: list[str] = []
    for start in range(0, len(wanted), _PER_STATEMENT):
        some = wanted[start : start + _PER_STATEMENT]
        queries.append(_statement(some, table))
        try:
            found |= _asked(some, table, warehouse, purpose)
        except DagsterAgentError as error:
            if isinstance(error, ConnectorError) and error.retryable:
                raise
            found |= {some[0]: error} if len(some) == 1 else {}
            for ask in some if len(some) > 1 else ():
                found[ask] = _alone(ask, table, warehouse, purpose)
    return Answers(found=found, queries=tuple(queries))


def _alone(
    ask: str, table: PromisedTable, warehouse: Warehouse, purpose: str
) -> Cell | DagsterAgentError:
    try:
        return _asked([ask], table, warehouse, purpose)[ask]
    except DagsterAgentError as error:
        if isinstance(error, ConnectorError) and error.retryable:
            raise
        return error


def _asked(
    asks: Sequence[str], table: PromisedTable, warehouse: Warehouse, purpose: str
) -> dict[str, Cell]:
    result = warehouse.query(_statement(asks, table), purpose=purpose, max_rows=1)
    return dict(zip(asks, result.rows[0][:-1], strict=True))


def _statement(asks: Sequence[str], table: PromisedTable) -> str:
    columns = ",\n    ".join(f"{ask} as q{i}" for i, ask in enumerate(asks))
    # count(*) keeps it an aggregate, of one row, where every other ask is a subselect
    return f"select\n    {columns},\n    count(*) as all_rows\nfrom {table.rows}"
