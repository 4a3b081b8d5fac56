"""Which rows of a model vanish or multiply by accident, judged from its row accounting.

Rows that an explicit WHERE takes, and rows that an inner join takes whose right side contributes
nothing to the output, are meant to go. Rows that vanish because an inner join was used to look
something up are not: nothing in the SQL says that they should.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from dagster_agent.reconciliation.comparison import ModelAccount
from dagster_agent.reconciliation.wording import rows, share
from dagster_agent.sql.row_accounting import ScopeAccount, StepCount
from dagster_agent.sql.scopes import Join, SelectScope, contributing, driving_path

_EPHEMERAL = re.compile(r"__dbt__cte__(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinLoss:
    """Rows that an inner join to a lookup drops."""

    scope: str
    """The SELECT it is in."""
    join: Join
    """The join."""
    position: int
    """Its position among the joins of the scope."""
    rows: int
    """Rows that a left join would keep."""
    of: int
    """Rows that there would be."""
    query: str
    """The statement that counted them."""

    @property
    def share(self) -> float:
        """Part of the rows that is lost."""
        return self.rows / self.of if self.of else 0.0

    @property
    def place(self) -> str:
        """`the inner join to planes on tailnum`, with the ephemeral model it is in, if any."""
        label = self.join.label.replace(" join ", " join to ", 1)
        ephemeral = _EPHEMERAL.match(self.scope)
        return f"the {label}" + (f" in the ephemeral model {ephemeral[1]}" if ephemeral else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """Rows that a join multiplies although it was meant to look something up."""

    scope: str
    """The SELECT it is in."""
    join: Join
    """The join."""
    before: int
    """Rows before it."""
    added: int
    """Rows that it adds."""
    reason: str
    """What shows that it was not meant."""
    query: str
    """The statement that counted them."""


def join_losses(account: ModelAccount) -> tuple[JoinLoss, ...]:
    """Losses at inner joins that only enrich, in text order.

    A join to several rows per row (orders to their items) drops what has no part on purpose, unless
    the result is grouped back to one row per row of the left side. Away from the model's own rows,
    in the making of a lookup, only joins from many rows to one are judged.
    """
    own_rows = contributing(account.scopes)
    found: list[JoinLoss] = []
    for scope, counted in zip(account.scopes, account.accounts, strict=True):
        total = _reachable(counted)
        multiplied = any(step.added for step in counted.steps if step.join is not None)
        for position, (before, step) in enumerate(pairwise(counted.steps)):
            if step.join is None or not step.recoverable:
                continue
            if step.added and step.left_unique and not _grouped_back(scope, step.join):
                continue
            if scope.name not in own_rows and step.left_unique is not False:
                continue
            found.append(
                JoinLoss(
                    scope=scope.name,
                    join=step.join,
                    position=position,
                    rows=step.recoverable,
                    of=max(before.rows, step.recoverable) if multiplied else total,
                    query=step.query,
                )
            )
    return tuple(found)


def fan_outs(account: ModelAccount, *, key_repeats: bool | None) -> tuple[FanOut, ...]:
    """Joins that multiply the model's own rows by accident, in text order.

    Args:
        account: The model.
        key_repeats: Whether the SQL yields rows that share the model's unique key; None when the
            model has no such key.
    """
    path = driving_path(account.scopes)
    names = [scope.name for scope in path]
    found: list[FanOut] = []
    for scope, counted in zip(account.scopes, account.accounts, strict=True):
        if scope.name not in names:
            continue
        if not all(s.keeps_grain for s in path[: names.index(scope.name) + 1]):
            continue
        for before, step in pairwise(counted.steps):
            reason = _accident(account, scope, step, key_repeats)
            if step.join is not None and reason:
                found.append(
                    FanOut(
                        scope=scope.name,
                        join=step.join,
                        before=before.rows,
                        added=step.added,
                        reason=reason,
                        query=step.query,
                    )
                )
    return tuple(found)


def may_fan_out(account: ModelAccount) -> bool:
    """Whether any join on the way of the model's own rows adds some."""
    names = contributing(account.scopes)
    return any(
        step.added for a in account.accounts if a.scope in names for step in a.steps if step.join
    )


def _accident(
    account: ModelAccount, scope: SelectScope, step: StepCount, key_repeats: bool | None
) -> str:
    """What shows that a join multiplies rows by accident; empty when nothing does."""
    join = step.join
    if join is None or not step.added or join.kind not in ("inner", "left") or join.lateral:
        return ""
    lookup = next(
        (
            p
            for p in account.pairs
            if p.join is not None and p.join == join and p.scope == scope.name
        ),
        None,
    )
    if key_repeats is not None:
        key = ", ".join(account.unique_key)
        return f"{key} is not unique any more, though dbt declares it" if key_repeats else ""
    other = lookup.other or "" if lookup else ""
    declared = {column.casefold() for column in account.lookup_keys.get(other, ())}
    right = {column.casefold() for column in join.table_keys}
    if declared and declared <= right:
        return f"{', '.join(sorted(declared))} is not unique there, though dbt declares it"
    drilled_down = bool(declared) and all((other, key) in account.shown for key in declared - right)
    if join.keys and step.left_unique is False and not drilled_down:
        return f"neither side is unique on {', '.join(column for _, column in join.keys)}"
    return ""


def _reachable(account: ScopeAccount) -> int:
    """Rows that the filters of a scope would let pass if no enriching join lost any."""
    kept = [step.rows for step in account.steps if step.kind in ("from", "join", "where")]
    return (kept[-1] if kept else 0) + sum(step.recoverable or 0 for step in account.steps)


def _grouped_back(scope: SelectScope, join: Join) -> bool:
    """Whether the scope groups by the join's left columns: one row per left row again."""
    grouped = {column.casefold() for _, column in scope.group_keys}
    left = {expression.rsplit(".", 1)[-1].strip('"`').casefold() for expression, _ in join.keys}
    return bool(left) and left <= grouped


def account_lines(account: ModelAccount) -> Iterator[tuple[str, str, int, int, int]]:
    """Scope, step, rows, lost and added, for all scopes with more than one step."""
    for counted in account.accounts:
        if len(counted.steps) > 1:
            for step in counted.steps:
                yield (counted.scope or "output", step.label, step.rows, step.lost, step.added)


def told_losses(losses: tuple[JoinLoss, ...]) -> str:
    """`52,606 of 336,776 rows (15.6 %) at the inner join to planes on tailnum`."""
    first = losses[0]
    if len(losses) == 1:
        return (
            f"{first.rows:,} of {rows(first.of)} ({share(first.rows, first.of)}) at {first.place}"
        )
    if all((loss.scope, loss.of) == (first.scope, first.of) for loss in losses):
        total = sum(loss.rows for loss in losses)
        parts = "; ".join(f"{loss.rows:,} at {loss.place}" for loss in losses)
        return f"{total:,} of {rows(first.of)} ({share(total, first.of)}): {parts}"
    return "; ".join(
        f"{loss.rows:,} of {rows(loss.of)} ({share(loss.rows, loss.of)}) at {loss.place}"
        for loss in losses
    )
