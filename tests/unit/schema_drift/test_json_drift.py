"""Checks of a real DuckDB file whose documents change as the project lives on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConnectorError
from dagster_agent.model import Detection, DetectionStatus, Severity
from dagster_agent.ports import Warehouse
from dagster_agent.response import accept_baseline
from dagster_agent.response.schema_detection import (
    examine_schema,
    holds,
    schema_detections,
)
from dagster_agent.response.workspace import Workspace
from dagster_agent.schema_drift.engine import Examination
from dagster_agent.settings import Settings

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
EVENTS = "source.shop.raw.events"
STAGED = 'select id, created_at, payload as body from "shop"."main"."events"'
READ = "select (body->>'amount')::double as amount, coalesce(body->'user', null) as u from {}"
READ = READ.format('"shop"."main"."stg_events"')
DOCUMENT = (
    "json_object('amount', i * 1.5, 'user', json_object('email', 'u' || i, 'id', i),"
    " 'trace', 'x', 'tags', json_object('t' || i, 1))"
)


def _model(name: str, code: str, reads: str) -> dict[str, Any]:
    return {
        "unique_id": f"model.shop.{name}",
        "name": name,
        "resource_type": "model",
        "relation_name": f'"shop"."main"."{name}"',
        "raw_code": code,
        "compiled_code": code,
        "depends_on": {"nodes": [reads]},
    }


def _manifest(**meta: Any) -> Manifest:
    told = {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "project_name": "shop",
            "adapter_type": "duckdb",
        },
        "nodes": {
            node["unique_id"]: node
            for node in (
                _model("stg_events", STAGED, EVENTS),
                _model("fct_amounts", READ, "model.shop.stg_events"),
                _model("dashboard", "select 1 as one from x", "model.shop.fct_amounts"),
            )
        },
        "sources": {
            EVENTS: {
                "unique_id": EVENTS,
                "name": "events",
                "resource_type": "source",
                "relation_name": '"shop"."main"."events"',
                "meta": {"dagster_agent": {"schema_drift": meta}} if meta else {},
            }
        },
    }
    return Manifest.from_bytes(json.dumps(told).encode())


class Shop:
    """A table of events, and the agent that looks at it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = NOW
        self.rows = 0
        (root / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
        (root / "profiles.yml").write_text(
            "shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb}}}\n"
        )
        self.sql("create table events (id integer, created_at timestamp, payload json)")
        settings = Settings.parse({"project_dir": root, "profiles_dir": root})
        opened = Workspace.open(settings, state_directory=root / "state")
        self.workspace = replace(opened, _manifest=_manifest())

    def sql(self, statement: str) -> None:
        with duckdb.connect(str(self.root / "shop.duckdb")) as connection:
            connection.execute(statement)

    def came(self, rows: int, document: str = DOCUMENT) -> None:
        """New rows, each a minute after the one before."""
        self.sql(
            "insert into events select i, timestamp '2026-11-01' + interval (i) minute,"
            f" {document} from range({self.rows}, {self.rows + rows}) as t(i)"
        )
        self.rows += rows

    def look(self) -> Detection:
        """One check, an hour after the last."""
        self.now += timedelta(hours=1)
        run = replace(self.workspace, _schemas=None)  # a run reads the schemas once
        (found,) = schema_detections(run, run.manifest.asset(EVENTS), self.now)
        return found


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    made.came(500)
    yield made
    made.workspace.close()


LOST = DOCUMENT.replace("'amount', i * 1.5, ", "")


def test_a_key_that_a_model_reads_is_gone_until_it_is_accepted(shop: Shop) -> None:
    assert shop.look().status is DetectionStatus.UNTRAINED
    quiet = shop.look()
    assert quiet.headline.startswith(
        "events: all 3 columns are as accepted; 7 keys in payload as known, 500 documents looked at"
    )
    assert quiet.metrics["json_keys"] == 7

    shop.came(30, LOST)
    found = shop.look()
    assert (found.status, found.severity) == (DetectionStatus.FAILED, Severity.ERROR)
    assert found.headline.startswith(
        "events: key payload.amount (number) is gone: all of the documents had it, and none of the"
        " newest 30 has (chance: p = 1e-49); read by fct_amounts; it reaches 2 models"
    )
    assert found.sample is not None
    assert found.sample.rows[0][:5] == ("error", "json-key-removed", "payload.amount", "number", "")
    (hold,) = holds(shop.workspace.store)
    assert hold.affected == ("model.shop.fct_amounts", "model.shop.dashboard")
    assert _at_a_tick(shop).affected == hold.affected

    accept_baseline(
        shop.workspace, "events", decided_by="ann", now=shop.now, comment="they moved it"
    )
    told = [record.detail for record in shop.workspace.store.audit()]
    assert any(detail.get("json_keys") == ["payload.amount removed"] for detail in told)
    assert shop.look().status is DetectionStatus.PASSED
    assert holds(shop.workspace.store) == ()


def _at_a_tick(shop: Shop) -> Examination:
    """A sensor judges by the last look."""
    asset = shop.workspace.manifest.asset(EVENTS)
    assert asset.relation is not None
    return examine_schema(
        shop.workspace,
        asset,
        shop.workspace.schema(asset.relation),
        manifest=shop.workspace.manifest,
        schema_of=shop.workspace.schema,
        now=shop.now,
    )


def test_what_is_reverted_turns_green_by_itself_and_news_are_told_once(shop: Shop) -> None:
    shop.look()
    shop.came(30, DOCUMENT.replace("'amount', i * 1.5", "'amount', 'n/a'"))
    found = shop.look()
    assert found.severity is Severity.ERROR
    assert "key payload.amount went from number to string" in found.headline
    shop.came(30)
    assert shop.look().status is DetectionStatus.PASSED

    shop.came(30, DOCUMENT.replace("'trace', 'x'", "'trace', 'x', 'span', 'x'"))
    found = shop.look()
    assert (found.status, found.severity) == (DetectionStatus.PASSED, Severity.INFO)
    assert "key payload.span (string) is new" in found.headline
    assert "span" not in shop.look().headline


def test_a_key_that_nobody_reads_is_told_unless_it_is_opted_out(shop: Shop) -> None:
    shop.look()
    shop.came(30, DOCUMENT.replace("'trace', 'x'", "'span', 'x'"))
    found = shop.look()
    assert (found.status, found.severity) == (DetectionStatus.FAILED, Severity.WARN)
    assert "key payload.trace (string) is gone" in found.headline
    told = [evidence.statement for evidence in found.evidence]
    assert "key payload.span (string) is new: 30 of 530 documents have it" in told
    assert holds(shop.workspace.store) == ()

    opened = shop.workspace
    for meta in ({"json_keys": "off"}, {"json_ignore": ["payload"]}, {"json_ignore": ["*.Trace"]}):
        shop.workspace = replace(opened, _manifest=_manifest(**meta))
        assert shop.look().status is DetectionStatus.PASSED
    shop.workspace = replace(opened, _manifest=_manifest(json_text_columns=["body"]))
    wrong = shop.look()
    assert wrong.status is DetectionStatus.COULD_NOT_RUN
    assert "json_text_columns names 'body', which is no column" in wrong.headline


def test_a_baseline_of_before_keys_were_watched_learns_them_quietly(shop: Shop) -> None:
    shop.look()
    shop.workspace.store.put(f"schema-drift/keys/{EVENTS}", None)
    shop.came(100, LOST)
    found = shop.look()
    assert found.status is DetectionStatus.PASSED
    assert "7 keys in payload learned, 600 documents looked at" in found.headline

    shop.sql("delete from events")
    found = shop.look()
    assert found.status is DetectionStatus.PASSED
    assert "no documents in payload yet" in found.headline
    shop.came(300, LOST)
    assert shop.look().status is DetectionStatus.FAILED


def test_a_stream_is_seen_for_a_day_before_anything_fails(shop: Shop) -> None:
    shop.workspace = replace(shop.workspace, _manifest=_manifest(json_max_rows=100))
    shop.look()
    # at night comes a lot of something else, then all is as before
    shop.came(90, "json_object('batch', i, 'id', 'x')")
    assert shop.look().status is DetectionStatus.PASSED
    shop.came(120)
    quiet = shop.look()
    assert quiet.status is DetectionStatus.PASSED
    assert "(untrained until 2026-11-22 07:00 UTC: less than a day)" in quiet.headline

    shop.now += timedelta(hours=21)
    assert shop.look().status is DetectionStatus.PASSED
    # the next night it comes again: now it is known for how long each stays away
    shop.came(100, "json_object('batch', i, 'id', 'x')")
    assert shop.look().status is DetectionStatus.PASSED
    shop.came(100, LOST)
    assert shop.look().status is DetectionStatus.PASSED
    shop.now += timedelta(hours=2)
    found = shop.look()
    assert "key payload.amount (number) is gone" in found.headline
    assert found.metrics["drifts"] == 1


class _Broken:
    """A warehouse that answers all but looks into documents."""

    def __init__(self, real: Warehouse) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def query(self, sql: str, *, purpose: str, max_rows: int = 1000) -> Any:
        if "JSON" in purpose:
            raise ConnectorError("it took more than 60 s", hint="raise statement_seconds")
        return self._real.query(sql, purpose=purpose, max_rows=max_rows)


def test_a_failed_look_is_neither_green_nor_drift(shop: Shop) -> None:
    shop.look()
    broken: Any = _Broken(shop.workspace.warehouse)
    shop.workspace = replace(shop.workspace, warehouse=broken)
    found = shop.look()
    assert found.status is DetectionStatus.COULD_NOT_RUN
    assert "JSON columns could not be looked into: it took more than 60 s" in found.headline
    assert found.hint == "raise statement_seconds"
    shop.sql("alter table events drop column created_at")
    red = shop.look()
    assert red.status is DetectionStatus.FAILED
    assert "column created_at (TIMESTAMP) is gone" in red.headline
