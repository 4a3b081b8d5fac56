"""The converted amounts that a model should have taken, and how its total would look then."""

from __future__ import annotations

import re

from sqlglot import exp

from dagster_agent.errors import QueryRefused
from dagster_agent.investigation.accounts.amount_lineage import AmountLineage
from dagster_agent.investigation.accounts.case_conversion import case_conversions
from dagster_agent.investigation.accounts.currencies import CurrencyAccount
from dagster_agent.investigation.accounts.currency_query import currency_column
from dagster_agent.investigation.clues.invariants import totals_agree
from dagster_agent.investigation.clues.measures import ISO_CODES, is_converted, is_number, words
from dagster_agent.investigation.clues.project_rates import project_rates
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.model import Asset, Invariant
from dagster_agent.repair.conversion_edits import Conversion
from dagster_agent.repair.edits import NoEdit
from dagster_agent.sql.identifiers import quote, relation_sql, same_relation
from dagster_agent.sql.scopes import parsed_blocks
from dagster_agent.sql.statement import Block
from dagster_agent.sql.truncation import with_ctes


def converted_siblings(account: CurrencyAccount, lineage: AmountLineage) -> tuple[str, ...]:
    """Columns beside the amounts that hold the same amounts converted; the best fitting only.

    By lineage where the table is a model (the same amount, with a rate applied), else by name
    (`total_amount` and `total_eur`).
    """
    schema = lineage.schemas[account.upstream]
    numbers = [c.name for c in schema.columns if is_number(c) and c.name != account.amount]
    own = lineage.of_output(account.upstream, account.amount)
    by_making = [
        name
        for name in numbers
        for leaf in lineage.of_output(account.upstream, name)
        if leaf.converted
        and any(same_relation(leaf.relation, o.relation) and leaf.column == o.column for o in own)
    ]
    stem = words(account.amount)
    by_name = [n for n in numbers if is_converted(n) and words(n) - ISO_CODES <= stem]
    found = tuple(dict.fromkeys(by_making)) or tuple(by_name)
    wanted = words(account.output) & ISO_CODES
    return tuple(n for n in found if wanted & words(n)) or found


def conversion_to(
    sibling: str, account: CurrencyAccount, sql: str, lineage: AmountLineage
) -> Conversion | None:
    """What to exchange in the model; None where the SELECT does not see the sibling."""
    block = _block(sql, account.scope, lineage.dialect)
    relation = lineage.manifest.asset(account.upstream).relation
    if block is None or relation is None:
        return None
    seen = currency_column(block, relation, sibling, lineage.known)
    if seen is None:
        return None
    return Conversion(
        scope=account.scope,
        output=account.output,
        amount=account.name,
        converted=seen.name,
        whole_case=account.case,
    )


def conversion_by_rate(
    account: CurrencyAccount, sql: str, lineage: AmountLineage, codebase: Codebase
) -> Conversion | NoEdit:
    """The conversion that other models make, with the project's own rates; NoEdit where there is
    none, or none that fits all the currencies."""
    rates = project_rates(lineage)
    below = {account.asset, *lineage.manifest.downstream(account.asset)}
    rates = tuple(rate for rate in rates if rate.seed.unique_id not in below)
    if len(rates) != 1:
        return NoEdit(reason=f"{len(rates) or 'no'} rates of exchange in the project are joined")
    (rate,) = rates
    codes = frozenset(code for code, _, _ in account.by_currency)
    missing = not rate.covers(codes | frozenset(account.listed), codebase)
    if missing:
        return NoEdit(reason=f"{rate.seed.name} lacks a rate for one of {', '.join(sorted(codes))}")
    named = frozenset(code.upper() for code in words(account.output) & ISO_CODES)
    meant = named or (codes if account.case else rate.target)
    if not rate.target or not rate.target <= meant:
        return NoEdit(reason=f"{rate.seed.name}.{rate.rate} may not be in the currency meant")
    block = _block(sql, account.scope, lineage.dialect)
    relation = lineage.manifest.asset(account.upstream).relation
    if block is None or relation is None:
        return NoEdit(reason="the SELECT is not found")
    names = [
        currency_column(block, relation, column, lineage.known)
        for column in (account.amount, account.currency)
    ]
    if None in names:
        return NoEdit(reason=f"the SELECT does not see {account.amount} and {account.currency}")
    amount, currency = (name.sql(lineage.dialect) for name in names if name is not None)
    return Conversion(
        scope=account.scope,
        output=account.output,
        amount=account.name,
        converted=rate.jinja(amount, currency),
        is_expression=True,
        whole_case=account.case,
    )


def total_is_converted(
    account: CurrencyAccount, conversion: Conversion, asset: Asset, sql: str, lineage: AmountLineage
) -> Invariant | None:
    """The model's column adds up to what the converted amounts do."""
    dialect = lineage.dialect
    block = _block(sql, account.scope, dialect)
    column = _final_output(account, sql, lineage)
    if block is None or column is None or asset.relation is None:
        return None
    projection = next(
        (p for p in block.select.expressions if p.alias_or_name == account.output), None
    )
    if projection is None:
        return None
    expected = None
    if not conversion.is_expression:
        expected = _sum_of_rows(projection, block, conversion, dialect)
    if expected is None:
        _exchange(projection, block, conversion, _compiled(conversion, lineage))
        edited = block.select.root().sql(dialect, comments=False)
        expected = f"select sum({quote(column, dialect)}) as total from ({edited}) as edited"
    total = f"select sum({quote(column, dialect)}) as total from "
    return totals_agree(
        f"{asset.name}.{column} adds up to what the converted amounts do",
        total + relation_sql(asset.relation, dialect),
        expected,
    )


def _block(sql: str, scope: str, dialect: str) -> Block | None:
    try:
        return next((b for b in parsed_blocks(sql, dialect) if b.scope == scope), None)
    except QueryRefused:
        return None


def _final_output(account: CurrencyAccount, sql: str, lineage: AmountLineage) -> str | None:
    """The model's output column that the amounts end in."""
    if account.scope == "":
        return account.output
    relation = lineage.manifest.asset(account.upstream).relation
    block = _block(sql, "", lineage.dialect)
    schema = lineage.schemas.get(account.asset)
    if block is None or relation is None or schema is None:
        return None
    for column in schema.columns:
        for leaf in lineage.of_output(account.asset, column.name):
            if is_number(column) and (
                same_relation(leaf.relation, relation) and leaf.column == account.amount
            ):
                return column.name
    return None


def _sum_of_rows(
    projection: exp.Expr, block: Block, conversion: Conversion, dialect: str
) -> str | None:
    """The converted amounts of all rows that the model reads, added up without its grouping; None
    where the column is more than a sum, or something follows."""
    call = projection.unalias()
    later = ("having", "qualify", "limit", "distinct", "offset")
    if block.scope or any(block.select.args.get(name) for name in later):
        return None
    if not isinstance(call, exp.Sum) or not isinstance(call.this, exp.Column):
        return None
    counted = exp.Select()
    for name in ("from_", "joins", "where"):
        value = block.select.args.get(name)
        copied = value.copy() if isinstance(value, exp.Expr) else [v.copy() for v in value or ()]
        counted.set(name, copied or None)
    column = call.this.copy()
    column.set("this", exp.to_identifier(conversion.converted))
    counted = counted.select(exp.alias_(exp.Sum(this=column), "total"))
    try:
        return with_ctes(counted, block).sql(dialect, comments=False)
    except QueryRefused:
        return None


_REF = re.compile(r"\{\{ ref\('([^']+)'\) \}\}")


def _compiled(conversion: Conversion, lineage: AmountLineage) -> exp.Expr | None:
    """The expression with the tables' names in the place of their references."""
    if not conversion.is_expression:
        return None

    def named(match: re.Match[str]) -> str:
        relation = lineage.manifest.find(match[1]).relation
        return relation_sql(relation, lineage.dialect) if relation else match[1]

    text = _REF.sub(named, conversion.converted)
    return exp.maybe_parse(text, dialect=lineage.dialect)


def _exchange(
    projection: exp.Expr, block: Block, conversion: Conversion, expression: exp.Expr | None
) -> None:
    """The edit, made in the tree."""

    def converted(column: exp.Column) -> exp.Expr:
        if expression is not None:
            return expression.copy()
        named = column.copy()
        named.set("this", exp.to_identifier(conversion.converted))
        return named

    if conversion.whole_case:
        for case in list(case_conversions(projection, block)):
            case.node.replace(converted(case.amount))
    elif isinstance(projection, exp.Column):
        projection.replace(exp.alias_(converted(projection), conversion.output))
    else:
        for column in list(projection.find_all(exp.Column)):
            if column.name.casefold() == conversion.amount.casefold():
                column.replace(converted(column))
