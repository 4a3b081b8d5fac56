"""Assets of whose age nothing was promised: checked where they have a clock, and seldom read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.definitions.relevance import Relevance
from dagster_agent.model import DetectionStatus
from dagster_agent.response.detection import detect, engines_of
from dagster_agent.response.workspace import Workspace
from tests.memory_workspace import memory_workspace

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
MODEL, SOURCE = "model.shop.fct_orders", "source.shop.raw.orders"
EMPTY = {"warn_after": {"count": None, "period": None}, "error_after": {"count": None}}
NODES: dict[str, dict[str, Any]] = {
    MODEL: {"name": "fct_orders", "resource_type": "model", "config": {"event_time": "placed_at"}},
    "model.shop.dim": {"name": "dim", "resource_type": "model", "config": {}},
}
SOURCES: dict[str, dict[str, Any]] = {
    SOURCE: {"name": "orders", "columns": {"created_at": {"name": "created_at"}}},
    "source.shop.raw.plain": {"name": "plain", "columns": {"id": {"name": "id"}}},
}


def content() -> dict[str, Any]:
    def whole(uid: str, node: dict[str, Any]) -> dict[str, Any]:
        name = node["name"]
        return {
            "unique_id": uid,
            "original_file_path": f"models/{name}.sql",
            "relation_name": f'"memory"."main"."{name}"',
            **node,
        }

    sources = {
        uid: whole(uid, {**node, "resource_type": "source", "freshness": EMPTY, "config": {}})
        for uid, node in SOURCES.items()
    }
    return {
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"},
        "nodes": {uid: whole(uid, node) for uid, node in NODES.items()},
        "sources": sources,
    }


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with memory_workspace(tmp_path) as (opened, connection):
        opened._manifest = Manifest.from_bytes(json.dumps(content()).encode())
        for name, column in (("fct_orders", "placed_at"), ("orders", "created_at")):
            connection.execute(
                f"create table {name} as select timestamp '2026-11-21 08:00:00'"
                f" - i * interval 1 hour as {column} from range(90) t(i)"
            )
        connection.execute("create table dim as select 1 as id")
        connection.execute("create table plain as select 1 as id")
        yield opened


def test_what_has_a_clock_has_a_check_at_load_and_at_run(workspace: Workspace) -> None:
    relevance, manifest = Relevance(content()), content()
    for uid, node in {**manifest["nodes"], **manifest["sources"]}.items():
        wanted = uid in (MODEL, SOURCE)
        assert ("freshness" in relevance.engines(node)) is wanted
        assert ("freshness" in engines_of(workspace, uid)) is wanted


def test_a_source_that_is_a_file_has_no_checks() -> None:
    relevance, source = Relevance(content()), content()["sources"][SOURCE]
    assert relevance.engines(source)
    for name in ("'exports/orders.parquet'", "read_csv('exports/*.csv')"):
        assert relevance.engines({**source, "relation_name": name}) == frozenset()


@pytest.mark.parametrize("uid", [MODEL, SOURCE])
def test_it_is_looked_at_once_an_hour_at_most(workspace: Workspace, uid: str) -> None:
    def look(minutes: int) -> datetime:
        found = detect(workspace, uid, "freshness", now=NOW + timedelta(minutes=minutes))
        assert {d.status for d in found} == {DetectionStatus.UNTRAINED}
        assert found[0].headline.startswith(f"{uid.rsplit('.', 1)[1]}: the newest row is ")
        return found[0].observed_at

    seen = [look(minutes) for minutes in (0, 15, 59, 60, 75)]
    later = NOW + timedelta(hours=1)
    assert seen == [NOW, NOW, NOW, later, later]
