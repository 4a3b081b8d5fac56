"""What happens inside a check: measure now, or repeat what was measured last."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
from dagster import MetadataValue

from dagster_agent.connectors.orchestrators import dagster_event_log as event_log
from dagster_agent.connectors.orchestrators.dagster import CHECKED_RUN_TAG, KIND_TAG
from dagster_agent.definitions import metadata as shown
from dagster_agent.definitions.assets import Publisher, open_findings
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.discovery import DbtAssetRef
from dagster_agent.definitions.expected_links import expected_links
from dagster_agent.definitions.links import Place, accept_link
from dagster_agent.definitions.names import ENGINES, Engine
from dagster_agent.definitions.partitions import finding_page
from dagster_agent.definitions.redacting import redacted, redacted_detection
from dagster_agent.definitions.workspaces import asset_loader, open_workspace
from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import Detection, DetectionStatus, Finding, Verdict
from dagster_agent.ports import StateStore

if TYPE_CHECKING:
    from dagster_agent.response import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Which checks of a run are measured and which only repeat their latest result."""

    building: bool
    """The run builds assets: everything costly repeats, and is skipped when there is nothing."""
    unbuilt: frozenset[dg.AssetKey]
    """Assets that the run under judgement should have built and did not: nothing new to measure."""

    @classmethod
    def of(cls, run: dg.DagsterRun, instance: dg.DagsterInstance) -> Occasion:
        """Read from the run's tags and events."""
        nothing: frozenset[dg.AssetKey] = frozenset()
        if run.tags.get(KIND_TAG) != "checks":
            building = event_log.materialises_anything(instance, run.run_id)
            return cls(building=building, unbuilt=nothing)
        about = run.tags.get(CHECKED_RUN_TAG)
        if about is None:
            return cls(building=False, unbuilt=nothing)
        planned = event_log.planned_assets(instance, about)
        built = event_log.materialised_assets(instance, about)
        return cls(building=False, unbuilt=frozenset(planned - built))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """What all checks of one op share."""

    blueprint: Blueprint
    context: dg.AssetCheckExecutionContext
    occasion: Occasion
    place: Place


def judge(
    blueprint: Blueprint, context: dg.AssetCheckExecutionContext
) -> Iterator[dg.AssetCheckResult]:
    """Results of the selected checks, asset by asset.

    Nothing that goes wrong with the agent's own state or with the warehouse may fail the run, which
    can be the customer's: it becomes a result that says so.
    """
    bench = _Bench(
        blueprint=blueprint,
        context=context,
        occasion=Occasion.of(context.run, context.instance),
        place=Place.of_run(context.run, blueprint.settings),
    )
    keys = _in_order(context.selected_asset_check_keys, blueprint)
    for project in blueprint.projects:
        mine = [k for k in keys if blueprint.by_key[k.asset_key].project == project]
        if not mine:
            continue
        with ExitStack() as stack:
            try:
                workspace = stack.enter_context(
                    open_workspace(
                        blueprint, project, context.instance, load_asset=asset_loader(context)
                    )
                )
            except Exception as error:
                yield from _all_failed(bench, mine, error)
                continue
            yield from _judge_all(bench, mine, workspace)


def repeatable(detections: Sequence[Detection], workspace: Workspace, engine: Engine) -> None:
    """Keep what an engine said of an asset, to be repeated inside the customer's runs."""
    from dagster_agent.connectors.state_stores.codec import encode

    workspace.store.put(_memory_key(engine, detections[0].asset), encode(tuple(detections)))


def latest(workspace: Workspace, engine: Engine, unique_id: str) -> tuple[Detection, ...]:
    """What that engine said last of the asset; empty when it never looked."""
    from dagster_agent.connectors.state_stores.codec import decode

    kept = workspace.store.get(_memory_key(engine, unique_id))
    return decode(tuple[Detection, ...], kept) if kept is not None else ()


def measure(workspace: Workspace, engine: Engine, unique_id: str) -> Sequence[Detection]:
    """Run an engine on an asset now, and keep what it says."""
    from dagster_agent.response import detect

    found = [
        redacted_detection(detection, workspace.secrets)
        for detection in detect(workspace, unique_id, engine, now=datetime.now(UTC))
    ]
    repeatable(found, workspace, engine)
    return found


def result_of(
    detections: Sequence[Detection],
    key: dg.AssetCheckKey,
    *,
    repeated: bool,
    engine: Engine,
    place: Place,
    blueprint: Blueprint,
    store: StateStore,
    findings: Sequence[Finding] = (),
) -> dg.AssetCheckResult:
    """An engine's detections as the result of its check, with links to what is known and to do.

    Args:
        detections: What the engine says.
        key: The check.
        repeated: They were measured earlier.
        engine: Which engine.
        place: Where links lead.
        blueprint: What is watched.
        store: Has the points that were judged.
        findings: Open findings of the asset.
    """
    more: dict[str, MetadataValue] = {}
    if findings:
        more["findings"] = MetadataValue.md(_links(findings, blueprint))
    failed = any(d.status is DetectionStatus.FAILED for d in detections)
    if engine == "schema-drift" and failed:
        link = accept_link(key.asset_key.to_user_string(), place, blueprint.names)
        more["accept"] = MetadataValue.md(link)
    if engine == "anomaly" and failed:
        asset = key.asset_key.to_user_string()
        links = expected_links(detections, asset, store, place, blueprint.names)
        if links:
            more["expected"] = MetadataValue.md(links)
    return shown.check_result(detections, key=key, repeated=repeated, more=more)


def judge_again(
    blueprint: Blueprint,
    ref: DbtAssetRef,
    engine: Engine,
    workspace: Workspace,
    publisher: Publisher,
) -> None:
    """Measure a check after a person's word on it, and show the result in the same run."""
    (key,) = blueprint.check_keys(ref, [engine])
    result = result_of(
        measure(workspace, engine, ref.unique_id),
        key,
        repeated=False,
        engine=engine,
        place=publisher.place,
        blueprint=blueprint,
        store=workspace.store,
    )
    publisher.emit(shown.evaluation_of(result))


def _in_order(keys: Iterable[dg.AssetCheckKey], blueprint: Blueprint) -> list[dg.AssetCheckKey]:
    """Asset by asset, engine by engine: quality last, which reads what the others have found."""
    ranks = {engine: rank for rank, engine in enumerate(ENGINES)}

    def place(key: dg.AssetCheckKey) -> tuple[dg.AssetKey, int, str]:
        engine = blueprint.names.engine_of(key.name)
        return key.asset_key, ranks[engine] if engine else len(ranks), key.name

    return sorted(keys, key=place)


def _judge_all(
    bench: _Bench, keys: Iterable[dg.AssetCheckKey], workspace: Workspace
) -> Iterator[dg.AssetCheckResult]:
    for key in keys:
        try:
            result = _judge_one(bench, key, workspace)
        except Exception as error:
            yield from _all_failed(bench, [key], error)
            continue
        if result is not None:
            yield result


def _judge_one(
    bench: _Bench, key: dg.AssetCheckKey, workspace: Workspace
) -> dg.AssetCheckResult | None:
    """None where there is nothing to repeat: the check is then shown as skipped."""
    ref = bench.blueprint.by_key[key.asset_key]
    engine = bench.blueprint.names.engine_of(key.name)
    if engine is None:
        return open_findings(workspace, ref, bench.blueprint, bench.place)
    repeat = bench.occasion.building or ref.key in bench.occasion.unbuilt
    kept = latest(workspace, engine, ref.unique_id) if repeat else ()
    if not kept and bench.occasion.building:
        bench.context.log.info(f"[agent] {key.name} of {ref.name} has not been measured yet")
        return None
    return result_of(
        kept or measure(workspace, engine, ref.unique_id),
        key,
        repeated=bool(kept),
        engine=engine,
        place=bench.place,
        blueprint=bench.blueprint,
        store=workspace.store,
        findings=[
            finding
            for finding in workspace.store.findings(asset=ref.unique_id, open_only=True)
            if finding.report.verdict is not Verdict.HEALTHY
        ],
    )


def _links(findings: Iterable[Finding], blueprint: Blueprint) -> str:
    """The asset's open findings as links to their pages."""
    from dagster_agent.response.rendering import escape

    return "\n".join(
        f"- [{escape(redacted(finding.report.headline))}]({finding_page(finding, blueprint.names)})"
        for finding in findings
    )


def _all_failed(
    bench: _Bench, keys: Iterable[dg.AssetCheckKey], error: Exception
) -> Iterator[dg.AssetCheckResult]:
    """Results of checks that could not run, and the trace of what we did not foresee."""
    known = isinstance(error, DagsterAgentError)
    if not known:
        trace = "".join(traceback.format_exception(error))
        bench.context.log.error(redacted(f"[agent] an unexpected error stopped a check\n{trace}"))
    for key in keys:
        ref = bench.blueprint.by_key[key.asset_key]
        detection = _could_not_run(ref, error)
        yield shown.check_result([detection], key=key)


def _could_not_run(ref: DbtAssetRef, error: Exception) -> Detection:
    known = isinstance(error, DagsterAgentError)
    text = error.message if known else f"{type(error).__name__}: {error}"
    return Detection(
        detector="agent",
        asset=ref.unique_id,
        status=DetectionStatus.COULD_NOT_RUN,
        headline=redacted(text),
        observed_at=datetime.now(UTC),
        hint=error.hint if known else "see the run's log; if it persists, report it",
    )


def _memory_key(engine: Engine, unique_id: str) -> str:
    return f"check/{engine}/{unique_id}"
