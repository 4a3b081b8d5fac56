"""The shared inputs and outputs of a check op are what Dagster makes of its own."""

from collections.abc import Iterator

import dagster as dg
from dagster._core.definitions.input import InputDefinition
from dagster._core.definitions.output import OutputDefinition

from dagster_agent.definitions.alike import CheckOut, OrderIn

NAMES = ["first", "second"]


def op_with(made_in: dg.In, made_out: dg.Out) -> dg.OpDefinition:
    @dg.op(
        name="judge", ins=dict.fromkeys(NAMES, made_in), out=dict.fromkeys(NAMES, made_out), tags={}
    )
    def judge() -> Iterator[dg.AssetCheckResult]:
        yield from ()

    return judge


def told(each: InputDefinition | OutputDefinition) -> dict[str, object]:
    return dict(vars(each))


def test_they_differ_from_dagsters_own_in_nothing() -> None:
    ours = op_with(OrderIn(dg.Nothing), CheckOut(None, is_required=False))
    plain = op_with(dg.In(dg.Nothing), dg.Out(None, is_required=False))
    assert [each.name for each in ours.input_defs] == NAMES
    assert [told(each) for each in ours.input_defs] == [told(each) for each in plain.input_defs]
    assert [told(each) for each in ours.output_defs] == [told(each) for each in plain.output_defs]
