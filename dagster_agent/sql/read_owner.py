"""Which table a name in a SELECT means, by the rules of scoping; nothing where that is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from dagster_agent.model import Relation
from dagster_agent.sql.columns import Known, is_query, source_columns, star_of, starred_sources
from dagster_agent.sql.identifiers import relation_of
from dagster_agent.sql.statement import Visible, lookup, opened, sources

_LATERAL_ALIASES = frozenset(
    {"duckdb", "snowflake", "redshift", "databricks", "spark", "spark2", "clickhouse", "teradata"}
)
"""Dialects in which an output column may be used by name elsewhere in the same SELECT."""
_PSEUDO = frozenset(
    {"rowid", "rownum", "level", "ctid", "oid", "tableoid", "xmin", "xmax", "cmin", "cmax"}
    | {"user", "sysdate", "systimestamp", "current_user", "session_user"}
    | {"_partitiontime", "_partitiondate", "_table_suffix", "_file_name", "_metadata"}
)
"""Names that work without being columns of the table."""
_UNITS = frozenset(
    {"year", "quarter", "month", "week", "day", "hour", "minute", "second", "decade", "century"}
    | {"millisecond", "microsecond", "nanosecond", "epoch", "dow", "doy", "isoweek", "isodow"}
    | {"isoyear", "dayofweek", "dayofyear", "yy", "mm", "dd", "hh", "mi", "ss", "ms"}
)
"""Bare words that date functions take for a unit."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A SELECT with what it can name."""

    select: exp.Select
    visible: Visible
    """CTEs."""
    outer: Frame | None
    """The SELECT around it, where it may use that one's columns."""
    known: Known
    dialect: str
    _found: dict[int, tuple[str, ...] | None] = field(
        default_factory=lambda: dict[int, tuple[str, ...] | None]()
    )

    def resolve(self, column: exp.Column) -> Iterator[tuple[Relation, exp.Identifier]]:
        """The table columns that a reference means, each with the identifier that names it."""
        parts = [part for part in column.parts if isinstance(part, exp.Identifier)]
        frame: Frame | None = self
        while frame is not None and len(parts) > 1:
            for source in sources(frame.select):
                length = _qualifier_length(source, parts)
                if length:
                    name = parts[length]
                    if not _is_pseudo(name.name) or frame._holds(source, name.name):
                        yield from ((r, name) for r in reads_of(source, name.name, frame))
                    return
            frame = frame.outer
        first = parts[0]
        for relation in self._unqualified(first.name, column, is_field=len(parts) > 1):
            yield relation, first

    def _unqualified(self, name: str, column: exp.Column, *, is_field: bool) -> Iterator[Relation]:
        frame: Frame | None = self
        while frame is not None:
            found = sources(frame.select)
            holders = [s for s in found if frame._holds(s, name)]
            if holders:
                yield from reads_of(frame._first(holders, name), name, frame)
                return
            if any(_same(s.alias_or_name, name) for s in found) or is_field:
                return  # the row itself, or something we cannot see
            unknown = [s for s in found if frame._columns(s) is None]
            if unknown:
                break
            frame = frame.outer
        if self.outer is None and not (_is_pseudo(name) or _is_unit(name, column)):
            yield from reads_of(self.only_with(name, sources(self.select)), name, self)

    def _first(self, holders: Sequence[exp.Expr], name: str) -> exp.Expr | None:
        """The one source that has the column; the first of those joined by it."""
        joined = any(
            _same(entry.name, name)
            for join in self.select.args.get("joins") or ()
            for entry in join.args.get("using") or ()
        )
        return holders[0] if len(holders) == 1 or joined else None

    def only_with(self, name: str, candidates: Sequence[exp.Expr]) -> exp.Expr | None:
        """The source that has the column, or is the only one that can."""
        holders = [s for s in candidates if self._holds(s, name)]
        if holders:
            return self._first(holders, name)
        unknown = [s for s in candidates if self._columns(s) is None]
        if unknown:
            return unknown[0] if len(unknown) == 1 else None
        return candidates[0] if len(candidates) == 1 else None

    def names_output(self, column: exp.Column, clause: str, index: int) -> bool:
        """Whether the reference means an output column, or cannot be told from one."""
        if len(column.parts) > 1:
            return False
        projections = self.select.expressions
        if clause == "order":
            direct = isinstance(column.parent, exp.Ordered)
            named = [p for p in projections if direct or _renames(p)]
            return any(_same(p.alias_or_name, column.name) for p in named if star_of(p) is None)
        if clause in ("group", "having", "qualify"):
            named = projections
        elif clause in ("select", "where", "join") and self.dialect in _LATERAL_ALIASES:
            named = projections[:index] if clause == "select" else projections
        else:
            return False
        if not any(_renames(p) and _same(p.alias_or_name, column.name) for p in named):
            return False
        # a column of a source wins over an output column of the same name
        return not any(self._holds(s, column.name) for s in sources(self.select))

    def _columns(self, source: exp.Expr) -> tuple[str, ...] | None:
        if id(source) not in self._found:
            self._found[id(source)] = source_columns(source, self.visible, self.known)
        return self._found[id(source)]

    def _holds(self, source: exp.Expr, name: str) -> bool:
        return any(_same(c, name) for c in self._columns(source) or ())


def reads_of(source: exp.Expr | None, name: str, frame: Frame) -> Iterator[Relation]:
    """The table whose column a column of a source is, if it only passes through stars.

    Nothing for a column that a CTE or subquery names itself: the reference is the one in there.
    """
    if isinstance(source, exp.Table) and not source.args.get("pivots"):
        named = lookup(source, frame.visible)
        alias = source.args.get("alias")
        if isinstance(alias, exp.TableAlias) and alias.columns:
            return
        if named is None:
            relation = relation_of(source)
            if relation is not None:
                yield relation
        elif isinstance(named.cte.this, exp.Query) and not (
            named.recursive or named.cte.args["alias"].columns
        ):
            yield from _through(named.cte.this, named.visible, name, frame)
    elif isinstance(source, exp.Subquery) and is_query(source):
        yield from _through(source.this, frame.visible, name, frame)


def _through(query: exp.Query, visible: Visible, name: str, frame: Frame) -> Iterator[Relation]:
    query, visible = opened(query, visible)
    if not isinstance(query, exp.Select):
        return
    inner = Frame(query, visible, None, frame.known, frame.dialect)
    candidates: list[exp.Expr] = []
    for projection in query.expressions:
        star = star_of(projection)
        if star is None:
            if _same(projection.alias_or_name, name):
                return
            continue
        touched = [e for key in ("except_", "replace", "rename") for e in star.args.get(key) or ()]
        if any(_same(e.alias_or_name, name) or _same(e.name, name) for e in touched):
            return
        candidates += starred_sources(projection, query)
    yield from reads_of(inner.only_with(name, candidates), name, inner)


def _qualifier_length(source: exp.Expr, parts: Sequence[exp.Identifier]) -> int:
    """How many parts in front name the source; 0 when they do not."""
    if _same(source.alias_or_name, parts[0].name):
        return 1
    if isinstance(source, exp.Table) and not source.alias:
        full = [p.name for p in (source.args.get("catalog"), source.args.get("db")) if p]
        for names in ([*full, source.name], [*full[-1:], source.name]):
            shown = [part.name for part in parts[: len(names)]]
            fits = len(names) > 1 and len(parts) > len(names)
            if fits and all(_same(a, b) for a, b in zip(names, shown, strict=True)):
                return len(names)
    return 0


def _renames(projection: exp.Expr) -> bool:
    """Whether its name is given to it, and not the name of the column that it is."""
    if not isinstance(projection, exp.Alias):
        return False
    inner = projection.this
    return not (isinstance(inner, exp.Column) and _same(inner.name, projection.alias))


def _is_pseudo(name: str) -> bool:
    return name.casefold() in _PSEUDO or name.casefold().startswith("metadata$")


def _is_unit(name: str, column: exp.Column) -> bool:
    return name.casefold() in _UNITS and isinstance(column.parent, exp.Func)


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
