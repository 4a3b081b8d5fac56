"""The check stays red until the change is accepted or reverted, and is never green by accident."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConfigError, ConnectorError, DagsterAgentError
from dagster_agent.model import (
    Baseline,
    ColumnSchema,
    Detection,
    DetectionStatus,
    Relation,
    Severity,
    TableSchema,
)
from dagster_agent.schema_drift.config import SchemaDriftConfig
from dagster_agent.schema_drift.diff import diff_schemas
from dagster_agent.schema_drift.engine import accept, baseline_after, examine

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
ORDERS = "model.shop.orders"
CONFIG = SchemaDriftConfig()


def _node(name: str, code: str, parents: list[str], **more: Any) -> dict[str, Any]:
    return {
        "unique_id": f"model.shop.{name}",
        "name": name,
        "resource_type": "model",
        "package_name": "shop",
        "original_file_path": f"models/{name}.sql",
        "relation_name": f'"shop"."main"."{name}"',
        "raw_code": code,
        "language": "sql",
        "depends_on": {"nodes": [f"model.shop.{parent}" for parent in parents]},
        **more,
    }


def _test(name: str, kind: str, kwargs: dict[str, Any], parents: list[str]) -> dict[str, Any]:
    return {
        **_node(name, "", parents),
        "unique_id": f"test.shop.{name}",
        "resource_type": "test",
        "attached_node": f"model.shop.{parents[0]}",
        "column_name": kwargs.get("column_name"),
        "test_metadata": {"name": kind, "kwargs": kwargs},
    }


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    nodes = [
        _node("orders", "select 1", []),
        _node("fct_orders", "select id, Amount -- note\nfrom {{ ref('orders') }}", ["orders"]),
        _node("passed_on", "select * from {{ ref('orders') }}", ["orders"]),
        _node("late_reader", "select note from {{ ref('passed_on') }}", ["passed_on"]),
        _node("counter", "select count(*) from {{ ref('orders') }}", ["orders"]),
        _node("after_counter", "select note from {{ ref('counter') }}", ["counter"]),
        _test("unique_orders_id", "unique", {"column_name": "id"}, ["orders"]),
    ]
    exposure = {
        "name": "dashboard",
        "unique_id": "exposure.shop.dashboard",
        "type": "dashboard",
        "owner": {"name": "Ann"},
        "depends_on": {"nodes": ["model.shop.fct_orders"]},
    }
    return Manifest.from_bytes(
        json.dumps(
            {
                "metadata": {
                    "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
                    "project_name": "shop",
                    "adapter_type": "duckdb",
                },
                "nodes": {node["unique_id"]: node for node in nodes},
                "sources": {},
                "exposures": {exposure["unique_id"]: exposure},
            }
        ).encode()
    )


def _schema(*columns: str, kind: str = "table") -> TableSchema:
    return TableSchema(
        relation=Relation(database="shop", schema="main", name="orders"),
        kind=kind,
        columns=tuple(
            ColumnSchema(name=text.split(" ")[0], type=text.split(" ")[1], position=position)
            for position, text in enumerate(columns, start=1)
        ),
    )


ACCEPTED = _schema("id INTEGER", "amount DOUBLE", "note VARCHAR")
BASELINE = Baseline(asset=ORDERS, schema=ACCEPTED, accepted_at=NOW, accepted_by="ann")


def _detect(
    manifest: Manifest,
    observed: TableSchema | DagsterAgentError | None,
    *,
    baseline: Baseline | None = BASELINE,
    config: SchemaDriftConfig = CONFIG,
) -> tuple[Detection, Baseline | None]:
    found = examine(
        ORDERS, observed=observed, baseline=baseline, manifest=manifest, config=config, now=NOW
    ).detection
    return found, baseline_after(found, observed=observed, baseline=baseline, now=NOW)


def test_first_sight_is_a_snapshot_not_a_pass(manifest: Manifest) -> None:
    found, keep = _detect(manifest, ACCEPTED, baseline=None)
    assert found.status is DetectionStatus.UNTRAINED
    assert found.headline == "first snapshot of orders: 3 columns, taken as right"
    assert keep == Baseline(
        asset=ORDERS, schema=ACCEPTED, accepted_at=NOW, accepted_by="first-sight"
    )


def test_a_table_that_was_never_there(manifest: Manifest) -> None:
    found, keep = _detect(manifest, None, baseline=None)
    assert (found.status, keep) == (DetectionStatus.COULD_NOT_RUN, None)
    assert found.headline == "orders has no table shop.main.orders yet, and none was ever seen"


def test_unchanged(manifest: Manifest) -> None:
    found, keep = _detect(manifest, ACCEPTED)
    assert (found.status, keep) == (DetectionStatus.PASSED, None)
    assert found.headline == (
        "orders: all 3 columns are as accepted (schema accepted 2026-11-21 by ann)"
    )
    assert found.metrics == {"columns": 3.0, "drifts": 0.0, "models_reached": 0.0}
    assert found.sample is None


def test_a_failed_fetch_is_never_drift(manifest: Manifest) -> None:
    problem = ConnectorError("duckdb:shop.duckdb: held by PID 7", hint="wait", retryable=True)
    for baseline in (None, BASELINE):
        found, keep = _detect(manifest, problem, baseline=baseline)
        assert (found.status, keep) == (DetectionStatus.COULD_NOT_RUN, None)
        assert "held by PID 7" in found.headline
        assert found.hint == "wait"


def test_drift_stays_red_until_reverted_or_accepted(manifest: Manifest) -> None:
    broken = _schema("id INTEGER", "note VARCHAR")
    for _ in range(3):
        found, keep = _detect(manifest, broken)
        assert (found.status, keep) == (DetectionStatus.FAILED, None)
    assert found.severity is Severity.ERROR
    assert found.headline == (
        "orders: column amount (DOUBLE) is gone; read by fct_orders; "
        "it reaches 1 model, 1 exposure (schema accepted 2026-11-21 by ann)"
    )
    assert found.metrics == {
        "columns": 2.0,
        "drifts": 1.0,
        "drift.column-removed": 1.0,
        "models_reached": 1.0,
    }
    assert found.sample is not None
    assert found.sample.rows == (
        (
            *("error", "column-removed", "amount", "DOUBLE", ""),
            *("fct_orders", "1 model, 1 exposure"),
        ),
    )
    drift, tree = found.evidence
    assert (drift.kind, drift.source) == ("schema", "rule column-removed")
    assert tree.result is not None
    assert tree.result.rows == (
        ("amount", 1, "model", "fct_orders", "orders"),
        ("amount", 2, "exposure", "dashboard", "fct_orders"),
    )
    assert _detect(manifest, ACCEPTED)[0].status is DetectionStatus.PASSED
    accepted = accept(ORDERS, observed=broken, accepted_by="bob", now=NOW)
    assert accepted.accepted_by == "bob"
    assert _detect(manifest, broken, baseline=accepted)[0].status is DetectionStatus.PASSED


def test_a_gone_table_cannot_be_accepted() -> None:
    with pytest.raises(ConfigError, match=r"model\.shop\.orders"):
        accept(ORDERS, observed=None, accepted_by="bob", now=NOW)


def test_a_gone_table_names_its_readers(manifest: Manifest) -> None:
    found, keep = _detect(manifest, None)
    assert (found.status, found.severity, keep) == (DetectionStatus.FAILED, Severity.ERROR, None)
    assert found.headline.startswith(
        "orders: table shop.main.orders is gone; read by counter, fct_orders, passed_on and 1 more;"
        " it reaches 5 models, 1 exposure, 1 test ("
    )


def test_a_new_column_passes_is_told_and_kept(manifest: Manifest) -> None:
    more = _schema("id INTEGER", "amount DOUBLE", "note VARCHAR", "vat DOUBLE")
    found, keep = _detect(manifest, more)
    assert (found.status, found.severity) == (DetectionStatus.PASSED, Severity.INFO)
    assert found.headline.startswith("orders: column vat (DOUBLE) is new")
    assert keep is not None
    assert (keep.schema, keep.accepted_by) == (more, "agent: harmless change")
    gone_again, _ = _detect(manifest, ACCEPTED, baseline=keep)
    assert gone_again.status is DetectionStatus.FAILED


def test_the_worst_change_comes_first(manifest: Manifest) -> None:
    found, _ = _detect(manifest, _schema("id BIGINT", "note VARCHAR", "vat DATE"))
    assert found.headline.startswith("orders: column amount (DOUBLE) is gone; read by fct_orders")
    assert ", and 1 more change (" in found.headline
    assert found.metrics["drifts"] == 2.0
    assert [row[1] for row in found.sample.rows] == [  # type: ignore[union-attr]
        "column-removed",
        "column-retyped",
        "column-added",
    ]


def test_readers_are_found_through_stars_and_tests(manifest: Manifest) -> None:
    found, _ = _detect(manifest, _schema("amount DOUBLE"))
    rows = {row[2]: row[5] for row in found.sample.rows}  # type: ignore[union-attr]
    assert rows == {
        "id": "fct_orders, test unique_orders_id",
        "note": "late_reader",
    }


def test_ignored_columns_and_given_severities(manifest: Manifest) -> None:
    config = SchemaDriftConfig(
        ignore_columns=("NOTE",), severities={"column-added": Severity.ERROR}
    )
    found, keep = _detect(
        manifest, _schema("id INTEGER", "amount DOUBLE", "vat DATE"), config=config
    )
    assert (found.status, found.severity, keep) == (DetectionStatus.FAILED, Severity.ERROR, None)
    assert found.headline.startswith("orders: column vat (DATE) is new (")


def test_an_unknown_rule_in_the_settings_is_told(manifest: Manifest) -> None:
    config = SchemaDriftConfig(severities={"colum-added": Severity.ERROR})
    found, keep = _detect(manifest, ACCEPTED, config=config)
    assert (found.status, keep) == (DetectionStatus.COULD_NOT_RUN, None)
    assert "'colum-added'" in found.headline
    assert "column-added" in found.hint


NAMES = st.sampled_from(["id", "amount", "note", "Größe", 'a "b"', "select"])
COLUMNS = st.lists(NAMES, unique=True, min_size=1).flatmap(
    lambda names: st.tuples(
        *(
            st.sampled_from(["INTEGER", "BIGINT", "VARCHAR"]).map(lambda t, n=n: (n, t))
            for n in names
        )
    )
)


def _of(columns: tuple[tuple[str, str], ...]) -> TableSchema:
    return TableSchema(
        relation=Relation(name="t"),
        columns=tuple(
            ColumnSchema(name=name, type=type_, position=position)
            for position, (name, type_) in enumerate(columns, start=1)
        ),
    )


@given(COLUMNS)
def test_a_schema_does_not_differ_from_itself(columns: tuple[tuple[str, str], ...]) -> None:
    schema = _of(columns)
    assert diff_schemas(schema, schema, dialect="duckdb", rename_confidence=0.6).empty


@given(COLUMNS, COLUMNS)
def test_nothing_is_lost_in_a_diff(
    before: tuple[tuple[str, str], ...], after: tuple[tuple[str, str], ...]
) -> None:
    diff = diff_schemas(_of(before), _of(after), dialect="duckdb", rename_confidence=0.6)
    stayed = {name for name, _ in before} & {name for name, _ in after}
    gone = [c.name for c in diff.removed] + [r.before.name for r in diff.renamed]
    new = [c.name for c in diff.added] + [r.after.name for r in diff.renamed]
    assert sorted(gone) == sorted({name for name, _ in before} - stayed)
    assert sorted(new) == sorted({name for name, _ in after} - stayed)
    assert {r.name for r in diff.retyped} == {
        n for n in stayed if dict(before)[n] != dict(after)[n]
    }
