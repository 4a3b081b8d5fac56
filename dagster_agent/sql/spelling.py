"""How an identifier is written in a dialect: with or without quotes, in which letter case."""

from __future__ import annotations

import re

import sqlglot
from sqlglot import Dialect, exp
from sqlglot.tokenizer_core import TokenType

from dagster_agent.sql.identifiers import quote

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_RESERVED = frozenset(
    """
    account analyse asymmetric at authorization both by cast check collation concurrently connect
    current_role deferrable do follows foreign freeze group gscluster if increment initially isnull
    leading of only order placing positional primary returning sample similar start symmetric to
    trailing try_cast user values variadic verbose whenever
    """.split()  # noqa: SIM905 - forty quoted words would be harder to review
)
"""Words that some warehouse reserves and that sqlglot takes for names."""


def case_counts(dialect: str) -> bool:
    """Whether the letter case of a quoted identifier tells two columns apart."""
    strategy = Dialect.get_or_raise(dialect).NORMALIZATION_STRATEGY
    return not strategy.name.startswith("CASE_INSENSITIVE")


def written(name: str, dialect: str, *, like: str = "") -> str:
    """The identifier as a person would write it: in quotes only where it has to be.

    Args:
        name: As the warehouse spells it.
        dialect: sqlglot's name of the dialect.
        like: A neighbour in the text: where the warehouse folds letter case, a name that needs no
            quotes takes the neighbour's.
    """
    if not _is_plain(name, dialect):
        return quote(name, dialect)
    if not case_counts(dialect):
        return name
    folded = Dialect.get_or_raise(dialect).normalize_identifier(exp.to_identifier(name))
    if folded.name != name:
        return quote(name, dialect)
    return name.upper() if like.isupper() else name.lower() if like.islower() else name


def _is_plain(name: str, dialect: str) -> bool:
    if not _PLAIN.fullmatch(name) or name.casefold() in _RESERVED:
        return False
    (token,) = sqlglot.tokenize(name, dialect=dialect)
    return token.token_type is TokenType.VAR
