"""What a model can be compared with when nobody configured anything: inferred from its SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.model import Relation
from dagster_agent.sql.identifiers import same_relation
from dagster_agent.sql.lineage import column_origin, output_columns, tables_read
from dagster_agent.sql.scopes import Join, SelectScope, driving_path, select_scopes

Known = Mapping[Relation, Sequence[str]]


class PairKind(StrEnum):
    """Why the other side is there."""

    DRIVING = "driving"
    """The model's rows come from it: the FROM of the SELECT that yields them, followed through
    CTEs."""
    LOOKUP = "lookup"
    """It is joined to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A model and one table that its rows can be compared with."""

    kind: PairKind
    """Driving table or lookup."""
    asset: str
    """dbt unique id of the model."""
    name: str
    """What a person calls the other side: its CTE or table."""
    relation: Relation | None
    """The other side's table; None behind logic of its own."""
    other: str | None
    """dbt unique id of the other side, where it is an asset."""
    scope: str
    """The SELECT that reads it, as named by `select_scopes`."""
    keeps_rows: bool = False
    """Driving tables: every row of it should arrive, but for explicit filters."""
    keys: tuple[tuple[str, str], ...] = ()
    """Driving tables: output column of the model and column of the table that it copies, which
    together identify what is counted."""
    own_key: bool = False
    """The keys are what dbt knows to be unique in the model."""
    join: Join | None = None
    """Lookups: how it is joined."""
    position: int = 0
    """Lookups: position among the joins of the scope."""
    note: str = ""
    """Why rows or keys cannot be compared, where they cannot."""


def infer_pairs(
    manifest: Manifest,
    asset_uid: str,
    compiled_sql: str,
    dialect: str,
    *,
    columns: Known | None = None,
) -> tuple[Pair, ...]:
    """The driving table first, then the lookups in text order.

    Args:
        manifest: The project.
        asset_uid: The model.
        compiled_sql: Its compiled code.
        dialect: sqlglot's name of the dialect.
        columns: Columns of the tables it reads, where known; else those declared in the yml.

    Raises:
        QueryRefused: The SQL does not parse as one query.
    """
    known = columns or declared_columns(manifest, compiled_sql, dialect)
    scopes = select_scopes(compiled_sql, dialect, columns=known)
    driving = _driving(manifest, asset_uid, compiled_sql, dialect, scopes, known)
    return (*driving, *_lookups(manifest, asset_uid, scopes))


def declared_columns(manifest: Manifest, compiled_sql: str, dialect: str) -> Known:
    """Columns of the assets that a query reads, as far as the yml lists them."""
    assets = {r: manifest.by_relation(r) for r in tables_read(compiled_sql, dialect)}
    return {r: a.declared_columns for r, a in assets.items() if a and a.declared_columns}


def _driving(
    manifest: Manifest,
    asset: str,
    sql: str,
    dialect: str,
    scopes: tuple[SelectScope, ...],
    known: Known,
) -> tuple[Pair, ...]:
    path = driving_path(scopes)
    if not path:
        return ()
    source = path[-1].driving
    relation = source.relation
    other = manifest.by_relation(relation) if relation else None
    note = _why_no_rows(path)
    keys, own_key = (), False
    if relation is not None:
        keys, own_key = _keys(manifest, asset, sql, dialect, path, relation, known)
    return (
        Pair(
            kind=PairKind.DRIVING,
            asset=asset,
            name=other.name if other else source.label,
            relation=relation,
            other=other.unique_id if other else None,
            scope=path[-1].name,
            keeps_rows=relation is not None and not note,
            keys=keys,
            own_key=own_key,
            note=note if relation else f"its rows come from {source.label}, which is no table",
        ),
    )


def _why_no_rows(path: tuple[SelectScope, ...]) -> str:
    for scope in path:
        if scope.grouped:
            return "it aggregates"
        if scope.distinct or scope.qualified:
            return "it removes duplicates"
        if scope.limited:
            return "it is cut by a limit"
        if scope.unnested:
            return "it unnests lists"
        if scope.recursive:
            return "it is recursive"
    return ""


def _keys(
    manifest: Manifest,
    asset: str,
    sql: str,
    dialect: str,
    path: tuple[SelectScope, ...],
    relation: Relation,
    known: Known,
) -> tuple[tuple[tuple[str, str], ...], bool]:
    """Key pairs, and whether they are the model's own key."""

    def copied(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        for name in names:
            origin = column_origin(sql, dialect, name, columns=known)
            if origin is None or not same_relation(origin[0], relation):
                return ()
            found.append((name, origin[1]))
        return tuple(found)

    own = copied(manifest.unique_key(asset))
    if own:
        return own, True
    grouping = next((scope for scope in path if scope.grouped), None)
    if grouping is not None:
        return copied([output for output, _ in grouping.group_keys]), False
    other = manifest.by_relation(relation)
    wanted = manifest.unique_key(other.unique_id) if other else ()
    outputs = output_columns(sql, dialect, columns=known) or wanted
    by_origin = {pair[0][1].casefold(): pair[0] for name in outputs if (pair := copied([name]))}
    found = [by_origin.get(column.casefold()) for column in wanted]
    return tuple(pair for pair in found if pair) if all(found) else (), False


def _lookups(manifest: Manifest, asset: str, scopes: tuple[SelectScope, ...]) -> tuple[Pair, ...]:
    found: list[Pair] = []
    for scope in scopes:
        for position, join in enumerate(scope.joins):
            if join.lateral or not join.keys or join.kind not in ("inner", "left"):
                continue
            relation = join.source.relation
            other = manifest.by_relation(relation) if relation else None
            found.append(
                Pair(
                    kind=PairKind.LOOKUP,
                    asset=asset,
                    name=join.source.label,
                    relation=relation,
                    other=other.unique_id if other else None,
                    scope=scope.name,
                    join=join,
                    position=position,
                )
            )
    return tuple(found)
