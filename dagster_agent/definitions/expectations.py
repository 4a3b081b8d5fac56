"""Great Expectations as asset checks: one check for each expectation of a dbt asset.

Great Expectations itself is imported in a run, and only for what cannot be compiled to SQL.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
from dagster import MetadataValue

from dagster_agent.definitions import metadata as shown
from dagster_agent.definitions.blueprint import Assets, Blueprint, SettingsLike, blueprint_of
from dagster_agent.definitions.checkpoints import checkpoint_expectations, checkpoint_results
from dagster_agent.definitions.checks import CHUNK
from dagster_agent.definitions.discovery import DbtAssetRef, specs_of
from dagster_agent.definitions.redacting import redacted, redacted_detection
from dagster_agent.definitions.workspaces import open_workspace
from dagster_agent.errors import ConfigError, DagsterAgentError
from dagster_agent.model import Detection, DetectionStatus

if TYPE_CHECKING:  # dagster reads annotations of ops, so that they cannot all be kept as text
    from dagster_agent.quality.expectations.declared import DeclaredExpectation
    from dagster_agent.response import Workspace

Suite = str | Path | Sequence[Any] | Mapping[str, Any] | object
"""Path of a suite's JSON or YAML, a list of expectations, or an `ExpectationSuite`."""


@dataclass(frozen=True, kw_only=True)
class _Expected:
    """The expectations of one asset, each with the name of its check."""

    ref: DbtAssetRef
    declared: "Mapping[str, DeclaredExpectation | DagsterAgentError]"
    checkpoint: Any = None


def build_expectation_checks(
    *,
    assets: Assets,
    suite: Suite | None = None,
    checkpoint: Any = None,
    asset: str | None = None,
    settings: SettingsLike = None,
    name: str = "expectation",
) -> list[dg.AssetChecksDefinition]:
    """One asset check for each expectation.

    With neither a suite nor a checkpoint the expectations are those that the assets declare in
    `meta: dagster_agent: expectations:`.

    Args:
        assets: dbt assets, or the `Definitions` that hold them.
        suite: An existing suite, evaluated against the warehouse of the dbt project.
        checkpoint: A `Checkpoint`, or a callable that runs one and returns its result: it is run as
            it is, on the customer's own data sources. A callable needs `suite` too, which says what
            is expected before anything runs.
        asset: Key, unique id or dbt name of the asset that the suite is about; not needed where
            there is only one.
        settings: Settings of the agent, or a mapping of them.
        name: Begins the names of the checks and ops; two calls in one location need two names.

    Raises:
        ConfigError: No dbt asset among `assets`, no such asset, or a suite that cannot be read.
    """
    blueprint = blueprint_of(assets, settings)
    expected = list(_expected(blueprint, assets, suite, checkpoint, asset, name))
    with_some = [each for each in expected if each.declared]
    chunks = [with_some[start : start + CHUNK] for start in range(0, len(with_some), CHUNK)]
    return [
        _op(blueprint, f"{blueprint.names.named(name)}_checks_{number}", chunk)
        for number, chunk in enumerate(chunks)
    ]


def _expected(
    blueprint: Blueprint,
    assets: Assets,
    suite: Suite | None,
    checkpoint: Any,
    asset: str | None,
    name: str,
) -> Iterator[_Expected]:
    from dagster_agent.quality.expectations.declared import read_all, read_suite

    if suite is None and checkpoint is None:
        for ref, entries in _in_meta(blueprint, assets):
            yield _Expected(ref=ref, declared=_named(blueprint, read_all(entries, ref.name), name))
        return
    ref = _the_asset(blueprint, asset)
    if suite is None:
        declared = checkpoint_expectations(checkpoint, ref.name)
    else:
        declared = read_all(read_suite(suite)[1], ref.name)
    yield _Expected(ref=ref, declared=_named(blueprint, declared, name), checkpoint=checkpoint)


def _in_meta(
    blueprint: Blueprint, assets: Assets
) -> Iterator[tuple[DbtAssetRef, Sequence[object]]]:
    """The expectations that assets declare, read from the manifest that dagster-dbt keeps."""
    definitions = assets.assets or () if isinstance(assets, dg.Definitions) else assets
    manifests = {
        spec.metadata.get("dagster_dbt/unique_id"): spec.metadata.get("dagster_dbt/manifest")
        for spec in specs_of(cast("Iterable[object]", definitions))
    }
    for ref in blueprint.refs:
        wrapper = manifests.get(ref.unique_id)
        nodes = _mapping(_mapping(getattr(wrapper, "manifest", wrapper)).get("nodes"))
        node = _mapping(nodes.get(ref.unique_id))
        meta = {**_mapping(node.get("meta")), **_mapping(_mapping(node.get("config")).get("meta"))}
        entries: object = _mapping(meta.get("dagster_agent")).get("expectations")
        if isinstance(entries, list | tuple):
            yield ref, cast("Sequence[object]", entries)


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _the_asset(blueprint: Blueprint, asset: str | None) -> DbtAssetRef:
    if asset is None:
        if len(blueprint.refs) == 1:
            return blueprint.refs[0]
        raise ConfigError(
            f"the suite may be about any of {len(blueprint.refs)} dbt assets",
            hint="name one: asset='fct_orders'",
        )
    ref = blueprint.find(asset)
    if ref is None:
        known = ", ".join(ref.name for ref in blueprint.refs[:10])
        raise ConfigError(f"{asset!r} is no dbt asset here", hint=f"there are {known}")
    return ref


def _named(
    blueprint: Blueprint, declared: "Sequence[DeclaredExpectation | DagsterAgentError]", name: str
) -> "Mapping[str, DeclaredExpectation | DagsterAgentError]":
    from dagster_agent.quality.expectations.declared import names_of

    names = [blueprint.names.named(f"{name}_{each}") for each in names_of(declared)]
    return dict(zip(names, declared, strict=True))


def _op(
    blueprint: Blueprint, op_name: str, expected: Sequence[_Expected]
) -> dg.AssetChecksDefinition:
    specs = [
        dg.AssetCheckSpec(check, asset=each.ref.key, description=_says(declared), blocking=False)
        for each in expected
        for check, declared in each.declared.items()
    ]

    @dg.multi_asset_check(
        name=op_name,
        specs=specs,
        can_subset=True,
        compute_kind="great_expectations",
        description="Evaluates expectations of dbt assets against the warehouse.",
    )
    def judge(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        for each in expected:
            wanted = [
                check
                for check in each.declared
                if dg.AssetCheckKey(each.ref.key, check) in context.selected_asset_check_keys
            ]
            if wanted:
                yield from _judged(blueprint, each, wanted, context)

    return judge


def _says(declared: "DeclaredExpectation | DagsterAgentError") -> str:
    if isinstance(declared, DagsterAgentError):
        return f"Could not be read: {declared.message}"
    return declared.says


def _judged(
    blueprint: Blueprint,
    expected: _Expected,
    wanted: Sequence[str],
    context: dg.AssetCheckExecutionContext,
) -> Iterator[dg.AssetCheckResult]:
    """Results of the wanted checks; what goes wrong is their result, never a failed run."""
    ref = expected.ref
    try:
        with open_workspace(blueprint, ref.project, context.instance) as workspace:
            found = _measured(workspace, expected, wanted)
            secrets = workspace.secrets
    except Exception as error:
        told = error.message if isinstance(error, DagsterAgentError) else repr(error)
        hint = error.hint if isinstance(error, DagsterAgentError) else "see the run's log"
        found = [(_could_not_run(ref, redacted(told), hint), None)] * len(wanted)
        secrets = ()
    for check, (detection, by) in zip(wanted, found, strict=True):
        more = {"evaluated_by": MetadataValue.text(by)} if by else {}
        key = dg.AssetCheckKey(ref.key, check)
        yield shown.check_result([redacted_detection(detection, secrets)], key=key, more=more)


def _measured(
    workspace: "Workspace", expected: _Expected, wanted: Sequence[str]
) -> list[tuple[Detection, str | None]]:
    from dagster_agent.quality.expectations.expectation import Outcome
    from dagster_agent.response.quality_detection import expectation_detections, told

    now = datetime.now(UTC)
    asset = workspace.manifest.asset(expected.ref.unique_id)
    declared = [expected.declared[check] for check in wanted]
    if expected.checkpoint is None:
        judged = expectation_detections(workspace, asset, declared, now)
    else:
        found = checkpoint_results(expected.checkpoint, declared)
        judged = told(asset, declared, found, now)
    for detection, _ in judged:
        workspace.store.save_detection(redacted_detection(detection, workspace.secrets))
    return [
        (detection, found.evaluated_by.value if isinstance(found, Outcome) else None)
        for detection, found in judged
    ]


def _could_not_run(ref: DbtAssetRef, message: str, hint: str) -> Detection:
    return Detection(
        detector="quality/expectation",
        asset=ref.unique_id,
        status=DetectionStatus.COULD_NOT_RUN,
        headline=message,
        observed_at=datetime.now(UTC),
        hint=hint,
    )
