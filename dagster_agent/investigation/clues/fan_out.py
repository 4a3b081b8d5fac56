"""Joins that multiply the rows of a model although it was meant to keep them as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from sqlglot import exp

from dagster_agent.errors import QueryRefused
from dagster_agent.investigation.accounts.keys import KeyAccount
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import AssetAccount, Dossier
from dagster_agent.model import Asset, Relation
from dagster_agent.sql.columns import Known, owner
from dagster_agent.sql.join_clauses import with_explicit_conditions
from dagster_agent.sql.lineage import column_origin, output_columns
from dagster_agent.sql.row_accounting import StepCount
from dagster_agent.sql.scopes import Join, SelectScope, driving_path, parsed_blocks, select_scopes
from dagster_agent.sql.statement import Block, joins_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """One join that multiplies rows by accident."""

    scope: str
    """Name of the SELECT it is in."""
    join: Join
    """The join."""
    step: StepCount
    """Its rows."""
    rows_in: int
    """Rows before it."""
    reason: str
    """What shows that it is an accident, as a clause."""
    right: Asset | None
    """The asset that is joined, where it is one."""
    repeats_upstream: bool
    """The joined asset has a key of its own that repeats: the rows were too many before."""
    sums: tuple[str, ...] = ()
    """Output columns in which amounts of other sources are added up once per match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """What is known of the model that is looked at."""

    asset: Asset
    sql: str
    known: Known
    key: KeyAccount | None
    keys: Mapping[str, KeyAccount]
    codebase: Codebase
    shown: frozenset[tuple[str, str]]
    """Unique ids and columns (case folded) that its output copies."""


def known_columns(dossier: Dossier) -> dict[Relation, list[str]]:
    """Columns of all tables whose schemas were observed."""
    return {s.relation: [c.name for c in s.columns] for s in dossier.schemas.values()}


def fan_outs(account: AssetAccount, dossier: Dossier, codebase: Codebase) -> tuple[FanOut, ...]:
    """Joins of one model that multiply its own rows by accident, in text order.

    By accident: the model's key repeats, the joined table's declared key does, neither side is
    unique on the join key, or an amount of another source is added up once per match. A join to the
    parts of something (orders to their items) is none.
    """
    sql = codebase.manifest.compiled_code(account.asset)
    if not sql or not any(s.added and s.join for a in account.scopes for s in a.steps):
        return ()
    keys = {key.asset: key for key in dossier.keys}
    known = known_columns(dossier)
    try:
        path = driving_path(select_scopes(sql, codebase.dialect, columns=known))
        blocks = {b.scope: b for b in parsed_blocks(sql, codebase.dialect)}
        model = _Model(
            asset=codebase.manifest.asset(account.asset),
            sql=sql,
            known=known,
            key=keys.get(account.asset),
            keys=keys,
            codebase=codebase,
            shown=_shown(sql, known, codebase),
        )
    except QueryRefused:
        return ()
    counted = {scope.scope: scope for scope in account.scopes}
    found: list[FanOut] = []
    for depth, scope in enumerate(path):
        flat = all(s.keeps_grain for s in path[: depth + 1])
        block = with_explicit_conditions(blocks[scope.name], known)
        steps = counted[scope.name].steps if scope.name in counted else ()
        for before, step in pairwise(steps):
            fan_out = _judged(model, scope, block, step, before.rows, flat=flat)
            if fan_out is not None:
                found.append(fan_out)
    return tuple(found)


def _judged(
    model: _Model, scope: SelectScope, block: Block, step: StepCount, rows_in: int, *, flat: bool
) -> FanOut | None:
    join = step.join
    if join is None or not step.added or join.kind not in ("inner", "left") or join.lateral:
        return None
    manifest = model.codebase.manifest
    right = manifest.by_relation(join.source.relation) if join.source.relation else None
    sums = () if flat else tuple(_sums(scope, block, join, model.known))
    reason = _reason(model, join, step, right) if flat else _told_sums(sums)
    if not reason:
        return None
    return FanOut(
        scope=scope.name,
        join=join,
        step=step,
        rows_in=rows_in,
        reason=reason,
        right=right,
        repeats_upstream=right is not None and _repeats_upstream(right, join, model),
        sums=sums,
    )


def _reason(model: _Model, join: Join, step: StepCount, right: Asset | None) -> str:
    """What shows that the model's own rows are multiplied by accident; empty if nothing does."""
    if model.key is not None:
        key = ", ".join(model.key.key)
        return f"{key} repeats in {model.asset.name}" if model.key.surplus_rows else ""
    declared = model.codebase.manifest.unique_key(right.unique_id) if right else ()
    wanted = {column.casefold() for column in declared}
    keys = {column.casefold() for column in join.table_keys}
    if right is not None and wanted and wanted <= keys:
        return f"{', '.join(declared)} is declared unique in {right.name} and is not"
    uid = right.unique_id if right else ""
    drilled_down = bool(wanted) and all((uid, column) in model.shown for column in wanted - keys)
    if join.keys and step.left_unique is False and not drilled_down:
        return f"neither side is unique on {', '.join(column for _, column in join.keys)}"
    return ""


def _told_sums(sums: tuple[str, ...]) -> str:
    return f"{', '.join(sums)} adds up the same amounts once per match" if sums else ""


def _sums(scope: SelectScope, block: Block, join: Join, known: Known) -> Iterator[str]:
    """Output columns that add up what the join only repeats."""
    node = joins_of(block.select)[scope.joins.index(join)]
    for projection in block.select.expressions:
        for call in projection.find_all(exp.Sum):
            owners = [owner(column, block, known) for column in call.find_all(exp.Column)]
            foreign = [o for o in owners if o is not None and o is not node.this]
            if foreign and len(foreign) == len(owners) and not call.find(exp.Distinct):
                yield projection.alias_or_name
                break


def _repeats_upstream(right: Asset, join: Join, model: _Model) -> bool:
    """Whether the joined asset's rows are too many already, which is not this join's doing.

    A seed is a file of the project: nothing upstream of it is at fault.
    """
    key = model.keys.get(right.unique_id)
    if key is None or not key.surplus_rows or right.resource_type == "seed":
        return False
    return {c.casefold() for c in key.key} <= {c.casefold() for c in join.table_keys}


def _shown(sql: str, known: Known, codebase: Codebase) -> frozenset[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for name in output_columns(sql, codebase.dialect, columns=known):
        origin = column_origin(sql, codebase.dialect, name, columns=known)
        other = codebase.manifest.by_relation(origin[0]) if origin else None
        if origin is not None and other is not None:
            found.add((other.unique_id, origin[1].casefold()))
    return frozenset(found)
