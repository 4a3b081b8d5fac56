"""Does a table still have the schema that somebody accepted?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase

from dagster_agent.catalog import Catalog
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConfigError, DagsterAgentError
from dagster_agent.model import (
    Asset,
    Baseline,
    ColumnSchema,
    Detection,
    DetectionStatus,
    Severity,
    TableSchema,
)
from dagster_agent.schema_drift import rules
from dagster_agent.schema_drift.config import SchemaDriftConfig
from dagster_agent.schema_drift.detection import could_not_run, drifted, first_sight
from dagster_agent.schema_drift.diff import SchemaDiff, diff_schemas
from dagster_agent.schema_drift.fingerprints import Samples, Sketches
from dagster_agent.schema_drift.impact import ColumnsOf, find_impacts
from dagster_agent.schema_drift.json_changes import KeyChange
from dagster_agent.schema_drift.json_contents import Contents
from dagster_agent.schema_drift.pairing import pair_columns
from dagster_agent.schema_drift.rule import DriftRule, JudgedDrift

FIRST_SIGHT = "first-sight"
"""Who accepted the first snapshot ever taken."""
HARMLESS = "agent: harmless change"
"""Who accepted a baseline that only gained what no rule fails on."""
RULES = Catalog(rules, DriftRule)
"""All rules by id."""
_ORDER = list(Severity)
_CONTROLS = 5
"""Columns that stayed, sketched anew to see whether the table's values were replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What else is known when a schema is judged. All of it may be left out."""

    columns_of: ColumnsOf = lambda _: None
    """Columns of other tables, so that lineage can tell which of them a name belongs to."""
    sketch: Callable[[Sequence[ColumnSchema]], Sketches] = lambda _: {}
    """Sketches of columns as they are now; asked for when a column may have been renamed."""
    new_tables: Sequence[str] = ()
    """Tables beside a source that nobody declares, and that are new since the last look."""
    contents: Contents = field(default_factory=Contents)
    """What lies in the documents of its JSON columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """A verdict with what follows from it."""

    detection: Detection
    """The verdict."""
    affected: tuple[str, ...] = ()
    """Unique ids of the models that an ERROR drift reaches, nearest first: they would fail, or
    be built on something wrong."""
    broken_tests: tuple[str, ...] = ()
    """Names of the dbt tests that read what an ERROR drift has changed."""


_NOTHING_ELSE = Surroundings()


def examine(
    asset: str,
    *,
    observed: TableSchema | DagsterAgentError | None,
    baseline: Baseline | None,
    manifest: Manifest,
    config: SchemaDriftConfig,
    now: datetime,
    around: Surroundings = _NOTHING_ELSE,
) -> Examination:
    """Compare what is there with what was accepted.

    It fails as long as the two differ, run after run, until the change is reverted or accepted.
    The caller saves `baseline_after` afterwards, if there is one.

    Args:
        asset: dbt unique id.
        observed: The schema that is there, None when there is no such table, or the error that the
            warehouse answered with: that is never drift.
        baseline: The newest accepted one; None when the table is seen for the first time.
        manifest: Tells the dialect and who reads which column.
        config: The asset's settings.
        now: UTC.
        around: What else is known.
    """
    node = manifest.asset(asset)
    if isinstance(observed, DagsterAgentError):
        return Examination(detection=could_not_run(node, observed, now))
    if baseline is None:
        return Examination(detection=first_sight(node, observed, now))
    try:
        diff = _diff(baseline, observed, manifest, config, around)
        judged = _judge(diff, config)
    except ConfigError as problem:
        return Examination(detection=could_not_run(node, problem, now))
    impacts = [diff.impact_of(j.drift.column) for j in judged if j.severity is Severity.ERROR]
    return Examination(
        detection=drifted(node, diff, judged, baseline=baseline, contents=around.contents, now=now),
        affected=tuple(dict.fromkeys(uid for impact in impacts for uid in impact.models)),
        broken_tests=tuple(dict.fromkeys(name for impact in impacts for name in impact.tests)),
    )


def baseline_after(
    found: Detection,
    *,
    observed: TableSchema | DagsterAgentError | None,
    baseline: Baseline | None,
    now: datetime,
) -> Baseline | None:
    """The baseline to save after `examine` came to a verdict; None to keep the old one.

    That is the first snapshot, and one with changes that no rule fails on, such as a new column:
    were it not kept, nobody would notice if that column went away again.
    """
    if observed is None or isinstance(observed, DagsterAgentError):
        return None
    if baseline is None:
        return accept(found.asset, observed=observed, accepted_by=FIRST_SIGHT, now=now)
    if found.status is DetectionStatus.PASSED and baseline.schema != observed:
        return accept(found.asset, observed=observed, accepted_by=HARMLESS, now=now)
    return None


def accept(
    asset: str,
    *,
    observed: TableSchema | None,
    accepted_by: str,
    now: datetime,
    fingerprints: Sketches | None = None,
) -> Baseline:
    """The baseline that makes the observed schema the right one.

    Args:
        asset: dbt unique id.
        observed: The schema that is there now.
        accepted_by: Who takes responsibility.
        now: UTC.
        fingerprints: Sketches of its columns, as evidence for later renames.

    Raises:
        ConfigError: There is no table to accept.
    """
    if observed is None:
        raise ConfigError(
            f"cannot accept the schema of {asset!r}: there is no such table",
            hint="build it, or remove the asset from the dbt project",
        )
    return Baseline(
        asset=asset,
        schema=observed,
        accepted_at=now,
        accepted_by=accepted_by,
        fingerprints=fingerprints or {},
    )


def _diff(
    baseline: Baseline,
    observed: TableSchema | None,
    manifest: Manifest,
    config: SchemaDriftConfig,
    around: Surroundings,
) -> SchemaDiff:
    node = manifest.asset(baseline.asset)
    accepted = _without_ignored(baseline.schema, config)
    current = observed and _without_ignored(observed, config)
    diff = diff_schemas(
        accepted,
        current,
        dialect=manifest.adapter_type,
        rename_confidence=config.rename_confidence,
        samples=_samples(baseline, accepted, current, around),
        contract=manifest.contract(baseline.asset).types,
        described=node.declared_columns,
    )
    diff = replace(diff, new_tables=tuple(around.new_tables), keys=_keys(current, around))
    if diff.empty:
        return diff

    def columns_of(asset: Asset) -> Sequence[str] | None:
        if asset.unique_id == baseline.asset:
            return tuple(column.name for column in baseline.schema.columns)
        return around.columns_of(asset)

    impacts = find_impacts(
        manifest,
        baseline.asset,
        diff.columns_concerned(),
        columns_of=columns_of,
        keys=[(change.column, change.path) for change in diff.keys],
    )
    return replace(diff, impacts=impacts)


def _keys(observed: TableSchema | None, around: Surroundings) -> tuple[KeyChange, ...]:
    """Of columns that are still there: of the others, their own rules tell."""
    there = {column.name for column in observed.columns} if observed else set[str]()
    return tuple(change for change in around.contents.changes if change.column in there)


def _samples(
    baseline: Baseline, accepted: TableSchema, observed: TableSchema | None, around: Surroundings
) -> Samples | None:
    """Values then and now, where some column is gone, another is new, and values were sketched."""
    if observed is None or not baseline.fingerprints:
        return None
    pairs, gone, new = pair_columns(accepted.columns, observed.columns)
    if not gone or not new:
        return None
    stayed = [column for old, column in pairs if old.name in baseline.fingerprints]
    after = around.sketch([*new, *stayed[:_CONTROLS]])
    return Samples(before=baseline.fingerprints, after=after)


def _without_ignored(schema: TableSchema, config: SchemaDriftConfig) -> TableSchema:
    patterns = [pattern.casefold() for pattern in config.ignore_columns]
    kept = tuple(
        column
        for column in schema.columns
        if not any(fnmatchcase(column.name.casefold(), pattern) for pattern in patterns)
    )
    return replace(schema, columns=kept)


def _judge(diff: SchemaDiff, config: SchemaDriftConfig) -> list[JudgedDrift]:
    """All drifts, the worst first, else by rule id and table order."""
    given = {RULES.get(rule_id).id: severity for rule_id, severity in config.severities.items()}
    judged = [
        JudgedDrift(
            rule=rule.id,
            drift=drift,
            severity=given.get(rule.id, drift.severity or rule.severity),
        )
        for rule in RULES
        for drift in rule.find(diff)
    ]
    return sorted(judged, key=lambda j: -_ORDER.index(j.severity))
