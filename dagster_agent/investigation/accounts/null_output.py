"""What would be different in the output of a model if nothing were lost to NULL at some place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlglot import exp

from dagster_agent.investigation.accounts.cells import as_number
from dagster_agent.investigation.accounts.null_risks import (
    NullRisk,
    Spot,
    conjuncts,
    reads_table,
)
from dagster_agent.investigation.clues.measures import is_number
from dagster_agent.model import Asset, Cell, ColumnSchema, Relation, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.sql.columns import query_columns
from dagster_agent.sql.guard import parse_select
from dagster_agent.sql.identifiers import quote

_MAX_FIGURES = 60
_EXACT = 1e-9
_KEY = re.compile(r"(?:.*_)?(?:id|key|sk|hash)", re.IGNORECASE)
"""Numbers whose sum says nothing."""


class Suspect(Protocol):
    """A place at which rows are lost."""

    @property
    def risk(self) -> NullRisk:
        """The place."""
        ...

    @property
    def spots(self) -> tuple[Spot, ...]:
        """What is to be mended there."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The figure of a model's output that tells best what is lost at one place."""

    column: str
    """The output column; empty where `kind` is `rows`."""
    kind: str
    """`rows`, `values` (of the column, NULL aside) or `sum` (of the column)."""
    aggregate: str
    """The figure in SQL."""
    now: float
    """As the code is."""
    mended: float
    """Were nothing lost there."""
    mended_code: str
    """The model's query with nothing lost there."""
    query: str
    """The SQL that compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figure:
    column: str
    kind: str
    sql: str


def differences(
    tree: exp.Expr,
    suspects: Sequence[Suspect],
    *,
    asset: Asset,
    schemas: Mapping[str, TableSchema],
    warehouse: Warehouse,
) -> list[Difference | None]:
    """Run a model's query as it is, and once for each suspect with that place mended.

    Args:
        tree: The query.
        suspects: Places in that tree.
        asset: The model.
        schemas: Columns by dbt unique id, those of the model among them where it has a table.
        warehouse: Where the tables are.

    Returns:
        One per suspect; None where the output is the same, or has fewer rows: then what is kept
        there takes others away. All None where the model reads its own table beside WHERE.

    Raises:
        QueryRefused, ConnectorError: As `Warehouse.query`.
    """
    dialect = warehouse.dialect
    plain = _rewritten(tree, (), asset.relation, dialect)
    versions = [_rewritten(tree, s.spots, asset.relation, dialect) for s in suspects]
    written = [sql for sql in (plain, *versions) if sql is not None]
    if plain is None or len(written) <= len(suspects):
        return [None for _ in suspects]
    figures = _figures(tree, asset, schemas, dialect)
    query = _query(written, figures, dialect)
    now, *mended = warehouse.query(query, purpose="output without losses to NULL").rows
    return [
        _difference(figures, now[1:], row[1:], suspect.risk, sql, query)
        for suspect, sql, row in zip(suspects, written[1:], mended, strict=True)
    ]


def _rewritten(
    tree: exp.Expr, spots: Iterable[Spot], own: Relation | None, dialect: str
) -> str | None:
    """The statement with some spots mended, and without the conditions on the model's own table.

    None where it reads its own table for more than that.
    """
    places = {id(node): number for number, node in enumerate(tree.walk())}
    copied = tree.copy()
    nodes = list(copied.walk())
    for spot in spots:
        nodes[places[id(spot.node)]].replace(spot.mended.copy())
    for select in copied.find_all(exp.Select):
        where = select.args.get("where")
        if where is not None and reads_table(where, own):
            kept = [c for c in conjuncts(where.this) if not reads_table(c, own)]
            select.set("where", exp.Where(this=exp.and_(*kept)) if kept else None)
    return None if reads_table(copied, own) else copied.sql(dialect, comments=False)


def _figures(
    tree: exp.Expr, asset: Asset, schemas: Mapping[str, TableSchema], dialect: str
) -> list[_Figure]:
    """Rows; of each output column the values, and of amounts the sum."""
    known = {s.relation: [c.name for c in s.columns] for s in schemas.values()}
    names = query_columns(tree, (), known) if isinstance(tree, exp.Query) else None
    schema = schemas.get(asset.unique_id)
    figures = [_Figure(column="", kind="rows", sql="count(*)")]
    for name in dict.fromkeys(names or ()):
        column = schema.column(name) if schema else None
        spelled = column.name if column else name
        plain = column is None and name.isidentifier()
        written = name if plain else quote(spelled, dialect)
        figures.append(_Figure(column=name, kind="values", sql=f"count({written})"))
        if column is not None and _adds_up(column):
            figures.append(_Figure(column=name, kind="sum", sql=f"sum({written})"))
    return figures[:_MAX_FIGURES]


def _adds_up(column: ColumnSchema) -> bool:
    """Whether its sum is a number that says something."""
    plain = not column.type.startswith("INTERVAL") and not column.type.endswith("]")
    return plain and is_number(column) and not _KEY.fullmatch(column.name)


def _query(versions: Sequence[str], figures: Sequence[_Figure], dialect: str) -> str:
    """One row per version of a statement: its number, and the figures of what it yields."""
    listed = ", ".join(f"{figure.sql} as f{number}" for number, figure in enumerate(figures))
    selects = [
        f"select {number} as version, {listed} from ({sql}) as dagster_agent_{number}"
        for number, sql in enumerate(versions)
    ]
    query = f"{' union all '.join(selects)} order by version"
    return parse_select(query, dialect).sql(dialect, comments=False)


def _difference(
    figures: Sequence[_Figure],
    now: Sequence[Cell],
    mended: Sequence[Cell],
    risk: NullRisk,
    sql: str,
    query: str,
) -> Difference | None:
    told = [
        Difference(
            column=figure.column,
            kind=figure.kind,
            aggregate=figure.sql,
            now=was,
            mended=becomes,
            mended_code=sql,
            query=query,
        )
        for figure, was, becomes in zip(
            figures, map(as_number, now), map(as_number, mended), strict=True
        )
        if abs(becomes - was) > _EXACT * max(abs(becomes), 1.0)
    ]
    rows = next((d for d in told if d.kind == "rows"), None)
    if rows is not None:
        return rows if rows.mended > rows.now else None
    gained = [d for d in told if d.kind == "sum" or d.mended > d.now]
    # of what is added up, some values are there all the same: the sum says more
    best = "values" if risk.node.find_ancestor(exp.AggFunc) is None else "sum"
    gained.sort(key=lambda d: (d.column.casefold() != risk.output.casefold(), d.kind != best))
    return gained[0] if gained else None
