"""Asset checks on the customer's dbt assets: one op per chunk of assets, any subset of it runs."""

from collections.abc import Collection, Iterable, Iterator, Sequence

import dagster as dg

from dagster_agent.definitions import judging
from dagster_agent.definitions.alike import CheckOut, OrderIn
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.discovery import DbtAssetRef
from dagster_agent.definitions.names import ENGINES, OPEN_FINDINGS, Engine

CHUNK = 200
"""Assets per op. One op for all makes each run heavy, one op per asset makes each load heavy."""

_KIND = "dagster/compute_kind"
"""The tag that `compute_kind=` of dagster's decorators sets."""

_DESCRIPTIONS: dict[str, str] = {
    "reconciliation": "Do its rows, keys and sums agree with what it is built from? Inside a run"
    " that builds assets this repeats the latest result; the agent's sensor has it measured after.",
    "schema-drift": "Are its columns those that were last accepted? Stays red until the change is"
    " accepted or reverted.",
    "anomaly": "Are its row count, null shares and sums as usual? Untrained until there is enough"
    " history to judge by.",
    "freshness": "Is its newest data as recent as was promised, and as it usually is?",
    "quality": "Does it keep its promises: completeness, uniqueness, validity, accuracy, and the"
    " invariants declared for it?",
    OPEN_FINDINGS: "What the agent knows to be wrong with it. Green only when nothing is open.",
}


def build_checks(
    blueprint: Blueprint,
    *,
    engines: Sequence[Engine] = ENGINES,
    findings: bool = True,
    op_name: str = "checks",
    without: Collection[dg.AssetCheckKey] = (),
) -> list[dg.AssetChecksDefinition]:
    """Checks of these engines on every watched asset.

    Args:
        blueprint: What is watched.
        engines: Which engines.
        findings: Whether each asset also gets the check that shows its open findings.
        op_name: Name of the ops behind the prefix, before their number.
        without: Checks that the location has already.
    """
    by_asset = (
        [
            spec
            for spec in _specs(blueprint, ref, engines, findings=findings)
            if spec.key not in without
        ]
        for ref in blueprint.refs
    )
    some = [specs for specs in by_asset if specs]
    return [
        _op(blueprint, f"{blueprint.names.named(op_name)}_{number}", some[start : start + CHUNK])
        for number, start in enumerate(range(0, len(some), CHUNK))
    ]


def _specs(
    blueprint: Blueprint, ref: DbtAssetRef, engines: Iterable[Engine], *, findings: bool
) -> Iterator[dg.AssetCheckSpec]:
    wanted = set(engines)
    for engine in blueprint.engines_of(ref):
        if engine in wanted:
            yield _spec(blueprint.names.check(engine), ref, engine)
    if findings:
        yield _spec(blueprint.names.open_findings, ref, OPEN_FINDINGS)


def _spec(name: str, ref: DbtAssetRef, what: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        name,
        asset=ref.key,
        description=_DESCRIPTIONS[what],
        blocking=False,
    )


def _op(
    blueprint: Blueprint, name: str, by_asset: Sequence[Sequence[dg.AssetCheckSpec]]
) -> dg.AssetChecksDefinition:
    # what @multi_asset_check makes, but Dagster does not look at the type of every single one
    results = {spec.get_python_identifier(): spec for specs in by_asset for spec in specs}
    keys = [specs[0].asset_key for specs in by_asset]
    judged = {key.to_python_identifier(): key for key in keys}

    @dg.op(
        name=name,
        description="Judges dbt assets from their tables and from what the agent remembers.",
        ins=dict.fromkeys(judged, OrderIn(dg.Nothing)),
        out=dict.fromkeys(results, CheckOut(None, is_required=False)),
        tags={_KIND: "agent"},
    )
    def judge(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        yield from judging.judge(blueprint, context)

    return dg.AssetChecksDefinition.create(
        keys_by_input_name=judged,
        node_def=judge,
        check_specs_by_output_name=results,
        can_subset=True,
    )
