"""Does an asset keep its promises? Read what was found elsewhere, measure, remember."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial

from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import Asset, Detection, ResultTable
from dagster_agent.privacy.masking import mask_table
from dagster_agent.quality.claims import declared_in
from dagster_agent.quality.dimension import Subject
from dagster_agent.quality.engine import dimension_detections, metric_points, plan_dimensions
from dagster_agent.quality.expectations.declared import DeclaredExpectation, names_of, read_all
from dagster_agent.quality.expectations.engine import (
    ExpectationRun,
    Found,
    evaluate,
    outcomes,
    plan_expectations,
)
from dagster_agent.quality.expectations.gx_runner import postgres_url
from dagster_agent.quality.expectations.telling import detection
from dagster_agent.quality.invariant_engine import invariant_detection, plan_invariants
from dagster_agent.quality.measuring import ask_all
from dagster_agent.quality.table import Surroundings
from dagster_agent.reconciliation.engine import METHODS
from dagster_agent.response.pairs import pair_names
from dagster_agent.response.workspace import Workspace
from dagster_agent.settings import AssetSettings

Declared = DeclaredExpectation | DagsterAgentError
"""An expectation, or why it could not be read."""


def quality_detections(workspace: Workspace, asset: Asset, now: datetime) -> list[Detection]:
    """What is said of the asset's quality dimensions, invariants and expectations.

    All numbers that the warehouse can give are asked in one statement. The shares and the score are
    kept as the metrics `quality.<dimension>` and `quality.score`.

    Raises:
        ConfigError: There is no such table, or the asset's meta is wrong.
        ConnectorError: The warehouse does not answer.
    """
    subject = _subject(workspace, asset, now)
    dimensions, invariants = plan_dimensions(subject), plan_invariants(subject)
    declared, run = declared_expectations(asset), _run(workspace, subject)
    expectations = plan_expectations(declared, run)
    asks = [*dimensions.asks, *(ask for plan in invariants for ask in plan.asks)]
    asks += expectations.asks
    answers = ask_all(asks, subject.table, workspace.warehouse, purpose="quality")
    results = dimensions.results(answers)
    workspace.store.add_metrics(metric_points(subject, results))
    mask = _mask(asset)
    return [
        *dimension_detections(subject, results, answers.queries),
        *(invariant_detection(plan, subject, answers, mask) for plan in invariants),
        *_told(declared, outcomes(expectations, run, answers), asset, now),
    ]


def expectation_detections(
    workspace: Workspace, asset: Asset, declared: Sequence[Declared], now: datetime
) -> list[tuple[Detection, Found]]:
    """What comes of these expectations on the asset's table, in the order given.

    Raises:
        ConfigError: There is no such table, or the asset's meta is wrong.
        ConnectorError: The warehouse does not answer.
    """
    subject = _subject(workspace, asset, now)
    found = evaluate(declared, _run(workspace, subject))
    return list(zip(_told(declared, found, subject.asset, now), found, strict=True))


def told(
    asset: Asset, declared: Sequence[Declared], found: Sequence[Found], now: datetime
) -> list[tuple[Detection, Found]]:
    """What was found elsewhere, such as by a checkpoint, as detections."""
    return list(zip(_told(declared, found, asset, now), found, strict=True))


def declared_expectations(asset: Asset) -> list[Declared]:
    """The entries under `meta: dagster_agent: expectations:`; a wrong one becomes its error.

    Raises:
        ConfigError: It is no list.
    """
    return read_all(declared_in(asset, "expectations"), asset.name)


def _subject(workspace: Workspace, asset: Asset, now: datetime) -> Subject:
    settings = workspace.settings.for_asset(asset)
    around = Surroundings(
        manifest=workspace.manifest, warehouse=workspace.warehouse, schema_of=workspace.schema
    )
    return Subject(
        table=around.table(asset),
        around=around,
        tests=workspace.manifest.tests_of(asset.unique_id),
        config=settings.quality,
        freshness=settings.freshness,
        now=now,
        truths=tuple(_truths(workspace, asset)),
    )


def _run(workspace: Workspace, subject: Subject) -> ExpectationRun:
    return ExpectationRun(
        table=subject.table,
        around=subject.around,
        max_rows=subject.config.gx_max_rows,
        url=postgres_url(workspace.project.output),
    )


def _truths(workspace: Workspace, asset: Asset) -> Iterator[Detection]:
    # what was kept before pairs had names comes first: named results of the same pair replace it
    for pair in ("", *pair_names(workspace, asset.unique_id)):
        for method in METHODS:
            found = workspace.store.latest_detection(
                asset.unique_id, f"reconciliation/{method.id}", pair=pair
            )
            if found is not None:
                yield found


def _mask(asset: Asset) -> Callable[[ResultTable], ResultTable]:
    return partial(mask_table, personal=AssetSettings.of(asset).pii)


def _told(
    declared: Sequence[Declared], found: Sequence[Found], asset: Asset, now: datetime
) -> list[Detection]:
    mask = _mask(asset)
    return [
        detection(name, each, outcome, asset, now=now, mask=mask)
        for name, each, outcome in zip(names_of(declared), declared, found, strict=True)
    ]
