"""Arrows among the arguments of a function: `coalesce(payload -> 'x', '{}')`.

sqlglot takes each of them for a lambda, and so loses the column that is read. PostgreSQL has no
lambdas, and a lambda of DuckDB that does not name its parameter would be of no use.
"""

from __future__ import annotations

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

_LOOSER: dict[str, tuple[type[exp.Expr], ...]] = {
    "duckdb": (exp.JSONExtract, exp.JSONExtractScalar),
    "postgres": (exp.Binary,),
}
"""By the dialects that take a key out of a document by an arrow: what an arrow before it binds
more tightly than. In DuckDB that is nothing but another arrow."""


def read_arrows(tree: exp.Query, dialect: str) -> None:
    """Change lambdas that take something out of a document into extractions, in place.

    Args:
        tree: As parsed.
        dialect: sqlglot's name.
    """
    if dialect not in _LOOSER:
        return
    for arrow in list(tree.find_all(exp.Lambda)):
        named = arrow.expressions[0] if len(arrow.expressions) == 1 else None
        if isinstance(named, exp.Identifier) and not _uses(arrow.this, named.name):
            arrow.replace(_extraction(named, arrow.this, dialect))


def _uses(body: exp.Expr, name: str) -> bool:
    wanted = name.casefold()
    return any(each.name.casefold() == wanted for each in body.find_all(exp.Identifier))


def _extraction(document: exp.Identifier, body: exp.Expr, dialect: str) -> exp.Expr:
    """`payload` and `'a' ->> 'b'` as `(payload -> 'a') ->> 'b'`."""
    key = body
    while isinstance(key, _LOOSER[dialect]):
        key = key.this
    taken = exp.JSONExtract(
        this=exp.Column(this=document.copy()),
        expression=Dialect.get_or_raise(dialect).to_json_path(key.copy()),
        only_json_types=True,
    )
    if key is body:
        return taken
    key.replace(taken)
    return body
