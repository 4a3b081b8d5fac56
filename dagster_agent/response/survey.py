"""What there is in a project to watch, and what could be declared of it. Writes nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dagster_agent.errors import ConfigError, ConnectorError, DagsterAgentError
from dagster_agent.investigation.accounts.load_times import arrival_time
from dagster_agent.model import Asset, Relation
from dagster_agent.quality.freshness.relevance import promises_freshness
from dagster_agent.reconciliation.proposals import ProposedPair, propose_pairs, tables_beside
from dagster_agent.response.workspace import Workspace
from dagster_agent.settings import AssetSettings, Settings
from dagster_agent.sql.identifiers import same_relation

_CRITICAL = 5
"""Models named as candidates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseSurvey:
    """Whether the warehouse answers, and what of the project is there."""

    name: str
    """Kind of warehouse."""
    reachable: bool
    """Whether it answered."""
    detail: str
    """What was seen, or why it did not answer."""
    hint: str = ""
    """The next step where it did not."""
    missing: tuple[str, ...] = ()
    """dbt unique ids of assets without a table; empty where it did not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSurvey:
    """What is known of the age of a source's rows."""

    asset: str
    """dbt unique id."""
    name: str
    """As people call it: `raw.orders`."""
    freshness: bool
    """Whether anything is declared of it."""
    timestamp: str | None
    """Column that tells when a row came or happened; None where none does, or nobody looked."""
    owner: str | None
    """Who answers for it; None where nobody is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalCandidate:
    """A model that much depends on."""

    asset: str
    """dbt unique id."""
    readers: int
    """Assets built from it, directly or not."""
    exposures: tuple[str, ...]
    """Names of those that read it, directly or not."""
    declared: bool
    """Whether `critical: true` says so already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastedPair:
    """A proposed truth with what to paste."""

    pair: ProposedPair
    """Which tables, and by which evidence."""
    file: str | None
    """The yml that describes the model, relative to the project; None where none does."""
    yml: str
    """To be merged into it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """All that `dagster-agent init` says."""

    project: str
    """Name, target and adapter."""
    models: int
    """Models with a table or view."""
    warehouse: WarehouseSurvey
    """Reachable or not."""
    sources: tuple[SourceSurvey, ...]
    """All, by unique id."""
    without_key: tuple[str, ...]
    """dbt unique ids of models for which no key is known."""
    critical: tuple[CriticalCandidate, ...]
    """Those that most depends on, first."""
    pairs: tuple[PastedPair, ...]
    """Truths that could be declared, the best first; those that are declared are left out."""
    unproposed: str = ""
    """Why no truths were looked for; empty where they were."""
    broken: tuple[str, ...] = ()
    """What is wrong in the meta of assets: the asset, the field, the value and the next step."""


def survey(workspace: Workspace, *, assets: Sequence[str] = (), limit: int = 10) -> Survey:
    """Look at the project and its warehouse.

    Args:
        workspace: The opened project.
        assets: dbt unique ids that truths are proposed for; all models by default.
        limit: Most truths proposed.

    Raises:
        ConfigError: The dbt project cannot be compiled.
    """
    manifest, project = workspace.manifest, workspace.project
    models = [a for a in manifest.assets.values() if a.resource_type == "model" and a.relation]
    warehouse = _warehouse(workspace)
    sources = [a for a in manifest.assets.values() if a.resource_type == "source"]
    pairs: tuple[PastedPair, ...] = ()
    unproposed = "" if warehouse.reachable else "the warehouse did not answer"
    if warehouse.reachable:
        try:
            pairs = _pairs(workspace, assets, limit)
        except DagsterAgentError as error:
            unproposed = error.message
    return Survey(
        project=f"{project.name}, target {project.target_name} on {project.adapter_type}",
        models=len(models),
        warehouse=warehouse,
        sources=tuple(_source(workspace, a, looked=warehouse.reachable) for a in sources),
        without_key=tuple(a.unique_id for a in models if not manifest.unique_key(a.unique_id)),
        critical=_critical(workspace, models),
        pairs=pairs,
        unproposed=unproposed,
        broken=tuple(_broken(manifest.assets.values(), workspace.settings)),
    )


def _warehouse(workspace: Workspace) -> WarehouseSurvey:
    name = workspace.project.adapter_type
    placed = {a.unique_id: a.relation for a in workspace.manifest.assets.values() if a.relation}
    try:
        missing = tuple(uid for uid, r in placed.items() if workspace.schema(r) is None)
    except ConnectorError as error:
        return WarehouseSurvey(name=name, reachable=False, detail=error.message, hint=error.hint)
    there = len(placed) - len(missing)
    return WarehouseSurvey(
        name=name,
        reachable=True,
        detail=f"{there} of {len(placed)} tables exist",
        missing=missing,
    )


def _source(workspace: Workspace, source: Asset, *, looked: bool) -> SourceSurvey:
    schema = workspace.schema(source.relation) if looked and source.relation else None
    column = arrival_time(schema) if schema is not None else None
    declared = source.freshness.loaded_at_field if source.freshness else None
    return SourceSurvey(
        asset=source.unique_id,
        name=".".join(source.unique_id.split(".")[-2:]),
        freshness=promises_freshness(source),
        timestamp=declared or (column.name if column is not None else None),
        owner=source.owner,
    )


def _critical(workspace: Workspace, models: Sequence[Asset]) -> tuple[CriticalCandidate, ...]:
    manifest = workspace.manifest
    found = [
        CriticalCandidate(
            asset=model.unique_id,
            readers=len(manifest.downstream(model.unique_id)),
            exposures=tuple(e.name for e in manifest.exposures_of([model.unique_id])),
            declared=_is_critical(model),
        )
        for model in models
    ]
    worth = [each for each in found if each.readers or each.exposures]
    return tuple(sorted(worth, key=lambda c: (-len(c.exposures), -c.readers, c.asset))[:_CRITICAL])


def _pairs(workspace: Workspace, assets: Sequence[str], limit: int) -> tuple[PastedPair, ...]:
    manifest = workspace.manifest
    schemas = tables_beside(workspace.warehouse)
    found = propose_pairs(manifest, workspace.warehouse, schemas, assets=assets, limit=limit)
    return tuple(
        PastedPair(
            pair=pair,
            file=manifest.described_in(pair.asset),
            yml=_yml(manifest.asset(pair.asset).name, pair.snippet),
        )
        for pair in found
        if not _is_declared(manifest.asset(pair.asset), pair.other)
    )


def _broken(assets: Iterable[Asset], settings: Settings) -> Iterator[str]:
    for asset in assets:
        try:
            settings.for_asset(asset)
        except ConfigError as error:
            yield str(error)


def _is_critical(asset: Asset) -> bool:
    try:
        return AssetSettings.of(asset).critical
    except ConfigError:
        return False  # told among what is broken


def _is_declared(asset: Asset, other: Relation) -> bool:
    try:
        entries = AssetSettings.of(asset).reconcile
    except ConfigError:
        return False  # told among what is broken
    named = [entry.with_ for entry in entries]
    return any(same_relation(_relation(text), other) for text in named if isinstance(text, str))


def _relation(text: str) -> Relation:
    *before, name = text.replace('"', "").split(".")
    database, schema = ([None, None, *before])[-2:]
    return Relation(database=database, schema=schema, name=name)


def _yml(model: str, snippet: str) -> str:
    head = f"models:\n  - name: {model}\n    config:\n      meta:\n        dagster_agent:\n"
    return head + textwrap.indent(snippet, " " * 10)
