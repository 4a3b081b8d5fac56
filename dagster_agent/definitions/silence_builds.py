"""Good runs of the customer's: did they make what they planned, and does it say anything new?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from dagster_agent.connectors.orchestrators import dagster_event_log as event_log
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.feed import FinishedRun
from dagster_agent.definitions.silence_runs import is_ignored, job_of
from dagster_agent.model import Symptom
from dagster_agent.quality.silence.builds import CHECKS, Build, SourceState, judge
from dagster_agent.quality.silence.outputs import Production, check_of, missing

if TYPE_CHECKING:
    from dagster_agent.response import Workspace

BUILDS = "silence/builds"
"""Key in the state store: the last builds of each table, by dbt unique id."""
_KEPT = 10


@dataclass(slots=True, kw_only=True)
class GoodRuns:
    """What the good runs of one tick have produced."""

    symptoms: list[Symptom] = field(default_factory=lambda: list[Symptom]())
    """Missing outputs."""
    judged: set[str] = field(default_factory=lambda: set[str]())
    """Beginnings of the keys of all troubles that were judged."""
    built: dict[str, FinishedRun] = field(default_factory=lambda: dict[str, FinishedRun]())
    """The newest run that built a table, by dbt unique id."""

    def take(
        self, finished: FinishedRun, blueprint: Blueprint, instance: dg.DagsterInstance
    ) -> None:
        """Read one run."""
        promised = event_log.promised(instance, finished.run.run_id)
        production = _production(finished, promised, blueprint)
        check = check_of(production.job)
        # a later run of the job in this tick has the last word
        self.symptoms = [s for s in self.symptoms if s.check != check]
        self.judged.add(check)
        found = missing(production)
        if found is not None:
            self.symptoms.append(found)
        for key in promised.made_assets:
            ref = blueprint.by_key.get(key)
            if ref is not None and ref.resource_type != "source":
                self.built[ref.unique_id] = finished


def judge_builds(
    built: Mapping[str, FinishedRun],
    workspace: Workspace,
    blueprint: Blueprint,
    instance: dg.DagsterInstance,
) -> tuple[list[Symptom], set[str]]:
    """Compare what was built with the builds before, and remember it.

    Args:
        built: Tables of this project, by dbt unique id, with the run that built them last.
        workspace: The opened project.
        blueprint: What is watched.
        instance: Knows when the runs began.

    Returns:
        What is wrong, and the keys of all troubles that were judged.

    Raises:
        ConnectorError: The warehouse does not answer; nothing is remembered.
    """
    config = blueprint.settings.silence
    reading = _Reading.of(built, workspace, _begun(built, instance))
    memory: dict[str, list[Any]] = dict(workspace.store.get(BUILDS) or {})
    symptoms: list[Symptom] = []
    judged: set[str] = set()
    left = config.max_checksums
    for uid, finished in sorted(built.items()):
        name = uid.split(".")[-1]
        if is_ignored(name, config):
            continue
        # a tick that broke off may have read the run already
        before = [kept for kept in memory.get(uid, ()) if kept[0] != finished.run.run_id]
        earlier = [_decoded(kept) for kept in before]
        rows = reading.rows.get(uid)
        content = None
        if left and rows and rows <= config.checksum_max_rows and reading.sources_of(uid):
            content, left = reading.checksum(uid), left - 1
        build = Build(
            run_id=finished.run.run_id,
            at=finished.ended_at,
            rows=rows,
            checksum=content,
            sources=reading.sources_of(uid),
        )
        symptoms += judge(uid, name, build, earlier)
        judged |= {f"{check} {uid}" for check in CHECKS}
        memory[uid] = [*before, _encoded(build)][-_KEPT:]
    workspace.store.put(BUILDS, memory)
    return symptoms, judged


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """The tables of one tick, read together."""

    rows: Mapping[str, int]
    """Rows of tables, by dbt unique id."""
    sources: Mapping[str, SourceState]
    """States of sources, by dbt unique id."""
    above: Mapping[str, tuple[str, ...]]
    """Sources above each table."""
    checksum: Callable[[str], str | None]
    """Of a table's content."""

    @classmethod
    def of(cls, built: Iterable[str], workspace: Workspace, begun: datetime) -> _Reading:
        from dagster_agent.quality.silence import readings

        manifest, warehouse = workspace.lineage, workspace.warehouse
        assets = [manifest.assets[uid] for uid in built if uid in manifest.assets]
        above = {uid: readings.sources_above(uid, manifest) for uid in built}
        sources = [manifest.assets[uid] for uid in sorted({s for a in above.values() for s in a})]
        relations = [a.relation for a in (*assets, *sources) if a.relation is not None]
        schemas = warehouse.schemas(relations)

        def content(uid: str) -> str | None:
            relation = manifest.assets[uid].relation
            schema = schemas.get(relation) if relation is not None else None
            return readings.checksum(schema, warehouse) if schema is not None else None

        return cls(
            rows=readings.row_counts(assets, warehouse),
            sources=readings.source_states(sources, warehouse, schemas, until=begun),
            above=above,
            checksum=content,
        )

    def sources_of(self, uid: str) -> Mapping[str, SourceState]:
        """States of the sources above a table."""
        return {source: self.sources[source] for source in self.above[uid]}


def _begun(built: Mapping[str, FinishedRun], instance: dg.DagsterInstance) -> datetime:
    """When the last of the runs began: rows that came later were read by none."""
    runs = {finished.run.run_id: finished.ended_at for finished in built.values()}
    stats = ((run_id, instance.get_run_record_by_id(run_id)) for run_id in runs)
    return max(
        datetime.fromtimestamp(record.start_time, UTC)
        if record is not None and record.start_time is not None
        else runs[run_id]
        for run_id, record in stats
    )


def _production(
    finished: FinishedRun, promised: event_log.Promised, blueprint: Blueprint
) -> Production:
    config, names = blueprint.settings.silence, blueprint.names
    ignored = blueprint.ignored
    assets = sorted(
        key
        for key in promised.planned_assets - promised.made_assets
        if key not in ignored and not is_ignored(key.to_user_string(), config)
    )
    # inside the customer's runs our own checks are skipped where there is nothing to repeat
    checks = sorted(
        f"{key.asset_key.to_user_string()}: {key.name}"
        for key in promised.planned_checks - promised.made_checks
        if not names.owns_check(key)
        and key.asset_key not in ignored
        and not is_ignored(key.asset_key.to_user_string(), config)
    )
    ref = next((blueprint.by_key[key] for key in assets if key in blueprint.by_key), None)
    own = sum(names.owns_check(key) for key in promised.planned_checks)
    return Production(
        run_id=finished.run.run_id,
        job=job_of(finished.run),
        ended_at=finished.ended_at,
        missing_assets=tuple(key.to_user_string() for key in assets),
        missing_checks=tuple(checks),
        planned=len(promised.planned_assets) + len(promised.planned_checks) - own,
        first_asset=ref.unique_id if ref is not None else None,
    )


def _encoded(build: Build) -> Sequence[Any]:
    """Small: there may be thousands of tables."""
    sources = {
        uid: [s.rows, s.newest.isoformat() if s.newest is not None else None]
        for uid, s in build.sources.items()
    }
    return [build.run_id, build.at.isoformat(), build.rows, build.checksum, sources]


def _decoded(kept: Sequence[Any]) -> Build:
    run_id, at, rows, checksum, sources = kept
    return Build(
        run_id=run_id,
        at=datetime.fromisoformat(at),
        rows=rows,
        checksum=checksum,
        sources={
            uid: SourceState(
                rows=count, newest=datetime.fromisoformat(newest) if newest is not None else None
            )
            for uid, (count, newest) in sources.items()
        },
    )
