"""Several pairs of one asset are judged apart: a green one says nothing of a red one.

This file is long because it follows a pair all the way: results, symptoms, incidents, closing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.incidents import lifecycle
from dagster_agent.model import (
    Detection,
    DetectionStatus,
    Finding,
    FindingStatus,
    Incident,
    IncidentStatus,
    Report,
    Symptom,
    Verdict,
)
from dagster_agent.response.closing import close_recovered
from dagster_agent.response.detection import detect
from dagster_agent.response.intake import symptoms_of, take_in
from dagster_agent.response.quality_detection import quality_detections
from dagster_agent.response.rendering import render_story
from dagster_agent.response.workspace import Workspace
from dagster_agent.testing.memory_warehouse import MemoryWarehouse
from tests.memory_workspace import memory_workspace

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
UID = "model.shop.fct_orders"
PASSED, FAILED = DetectionStatus.PASSED, DetectionStatus.FAILED
ROWS = "create or replace table {} as select i as id, i * 2 as amount from range({}) t(i)"
LEDGER = {"with": "main.ledger", "key": ["id"]}
BANK = {"with": "main.bank", "key": ["id"]}
KEYS = "reconciliation/key-difference"


def _manifest(entries: Sequence[Mapping[str, Any]]) -> Manifest:
    return Manifest.from_bytes(_manifest_text(entries).encode())


def _manifest_text(entries: Sequence[Mapping[str, Any]]) -> str:
    model = {
        "unique_id": UID,
        "name": "fct_orders",
        "resource_type": "model",
        "original_file_path": "models/fct_orders.sql",
        "relation_name": '"memory"."main"."fct_orders"',
        "compiled_code": "select id, amount from memory.main.raw_orders",
        "primary_key": ["id"],
        "config": {"meta": {"dagster_agent": {"reconcile": list(entries)}}},
    }
    content = {
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"},
        "nodes": {UID: model},
        "sources": {},
    }
    return json.dumps(content)


class Shop:
    """`fct_orders` against two tables of other systems."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.now = NOW
        self.rows(fct_orders=100, raw_orders=100, ledger=100, bank=100)

    def rows(self, **tables: int) -> None:
        warehouse = self.workspace.warehouse
        assert isinstance(warehouse, MemoryWarehouse)
        for name, count in tables.items():
            warehouse.connection.execute(ROWS.format(name, count))

    def drop(self, table: str) -> None:
        warehouse = self.workspace.warehouse
        assert isinstance(warehouse, MemoryWarehouse)
        warehouse.connection.execute(f"drop table {table}")

    def look(self, *entries: Mapping[str, Any], hours: int = 24) -> list[Detection]:
        """What is found some hours later; what failed is taken in and handed to a person."""
        self.now += timedelta(hours=hours)
        self.workspace.forget()
        self.workspace._manifest = _manifest(entries or (LEDGER, BANK))
        found = detect(self.workspace, UID, "reconciliation", now=self.now)
        self.take_in(symptoms_of(found))
        return found

    def take_in(self, symptoms: Sequence[Symptom]) -> None:
        store = self.workspace.store
        for incident in take_in(self.workspace, symptoms, now=self.now):
            store.save_incident(lifecycle.move(incident, IncidentStatus.WAITING, now=self.now))

    def close(self) -> list[IncidentStatus]:
        """The statuses of all incidents after closing, oldest first."""
        close_recovered(self.workspace, orchestrator=None, now=self.now)
        return [incident.status for incident in self.incidents()]

    def incidents(self) -> list[Incident]:
        return list(reversed(self.workspace.store.incidents()))

    def accuracy(self) -> Detection:
        found = quality_detections(self.workspace, self.workspace.manifest.asset(UID), self.now)
        (told,) = (d for d in found if d.detector == "quality/accuracy")
        return told


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with memory_workspace(tmp_path) as (opened, _):
        yield Shop(opened)


@pytest.mark.parametrize("entries", [(LEDGER, BANK), (BANK, LEDGER)])
@pytest.mark.parametrize("red", ["ledger", "bank"])
def test_a_green_pair_neither_closes_the_incident_of_a_red_one_nor_makes_it_accurate(
    shop: Shop, entries: tuple[Mapping[str, Any], ...], red: str
) -> None:
    shop.rows(**{red: 90})
    found = shop.look(*entries)
    assert {d.pair for d in found if d.status is FAILED} == {red}
    assert shop.close() == [IncidentStatus.WAITING]
    told = shop.accuracy()
    assert (told.status, told.metrics["accuracy"]) == (FAILED, pytest.approx(0.9, abs=0.02))
    shop.rows(**{red: 100})
    shop.look(*entries)
    assert shop.close() == [IncidentStatus.RESOLVED]
    assert (shop.accuracy().status, shop.accuracy().metrics["accuracy"]) == (PASSED, 1)


def test_a_pair_that_turns_red_later_is_a_trouble_of_its_own(shop: Shop) -> None:
    shop.rows(ledger=98)
    shop.look()
    shop.rows(ledger=100, bank=97)
    shop.look()
    assert len(shop.incidents()) == 2
    assert shop.close() == [IncidentStatus.RESOLVED, IncidentStatus.WAITING]
    assert shop.accuracy().status is FAILED


def test_an_incident_of_two_pairs_ends_with_the_second(shop: Shop) -> None:
    shop.rows(ledger=98, bank=97)
    shop.look()
    shop.rows(ledger=100)
    shop.look()
    assert shop.close() == [IncidentStatus.WAITING]
    shop.rows(bank=100)
    shop.look()
    assert shop.close() == [IncidentStatus.RESOLVED]


def test_a_table_that_is_gone_is_gone_for_its_own_pair(shop: Shop) -> None:
    shop.drop("ledger")
    (failed,) = (d for d in shop.look() if d.status is FAILED)
    assert failed.pair == "ledger"
    assert shop.close() == [IncidentStatus.WAITING]
    shop.rows(ledger=100)
    shop.look()
    assert shop.close() == [IncidentStatus.RESOLVED]


def test_pairs_of_the_same_name_are_told_apart(shop: Shop) -> None:
    low, high = ({**LEDGER, **_half(sign)} for sign in ("< 50", ">= 50"))
    shop.rows(ledger=98)
    found = shop.look(high, low)
    assert {(d.pair, d.status) for d in found if d.detector == KEYS and d.pair} == {
        ("ledger", FAILED),
        ("ledger 2", PASSED),
    }
    assert shop.close() == [IncidentStatus.WAITING]
    assert shop.accuracy().status is FAILED
    assert any(d.headline.startswith("fct_orders and ledger 2 have") for d in found)


def _half(sign: str) -> dict[str, str]:
    return {"filter": f"id {sign}", "with_filter": f"id {sign}"}


@pytest.mark.parametrize(
    "entry", [{"stop_early": True}, {"stop_early": True, "columns": ["amount"]}]
)
def test_rows_that_are_no_longer_looked_at_close_their_incident_once_the_rest_agrees(
    shop: Shop, entry: dict[str, Any]
) -> None:
    early = {**LEDGER, **entry}
    shop.rows(ledger=98)
    found = shop.look(early)
    assert (KEYS, FAILED) in {(d.detector, d.status) for d in found if d.pair == "ledger"}
    shop.look(early)
    assert shop.close() == [IncidentStatus.WAITING]
    assert shop.accuracy().status is FAILED
    shop.rows(ledger=100)
    (settled,) = (d for d in shop.look(early) if d.detector == KEYS and d.pair == "ledger")
    assert (settled.status, settled.headline) == (
        PASSED,
        "nothing is wrong any more with what is compared of ledger; this is not compared while"
        " that agrees",
    )
    assert shop.close() == [IncidentStatus.RESOLVED]
    assert shop.accuracy().status is PASSED
    assert KEYS not in {d.detector for d in shop.look(early) if d.pair == "ledger"}


def test_a_pair_that_is_not_looked_at_whole_settles_nothing(shop: Shop) -> None:
    early = {**LEDGER, "stop_early": True}
    shop.rows(ledger=98)
    shop.look(early)
    shop.drop("ledger")
    shop.look(early)
    assert shop.close() == [IncidentStatus.WAITING]


def test_a_pair_that_was_taken_out_of_the_project_closes_its_incident_with_that_reason(
    shop: Shop,
) -> None:
    shop.rows(ledger=98, bank=97)
    shop.look()
    store = shop.workspace.store
    (incident,) = shop.incidents()
    store.save_finding(_finding(incident.id, shop.now))
    shop.workspace._manifest = _manifest([LEDGER])
    assert shop.close() == [IncidentStatus.WAITING], "the other pair is still red"
    shop.workspace._manifest = _manifest([{**LEDGER, "name": "general ledger"}])
    assert shop.close() == [IncidentStatus.RESOLVED]
    (closed,) = store.findings()
    assert closed.status is FindingStatus.RESOLVED
    reasons = closed.resolved_because.split("; ")
    assert sorted(reasons) == [
        f"fct_orders is no longer compared with {pair}, as the project is now"
        for pair in ("bank", "ledger")
    ]
    assert "**Closed by itself:** fct" in render_story(closed)
    (entry,) = (r for r in store.audit() if r.action == "close-incident")
    assert entry.detail["reason"] == closed.resolved_because


@pytest.mark.parametrize("entries", [None, [{"wiht": "main.ledger"}]])
def test_pairs_that_cannot_be_read_close_nothing(shop: Shop, entries: Any) -> None:
    shop.rows(ledger=98)
    shop.look()
    shop.workspace._manifest = _manifest(entries) if entries else None
    if entries is None:
        # the manifest that dbt wrote last may be older than the pair
        target = shop.workspace.project.root / "target"
        target.mkdir()
        (target / "manifest.json").write_text(_manifest_text([]))
    assert shop.close() == [IncidentStatus.WAITING]


def _finding(incident: str, now: datetime) -> Finding:
    report = Report(
        incident_id=incident,
        asset=UID,
        verdict=Verdict.NARROWED,
        confidence=0.5,
        headline="fct_orders lost rows",
        evidence=(),
        started_at=now,
        finished_at=now,
    )
    return Finding(id="F-3abd25", report=report, created_at=now)


def test_what_was_kept_before_pairs_had_names_is_neither_lost_nor_doubled(shop: Shop) -> None:
    shop.rows(ledger=98)
    (*_, red) = (s for s in symptoms_of(shop.look()) if s.pair == "ledger")
    before = shop.incidents()[0]
    store = shop.workspace.store
    old = tuple(replace(s, pair=None) for s in before.symptoms)
    store.save_incident(replace(before, symptoms=old, fingerprint="old"))
    store.save_detection(_unnamed(red.headline, shop.now, FAILED))

    shop.look(hours=48)
    assert len(shop.incidents()) == 1, "the same trouble goes on"
    assert shop.close() == [IncidentStatus.WAITING]
    shop.rows(ledger=100, bank=98)
    shop.look()
    assert shop.close() == [IncidentStatus.WAITING], "which pair it was is not known"
    shop.rows(bank=100)
    shop.look()
    assert shop.close() == [IncidentStatus.RESOLVED]


def test_a_result_without_a_name_counts_until_its_pair_is_looked_at_again(shop: Shop) -> None:
    shop.workspace._manifest = _manifest((LEDGER, BANK))
    shop.workspace.store.save_detection(_unnamed("2 ids too many", shop.now, FAILED))
    assert shop.accuracy().status is FAILED
    shop.look()
    assert shop.accuracy().status is PASSED


def _unnamed(headline: str, now: datetime, status: DetectionStatus) -> Detection:
    return Detection(
        detector=KEYS,
        asset=UID,
        status=status,
        headline=headline,
        observed_at=now,
        metrics={"keys_extra.ledger": 2, "keys_compared.ledger": 100},
    )
