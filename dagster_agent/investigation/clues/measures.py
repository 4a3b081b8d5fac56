"""Which columns hold amounts of money, and in what currency, judged by their names and types."""

from __future__ import annotations

import re

from dagster_agent.model import ColumnSchema

_AMOUNTS = frozenset(
    """
    amount amounts amt price prices total totals subtotal revenue revenues sales value values cost
    costs fee fees gross net paid payment payments refund refunded refunds discount discounts tax
    taxes charge charges charged balance spend spent turnover gmv mrr arr ltv income profit margin
    commission payout payouts invoiced billed credit debit sold
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
_NO_AMOUNTS = frozenset(
    """
    id ids count counts cnt number num no qty quantity items lines orders units days hours minutes
    seconds weight grams kg percent percentage pct rate ratio share score rank year month week day
    date at flag is has code type status name
    """.split()  # noqa: SIM905
)
ISO_CODES = frozenset(
    """
    aed ars aud bgn brl cad chf clp cny cop czk dkk egp eur gbp hkd huf idr ils inr isk jpy kes krw
    mxn myr ngn nok nzd pen php pkr pln ron rsd rub sar sek sgd thb twd uah usd uyu vnd zar
    """.split()  # noqa: SIM905
)
"""Codes that are no word of everyday English, so that a column's name can be told by them."""
_CONVERTED = ISO_CODES | {"converted", "home", "base", "reporting"}
_RATES = frozenset({"rate", "rates", "fx", "exchange", "conversion", "per", "multiplier", "forex"})
_OTHER_RATES = frozenset({"tax", "vat", "discount", "interest", "commission", "growth", "unit"})
_CURRENCY = re.compile(r"(?:\w+_)?(?:currency|ccy|curr)(?:_(?:code|iso|iso_code|id))?", re.I)
_NUMERIC = ("DECIMAL", "NUMERIC", "NUMBER", "DOUBLE", "FLOAT", "REAL", "HUGEINT")
_INTEGER = ("BIGINT", "INTEGER", "INT", "SMALLINT", "UBIGINT", "UINTEGER")
_TEXT = ("VARCHAR", "TEXT", "STRING", "CHAR", "ENUM", "BPCHAR")


def words(name: str) -> frozenset[str]:
    """The words of a name, in lower case: `totalAmount_EUR` is total, amount, eur."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return frozenset(word for word in re.split(r"[^a-z0-9]+", split.lower()) if word)


def is_amount(name: str) -> bool:
    """Whether a column is named like an amount of money."""
    found = words(name)
    return bool(found & _AMOUNTS) and not found & _NO_AMOUNTS


def is_measure(column: ColumnSchema) -> bool:
    """Whether several rows of the column could be meant to be added up."""
    if not column.type.startswith((*_NUMERIC, *_INTEGER)):
        return False
    counted = {"quantity", "qty", "count", "units", "items"}
    return is_amount(column.name) or bool(words(column.name) & counted)


def is_number(column: ColumnSchema) -> bool:
    """Whether its type holds numbers."""
    return column.type.startswith((*_NUMERIC, *_INTEGER))


def is_converted(name: str) -> bool:
    """Whether a name says in which one currency its amounts are: `total_eur`, `amount_home`."""
    return bool(words(name) & _CONVERTED) and not words(name) & _RATES


def is_rate(name: str) -> bool:
    """Whether a column is named like a rate of exchange: `units_per_eur`, `fx_rate`."""
    return bool(words(name) & _RATES) and not words(name) & _OTHER_RATES


def is_currency_name(name: str) -> bool:
    """Whether a column is named like the currency of the row's amounts."""
    return _CURRENCY.fullmatch(name) is not None


def is_currency(column: ColumnSchema) -> bool:
    """Whether it is named so and holds text."""
    return is_currency_name(column.name) and column.type.startswith(_TEXT)
