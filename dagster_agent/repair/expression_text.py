"""Where an expression of a parsed query stands in its text."""

from __future__ import annotations

from collections.abc import Sequence

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token

Place = tuple[int, int]
"""Offset of the first character, and behind the last."""

_AROUND = 12
"""Words that may stand around what sqlglot knows the places of: parentheses, NOT, `is null`."""


def place_of(node: exp.Expr, sql: str, dialect: str) -> Place | None:
    """The shortest stretch of the text, in whole words, that reads as the expression.

    Args:
        node: A part of the tree that `sql` was parsed to, with the places that sqlglot noted.
        sql: The text.
        dialect: sqlglot's name of the dialect.

    Returns:
        None where no stretch reads so, or sqlglot noted no place at all.
    """
    noted = [n.meta for n in node.walk() if "start" in n.meta and "end" in n.meta]
    if not noted:
        return None
    tokens = sqlglot.tokenize(sql, dialect=dialect)
    first = _index(tokens, min(meta["start"] for meta in noted))
    last = _index(tokens, max(meta["end"] for meta in noted))
    if first is None or last is None:
        return None
    for more in range(2 * _AROUND):
        for left in range(max(0, more - _AROUND), min(more, _AROUND) + 1):
            begin, end = first - left, last + more - left
            if begin < 0 or end >= len(tokens) or not _balanced(sql, tokens[begin : end + 1]):
                continue
            start, stop = tokens[begin].start, tokens[end].end + 1
            if _reads_as(node, sql[start:stop], dialect):
                return start, stop
    return None


def words_at(place: Place, sql: str, dialect: str) -> tuple[Place, Place]:
    """The first and the last word of a stretch of whole words."""
    tokens = sqlglot.tokenize(sql, dialect=dialect)
    inside = [t for t in tokens if place[0] <= t.start and t.end < place[1]]
    return (inside[0].start, inside[0].end + 1), (inside[-1].start, inside[-1].end + 1)


def _index(tokens: Sequence[Token], offset: int) -> int | None:
    return next((n for n, t in enumerate(tokens) if t.start <= offset <= t.end), None)


def _balanced(sql: str, tokens: Sequence[Token]) -> bool:
    depth = 0
    for token in tokens:
        word = sql[token.start : token.end + 1]
        depth += (word == "(") - (word == ")")
        if depth < 0:
            return False
    return depth == 0


def _reads_as(node: exp.Expr, text: str, dialect: str) -> bool:
    whole = isinstance(node, exp.Query)
    try:
        parsed = sqlglot.parse_one(text if whole else f"select {text}", dialect=dialect)
    except SqlglotError:
        return False
    if whole:
        return parsed == node
    clauses = {name for name, value in parsed.args.items() if value}
    return clauses == {"expressions"} and parsed.expressions == [node]
