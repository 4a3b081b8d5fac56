"""Which tables a statement really reads, and whether it may.

A name that a CTE defines stands for the CTE only where that CTE is visible: after its definition,
inside the query that defines it, and inside itself only in the recursive half. Anywhere else the
same name is a table, so in doubt it is taken for one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlglot import exp

from dagster_agent.model import Relation
from dagster_agent.sql.system_tables import is_plain_catalog, is_secret, is_system

_EXACT = frozenset({"postgres", "redshift", "snowflake"})
"""Dialects where quotes make letter case count."""
_Names = frozenset[str]


def tables_read(tree: exp.Expr, dialect: str) -> Iterator[exp.Table]:
    """Every table node that stands for a table and not for a CTE, function or stage."""
    waiting: list[tuple[exp.Expr, _Names]] = [(tree, frozenset())]
    while waiting:
        node, visible = waiting.pop()
        with_ = node.args.get("with_")
        if isinstance(with_, exp.With):
            visible = _definitions(with_, visible, waiting, dialect)
        if isinstance(node, exp.Table) and not _names_cte(node, visible, dialect):
            yield node
        children = (c for c in node.iter_expressions() if c is not with_)
        waiting.extend((child, visible) for child in children)


def refusal(table: exp.Table, dialect: str, relations: Collection[Relation] | None) -> str | None:
    """Why a table may not be read; None when it may.

    Letter case is ignored. A name with fewer parts than an allowed one is that one when all its
    parts are its last parts: `orders` is `shop.analytics.orders`. A name with more parts is not:
    `other_db.analytics.orders` is not `analytics.orders`, and neither is `raw.orders` `orders`.

    Args:
        table: A node of `tables_read` with a name.
        dialect: sqlglot's name.
        relations: What may be read; None for every table that is not the warehouse's own.
    """
    parts = parts_of(table, dialect)
    shown = ".".join(parts)
    folded = [_fold(part) for part in parts]
    if not all(parts):
        return f"the name {shown} leaves out its schema; write it in full"
    if is_secret(folded, dialect):
        return f"{shown} holds credentials"
    if relations is None:
        if is_system(folded, dialect) and not is_plain_catalog(folded):
            return f"{shown} belongs to the warehouse itself"
        return None
    if any(_ends_with(_parts(relation), folded) for relation in relations):
        return None
    return f"{shown} is not among the relations that may be read"


def parts_of(table: exp.Table, dialect: str) -> list[str]:
    """The name's parts, outermost first, as written; one left out between dots is empty, which is
    the schema `public` in Snowflake and nothing elsewhere."""
    unnamed = "PUBLIC" if dialect == "snowflake" else ""
    parts = [part.name if isinstance(part, exp.Identifier) else unnamed for part in _slots(table)]
    if parts[-1].lower().startswith("information_schema."):  # BigQuery: one identifier for both
        parts[-1:] = parts[-1].split(".", 1)
    return parts


def _slots(table: exp.Table) -> list[exp.Expr | str | None]:
    slots: list[exp.Expr | str | None] = [
        table.args.get(key) for key in ("catalog", "db") if table.args.get(key) is not None
    ]
    return [*slots, table.this]


def _parts(relation: Relation) -> list[str]:
    parts = (relation.database, relation.schema, relation.name)
    return [_fold(part) for part in parts if part]


def _ends_with(allowed: list[str], read: list[str]) -> bool:
    return len(read) <= len(allowed) and allowed[-len(read) :] == read


def _fold(name: str) -> str:
    """Lower case, but no foreign sign becomes a plain letter: `ſ` and the Kelvin sign would."""
    return "".join(
        sign.lower() if sign.isascii() or not sign.lower().isascii() else sign for sign in name
    )


def _definitions(
    with_: exp.With, visible: _Names, waiting: list[tuple[exp.Expr, _Names]], dialect: str
) -> _Names:
    """What is visible behind a WITH; its definitions are queued with what they see."""
    may_recur = bool(with_.args.get("recursive")) or dialect == "snowflake"
    for cte in with_.expressions:
        name = _key(cte.args["alias"].this, dialect) if cte.args.get("alias") else ""
        body = cte.this
        if may_recur and isinstance(body, exp.SetOperation) and not body.args.get("with_"):
            waiting.append((body.this, visible))
            within = visible | {name}
            others = (c for c in body.iter_expressions() if c is not body.this)
            waiting.extend((child, within) for child in others)
        else:
            waiting.append((body, visible))
        visible |= {name}
    return visible


def _names_cte(table: exp.Table, visible: _Names, dialect: str) -> bool:
    name = table.this
    plain = isinstance(name, exp.Identifier) and len(_slots(table)) == 1
    return plain and _key(name, dialect) in visible


def _key(name: exp.Expr, dialect: str) -> str:
    """What a CTE's name is compared by."""
    if dialect in _EXACT and isinstance(name, exp.Identifier) and name.quoted:
        return name.name
    return _fold_plain(name.name, upper=dialect == "snowflake")


def _fold_plain(name: str, *, upper: bool) -> str:
    fold = str.upper if upper else str.lower
    return "".join(fold(sign) if sign.isascii() else sign for sign in name)
