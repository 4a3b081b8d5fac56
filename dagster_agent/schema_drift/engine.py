"""Does a table still have the schema that somebody accepted?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase

from dagster_agent.catalog import Catalog
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConfigError, DagsterAgentError
from dagster_agent.model import Baseline, Detection, DetectionStatus, Severity, TableSchema
from dagster_agent.schema_drift import rules
from dagster_agent.schema_drift.config import SchemaDriftConfig
from dagster_agent.schema_drift.detection import could_not_run, drifted, first_sight
from dagster_agent.schema_drift.diff import SchemaDiff, diff_schemas
from dagster_agent.schema_drift.readers import find_readers
from dagster_agent.schema_drift.rule import DriftRule, JudgedDrift

FIRST_SIGHT = "first-sight"
"""Who accepted the first snapshot ever taken."""
HARMLESS = "agent: harmless change"
"""Who accepted a baseline that only gained what no rule fails on."""
RULES = Catalog(rules, DriftRule)
"""All rules by id."""
_ORDER = list(Severity)


def detect_drift(
    asset: str,
    *,
    observed: TableSchema | DagsterAgentError | None,
    baseline: Baseline | None,
    manifest: Manifest,
    config: SchemaDriftConfig,
    now: datetime,
) -> Detection:
    """Compare what is there with what was accepted.

    It fails as long as the two differ, run after run, until the change is reverted or accepted.
    The caller saves `next_baseline` afterwards, if there is one.

    Args:
        asset: dbt unique id.
        observed: The schema that is there, None when there is no such table, or the error that the
            warehouse answered with: that is never drift.
        baseline: The newest accepted one; None when the table is seen for the first time.
        manifest: Tells the dialect and who reads which column.
        config: The asset's settings.
        now: UTC.
    """
    node = manifest.asset(asset)
    if isinstance(observed, DagsterAgentError):
        return could_not_run(node, observed, now)
    if baseline is None:
        return first_sight(node, observed, now)
    try:
        diff = _diff(baseline, observed, manifest, config)
        judged = _judge(diff, config)
    except ConfigError as problem:
        return could_not_run(node, problem, now)
    return drifted(node, diff, judged, baseline=baseline, now=now)


def next_baseline(
    asset: str,
    *,
    observed: TableSchema | DagsterAgentError | None,
    baseline: Baseline | None,
    manifest: Manifest,
    config: SchemaDriftConfig,
    now: datetime,
) -> Baseline | None:
    """The baseline to save after `detect_drift` with the same arguments; None to keep the old one.

    That is the first snapshot, and one with changes that no rule fails on, such as a new column:
    were it not kept, nobody would notice if that column went away again.
    """
    if observed is None or isinstance(observed, DagsterAgentError):
        return None
    if baseline is None:
        return accept(asset, observed=observed, accepted_by=FIRST_SIGHT, now=now)
    found = detect_drift(
        asset, observed=observed, baseline=baseline, manifest=manifest, config=config, now=now
    )
    if found.status is DetectionStatus.PASSED and baseline.schema != observed:
        return accept(asset, observed=observed, accepted_by=HARMLESS, now=now)
    return None


def accept(
    asset: str, *, observed: TableSchema | None, accepted_by: str, now: datetime
) -> Baseline:
    """The baseline that makes the observed schema the right one.

    Args:
        asset: dbt unique id.
        observed: The schema that is there now.
        accepted_by: Who takes responsibility.
        now: UTC.

    Raises:
        ConfigError: There is no table to accept.
    """
    if observed is None:
        raise ConfigError(
            f"cannot accept the schema of {asset!r}: there is no such table",
            hint="build it, or remove the asset from the dbt project",
        )
    return Baseline(asset=asset, schema=observed, accepted_at=now, accepted_by=accepted_by)


def _diff(
    baseline: Baseline,
    observed: TableSchema | None,
    manifest: Manifest,
    config: SchemaDriftConfig,
) -> SchemaDiff:
    diff = diff_schemas(
        _without_ignored(baseline.schema, config),
        observed and _without_ignored(observed, config),
        dialect=manifest.adapter_type,
        rename_confidence=config.rename_confidence,
    )
    if diff.empty:
        return diff
    columns = [
        *(column.name for column in diff.removed),
        *(rename.before.name for rename in diff.renamed),
        *(retype.name for retype in diff.retyped),
        *diff.loosened,
    ]
    return replace(diff, readers=find_readers(manifest, baseline.asset, columns))


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
