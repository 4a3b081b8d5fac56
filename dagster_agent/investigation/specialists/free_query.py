"""SQL that a specialist wrote: what it may read, and what of the result may be seen.

Stands in front of the read-only guard of `dagster_agent.sql`, which every statement passes as well.
Only tables of the dbt project, by plain column names; columns about people may be counted, grouped
and joined by, but never shown or compared with a value. What a text in the result is called is the
model's choice, so masking goes by the column that it was copied from.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlglot import exp

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConnectorError, QueryRefused
from dagster_agent.model import Asset, Relation, ResultTable
from dagster_agent.privacy.masking import mask_table
from dagster_agent.privacy.personal import is_personal
from dagster_agent.sql.guard import parse_select, read_only
from dagster_agent.sql.lineage import column_origin
from dagster_agent.sql.table_reads import parts_of, tables_read

MAX_CHARACTERS = 6_000
"""A question to the data is short."""
_COMPUTED = "computed"
"""What masking takes a computed column to be called: its texts are hidden, its numbers shown."""
_SPELLED = "spelling out texts sign by sign is not allowed: count them"
_REFUSED: Mapping[type[exp.Expr], str] = {
    exp.Pivot: "PIVOT and UNPIVOT are not allowed: name the columns",
    exp.Columns: "COLUMNS(...) is not allowed: name the columns",
    exp.PositionalColumn: "columns by position are not allowed: name them",
    exp.GenerateSeries: "made-up rows are not allowed: read the project's tables",
    exp.Ascii: _SPELLED,
    exp.Unicode: _SPELLED,
    exp.ToCodePoints: _SPELLED,
    exp.TableFromRows: "functions in FROM are not allowed: read the project's tables",
}
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_ABOUT_NAMES = re.compile(r"no such (?:table|column|database):")


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeQuery:
    """A statement that may be sent."""

    sql: str
    """Rewritten: tables by their full names, no comments."""
    shown_as: tuple[str, ...]
    """By output column: the name that decides how its values are masked."""
    pii: frozenset[str]
    """Columns that the team marked as personal, lower case."""

    def masked(self, table: ResultTable) -> ResultTable:
        """Its result as it may be seen."""
        named = len(self.shown_as) == len(table.columns)
        columns = self.shown_as if named else (_COMPUTED,) * len(table.columns)
        masked = mask_table(replace(table, columns=columns), personal=self.pii)
        return replace(masked, columns=table.columns)

    def explained(self, error: ConnectorError) -> str:
        """A warehouse's error without values of the data: casts that fail quote them."""
        text = str(error)
        if _ABOUT_NAMES.search(text):
            return text
        return _QUOTED.sub(lambda m: m[0] if m[0][1:-1] in self.sql else "‹value›", text)


def free_query(sql: str, *, manifest: Manifest, dialect: str) -> FreeQuery:
    """Check a statement.

    Raises:
        QueryRefused: It is no single harmless SELECT, reads another table, or would show what may
            not be shown; says which and what to do.
    """
    if len(sql) > MAX_CHARACTERS:
        raise _refused(f"it has {len(sql):,} characters, more than {MAX_CHARACTERS:,}")
    tree = parse_select(read_only(sql, dialect), dialect)
    _check_shape(tree)
    assets = _bind_tables(tree, manifest, dialect)
    pii = frozenset(column for asset in assets for column in marked_personal(asset))
    _check_people(tree, pii)
    text = read_only(tree.sql(dialect=dialect), dialect)
    shown_as = tuple(_shown_as(tree, text, dialect, pii))
    return FreeQuery(sql=text, shown_as=shown_as, pii=pii)


def _refused(reason: str, hint: str = "") -> QueryRefused:
    return QueryRefused(f"the query was not sent: {reason}", hint=hint)


def _check_shape(tree: exp.Query) -> None:
    sources = {
        str(node.alias_or_name).casefold()
        for node in tree.find_all(exp.Table, exp.Subquery, exp.CTE)
        if node.alias_or_name
    }
    for node in tree.walk():
        reason = _REFUSED.get(type(node)) or _shape_trouble(node, sources)
        if reason:
            raise _refused(reason)


def _shape_trouble(node: exp.Expr, sources: Collection[str]) -> str:
    if isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
        return "`*` is not allowed: name the columns that you need"
    if isinstance(node, exp.TableAlias) and node.columns:
        return "renaming all columns of a source is not allowed: use AS in its SELECT"
    if isinstance(node, exp.With) and node.args.get("recursive"):
        return "recursion is not allowed"
    if isinstance(node, exp.Join) and not node.args.get("using"):
        condition: Any = node.args.get("on")
        if condition is None or len({c.table for c in condition.find_all(exp.Column)}) < 2:
            return "every join needs ON with columns of both sides, qualified by table"
    whole_row = isinstance(node, exp.Column) and not node.table and node.name.casefold() in sources
    if whole_row:
        return f"`{node.name}` is a table here: name a column, qualified by its table"
    return ""


def _bind_tables(tree: exp.Query, manifest: Manifest, dialect: str) -> list[Asset]:
    """Give every table its full name; the assets that are read."""
    assets: list[Asset] = []
    for table in list(tables_read(tree, dialect)):
        if not isinstance(table.this, exp.Identifier):
            raise _refused(_REFUSED[exp.TableFromRows])
        parts = [part or None for part in parts_of(table, dialect)]
        name = parts.pop() or ""
        database, schema = [None] * (2 - len(parts)) + parts
        asset = manifest.by_relation(Relation(database=database, schema=schema, name=name))
        if asset is None or asset.relation is None:
            raise _refused(
                f"{table.sql(dialect)[:120]} is no table of the dbt project",
                "list_lineage and table_schema tell the tables' full names",
            )
        assets.append(asset)
        table.set("this", exp.to_identifier(asset.relation.name, quoted=True))
        for key, part in (("db", asset.relation.schema), ("catalog", asset.relation.database)):
            table.set(key, exp.to_identifier(part, quoted=True) if part else None)
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(name)))
    for column in tree.find_all(exp.Column):
        # every table has an alias now; what stood before it would name the table a second time
        column.set("db", None)
        column.set("catalog", None)
    return assets


def marked_personal(asset: Asset) -> list[str]:
    """Columns that the team marked as personal in the yml, lower case."""
    settings: object = asset.meta.get("dagster_agent")
    if not isinstance(settings, Mapping):
        return []
    listed: object = cast("Mapping[str, object]", settings).get("pii")
    if not isinstance(listed, list):
        return []
    return [str(column).casefold() for column in cast("list[object]", listed)]


def _check_people(tree: exp.Query, pii: Collection[str]) -> None:
    for column in tree.find_all(exp.Column):
        if _about_people(column.name, pii) and not _only_counted(column):
            raise _refused(
                f"the column {column.name} is about people",
                "count it, group or join by it, or test it for NULL; nothing else",
            )


def _about_people(column: str, pii: Collection[str]) -> bool:
    return is_personal(column, number=True) or column.casefold() in pii


def _only_counted(column: exp.Column) -> bool:
    parent = column.parent
    if isinstance(parent, exp.Distinct | exp.Tuple):
        parent = parent.parent
    if isinstance(parent, exp.Count | exp.ApproxDistinct | exp.Group | exp.Window):
        return True
    if isinstance(parent, exp.Is):
        return isinstance(parent.expression, exp.Null)
    if isinstance(parent, exp.EQ):
        return isinstance(parent.left, exp.Column) and isinstance(parent.right, exp.Column)
    return False


def _shown_as(tree: exp.Query, text: str, dialect: str, pii: Collection[str]) -> Iterator[str]:
    if not isinstance(tree, exp.Select):
        return  # of a union nobody knows which side a value is from
    names = [projection.alias_or_name for projection in tree.expressions]
    single = not any(tree.find_all(exp.Subquery, exp.CTE))
    for projection, name in zip(tree.expressions, names, strict=True):
        found = column_origin(text, dialect, name) if name and names.count(name) == 1 else None
        columns = {column.name for column in projection.find_all(exp.Column)}
        if found is not None:
            yield found[1]
        elif single and len(columns) == 1 and not _about_people(min(columns), pii):
            yield min(columns)  # `coalesce(status, 'none')` is as harmless as `status`
        else:
            yield _COMPUTED
