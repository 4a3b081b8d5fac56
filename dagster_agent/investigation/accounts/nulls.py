"""What a model loses because NULL is neither equal nor unequal to anything, nor a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConnectorError, DagsterAgentError
from dagster_agent.investigation.accounts.cells import as_count
from dagster_agent.investigation.accounts.null_output import Difference, differences
from dagster_agent.investigation.accounts.null_query import counting_query, parts
from dagster_agent.investigation.accounts.null_risks import (
    NullKind,
    NullRisk,
    Reading,
    Spot,
    condition_risks,
)
from dagster_agent.investigation.accounts.null_values import count_risks, value_risks
from dagster_agent.model import Asset, Relation, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.repair.expression_text import place_of
from dagster_agent.repair.null_safe_edits import NullGuard
from dagster_agent.sql.columns import Known, owner, source_origin
from dagster_agent.sql.identifiers import same_relation
from dagster_agent.sql.join_clauses import with_explicit_conditions
from dagster_agent.sql.scopes import parsed_blocks
from dagster_agent.sql.statement import Block

_EPHEMERAL = "__dbt__cte__"
"""Scopes that dbt inlines from ephemeral models: those are accounted for themselves."""
_MAX_VERSIONS = 8
"""Versions of a statement that are run in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NullLoss:
    """One place of a model at which NULL takes something away."""

    kind: NullKind
    """What it spoils."""
    scope: str
    """The SELECT, by its name as in `select_scopes`."""
    written: str
    """The condition, value or count, as the compiled SQL writes it."""
    columns: tuple[str, ...]
    """What is NULL there, as the compiled SQL writes it."""
    rows: int
    """Rows that are lost there, or lose a value; groups, where `grouped`."""
    rows_in: int
    """Rows, or groups, that come there, before any filter of that SELECT."""
    kept: int
    """Of them, those that pass the filters as they are."""
    grouped: bool
    """The numbers are of groups."""
    nulls_in_list: int
    """Of a list: how many NULLs it holds."""
    output: str
    """The output column of that SELECT, where it stands in one."""
    guards: tuple[NullGuard, ...]
    """How the compiled SQL can be guarded; empty where no literal edit does it."""
    query: str
    """The SQL that counted the rows."""
    difference: Difference
    """What is different in the output of the model for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NullAccount:
    """What one model loses to NULL."""

    asset: str
    """dbt unique id of the model."""
    losses: tuple[NullLoss, ...]
    """One per place, in text order; never empty. Each changes what the model puts out."""


def null_losses(account: NullAccount) -> int:
    """Rows and values that a model loses to NULL, over all places."""
    return sum(loss.rows for loss in account.losses)


def account_nulls(
    uid: str, manifest: Manifest, warehouse: Warehouse, schemas: Mapping[str, TableSchema]
) -> NullAccount | None:
    """Count what a model loses to NULL.

    The SQL says where NULL could take rows or values away. One statement per SELECT with such
    places says whether it does; where it does, one more says whether the output of the model would
    be another. What does not reach the output is no loss.

    Args:
        uid: dbt unique id.
        manifest: With compiled code.
        warehouse: Where the tables are.
        schemas: Columns of the assets by dbt unique id, those that the model reads among them.

    Returns:
        None for what is no model, and where nothing is lost.

    Raises:
        QueryRefused, ConnectorError: As `Warehouse.query`.
    """
    sql = manifest.compiled_code(uid) if uid.startswith("model.") else None
    if not sql:
        return None
    reader = _Reader(asset=manifest.asset(uid), sql=sql, warehouse=warehouse, schemas=schemas)
    suspects = [
        suspect
        for block in parsed_blocks(sql, warehouse.dialect)
        if not block.recursive and not block.scope.startswith(_EPHEMERAL)
        for suspect in reader.suspects(block)
    ]
    losses = [
        loss
        for start in range(0, len(suspects), _MAX_VERSIONS)
        for loss in reader.proven(suspects[start : start + _MAX_VERSIONS])
    ]
    return NullAccount(asset=uid, losses=tuple(losses)) if losses else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Suspect:
    """A risk at which rows were counted."""

    block: Block
    risk: NullRisk
    spots: tuple[Spot, ...]
    """Those that lose something."""
    rows: int
    rows_in: int
    kept: int
    nulls_in_list: int
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """What every judgement needs."""

    asset: Asset
    sql: str
    warehouse: Warehouse
    schemas: Mapping[str, TableSchema]

    @property
    def known(self) -> Known:
        """Columns of the tables whose schemas are known."""
        return {s.relation: [c.name for c in s.columns] for s in self.schemas.values()}

    def suspects(self, block: Block) -> Iterator[_Suspect]:
        """The risks of a SELECT at which rows are lost."""
        reading = Reading(
            block=block,
            explicit=with_explicit_conditions(block, self.known),
            known=self.known,
            own=self.asset.relation,
            type_of=lambda column: self._type(column, block),
        )
        risks = [*condition_risks(reading), *value_risks(reading), *count_risks(reading)]
        if not risks:
            return
        try:
            found = self._counted(reading, risks)
        except DagsterAgentError as error:
            if len(risks) == 1 or (isinstance(error, ConnectorError) and error.retryable):
                raise
            found = self._counted_alone(reading, risks)
        yield from found

    def _counted_alone(self, reading: Reading, risks: Sequence[NullRisk]) -> list[_Suspect]:
        """What can be counted, where one of the risks does not go into a statement of counts."""
        found: list[_Suspect] = []
        failed: list[DagsterAgentError] = []
        for risk in risks:
            try:
                found += self._counted(reading, [risk])
            except DagsterAgentError as error:
                failed.append(error)
        if len(failed) == len(risks):
            raise failed[0]
        return found

    def _counted(self, reading: Reading, risks: Sequence[NullRisk]) -> list[_Suspect]:
        query = counting_query(reading, risks, self.warehouse.dialect)
        (row,) = self.warehouse.query(query, purpose="rows lost to NULL").rows
        numbers = list(zip(parts(risks), (as_count(cell) for cell in row), strict=True))
        levels = {part: n for (risk, part), n in numbers if risk is None}
        found: list[_Suspect] = []
        for risk in risks:
            mine = [(part, n) for (owner_, part), n in numbers if owner_ is risk]
            told = {part: n for part, n in mine if isinstance(part, str)}
            level = "groups" if risk.grouped else "rows"
            suspect = _Suspect(
                block=reading.block,
                risk=risk,
                spots=tuple(p for p, n in mine if isinstance(p, Spot) and n) or risk.spots,
                rows=told["lost"],
                rows_in=levels[level],
                kept=levels[f"{level} that pass"],
                nulls_in_list=told.get("list", 0),
                query=query,
            )
            found += [suspect] if suspect.rows else []
        return found

    def proven(self, suspects: Sequence[_Suspect]) -> Iterator[NullLoss]:
        """The losses that reach the output of the model."""
        if not suspects:
            return
        tree = suspects[0].block.select.root()
        try:
            found = differences(
                tree, suspects, asset=self.asset, schemas=self.schemas, warehouse=self.warehouse
            )
        except DagsterAgentError as error:
            if isinstance(error, ConnectorError) and error.retryable:
                raise
            if len(suspects) > 1:
                for suspect in suspects:
                    yield from self.proven([suspect])
            elif suspects[0].risk.kind is not NullKind.VALUE:
                raise
            # what is of a type that 0 or '' does not go with is no sum or text
            return
        for suspect, difference in zip(suspects, found, strict=True):
            if difference is not None:
                yield self._loss(suspect, difference)

    def _loss(self, suspect: _Suspect, difference: Difference) -> NullLoss:
        risk = suspect.risk
        return NullLoss(
            kind=risk.kind,
            scope=suspect.block.scope,
            written=self._written(risk.node),
            columns=tuple(dict.fromkeys(self._written(spot.column) for spot in suspect.spots)),
            rows=suspect.rows,
            rows_in=suspect.rows_in,
            kept=suspect.kept,
            grouped=risk.grouped,
            nulls_in_list=suspect.nulls_in_list,
            output=risk.output,
            guards=self._guards(suspect.spots),
            query=suspect.query,
            difference=difference,
        )

    def _guards(self, spots: Sequence[Spot]) -> tuple[NullGuard, ...]:
        found: list[NullGuard] = []
        for spot in spots:
            place = place_of(spot.node, self.sql, self.warehouse.dialect)
            if place is None or spot.way is None:
                return ()
            column = self._written(spot.column)
            found.append(NullGuard(kind=spot.way, start=place[0], end=place[1], column=column))
        return tuple(found)

    def _written(self, node: exp.Expr) -> str:
        place = place_of(node, self.sql, self.warehouse.dialect)
        if place is None:
            return node.sql(self.warehouse.dialect, comments=False)
        return self.sql[place[0] : place[1]]

    def _type(self, column: exp.Column, block: Block) -> str:
        source = owner(column, block, self.known)
        origin = source_origin(source, column.name, block.visible, self.known)
        return self._type_in(*origin) if origin is not None else ""

    def _type_in(self, relation: Relation, name: str) -> str:
        for schema in self.schemas.values():
            if same_relation(schema.relation, relation):
                column = schema.column(name)
                return column.type if column is not None else ""
        return ""


__all__ = ["Difference", "NullAccount", "NullKind", "NullLoss", "account_nulls", "null_losses"]
