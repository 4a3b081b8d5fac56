"""Which pairs of an asset are reconciled, by the names under which their results are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import Detection, DetectionStatus, Severity
from dagster_agent.ports import StateStore
from dagster_agent.reconciliation.engine import METHODS
from dagster_agent.reconciliation.entries import named_entries
from dagster_agent.response.workspace import Workspace


def pair_names(workspace: Workspace, asset: str) -> tuple[str, ...]:
    """The pairs that the team configured, in its order; () where these cannot be read.

    What is wrong with them is told by the check that compares them.
    """
    return _names(workspace, workspace.lineage, asset) or ()


def was_taken_out(workspace: Workspace, asset: str, pair: str) -> bool:
    """Whether the project as it is now has no such pair, or not even the asset.

    Never on the word of an older manifest, nor where the asset's pairs cannot be read.
    """
    manifest = workspace.compiled
    if manifest is None or not pair:
        return False
    names = _names(workspace, manifest, asset)
    return names is not None and pair not in names


def no_longer_asked(
    store: StateStore, detections: Sequence[Detection], *, asset: str, now: datetime
) -> Iterator[Detection]:
    """A pass for what was red in a pair and is not asked any more, where all that is asked passes.

    With `stop_early` rows are compared only where counts and aggregates differ: once these agree
    the rows are not looked at, and what was found in them stays red for ever.
    """
    for pair in dict.fromkeys(d.pair for d in detections if d.pair):
        asked = [d for d in detections if d.pair == pair]
        if any(d.status is not DetectionStatus.PASSED for d in asked):
            continue
        known = {d.detector for d in asked}
        for detector in (f"reconciliation/{method.id}" for method in METHODS):
            before = (
                None if detector in known else store.latest_detection(asset, detector, pair=pair)
            )
            if before is not None and before.status is DetectionStatus.FAILED:
                yield Detection(
                    detector=detector,
                    asset=asset,
                    status=DetectionStatus.PASSED,
                    headline=f"nothing is wrong any more with what is compared of {pair}; this is"
                    " not compared while that agrees",
                    observed_at=now,
                    severity=Severity.INFO,
                    pair=pair,
                )


def _names(workspace: Workspace, manifest: Manifest, asset: str) -> tuple[str, ...] | None:
    """None where they cannot be read."""
    found = manifest.assets.get(asset)
    if found is None:
        return ()
    try:
        entries = named_entries(found, manifest=manifest, dialect=workspace.warehouse.dialect)
    except DagsterAgentError:
        return None
    return tuple(entry.name for entry in entries if entry.name)
