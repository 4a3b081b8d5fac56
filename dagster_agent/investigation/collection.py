"""Station one: collect the evidence that every bug pattern may need, before anybody guesses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import DagsterAgentError
from dagster_agent.git.repository import Commit
from dagster_agent.investigation.accounts.book import AccountBook
from dagster_agent.investigation.accounts.counting import count
from dagster_agent.investigation.accounts.new_columns import NewColumn, account_new_columns
from dagster_agent.investigation.classification import classify
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.config import InvestigationConfig
from dagster_agent.investigation.dossier import AssetAccount, Dossier
from dagster_agent.model import (
    Baseline,
    Detection,
    DetectionStatus,
    Failure,
    Incident,
    SymptomKind,
)
from dagster_agent.ports import Narrator, Orchestrator, Warehouse
from dagster_agent.repair.edits import NoEdit, restore_left_join
from dagster_agent.sql.row_accounting import ScopeAccount, account_rows

_RUN_SYMPTOMS = (SymptomKind.RUN_FAILED, SymptomKind.DBT_TEST_FAILED)

Detect = Callable[[str], Sequence[Detection]]
"""Runs every detector on one asset, by dbt unique id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where evidence comes from."""

    codebase: Codebase
    warehouse: Warehouse
    detect: Detect
    orchestrator: Orchestrator | None
    """None on the command line, where no runs are known."""
    narrator: Narrator
    config: InvestigationConfig
    book: AccountBook
    """What is counted of single assets."""
    baseline: Callable[[str], Baseline | None]
    """Accepted schema of an asset, by dbt unique id."""


def collect(incident: Incident, focus: str | None, sources: Sources, *, now: datetime) -> Dossier:
    """Collect code, rows, history and detector results around the focus.

    Args:
        incident: What is investigated.
        focus: dbt unique id to begin at; None looks at every asset of the project.
        sources: Where evidence comes from. What one of them cannot give becomes a note.
        now: UTC.
    """
    manifest = sources.codebase.manifest
    scope = _scope(manifest, focus, sources.config.max_upstream_assets)
    sources.narrator.step(
        f"read the lineage of {_name(manifest, focus)}",
        why="the cause lies at or upstream of what looks wrong",
        result=f"{len(scope)} assets in scope",
    )
    notes: list[str] = []
    accounts = _accounts(scope, sources, notes)
    log_tail = _log_tail(incident, sources)
    counted = count(scope, sources.book, notes, now)
    return Dossier(
        incident=incident,
        focus=focus,
        scope=scope,
        detections=_detections(scope, sources),
        accounts=accounts,
        failures=_failures(incident, log_tail, sources),
        schemas=counted.schemas,
        accepted={u: b.schema for u in scope if (b := sources.baseline(u)) is not None},
        broken_reads=counted.broken_reads,
        keys=counted.keys,
        loads=counted.loads,
        currencies=counted.currencies,
        nulls=counted.nulls,
        new_columns=_new_columns(incident, focus, sources, notes),
        commits=_commits(scope, sources, notes),
        last_good=_last_good(incident, focus, sources),
        log_tail=log_tail,
        notes=tuple(notes),
        collected_at=now,
    )


def _scope(manifest: Manifest, focus: str | None, limit: int) -> tuple[str, ...]:
    if focus is None:
        return tuple(manifest.assets)
    # a source has no code of its own: what breaks is what reads it
    readers = manifest.children(focus) if focus.startswith("source.") else ()
    return (focus, *readers, *manifest.upstream(focus)[:limit])


def _new_columns(
    incident: Incident, focus: str | None, sources: Sources, notes: list[str]
) -> tuple[NewColumn, ...]:
    if focus is None:
        return ()
    try:
        return account_new_columns(focus, incident, sources.warehouse, sources.book.schema(focus))
    except DagsterAgentError as error:
        notes.append(f"new columns could not be counted: {error}")
        return ()


def _failures(incident: Incident, log_tail: str, sources: Sources) -> tuple[Failure, ...]:
    """What the failed runs say, the likeliest first, each class of each model once."""
    told = [s.detail for s in incident.symptoms if s.kind in _RUN_SYMPTOMS]
    if any(s.run_id for s in incident.symptoms if s.kind is SymptomKind.QUESTION):
        told.append(log_tail)
    found: dict[tuple[str, str | None], Failure] = {}
    for text in dict.fromkeys(t for t in told if t.strip()):
        failure = classify(text)
        if not failure.rule:
            continue
        found.setdefault((failure.failure_class, failure.facts.model), failure)
    failures = tuple(sorted(found.values(), key=lambda f: -f.confidence))
    if failures:
        sources.narrator.step(
            "classified what the failed run says",
            why="the class of an error decides whether it passes by itself, and what to look at",
            result="; ".join(
                f"{f.failure_class} ({f.confidence:.2f}, by {f.rule or 'no rule'})"
                for f in failures[:3]
            ),
        )
    return failures


def _name(manifest: Manifest, focus: str | None) -> str:
    return "the whole project" if focus is None else manifest.asset(focus).name


def _accounts(scope: Iterable[str], sources: Sources, notes: list[str]) -> tuple[AssetAccount, ...]:
    manifest = sources.codebase.manifest
    found: list[AssetAccount] = []
    for uid in scope:
        sql = manifest.compiled_code(uid) if uid.startswith("model.") else None
        if not sql:
            continue
        try:
            scopes = account_rows(sql, sources.warehouse)
            alone = _unmatched_alone(sql, scopes, sources.warehouse)
            account = AssetAccount(asset=uid, scopes=scopes, unmatched_alone=alone)
        except DagsterAgentError as error:
            notes.append(f"rows of {manifest.asset(uid).name} could not be accounted: {error}")
            continue
        found.append(account)
        if account.scopes:
            sources.narrator.step(
                f"counted rows through every join and filter of {manifest.asset(uid).name}",
                why="rows that vanish inside a model leave no error anywhere",
                result=_losses(account.scopes),
            )
    return tuple(found)


def _unmatched_alone(
    sql: str, scopes: Iterable[ScopeAccount], warehouse: Warehouse
) -> dict[str, int]:
    """Rows without a match at each of several joins that drop rows, each join by itself.

    A row that two joins would drop counts at the first of them in the plain account. With all of
    them made left joins every join sees every row.
    """
    dropping = [
        step.join.ordinal
        for scope in scopes
        for step in scope.steps
        if step.join is not None and step.recoverable and step.join.ordinal is not None
    ]
    if len(dropping) < 2:
        return {}
    opened = sql
    for ordinal in dropping:
        edit = restore_left_join(
            opened, compiled_code=sql, dialect=warehouse.dialect, ordinal=ordinal
        )
        if isinstance(edit, NoEdit):
            return {}
        opened = edit.text
    return {
        str(step.join.ordinal): step.unmatched
        for scope in account_rows(opened, warehouse)
        for step in scope.steps
        if step.join is not None and step.join.ordinal in dropping and step.unmatched is not None
    }


def _losses(scopes: Iterable[ScopeAccount]) -> str:
    told = [
        f"{step.label}: {step.lost:,} rows lost"
        if step.lost
        else f"{step.label}: {step.added:,} rows added"
        for scope in scopes
        for step in scope.steps
        if step.lost or step.added
    ]
    return "; ".join(told) or "no row lost or multiplied"


def _detections(scope: Iterable[str], sources: Sources) -> tuple[Detection, ...]:
    found: list[Detection] = []
    for uid in scope:
        if sources.codebase.manifest.asset(uid).relation is None:
            continue
        found += sources.detect(uid)
    failed = [d for d in found if d.status is DetectionStatus.FAILED]
    sources.narrator.step(
        f"ran the detectors on {len({d.asset for d in found})} assets",
        why="what is healthy upstream is ruled out, what is not is a lead",
        result="; ".join(d.headline for d in failed) or "none of them reports trouble",
    )
    return tuple(found)


def _commits(scope: Iterable[str], sources: Sources, notes: list[str]) -> tuple[Commit, ...]:
    codebase = sources.codebase
    if codebase.repository is None:
        notes.append("the dbt project is not in a git repository: no history to read")
        return ()
    paths = [
        codebase.path_in_repository(path)
        for path in (codebase.manifest.asset(uid).path for uid in scope)
        if path
    ]
    try:
        commits = codebase.repository.log(sorted(set(paths)), limit=sources.config.max_commits)
    except DagsterAgentError as error:
        notes.append(f"git history could not be read: {error}")
        return ()
    sources.narrator.step(
        "read the git history of the files in scope",
        why="most breakage follows a change",
        result=f"{len(commits)} commits, newest {commits[0].sha[:7]}" if commits else "no commits",
    )
    return commits


def _last_good(incident: Incident, focus: str | None, sources: Sources) -> datetime | None:
    if sources.orchestrator is None or focus is None:
        return None
    return sources.orchestrator.last_good_materialization(focus, before=incident.opened_at)


def _log_tail(incident: Incident, sources: Sources) -> str:
    for symptom in incident.symptoms:
        if symptom.detail:
            return symptom.detail
    if sources.orchestrator is None:
        return ""
    for symptom in incident.symptoms:
        facts = sources.orchestrator.run(symptom.run_id) if symptom.run_id else None
        if facts is not None and facts.log_tail:
            return facts.log_tail
    return ""
