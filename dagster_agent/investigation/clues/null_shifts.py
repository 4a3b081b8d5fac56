"""Columns of sources that hold NULL more often since a day, as the anomaly checks saw them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from dagster_agent.anomaly.profiling.origin import Shift, seen_at_source, shifts_of, source_of
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import Asset, Detection, DetectionStatus, Evidence, Relation, TableSchema

_DAYS = "anomaly/daily"
_METRIC = "null_share"


@dataclass(frozen=True, slots=True, kw_only=True)
class NullShift:
    """A column of a source, and the check that saw it there or in a copy of it."""

    source: str
    """dbt unique id of the source."""
    shift: Shift
    """Of its column: since when, share of NULL before and since."""
    copy: Asset
    """Where it was seen: the source itself, or a model that copies the column."""
    column: str
    """What the column is called there."""
    evidence: Evidence
    """Share by day."""


def null_shifts(dossier: Dossier, codebase: Codebase) -> Iterator[NullShift]:
    """Each column of a source once, seen nearest to the focus. Runs no query."""
    told: set[tuple[str, str]] = set()
    for detection in dossier.detections:
        if detection.detector != _DAYS or detection.status is not DetectionStatus.FAILED:
            continue
        for shift in shifts_of(detection):
            if shift.kind != _METRIC or shift.after <= shift.before:
                continue
            found = _at_source(detection, shift, dossier, codebase)
            if found is not None and (found.source, found.shift.column.casefold()) not in told:
                told.add((found.source, found.shift.column.casefold()))
                yield found


def _at_source(
    detection: Detection, shift: Shift, dossier: Dossier, codebase: Codebase
) -> NullShift | None:
    asset = codebase.manifest.asset(detection.asset)
    if asset.resource_type == "source":
        return _own(detection, shift, asset)

    def schema(relation: Relation) -> TableSchema | None:
        known = codebase.manifest.by_relation(relation)
        return dossier.schemas.get(known.unique_id) if known is not None else None

    origin = source_of(codebase.manifest, asset, shift.column, codebase.dialect, schema)
    if origin is None or origin.asset.resource_type != "source":
        return None
    for evidence in detection.evidence:
        series = _series(evidence, f"{_METRIC}.{origin.column}")
        if evidence.source != origin.asset.unique_id or not series:
            continue
        seen = seen_at_source(shift, series)
        if seen is not None:
            return NullShift(
                source=origin.asset.unique_id,
                shift=replace(seen, column=origin.column),
                copy=asset,
                column=shift.column,
                evidence=evidence,
            )
    return None


def _own(detection: Detection, shift: Shift, source: Asset) -> NullShift:
    """Of a source that is judged itself: its check is the evidence."""
    query = next((e.query for e in detection.evidence if e.query), None)
    return NullShift(
        source=source.unique_id,
        shift=shift,
        copy=source,
        column=shift.column,
        evidence=Evidence(
            kind="profile", statement=detection.headline, query=query, result=detection.sample
        ),
    )


def _series(evidence: Evidence, metric: str) -> dict[date, float]:
    table = evidence.result
    if table is None or table.columns != ("day", metric):
        return {}
    return {
        day: value
        for day, value in table.rows
        if isinstance(day, date) and isinstance(value, float)
    }
