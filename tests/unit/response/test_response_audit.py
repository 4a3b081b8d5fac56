"""Verifying and exporting the audit log, on a store in memory. SQL tampering: tests/conformance."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.errors import ConfigError
from dagster_agent.response import audit as room
from dagster_agent.response.audit import (
    AuditAnchor,
    AuditVerdict,
    audit_json,
    export_audit,
    verdict_json,
    verify_audit,
)
from dagster_agent.testing import MemoryStore

NOW = datetime(2026, 11, 3, 6, 12, tzinfo=UTC)


def filled(count: int) -> MemoryStore:
    store = MemoryStore()
    for number in range(1, count + 1):
        add(store, rows=number)
    return store


def add(store: MemoryStore, **detail: Any) -> None:
    store.append_audit(
        at=NOW, actor="agent", action="retry", subject="I-1", allowed=True, detail=detail
    )


def test_an_empty_log_is_intact() -> None:
    verdict = verify_audit(MemoryStore())
    assert (verdict.records, verdict.intact, verdict.head_hash) == (0, True, "")
    assert verdict.reason.startswith("all 0 records follow from each other; without an anchor")
    assert list(export_audit(MemoryStore())) == []


@given(count=st.integers(0, 9), page=st.integers(1, 4), after=st.integers(0, 10))
def test_pages_of_any_size_show_the_same_log(count: int, page: int, after: int) -> None:
    store = filled(count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "_PAGE", page)
        verdict = verify_audit(store)
        lines = list(export_audit(store, after=after))
    assert (verdict.records, verdict.intact) == (count, True)
    assert [line["sequence"] for line in lines] == list(range(after + 1, count + 1))


def test_an_anchor_is_found_again_in_a_log_that_has_grown() -> None:
    store = filled(3)
    first = verify_audit(store)
    anchor = AuditAnchor(records=first.records, head_hash=first.head_hash)
    add(store)
    verdict = verify_audit(store, anchor=anchor)
    assert verdict.intact
    assert (
        verdict.reason == "all 4 records follow from each other and contain the anchor at record 3"
    )
    other = verify_audit(filled(2), anchor=anchor)
    assert (other.intact, other.broken_at) == (False, 3)
    wrong = verify_audit(store, anchor=AuditAnchor(records=2, head_hash="f" * 64))
    assert (wrong.records, wrong.broken_at) == (1, 2)


@pytest.mark.parametrize(("records", "head_hash"), [(-1, "f"), (0, "f"), (3, "")])
def test_an_impossible_anchor_is_named(records: int, head_hash: str) -> None:
    anchor = AuditAnchor(records=records, head_hash=head_hash)
    with pytest.raises(ConfigError, match=f"anchor of {records} records with the hash"):
        verify_audit(MemoryStore(), anchor=anchor)


def test_the_verdict_as_json() -> None:
    verdict = AuditVerdict(records=2, intact=False, broken_at=3, reason="why", head_hash="ab")
    assert json.dumps(verdict_json(verdict)) == (
        '{"records": 2, "intact": false, "broken_at": 3, "reason": "why", "head_hash": "ab"}'
    )


def test_a_line_has_stable_fields_and_moments_in_utc() -> None:
    store = MemoryStore()
    record = store.append_audit(
        at=NOW.astimezone(timezone(timedelta(hours=-8))),
        actor="ana",
        action="decide",
        subject="F-1",
        allowed=False,
        detail={"b": [1, {"z": None, "a": 0.5}], "a": NOW},
    )
    assert json.dumps(audit_json(record)) == (
        '{"sequence": 1, "at": "2026-11-03T06:12:00Z", "actor": "ana", "action": "decide",'
        ' "subject": "F-1", "allowed": false,'
        ' "detail": {"a": "2026-11-03T06:12:00Z", "b": [1, {"a": 0.5, "z": null}]},'
        f' "previous_hash": "", "hash": "{record.hash}"}}'
    )


def test_secrets_that_got_into_the_log_do_not_get_out() -> None:
    store = MemoryStore()
    record = store.append_audit(
        at=NOW,
        actor="agent",
        action="retry",
        subject="postgresql://me:hunter2@host/db",
        allowed=True,
        detail={
            "password": "correct-horse",
            "said": ["login with correct-horse failed", {"url": "https://u:hunter2@host"}],
        },
    )
    line = json.dumps(audit_json(record))
    assert "hunter2" not in line
    assert "correct-horse" not in line
    assert json.loads(line)["hash"] == record.hash
