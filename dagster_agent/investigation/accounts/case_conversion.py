"""CASE expressions that convert amounts by their currency, with rates written out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from dagster_agent.investigation.clues.measures import is_currency_name
from dagster_agent.sql.statement import Block


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CaseConversion:
    """`case when currency = 'GBP' then amount * 1.17 else amount end`."""

    node: exp.Case
    """The CASE."""
    amount: exp.Column
    """What ELSE takes as it is."""
    currency: exp.Column
    """What is compared."""
    listed: tuple[str, ...]
    """Currencies that it names, in upper case."""
    converted: frozenset[str]
    """Those of them whose amounts it changes."""


def case_conversions(projection: exp.Expr, block: Block) -> Iterator[CaseConversion]:
    """The CASEs of one output column that compare nothing but a currency with literals, and whose
    ELSE is a bare column."""
    for case in projection.find_all(exp.Case):
        if case.find_ancestor(exp.Select) is not block.select:
            continue
        amount = case.args.get("default")
        amount = amount.unnest() if isinstance(amount, exp.Expr) else None
        if isinstance(amount, exp.Column) and (found := _read(case, amount)) is not None:
            yield found


def _read(case: exp.Case, amount: exp.Column) -> CaseConversion | None:
    currency: exp.Column | None = None
    listed: list[str] = []
    converted: set[str] = set()
    for branch in case.args.get("ifs") or ():
        condition = branch.this
        if case.this is not None:
            condition = exp.EQ(this=case.this.copy(), expression=condition.copy())
        compared = _compared(condition)
        if compared is None or (currency is not None and compared[0].name != currency.name):
            return None
        currency, codes = compared
        listed += codes
        result = branch.args["true"].unnest()
        bare = isinstance(result, exp.Column) and result.name == amount.name
        if not bare:
            converted.update(codes)
    if currency is None or not converted:
        return None
    if currency.find_ancestor(exp.Select) is None and case.this is not None:
        currency = next(case.this.find_all(exp.Column))
    return CaseConversion(
        node=case,
        amount=amount,
        currency=currency,
        listed=tuple(listed),
        converted=frozenset(converted),
    )


def _compared(condition: exp.Expr) -> tuple[exp.Column, tuple[str, ...]] | None:
    """The currency column and the codes of `currency = 'GBP'` or `currency in ('GBP', 'USD')`."""
    condition = condition.unnest()
    if isinstance(condition, exp.EQ):
        sides, literals = (condition.left, condition.right), [condition.left, condition.right]
        column = next((c for side in sides for c in side.find_all(exp.Column)), None)
        codes = [node for node in literals if isinstance(node, exp.Literal)]
    elif isinstance(condition, exp.In) and not condition.args.get("query"):
        column = next(iter(condition.this.find_all(exp.Column)), None)
        codes = [node for node in condition.expressions if isinstance(node, exp.Literal)]
        if len(codes) != len(condition.expressions):
            return None
    else:
        return None
    if column is None or not codes or not is_currency_name(column.name):
        return None
    return column, tuple(code.name.upper() for code in codes)
