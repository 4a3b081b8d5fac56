"""Row accounting: how many rows of a query come in, vanish and multiply at each of its clauses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlglot import exp

from dagster_agent.errors import ConnectorError, DagsterAgentError, QueryRefused
from dagster_agent.model import Relation, ResultTable
from dagster_agent.ports import Warehouse
from dagster_agent.sql import truncation
from dagster_agent.sql.columns import Known
from dagster_agent.sql.identifiers import relation_of
from dagster_agent.sql.join_clauses import equi_keys, with_explicit_conditions
from dagster_agent.sql.scopes import Join, SelectScope, describe, parsed_blocks
from dagster_agent.sql.select_shape import passes_rows
from dagster_agent.sql.statement import Block, joins_of

_PURPOSE = "row accounting"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCount:
    """The rows after one clause. Always `rows == rows before - lost + added`."""

    kind: str
    """`from`, `join`, `where`, `group`, `unnest`, `qualify`, `distinct` or `limit`."""
    label: str
    """Readable, such as `inner join planes on tailnum`."""
    rows: int
    """Rows after the step."""
    lost: int
    """Rows of the input without a successor; for `group` and `distinct`, rows merged into others.
    For LATERAL and UNNEST only the net change is known."""
    added: int
    """Rows that the step makes beyond one per surviving input row."""
    join: Join | None
    """The join, for joins."""
    query: str
    """The statement that counted it (with the other steps of its scope)."""
    unmatched: int | None = None
    """Left rows without a match on the right, for joins where it can be told."""
    recoverable: int | None = None
    """Of joins: rows without a match that a left join would bring back, because WHERE and the joins
    that only filter let them pass. 0 unless it is an inner join whose right side is read; over the
    joins of a scope the numbers add up."""
    left_unique: bool | None = None
    """Of an equi-join that multiplies rows or has recoverable ones: whether no two left rows share
    a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeAccount:
    """The rows of one SELECT, clause by clause."""

    scope: str
    """Name as in `SelectScope`."""
    steps: tuple[StepCount, ...] = ()
    """In the order they take effect; empty when it could not be counted."""
    note: str = ""
    """Why it could not be counted."""
    hint: str = ""
    """What to do about that, where it is known."""

    @property
    def rows(self) -> int | None:
        """Rows it yields in the end."""
        return self.steps[-1].rows if self.steps else None


def account_rows(
    sql: str, warehouse: Warehouse, *, max_scopes: int = 50, columns: Known | None = None
) -> tuple[ScopeAccount, ...]:
    """Count the rows of every SELECT of a query after each clause, against the data as it is now.

    One statement per scope, a second one only where an inner join loses rows or a join multiplies
    them. A scope that cannot be counted (recursive, a missing table, syntax the guard refuses) has
    a note instead of steps.

    Args:
        sql: One query, such as a model's compiled code.
        warehouse: Where its tables are.
        max_scopes: With more scopes, those nearest to the output are counted.
        columns: Columns of the tables it reads, where the caller has asked for them already.

    Raises:
        QueryRefused: The text does not parse as one query.
        ConnectorError: Only if retryable: the warehouse is down or locked, so that nothing at all
            can be counted now.
    """
    found = parsed_blocks(sql, warehouse.dialect)
    known = known_columns(found, warehouse) if columns is None else columns
    accounts: list[ScopeAccount] = []
    rows_of: dict[str, int] = {}
    for left, block in zip(range(len(found), 0, -1), found, strict=True):
        if left > max_scopes:
            note = f"one of {len(found)} scopes, of which the last {max_scopes} are counted"
            accounts.append(ScopeAccount(scope=block.scope, note=note))
            continue
        account = _account(block, warehouse, known, rows_of)
        if account.rows is not None:
            rows_of[block.scope] = account.rows
        accounts.append(account)
    return tuple(accounts)


def known_columns(found: Sequence[Block], warehouse: Warehouse) -> Mapping[Relation, Sequence[str]]:
    """Columns of all tables that the blocks read; empty when the warehouse does not tell."""
    relations = {
        relation
        for block in found
        for table in block.select.find_all(exp.Table)
        if block.named(table) is None and (relation := relation_of(table)) is not None
    }
    try:
        schemas = warehouse.schemas(sorted(relations, key=str))
    except ConnectorError as error:
        if error.retryable:
            raise
        return {}
    return {r: tuple(c.name for c in schema.columns) for r, schema in schemas.items()}


def _account(
    block: Block, warehouse: Warehouse, known: Known, rows_of: Mapping[str, int]
) -> ScopeAccount:
    if block.recursive:
        note = "a recursive CTE: its clauses cannot be counted one by one"
        return ScopeAccount(scope=block.scope, note=note)
    try:
        block = with_explicit_conditions(block, known)
        scope = describe(block, known, warehouse.dialect)
        steps = _count_steps(block, scope, warehouse, rows_of)
        steps = _probe(block, steps, warehouse, known)
    except DagsterAgentError as error:
        if isinstance(error, ConnectorError) and error.retryable:
            raise
        note = f"not counted: {error.message}"
        return ScopeAccount(scope=block.scope, note=note, hint=error.hint)
    return ScopeAccount(scope=block.scope, steps=steps)


def _count_steps(
    block: Block, scope: SelectScope, warehouse: Warehouse, rows_of: Mapping[str, int]
) -> tuple[StepCount, ...]:
    label = f"from {scope.driving.label}"
    source_rows = rows_of.get(scope.driving.scope or "\0")
    if source_rows is not None and passes_rows(block.select):
        return (_step("from", label, source_rows, 0, ""),)
    plan = [truncation.count_source(block)]
    for position, join in enumerate(scope.joins):
        if _is_marked(join):
            plan.append(truncation.count_marked(block, position))
        if not _is_marked(join) or join.kind in ("right", "full"):
            plan.append(truncation.count_joined(block, position + 1))
    tail = _tail(scope)
    plan += [truncation.count_filtered(block)] if scope.filters else []
    plan += [truncation.count_output(block, step) for step in tail]
    query = truncation.one_statement(block, plan, warehouse.dialect)
    numbers = iter(_integers(warehouse.query(query, purpose=_PURPOSE)))
    steps = [_step("from", label, next(numbers), 0, query)]
    for join in scope.joins:
        total, matched = (next(numbers), next(numbers)) if _is_marked(join) else (0, 0)
        plain = not _is_marked(join) or join.kind in ("right", "full")
        rows = next(numbers) if plain else (total if join.kind == "left" else matched)
        steps.append(_join_step(join, steps[-1].rows, rows, total - matched, query))
    if scope.filters:
        steps.append(
            _step("where", f"where {scope.filters}"[:200], next(numbers), steps[-1], query)
        )
    for step in tail:
        steps.append(_step(step, _tail_label(step, scope, block), next(numbers), steps[-1], query))
    return tuple(steps)


def _is_marked(join: Join) -> bool:
    return not join.lateral and join.kind not in ("semi", "anti")


def _tail(scope: SelectScope) -> list[str]:
    present = {
        "group": scope.grouped,
        "unnest": scope.unnested,
        "qualify": scope.qualified,
        "distinct": scope.distinct,
        "limit": scope.limited,
    }
    return [step for step in truncation.TAIL if present[step]]


def _tail_label(step: str, scope: SelectScope, block: Block) -> str:
    if step == "group":
        keys = ", ".join(output for output, _ in scope.group_keys)
        return (
            f"group by {keys}"
            if keys
            else "grouping"
            if block.select.args.get("group")
            else "aggregate"
        )
    return {"unnest": "unnest in the output list"}.get(step, step)


def _step(kind: str, label: str, rows: int, before: StepCount | int, query: str) -> StepCount:
    """A step of which only the net change is known; the first one has none before it."""
    start = before.rows if isinstance(before, StepCount) else rows
    return StepCount(
        kind=kind,
        label=label,
        rows=rows,
        lost=max(start - rows, 0),
        added=max(rows - start, 0),
        join=None,
        query=query,
    )


def _join_step(join: Join, before: int, rows: int, unmatched: int, query: str) -> StepCount:
    marked = _is_marked(join)
    if not marked:
        lost = max(before - rows, 0)
    else:
        lost = unmatched if join.kind in ("inner", "cross", "right") else 0
    return StepCount(
        kind="join",
        label=join.label,
        rows=rows,
        lost=lost,
        added=rows - before + lost,
        join=join,
        query=query,
        unmatched=unmatched if marked else None,
        recoverable=0,
    )


def _probe(
    block: Block, steps: tuple[StepCount, ...], warehouse: Warehouse, known: Known
) -> tuple[StepCount, ...]:
    """Ask the further questions that only lossy or multiplying joins raise."""
    plan: list[exp.Select] = []
    asked: list[tuple[int, str]] = []
    enriching = [n for n, step in enumerate(steps[1:]) if _enriches(step)]
    for position, (node, step) in enumerate(zip(joins_of(block.select), steps[1:], strict=False)):
        lossy = position in enriching and step.lost > 0
        keys = [left for left, _ in equi_keys(node, block, known)]
        if lossy:
            plan.append(truncation.count_recoverable(block, position, enriching))
            asked.append((position, "recoverable"))
        if keys and _is_marked_step(step) and (lossy or step.added):
            plan.append(truncation.count_repeated_keys(block, position, keys))
            asked.append((position, "left_unique"))
    if not plan:
        return steps
    query = truncation.one_statement(block, plan, warehouse.dialect)
    answers = _integers(warehouse.query(query, purpose=_PURPOSE))
    found = list(steps)
    for (position, question), number in zip(asked, answers, strict=True):
        step = found[position + 1]
        if question == "recoverable":
            found[position + 1] = replace(step, recoverable=number)
        else:
            found[position + 1] = replace(step, left_unique=number == 0)
    return tuple(found)


def _enriches(step: StepCount) -> bool:
    join = step.join
    return join is not None and join.kind == "inner" and join.reads_right and not join.lateral


def _is_marked_step(step: StepCount) -> bool:
    return step.join is not None and _is_marked(step.join)


def _integers(result: ResultTable) -> list[int]:
    (row,) = result.rows
    numbers = [int(value) for value in row if isinstance(value, int | Decimal)]
    if len(numbers) < len(row):
        raise QueryRefused("the warehouse answered a count with something that is no number")
    return numbers
