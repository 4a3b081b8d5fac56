"""Edits that leave one row per key in one SELECT of a model's Jinja text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from dagster_agent.errors import QueryRefused
from dagster_agent.repair.edits import NoEdit, find_join
from dagster_agent.repair.select_text import SelectInFile, SelectsInFile, TextEdit, with_clause
from dagster_agent.sql.columns import Known, source_columns, source_origin
from dagster_agent.sql.identifiers import quote
from dagster_agent.sql.scopes import driving_path, parsed_blocks, select_scopes
from dagster_agent.sql.statement import Block, joins_of

QUALIFYING = frozenset({"duckdb", "snowflake", "bigquery", "databricks"})
"""Dialects with QUALIFY."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneRowPerKey:
    """Which of several rows with one key is kept."""

    key: tuple[str, ...]
    """Columns of the table that is read, by its own names."""
    newest_by: str | None
    """The row with the largest value stays; None where any will do."""
    keyless_rows: bool = False
    """Rows with NULL in the key exist, and all of them stay."""


def keep_newest(
    raw_code: str, *, compiled_code: str, dialect: str, rule: OneRowPerKey, columns: Known
) -> TextEdit | NoEdit:
    """Keep one row per key of the table that a model copies.

    At the end of the model's last SELECT where it sees the columns, else in the CTE that reads the
    table.

    Args:
        raw_code: The file's text with its Jinja.
        compiled_code: What dbt made of it.
        dialect: sqlglot's name of the dialect.
        rule: Which row stays.
        columns: Columns of the table that is read.

    Returns:
        The edited text; NoEdit where the SELECT is not written out in the file, or already ends in
        something that would have to come after.
    """
    try:
        path = [scope.name for scope in driving_path(select_scopes(compiled_code, dialect))]
    except QueryRefused as error:
        return NoEdit(reason=error.message)
    edit: TextEdit | NoEdit = NoEdit(reason="its rows come from several SELECTs")
    for scope in dict.fromkeys([*path[:1], *path[-1:]]):
        edit = one_row_per_key(
            raw_code,
            compiled_code=compiled_code,
            dialect=dialect,
            scope=scope,
            rule=rule,
            columns=columns,
        )
        if isinstance(edit, TextEdit):
            return edit
    return edit


def one_row_per_key(
    raw_code: str,
    *,
    compiled_code: str,
    dialect: str,
    scope: str,
    rule: OneRowPerKey,
    columns: Known,
) -> TextEdit | NoEdit:
    """Add a QUALIFY to one SELECT; `scope` is its name as in `select_scopes`, see `keep_newest`."""
    if dialect not in QUALIFYING:
        return NoEdit(reason=f"{dialect} has no QUALIFY: rank the rows in a CTE of its own")
    try:
        block = next(b for b in parsed_blocks(compiled_code, dialect) if b.scope == scope)
        selects = SelectsInFile(raw_code, dialect)
    except (QueryRefused, ValueError, StopIteration) as error:
        return NoEdit(reason=str(error) or f"the compiled SQL has no {scope}")
    select = selects.select(scope)
    if isinstance(select, NoEdit):
        return select
    seen = _visible(block, rule, columns)
    if isinstance(seen, NoEdit):
        return seen
    clause = _clause(seen, _words(raw_code, select), dialect)
    return with_clause(selects, select, clause)


def deduplicate_joined(
    raw_code: str,
    *,
    compiled_code: str,
    dialect: str,
    ordinal: int,
    rule: OneRowPerKey,
    columns: Known,
) -> TextEdit | NoEdit:
    """Join to one row per key: in the CTE that is joined, or around the table that is.

    Args:
        raw_code: The file's text with its Jinja.
        compiled_code: What dbt made of it.
        dialect: sqlglot's name of the dialect.
        ordinal: 0-based position of the join among all JOIN keywords of `compiled_code`.
        rule: Which row stays; columns by their names in the table that is joined.
        columns: Columns of the tables it reads, where known.
    """
    try:
        scopes = select_scopes(compiled_code, dialect, columns=columns)
    except QueryRefused as error:
        return NoEdit(reason=error.message)
    join = next((j for s in scopes for j in s.joins if j.ordinal == ordinal), None)
    if join is None:
        return NoEdit(reason=f"the compiled SQL has no join number {ordinal + 1}")
    if join.source.scope is None:
        return _wrapped(raw_code, compiled_code, dialect, ordinal, rule, join.source.alias)
    uses = [s.driving.scope for s in scopes] + [j.source.scope for s in scopes for j in s.joins]
    if uses.count(join.source.scope) > 1:
        return NoEdit(reason=f"{join.source.label} is read in several places")
    return one_row_per_key(
        raw_code,
        compiled_code=compiled_code,
        dialect=dialect,
        scope=join.source.scope,
        rule=rule,
        columns=columns,
    )


def _wrapped(
    raw_code: str, compiled_code: str, dialect: str, ordinal: int, rule: OneRowPerKey, alias: str
) -> TextEdit | NoEdit:
    """`join x` becomes `join (select * from x qualify ...)`."""
    if dialect not in QUALIFYING:
        return NoEdit(reason=f"{dialect} has no QUALIFY: rank the rows in a CTE of its own")
    join = find_join(raw_code, compiled_code=compiled_code, dialect=dialect, ordinal=ordinal)
    if isinstance(join, NoEdit):
        return join
    start = raw_code.index(join.joined, join.keyword)
    stop = start + len(join.joined)
    word = raw_code[join.keyword : join.keyword + 4]
    words = str.upper if word.isupper() else str.lower
    clause = _clause(rule, words, dialect)
    named = SelectsInFile(raw_code, dialect).word_after(stop) not in ("ON", "USING")
    tail = "" if named else f" {words('as')} {alias}"
    written = f"({words('select')} * {words('from')} {join.joined} {clause}){tail}"
    text = raw_code[:start] + written + raw_code[stop:]
    return TextEdit(text=text, line=raw_code.count("\n", 0, start) + 1, written=clause)


def _words(text: str, select: SelectInFile) -> Callable[[str], str]:
    return str.upper if text[select.from_ : select.from_ + 4].isupper() else str.lower


def _clause(rule: OneRowPerKey, words: Callable[[str], str], dialect: str) -> str:
    keys = [_spelled(name, dialect) for name in rule.key]
    newest = f"{_spelled(rule.newest_by, dialect)} {words('desc')}" if rule.newest_by else keys[0]
    if rule.newest_by and dialect == "snowflake":
        newest += f" {words('nulls last')}"
    clause = (
        f"{words('qualify row_number')}() {words('over')} ({words('partition by')} "
        f"{', '.join(keys)} {words('order by')} {newest}) = 1"
    )
    if rule.keyless_rows:
        clause += "".join(f" {words('or')} {key} {words('is null')}" for key in keys)
    return clause


def _spelled(name: str, dialect: str) -> str:
    """The column without quotes where it needs none."""
    plain = name.isascii() and name.isidentifier()
    unfolded = name.isupper() if dialect == "snowflake" else name.islower()
    return name if plain and unfolded else quote(name, dialect)


def _visible(block: Block, rule: OneRowPerKey, columns: Known) -> OneRowPerKey | NoEdit:
    """The rule with the columns as the FROM of a block calls them."""
    if joins_of(block.select):
        return NoEdit(reason="it joins in the same SELECT")
    names = _names_in(block, columns)
    computed = {
        p.alias_or_name.casefold()
        for p in block.select.expressions
        if not (isinstance(p.unalias(), exp.Column) and p.unalias().name == p.alias_or_name)
    }
    wanted = (*rule.key, *([rule.newest_by] if rule.newest_by else []))
    seen: list[str] = []
    for name in wanted:
        found = names.get(name.casefold()) if names is not None else name
        if found is None:
            return NoEdit(reason=f"its last SELECT does not see {name}")
        if found.casefold() in computed:
            return NoEdit(reason=f"its output {found} is another column than the one it reads")
        seen.append(found)
    return OneRowPerKey(
        key=tuple(seen[: len(rule.key)]),
        newest_by=seen[-1] if rule.newest_by else None,
        keyless_rows=rule.keyless_rows,
    )


def _names_in(block: Block, columns: Known) -> dict[str, str] | None:
    """Names in the FROM of a block by the table's own names; None where both are the same."""
    source = block.select.args["from_"].this
    if isinstance(source, exp.Table) and block.named(source) is None:
        return None
    names: Sequence[str] = source_columns(source, block.visible, columns) or ()
    found: dict[str, str] = {}
    for name in names:
        origin = source_origin(source, name, block.visible, columns)
        if origin is not None:
            found[origin[1].casefold()] = name
    return found


__all__ = ["OneRowPerKey", "deduplicate_joined", "keep_newest", "one_row_per_key"]
