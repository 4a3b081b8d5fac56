"""The key values behind the rows that a join finds no match for."""

from __future__ import annotations

from dagster_agent.model import ResultTable
from dagster_agent.ports import Warehouse
from dagster_agent.sql import truncation
from dagster_agent.sql.columns import Known
from dagster_agent.sql.join_clauses import equi_keys, with_explicit_conditions
from dagster_agent.sql.row_accounting import known_columns
from dagster_agent.sql.scopes import parsed_blocks
from dagster_agent.sql.statement import joins_of


def unmatched_keys(
    sql: str,
    warehouse: Warehouse,
    *,
    scope: str,
    position: int,
    limit: int = 5,
    columns: Known | None = None,
) -> tuple[str, ResultTable] | None:
    """The most frequent left keys without a match at one join, not masked.

    Args:
        sql: One query, such as a model's compiled code.
        warehouse: Where its tables are.
        scope: Name of the scope the join is in.
        position: 0-based position among the joins of that scope.
        limit: Keys at the most.
        columns: Columns of the tables it reads, where the caller has asked for them already.

    Returns:
        The statement and its result: key columns, then `rows_without_match`, most frequent first.
        None when the join equates no columns.

    Raises:
        ConnectorError: As `Warehouse.query`.
    """
    found = parsed_blocks(sql, warehouse.dialect)
    known = known_columns(found, warehouse) if columns is None else columns
    block = with_explicit_conditions(next(b for b in found if b.scope == scope), known)
    keys = equi_keys(joins_of(block.select)[position], block, known)
    if not keys:
        return None
    select = truncation.unmatched_keys(block, position, keys, limit)
    query = truncation.with_ctes(select, block).sql(warehouse.dialect, comments=False)
    return query, warehouse.query(query, purpose="keys without a match")
