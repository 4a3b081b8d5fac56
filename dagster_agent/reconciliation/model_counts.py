"""The row counts that decide about a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dagster_agent.errors import ConnectorError, QueryRefused
from dagster_agent.reconciliation.comparison import ModelAccount
from dagster_agent.sql.identifiers import quote, relation_sql
from dagster_agent.sql.scopes import driving_path


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCounts:
    """Rows of a model, where they come from, and where they are kept."""

    source: int | None
    """Rows of the driving table."""
    yielded: int | None
    """Rows that the SQL yields now."""
    stored: int | None
    """Rows of the model's table."""
    filtered: int
    """Rows that WHERE takes on the way."""
    stale: int | None
    """Rows that the SQL yields now and the table does not hold, negative for the reverse; None when
    one of both is unknown or the SQL yields an increment only."""


def count_model(account: ModelAccount) -> ModelCounts:
    """Count what the row accounting has not counted yet, in one statement."""
    by_scope = {counted.scope: counted for counted in account.accounts}
    path = driving_path(account.scopes)
    first = by_scope[path[-1].name] if path else None
    on_path = [by_scope[scope.name] for scope in path]
    yielded = by_scope[""].rows if "" in by_scope else None
    wanted = [f"(select count(*) from {table})" for table in _countable(account, yielded)]
    numbers: list[int] = []
    if wanted:
        query = "select " + ", ".join(f"{sql} as n{i}" for i, sql in enumerate(wanted))
        result = account.warehouse.query(query, purpose="row count")
        numbers = [int(str(value)) for value in result.rows[0]]
    stored = numbers.pop(0) if account.stored is not None and numbers else None
    yielded = numbers.pop(0) if yielded is None and numbers else yielded
    comparable = stored is not None and yielded is not None and not account.increment
    return ModelCounts(
        source=first.steps[0].rows if first and first.steps else None,
        yielded=yielded,
        stored=stored,
        stale=(yielded or 0) - (stored or 0) if comparable else None,
        filtered=sum(s.lost for a in on_path for s in a.steps if s.kind == "where"),
    )


def key_repeats(account: ModelAccount) -> bool | None:
    """Whether the SQL yields the model's unique key twice; None when there is none."""
    if not account.unique_key:
        return None
    keys = ", ".join(quote(key, account.warehouse.dialect) for key in account.unique_key)
    present = " and ".join(
        f"{quote(key, account.warehouse.dialect)} is not null" for key in account.unique_key
    )
    query = (
        f"select count(*) as n from (select {keys} from ({account.subquery}) as q "
        f"where {present} group by {keys} having count(*) > 1) as repeated"
    )
    try:
        return account.warehouse.query(query, purpose="unique key").scalar() != 0
    except ConnectorError as error:
        if error.retryable:
            raise
        return None
    except QueryRefused:
        return None


def _countable(account: ModelAccount, yielded: int | None) -> Iterator[str]:
    if account.stored is not None:
        yield relation_sql(account.stored, account.warehouse.dialect)
    if yielded is None and all(not counted.note for counted in account.accounts):
        yield f"({account.subquery}) as q"
