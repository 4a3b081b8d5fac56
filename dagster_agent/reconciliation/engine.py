"""Compare an asset with everything it should agree with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import Asset, Detection, DetectionStatus, ResultTable
from dagster_agent.ports import Warehouse
from dagster_agent.privacy.masking import mask_table
from dagster_agent.reconciliation.comparison import Comparison, History
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.configured import table_pair
from dagster_agent.reconciliation.entries import named_entries
from dagster_agent.reconciliation.group_names import Mask
from dagster_agent.reconciliation.inferred import account_of
from dagster_agent.reconciliation.ladder import METHODS, climb, run, trouble
from dagster_agent.reconciliation.row_comparison.landing import Landing
from dagster_agent.reconciliation.truths import OpenStore

_NAME_TRUTH = "name what it must agree with in `meta: dagster_agent: reconcile:`"


def reconcile(
    asset: str,
    *,
    manifest: Manifest,
    warehouse: Warehouse,
    config: ReconciliationConfig,
    now: datetime,
    open_store: OpenStore | None = None,
    mask: Mask | None = None,
    history: History | None = None,
    landing: Landing | None = None,
) -> list[Detection]:
    """Compare an asset with its driving table and lookups, and with what the team configured.

    Args:
        asset: dbt unique id.
        manifest: The project, with compiled code where the rows of models are to be compared.
        warehouse: Where its tables are.
        config: Thresholds.
        now: UTC, the time of the results.
        open_store: Opens a store outside the warehouse, for pairs that name one.
        mask: Hides values in samples; the privacy policy's masking by default.
        history: Earlier points of a metric of the asset, for pairs whose tolerance is learned.
        landing: Where rows of different stores can be brought together, for pairs that need it.

    Returns:
        At least one result. What could not be compared says so, with the reason; a warehouse that
        is down, a missing table or a wrong setting is a result, not an exception.

    Raises:
        ConfigError: Unknown unique id.
    """
    found = manifest.asset(asset)
    start = Comparison(
        asset=found,
        config=config,
        now=now,
        mask=mask or _policy(found),
        history=history,
        landing=landing,
    )
    detections = [
        *_inferred(start, manifest, warehouse),
        *_configured(start, manifest, warehouse, open_store),
    ]
    return detections or [_nothing_to_compare(start)]


def _inferred(start: Comparison, manifest: Manifest, warehouse: Warehouse) -> Iterator[Detection]:
    asset = start.asset
    if asset.resource_type != "model" or asset.path.endswith(".py"):
        return
    sql = manifest.compiled_code(asset.unique_id)
    if not sql:
        yield start.detection(
            "row-count",
            DetectionStatus.COULD_NOT_RUN,
            f"the manifest has no compiled SQL of {asset.name}",
            hint="run `dbt compile` or `dbt build`; `dbt parse` does not compile",
        )
        return
    if told := _read_from_files(asset, manifest):
        yield start.detection("row-count", DetectionStatus.UNTRAINED, told, hint=_NAME_TRUTH)
        return
    try:
        account, keys = account_of(
            asset, sql, manifest=manifest, warehouse=warehouse, config=start.config
        )
    except DagsterAgentError as error:
        yield trouble(start, "row-count", error)
        return
    yield from _run(replace(start, account=account))
    if keys is not None:
        yield from _run(replace(start, tables=keys))


def _configured(
    start: Comparison, manifest: Manifest, warehouse: Warehouse, open_store: OpenStore | None
) -> Iterator[Detection]:
    try:
        entries = named_entries(start.asset, manifest=manifest, dialect=warehouse.dialect)
    except DagsterAgentError as error:
        yield trouble(start, "row-count", error)
        return
    for entry in entries:
        of_pair = replace(start, pair=entry.name or "")
        try:
            pair = table_pair(
                entry,
                start.asset,
                manifest=manifest,
                warehouse=warehouse,
                open_store=open_store,
                now=start.now,
            )
        except DagsterAgentError as error:
            yield trouble(of_pair, "row-count", error)
            continue
        yield from climb(of_pair, pair)


def _run(comparison: Comparison) -> Iterator[Detection]:
    """What every method says to it, cheapest first."""
    for method in sorted(METHODS, key=lambda m: (m.rung, m.id)):
        found = run(method, comparison)
        if found is not None:
            yield found


def _nothing_to_compare(start: Comparison) -> Detection:
    asset = start.asset
    reason = f"a {asset.resource_type} has no SQL of its own to compare it with"
    if asset.resource_type == "snapshot":
        reason = "a snapshot keeps former versions of its rows, so no table has the same ones"
    elif asset.path.endswith(".py"):
        reason = "what a Python model reads from which table is not known"
    return start.detection(
        "row-count",
        DetectionStatus.UNTRAINED,
        f"{asset.name} is not compared: {reason}",
        hint=_NAME_TRUTH,
    )


def _read_from_files(asset: Asset, manifest: Manifest) -> str:
    """What its SQL reads outside the warehouse, in words; the guard lets no statement do that."""
    parents = [manifest.asset(uid) for uid in manifest.parents(asset.unique_id)]
    files = [p.name for p in parents if p.resource_type == "source" and p.relation is None]
    if not files:
        return ""
    return (
        f"{asset.name} is not compared with what it reads: {', '.join(files)} is no table of the"
        " warehouse (an external location)"
    )


def _policy(asset: Asset) -> Mask:
    settings: Any = asset.meta.get("dagster_agent")
    listed: Any = (
        cast("Mapping[str, Any]", settings).get("pii") if isinstance(settings, Mapping) else None
    )
    personal = [str(c) for c in cast("list[Any]", listed)] if isinstance(listed, list) else []

    def mask(table: ResultTable) -> ResultTable:
        return mask_table(table, personal=personal)

    return mask
