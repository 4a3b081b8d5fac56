"""What identifies a row of a model: by its settings, by its tests, or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dbt.small_manifest import built, node


def test_unique_key_falls_back_from_config_to_tests():
    def attached_test(**fields: Any) -> dict[str, Any]:
        return node("test.shop.t", resource_type="test", attached_node="model.shop.m", **fields)

    unique = {"column_name": "k", "test_metadata": {"name": "unique", "kwargs": {}}}
    pair = {
        "test_metadata": {
            "name": "unique_combination_of_columns",
            "kwargs": {"combination_of_columns": ["a", "b"]},
        }
    }
    model, expression = "model.shop.m", {"unique_key": "a || b"}

    assert built(node(model, config={"unique_key": '"Order Id"'})).unique_key(model) == (
        "Order Id",
    )
    assert built(node(model, config=expression)).unique_key(model) == ()
    assert built(node(model, config=expression), attached_test(**unique)).unique_key(model) == (
        "k",
    )
    assert built(node(model), attached_test(**pair)).unique_key(model) == ("a", "b")
    limited = attached_test(**unique, config={"where": "k > 1"})
    assert built(node(model), limited).unique_key(model) == ()
    snapshot = "snapshot.shop.s"
    assert built(node(snapshot, config={"unique_key": "id"})).unique_key(snapshot) == ()


@pytest.mark.parametrize(
    ("config", "tested", "replaces"),
    [
        ({"incremental_strategy": "delete+insert", "unique_key": "day"}, None, True),
        ({"unique_key": ["day", "shop"]}, None, True),
        ({"incremental_strategy": "merge", "unique_key": "day"}, None, False),
        ({"incremental_strategy": "delete+insert", "unique_key": "day"}, "day", False),
        ({"incremental_strategy": "delete+insert", "unique_key": "day"}, "id", True),
        ({"materialized": "table", "unique_key": "day"}, None, False),
        ({"incremental_strategy": "append"}, "day", False),
    ],
)
def test_a_unique_key_may_name_what_an_incremental_run_replaces(config, tested, replaces):
    model = "model.shop.m"
    nodes = [node(model, config={"materialized": "incremental", **config})]
    if tested:
        metadata = {"name": "unique", "kwargs": {}}
        nodes.append(
            node(
                "test.shop.t",
                resource_type="test",
                attached_node=model,
                column_name=tested,
                test_metadata=metadata,
            )
        )
    assert built(*nodes).replaces_by_key(model) is replaces
