"""What row accounting cannot see, as detections: repeated keys, mixed currencies, lost NULLs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dagster_agent.errors import DagsterAgentError
from dagster_agent.investigation.accounts.currencies import CurrencyAccount, account_currencies
from dagster_agent.investigation.accounts.keys import KeyAccount, account_keys
from dagster_agent.investigation.accounts.nulls import NullAccount, account_nulls, null_losses
from dagster_agent.model import (
    Asset,
    Detection,
    DetectionStatus,
    Evidence,
    ResultTable,
    Severity,
    TableSchema,
)
from dagster_agent.response.workspace import Workspace

KEYS = "reconciliation/keys"
CURRENCIES = "reconciliation/currencies"
NULLS = "reconciliation/nulls"


def accounting_detections(
    workspace: Workspace, asset: Asset, *, now: datetime
) -> Iterator[Detection]:
    """Count what has to be unique and what must not be added up, as far as it is known.

    Args:
        workspace: The opened project.
        asset: A model with a table.
        now: UTC.

    Yields:
        Nothing for what is not known or cannot be counted: the reconciliation of the same asset
        says already that the warehouse does not answer.
    """
    try:
        schemas = _schemas(workspace, asset)
        keys = account_keys(
            asset.unique_id, workspace.manifest, workspace.warehouse, schemas.get(asset.unique_id)
        )
        if keys is not None:
            yield _of_keys(asset, keys, now)
        mixed = account_currencies(
            asset.unique_id, workspace.manifest, workspace.warehouse, schemas
        )
        if mixed is not None:
            yield _of_currencies(asset, mixed, now)
        elif workspace.store.latest_detection(asset.unique_id, CURRENCIES) is not None:
            told = f"{asset.name} no longer adds up several currencies as one"
            yield _passed(CURRENCIES, asset, told, now)
        nulls = account_nulls(asset.unique_id, workspace.manifest, workspace.warehouse, schemas)
        if nulls is not None:
            yield _of_nulls(asset, nulls, now)
        elif workspace.store.latest_detection(asset.unique_id, NULLS) is not None:
            yield _passed(NULLS, asset, f"{asset.name} no longer loses rows to NULL", now)
    except DagsterAgentError:
        return


def _schemas(workspace: Workspace, asset: Asset) -> dict[str, TableSchema]:
    found: dict[str, TableSchema] = {}
    for uid in (asset.unique_id, *workspace.manifest.parents(asset.unique_id)):
        relation = workspace.manifest.asset(uid).relation
        schema = workspace.schema(relation) if relation is not None else None
        if schema is not None:
            found[uid] = schema
    return found


def _of_keys(asset: Asset, account: KeyAccount, now: datetime) -> Detection:
    key = ", ".join(account.key)
    broken = account.surplus_rows > 0
    told = f"{key} is unique in {asset.name} ({account.rows:,} rows)"
    if broken:
        told = (
            f"{account.surplus_rows:,} of {account.rows:,} rows of {asset.name} repeat a {key} "
            f"that is there already ({account.repeated_keys:,} keys)"
        )
    return Detection(
        detector=KEYS,
        asset=asset.unique_id,
        status=DetectionStatus.FAILED if broken else DetectionStatus.PASSED,
        headline=told,
        observed_at=now,
        severity=Severity.ERROR,
        metrics={"surplus_rows": float(account.surplus_rows)},
        evidence=(Evidence(kind="reconciliation", statement=told, query=account.query),),
    )


def _passed(detector: str, asset: Asset, told: str, now: datetime) -> Detection:
    return Detection(
        detector=detector,
        asset=asset.unique_id,
        status=DetectionStatus.PASSED,
        headline=told,
        observed_at=now,
    )


def _of_nulls(asset: Asset, account: NullAccount, now: datetime) -> Detection:
    worst = max(account.losses, key=lambda loss: loss.rows)
    lost = null_losses(account)
    told = (
        f"{asset.name} loses {worst.rows:,} of {worst.rows_in:,} rows or values to NULL at "
        f"{worst.written}"
    )
    return Detection(
        detector=NULLS,
        asset=asset.unique_id,
        status=DetectionStatus.FAILED,
        headline=told,
        observed_at=now,
        severity=Severity.WARN,
        metrics={"lost_to_null": float(lost)},
        evidence=(Evidence(kind="reconciliation", statement=told, query=worst.query),),
    )


def _of_currencies(asset: Asset, account: CurrencyAccount, now: datetime) -> Detection:
    names = ", ".join(currency for currency, _, _ in account.by_currency[:5])
    told = (
        f"{asset.name}.{account.output} adds up {account.amount} of {len(account.by_currency)} "
        f"currencies as if they were one: {names}"
    )
    return Detection(
        detector=CURRENCIES,
        asset=asset.unique_id,
        status=DetectionStatus.FAILED,
        headline=told,
        observed_at=now,
        severity=Severity.ERROR,
        metrics={"currencies": float(len(account.by_currency))},
        sample=ResultTable(columns=("currency", "rows", "sum"), rows=tuple(account.by_currency)),
        evidence=(Evidence(kind="reconciliation", statement=told, query=account.query),),
    )
