"""Invariants that a test in the sandbox can see violated and kept."""

from __future__ import annotations

from collections.abc import Sequence

from dagster_agent.model import Invariant, Relation
from dagster_agent.sql.identifiers import quote, relation_sql


def key_is_unique(name: str, relation: Relation, key: Sequence[str], dialect: str) -> Invariant:
    """No two rows share a key; rows with NULL in it aside. Counts the rows too many."""
    columns = ", ".join(quote(column, dialect) for column in key)
    present = " and ".join(f"{quote(column, dialect)} is not null" for column in key)
    return Invariant(
        statement=f"every {', '.join(key)} occurs once in {name}",
        sql=f"select coalesce(sum(n - 1), 0) as surplus_rows from (select count(*) as n "
        f"from {relation_sql(relation, dialect)} where {present} group by {columns}) as keyed",
    )


def totals_agree(statement: str, total: str, expected: str) -> Invariant:
    """Two queries of one number each yield the same, to a hundredth or the ninth digit."""
    return Invariant(
        statement=statement,
        sql="select case when abs(coalesce(t.total, 0) - coalesce(e.total, 0)) <= "
        "case when abs(coalesce(e.total, 0)) * 1e-9 > 0.01 then abs(e.total) * 1e-9 else 0.01 end "
        f"then 0 else 1 end as violations from ({total}) as t cross join ({expected}) as e",
    )
