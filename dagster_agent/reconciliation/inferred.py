"""From a model's SQL to what it is compared with, on the data as it is now."""

from __future__ import annotations

from collections.abc import Mapping

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.model import Asset, Relation, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.reconciliation.comparison import ModelAccount, Side, TablePair
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.described import MissingTable
from dagster_agent.reconciliation.entries import expected_losses_of
from dagster_agent.reconciliation.pairs import Pair, PairKind, infer_pairs
from dagster_agent.sql.guard import parse_select
from dagster_agent.sql.identifiers import same_relation
from dagster_agent.sql.lineage import column_origin, output_columns, tables_read
from dagster_agent.sql.row_accounting import account_rows
from dagster_agent.sql.scopes import select_scopes


def account_of(
    asset: Asset,
    sql: str,
    *,
    manifest: Manifest,
    warehouse: Warehouse,
    config: ReconciliationConfig,
) -> tuple[ModelAccount, TablePair | None]:
    """Account for a model's rows, and pair its keys with those of its driving table.

    Raises:
        MissingTable: The model's table or its driving table is not there.
        ConfigError: `expected_losses` is malformed.
        ConnectorError, QueryRefused: As `account_rows`.
    """
    dialect = warehouse.dialect
    read = tables_read(sql, dialect)
    wanted = {*read, asset.relation} if asset.relation else set(read)
    schemas = warehouse.schemas(sorted(wanted, key=str))
    known = {relation: [c.name for c in schema.columns] for relation, schema in schemas.items()}
    pairs = infer_pairs(manifest, asset.unique_id, sql, dialect, columns=known)
    _require_tables(asset, pairs, schemas, warehouse)
    increment = asset.relation is not None and any(
        same_relation(relation, asset.relation) for relation in read
    )
    lookups = {p.other for p in pairs if p.kind is PairKind.LOOKUP and p.other}
    account = ModelAccount(
        sql=sql,
        subquery=parse_select(sql, dialect).sql(dialect, comments=False),
        scopes=select_scopes(sql, dialect, columns=known),
        accounts=account_rows(sql, warehouse, max_scopes=config.max_scopes, columns=known),
        pairs=pairs,
        unique_key=_present(manifest.unique_key(asset.unique_id), asset, schemas),
        lookup_keys={uid: manifest.unique_key(uid) for uid in sorted(lookups)},
        columns=known,
        shown=_shown(manifest, sql, dialect, known),
        warehouse=warehouse,
        stored=asset.relation,
        increment=increment,
        expected_losses=expected_losses_of(asset),
    )
    return account, _key_pair(asset, account, schemas)


def _require_tables(
    asset: Asset,
    pairs: tuple[Pair, ...],
    schemas: Mapping[Relation, TableSchema],
    warehouse: Warehouse,
) -> None:
    needed = {asset.name: asset.relation}
    needed |= {p.name: p.relation for p in pairs if p.kind is PairKind.DRIVING}
    for name, relation in needed.items():
        if relation is not None and relation not in schemas:
            raise MissingTable(name, relation, warehouse)


def _present(
    names: tuple[str, ...], asset: Asset, schemas: Mapping[Relation, TableSchema]
) -> tuple[str, ...]:
    """The columns as the warehouse spells them; () unless the table has them all."""
    schema = schemas.get(asset.relation) if asset.relation else None
    if schema is None:
        return names
    found = [schema.column(name) for name in names]
    return tuple(column.name for column in found if column) if all(found) else ()


def _shown(
    manifest: Manifest, sql: str, dialect: str, known: dict[Relation, list[str]]
) -> frozenset[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for name in output_columns(sql, dialect, columns=known):
        origin = column_origin(sql, dialect, name, columns=known)
        other = manifest.by_relation(origin[0]) if origin else None
        if origin is not None and other is not None:
            found.add((other.unique_id, origin[1].casefold()))
    return frozenset(found)


def _key_pair(
    asset: Asset, account: ModelAccount, schemas: Mapping[Relation, TableSchema]
) -> TablePair | None:
    """The model's and its driving table's keys, where both have them."""
    driving = account.driving
    if driving is None or driving.relation is None or asset.relation is None or not driving.keys:
        return None
    ours, theirs = schemas[asset.relation], schemas[driving.relation]
    if any(ours.column(o) is None or theirs.column(t) is None for o, t in driving.keys):
        return None
    return TablePair(
        ours=Side(label=asset.name, warehouse=account.warehouse, schema=ours),
        theirs=Side(
            label=driving.name,
            warehouse=account.warehouse,
            schema=theirs,
            expressions=dict(driving.keys),
        ),
        keys=tuple(ours_name for ours_name, _ in driving.keys),
        inferred=True,
        own_key=driving.own_key,
    )
