"""Amounts that are added up, or passed on as one, although they are in several currencies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.investigation.accounts.amount_lineage import AmountLineage, Leaf, leaves
from dagster_agent.investigation.accounts.case_conversion import CaseConversion, case_conversions
from dagster_agent.investigation.accounts.cells import as_count, as_number
from dagster_agent.investigation.accounts.currency_query import (
    currency_column,
    mixing_query,
    visible_name,
)
from dagster_agent.investigation.clues.measures import is_amount, is_currency, is_number, words
from dagster_agent.model import Asset, ResultTable, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.sql.columns import Known
from dagster_agent.sql.scopes import parsed_blocks
from dagster_agent.sql.statement import Block

_SHOWN = 20
_ADDING = (exp.Sum, exp.Avg)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyAccount:
    """Amounts of more than one currency that one model takes as if they were of one."""

    asset: str
    """dbt unique id of the model."""
    upstream: str
    """dbt unique id of what it reads the amounts from."""
    amount: str
    """Column of amounts, as in `upstream`."""
    currency: str
    """Column of `upstream` that says the currency."""
    output: str
    """Output column of the SELECT that takes them."""
    by_currency: tuple[tuple[str, int, float], ...]
    """Currency, rows and sum, most rows first; of a CASE, only what its ELSE takes as it is."""
    query: str
    """The SQL that counted."""
    scope: str = ""
    """That SELECT, by its name as in `select_scopes`."""
    name: str = ""
    """The column of amounts as that SELECT names it, without qualifier."""
    case: bool = False
    """True for a CASE that converts by currency and whose ELSE takes amounts as they are; False for
    amounts that are added up without conversion."""
    listed: tuple[str, ...] = ()
    """Of a CASE: the currencies that it names."""
    mixed_groups: int = 0
    """Groups with more than one currency; 1 where all rows are added up."""


def account_currencies(
    uid: str, manifest: Manifest, warehouse: Warehouse, schemas: Mapping[str, TableSchema]
) -> CurrencyAccount | None:
    """Find the first place in a model where amounts of several currencies are taken as one.

    The SQL says where amounts could be mixed; one query per such place says whether they are.

    Args:
        uid: dbt unique id.
        manifest: With compiled code.
        warehouse: Where the tables are.
        schemas: Columns of the assets by dbt unique id, those that the model reads among them.

    Returns:
        None for what is no model, and where nothing is mixed: amounts that are converted, grouped
        or filtered by currency, or that happen to be in one currency per group.

    Raises:
        QueryRefused, ConnectorError: As `Warehouse.query`.
    """
    sql = manifest.compiled_code(uid) if uid.startswith("model.") else None
    if not sql:
        return None
    lineage = AmountLineage(manifest=manifest, schemas=schemas, dialect=warehouse.dialect)
    reader = _Reader(uid=uid, lineage=lineage, warehouse=warehouse, known=lineage.known)
    for block in parsed_blocks(sql, warehouse.dialect):
        for projection in block.select.expressions:
            found = reader.judged(block, projection)
            if found is not None:
                return found
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """What every judgement needs."""

    uid: str
    lineage: AmountLineage
    warehouse: Warehouse
    known: Known

    def judged(self, block: Block, projection: exp.Expr) -> CurrencyAccount | None:
        for case in case_conversions(projection, block):
            if (found := self._case(block, projection, case)) is not None:
                return found
        for call in _additions(projection):
            for leaf in leaves(call.this, block, self.known):
                if (found := self._sum(block, projection, call, leaf)) is not None:
                    return found
        return None

    def _sum(
        self, block: Block, projection: exp.Expr, call: exp.Expr, leaf: Leaf
    ) -> CurrencyAccount | None:
        """The account of one amount that is added up, where its currencies differ."""
        upstream = self._amounts(leaf)
        if upstream is None or leaf.converted:
            return None
        currency = self._currency(upstream, leaf.column)
        if currency is None or self.lineage.is_converted(leaf.relation, leaf.column):
            return None
        column = currency_column(block, leaf.relation, currency, self.known)
        if column is None:
            return None
        query = mixing_query(block, call.this, column, self.warehouse.dialect)
        if query is None:
            return None
        result = self.warehouse.query(query, purpose="currencies", max_rows=_SHOWN)
        by_currency, mixed = _read(result)
        if mixed == 0 or len(by_currency) < 2:
            return None
        direct = leaf.block is block or leaf.block.select is block.select
        return CurrencyAccount(
            asset=self.uid,
            upstream=upstream.unique_id,
            amount=leaf.column,
            currency=currency,
            output=projection.alias_or_name if direct else leaf.output,
            by_currency=by_currency,
            query=query,
            scope=leaf.block.scope,
            name=leaf.node.name,
            mixed_groups=mixed,
        )

    def _case(
        self, block: Block, projection: exp.Expr, case: CaseConversion
    ) -> CurrencyAccount | None:
        """The account of a CASE whose ELSE takes more than one currency as it is."""
        leaf = next(iter(leaves(case.amount, block, self.known)), None)
        upstream = self._amounts(leaf) if leaf else None
        if leaf is None or upstream is None:
            return None
        origin = next(iter(leaves(case.currency, block, self.known)), None)
        query = mixing_query(block, case.amount, case.currency, self.warehouse.dialect)
        if origin is None or query is None:
            return None
        result = self.warehouse.query(query, purpose="currencies", max_rows=_SHOWN)
        by_currency, _ = _read(result)
        kept = tuple(row for row in by_currency if row[0] not in case.converted)
        if len(kept) < 2:
            return None
        return CurrencyAccount(
            asset=self.uid,
            upstream=upstream.unique_id,
            amount=leaf.column,
            currency=origin.column,
            output=projection.alias_or_name,
            by_currency=kept,
            query=query,
            scope=block.scope,
            name=visible_name(leaf, block),
            case=True,
            listed=case.listed,
        )

    def _amounts(self, leaf: Leaf) -> Asset | None:
        """The asset that a leaf's amounts are read from, where they look like amounts."""
        asset = self.lineage.manifest.by_relation(leaf.relation)
        schema = self.lineage.schemas.get(asset.unique_id) if asset else None
        column = schema.column(leaf.column) if schema else None
        if column is None or not is_number(column) or not is_amount(column.name):
            return None
        return asset

    def _currency(self, upstream: Asset, amount: str) -> str | None:
        """The column that says the amount's currency: the one that shares most words with it."""
        schema = self.lineage.schemas[upstream.unique_id]
        found = [column.name for column in schema.columns if is_currency(column)]
        return max(found, key=lambda name: len(words(name) & words(amount)), default=None)


def _additions(projection: exp.Expr) -> Iterator[exp.Expr]:
    """Plain SUM and AVG: no window, no FILTER, no nested query."""
    outer = projection.find_ancestor(exp.Select)
    for call in projection.find_all(*_ADDING):
        if call.find_ancestor(exp.Select) is outer and not isinstance(
            call.parent, exp.Window | exp.Filter
        ):
            yield call


def _read(result: ResultTable) -> tuple[tuple[tuple[str, int, float], ...], int]:
    """Currencies that look like codes, with rows and sum, and the number of mixed groups."""
    found = tuple(
        (str(code), as_count(rows), as_number(total))
        for code, rows, total, _ in result.rows
        if isinstance(code, str) and len(code) == 3 and code.isalpha()
    )
    mixed = as_count(result.rows[0][3]) if result.rows else 0
    return found, mixed
