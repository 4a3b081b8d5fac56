"""What row accounting cannot see, as detections: repeated keys, mixed currencies, lost NULLs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dagster_agent.errors import DagsterAgentError
from dagster_agent.investigation.accounts.currencies import CurrencyAccount
from dagster_agent.investigation.accounts.keys import KeyAccount
from dagster_agent.investigation.accounts.nulls import NullAccount, null_losses
from dagster_agent.model import (
    Asset,
    Detection,
    DetectionStatus,
    Evidence,
    ResultTable,
    Severity,
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
        Nothing for what is not known, such as the key of a table of which nobody says it. What
        cannot be counted says so.
    """
    for detector, judge in ((KEYS, _keys), (CURRENCIES, _currencies), (NULLS, _nulls)):
        try:
            found = judge(workspace, asset, now)
        except DagsterAgentError as error:
            found = _could_not_run(detector, asset, error, now)
        if found is not None:
            yield found


def _keys(workspace: Workspace, asset: Asset, now: datetime) -> Detection | None:
    account = workspace.book.keys(asset.unique_id)
    return _of_keys(asset, account, now) if account is not None else None


def _currencies(workspace: Workspace, asset: Asset, now: datetime) -> Detection | None:
    account = workspace.book.currencies(asset.unique_id)
    if account is not None:
        return _of_currencies(asset, account, now)
    told = f"{asset.name} no longer adds up several currencies as one"
    return _passed_again(CURRENCIES, workspace, asset, told, now)


def _nulls(workspace: Workspace, asset: Asset, now: datetime) -> Detection | None:
    account = workspace.book.nulls(asset.unique_id)
    if account is not None:
        return _of_nulls(asset, account, now)
    told = f"{asset.name} no longer loses rows to NULL"
    return _passed_again(NULLS, workspace, asset, told, now)


def _passed_again(
    detector: str, workspace: Workspace, asset: Asset, told: str, now: datetime
) -> Detection | None:
    """Told only where it was otherwise before, so that what was red can be seen green."""
    if workspace.store.latest_detection(asset.unique_id, detector) is None:
        return None
    return Detection(
        detector=detector,
        asset=asset.unique_id,
        status=DetectionStatus.PASSED,
        headline=told,
        observed_at=now,
    )


def _could_not_run(
    detector: str, asset: Asset, error: DagsterAgentError, now: datetime
) -> Detection:
    return Detection(
        detector=detector,
        asset=asset.unique_id,
        status=DetectionStatus.COULD_NOT_RUN,
        headline=f"{asset.name} could not be counted: {error.message}",
        observed_at=now,
        hint=error.hint,
    )


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
