"""Whoever gets past the triggers and changes the audit log by SQL is seen, at the right record."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from dagster_agent.connectors.state_stores import open_store
from dagster_agent.connectors.state_stores.audit_chain import sealed
from dagster_agent.connectors.state_stores.sql_store import SqlStateStore
from dagster_agent.model import AuditRecord
from dagster_agent.response.audit import AuditAnchor, export_audit, verify_audit

Connected = Callable[[str], AbstractContextManager[Connection]]
Mallory = Callable[..., None]
NOW = datetime(2026, 11, 3, 6, 12, tzinfo=UTC)
RECORDS = 7

_TRIGGERS = {
    "sqlite": "SELECT 'DROP TRIGGER ' || name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": (
        "SELECT DISTINCT 'DROP TRIGGER ' || trigger_name || ' ON ' || event_object_table"
        " FROM information_schema.triggers UNION"
        # TRUNCATE triggers are not in the information schema
        " SELECT 'DROP TRIGGER ' || tgname || ' ON ' || tgrelid::regclass"
        " FROM pg_trigger WHERE NOT tgisinternal"
    ),
}


@pytest.fixture
def store(url: str) -> Iterator[SqlStateStore]:
    opened = open_store(url)
    for number in range(1, RECORDS + 1):
        opened.append_audit(
            at=NOW + timedelta(minutes=number),
            actor="agent",
            action="open-pull-request",
            subject=f"I-{number}",
            allowed=True,
            detail={"rows": number, "größe": None},
        )
    yield opened
    opened.close()


@pytest.fixture
def mallory(url: str, store: SqlStateStore, connected: Connected) -> Mallory:
    """The database's owner, who drops the triggers and runs any SQL."""

    def run(*statements: str, **values: object) -> None:
        with connected(url) as connection:
            for drop in connection.scalars(text(_TRIGGERS[connection.dialect.name])).all():
                connection.execute(text(drop))
            for statement in statements:
                connection.execute(text(statement), values)

    return run


@pytest.mark.parametrize(
    ("statement", "broken_at", "reason"),
    [
        ("UPDATE audit SET actor = 'ana' WHERE sequence = 3", 3, "record 3 was changed"),
        ("UPDATE audit SET action = 'decide' WHERE sequence = 1", 1, "record 1 was changed"),
        ("UPDATE audit SET subject = '' WHERE sequence = 7", 7, "record 7 was changed"),
        ("UPDATE audit SET allowed = NOT allowed WHERE sequence = 2", 2, "record 2 was changed"),
        ("UPDATE audit SET detail = '{}' WHERE sequence = 4", 4, "record 4 was changed"),
        ("UPDATE audit SET detail = '{\"ro' WHERE sequence = 4", 4, "record 4 was changed"),
        ("UPDATE audit SET detail = '[1]' WHERE sequence = 4", 4, "record 4 was changed"),
        (
            "UPDATE audit SET at = (SELECT at FROM audit WHERE sequence = 1) WHERE sequence = 5",
            5,
            "record 5 was changed",
        ),
        ("UPDATE audit SET hash = 'x' WHERE sequence = 6", 6, "record 6 was changed"),
        ("UPDATE audit SET previous_hash = '' WHERE sequence = 6", 6, "record 6 was changed"),
        ("UPDATE audit SET sequence = 99 WHERE sequence = 2", 2, "record 2 is missing: 3 stands"),
        ("DELETE FROM audit WHERE sequence = 1", 1, "record 1 is missing: 2 stands"),
        ("DELETE FROM audit WHERE sequence IN (4, 5)", 4, "record 4 is missing: 6 stands"),
        ("DELETE FROM audit WHERE sequence = 7", 7, "end of the log was cut off: the count"),
        ("DELETE FROM audit WHERE sequence > 2", 3, "knows 7 records, 2 are there"),
        ("DELETE FROM audit", 1, "knows 7 records, 0 are there"),
        (
            "INSERT INTO audit SELECT 0, at, actor, action, subject, allowed, detail,"
            " previous_hash, hash FROM audit WHERE sequence = 1",
            1,
            "record 1 is missing: 0 stands",
        ),
        (
            "INSERT INTO audit SELECT 8, at, actor, action, subject, allowed, detail,"
            " previous_hash, hash FROM audit WHERE sequence = 7",
            8,
            "record 8 was changed",
        ),
        ("UPDATE audit_head SET sequence = 5, hash = 'x'", 5, "record 5 is not the one that the c"),
        ("DELETE FROM audit_head", 1, "the count kept beside the log knows 0 records, 7 are there"),
    ],
)
def test_one_statement_of_sql_is_seen(
    store: SqlStateStore, mallory: Mallory, statement: str, broken_at: int, reason: str
) -> None:
    before = verify_audit(store)
    assert (before.records, before.intact, before.broken_at) == (RECORDS, True, None)
    mallory(statement)
    verdict = verify_audit(store)
    assert not verdict.intact
    assert verdict.broken_at == broken_at
    assert reason in verdict.reason


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET at = 'yesterday' WHERE sequence = 3",
        "UPDATE audit SET at = at || '+05:00' WHERE sequence = 3",
        "UPDATE audit SET allowed = 'certainly' WHERE sequence = 3",
        "UPDATE audit SET detail = x'00ff' WHERE sequence = 3",
        "UPDATE audit SET actor = x'00ff' WHERE sequence = 3",
        "UPDATE audit SET sequence = 'three' WHERE sequence = 3",
    ],
)
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_value_of_another_type_is_seen_and_does_not_stop_the_reading(
    store: SqlStateStore, mallory: Mallory, statement: str
) -> None:
    mallory(statement)
    assert verify_audit(store).broken_at == 3
    assert len(store.audit()) == RECORDS
    assert len(list(export_audit(store))) == RECORDS


def test_a_record_with_a_new_hash_is_seen_at_its_successor(
    store: SqlStateStore, mallory: Mallory
) -> None:
    forged = sealed(dataclasses.replace(store.audit()[2], actor="ana"))
    mallory("UPDATE audit SET actor = 'ana', hash = :hash WHERE sequence = 3", hash=forged.hash)
    verdict = verify_audit(store)
    assert (verdict.records, verdict.broken_at) == (3, 4)
    assert verdict.reason.startswith("record 4 does not continue record 3")


def _rewritten(records: list[AuditRecord]) -> list[AuditRecord]:
    """All records sealed anew, so that the chain is right again."""
    chain: list[AuditRecord] = []
    for record in records:
        previous = chain[-1].hash if chain else ""
        chain.append(
            sealed(dataclasses.replace(record, sequence=len(chain) + 1, previous_hash=previous))
        )
    return chain


def test_a_log_written_anew_is_seen_by_its_count_and_by_an_anchor(
    store: SqlStateStore, mallory: Mallory
) -> None:
    first = verify_audit(store)
    anchor = AuditAnchor(records=first.records, head_hash=first.head_hash)
    records = list(store.audit())
    records[3] = dataclasses.replace(records[3], subject="nothing happened")
    mallory("UPDATE audit SET subject = 'nothing happened' WHERE sequence = 4")
    for record in _rewritten(records):
        mallory(
            "UPDATE audit SET hash = :hash, previous_hash = :previous WHERE sequence = :sequence",
            hash=record.hash,
            previous=record.previous_hash,
            sequence=record.sequence,
        )
    assert "record 7 is not the one that the count" in verify_audit(store).reason
    head = _rewritten(records)[-1].hash
    mallory("UPDATE audit_head SET hash = :hash", hash=head)
    fooled = verify_audit(store)
    assert fooled.intact
    assert "without an anchor from elsewhere it cannot be seen" in fooled.reason
    verdict = verify_audit(store, anchor=anchor)
    assert (verdict.intact, verdict.broken_at) == (False, 7)
    assert "record 7 is not the one that the anchor names" in verdict.reason


def test_an_end_cut_off_together_with_the_count_is_seen_by_an_anchor_alone(
    store: SqlStateStore, mallory: Mallory
) -> None:
    whole = verify_audit(store)
    anchor = AuditAnchor(records=whole.records, head_hash=whole.head_hash)
    kept = store.audit()[4]
    mallory(
        "DELETE FROM audit WHERE sequence > 5",
        "UPDATE audit_head SET sequence = 5, hash = :hash",
        hash=kept.hash,
    )
    assert verify_audit(store).intact
    verdict = verify_audit(store, anchor=anchor)
    assert (verdict.records, verdict.intact, verdict.broken_at) == (5, False, 6)
    assert (
        verdict.reason == "the end of the log was cut off: the anchor knows 7 records, 5 are there"
    )


def test_after_a_cut_the_log_goes_on_and_the_gap_stays(
    store: SqlStateStore, mallory: Mallory
) -> None:
    mallory("DELETE FROM audit WHERE sequence > 5")
    store.append_audit(at=NOW, actor="a", action="b", subject="c", allowed=True, detail={})
    verdict = verify_audit(store)
    assert verdict.broken_at == 6
    assert verdict.reason == "record 6 is missing: 8 stands in its place"


def test_an_export_can_be_verified_without_this_package(store: SqlStateStore) -> None:
    previous = ""
    for number, line in enumerate(export_audit(store), start=1):
        read: dict[str, Any] = json.loads(json.dumps(line))
        stated = read.pop("hash")
        assert (read["sequence"], read["previous_hash"]) == (number, previous)
        text = json.dumps(read, sort_keys=True, separators=(",", ":"))
        previous = hashlib.sha256(text.encode()).hexdigest()
        assert previous == stated
        assert list(read["detail"]) == ["größe", "rows"]
    assert previous == store.audit_head()[1]
