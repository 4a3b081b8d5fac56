"""The hash chain of the audit log: each record seals all before it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable

from dagster_agent.connectors.state_stores import codec
from dagster_agent.model import AuditRecord


def sealed(record: AuditRecord) -> AuditRecord:
    """The record with its hash: SHA-256 over the canonical JSON of all its other fields."""
    content = codec.plain(record)
    del content["hash"]
    digest = hashlib.sha256(codec.canonical(content).encode()).hexdigest()
    return dataclasses.replace(record, hash=digest)


def flaw(record: AuditRecord, *, sequence: int, previous_hash: str) -> str:
    """Why the record is not the next of an intact chain, for people; empty when it is.

    Args:
        record: What stands there.
        sequence: The number it should have.
        previous_hash: The hash of the record before; empty for the first.
    """
    if record.sequence != sequence:
        return f"record {sequence} is missing: {record.sequence} stands in its place"
    if sealed(record).hash != record.hash:
        return f"record {sequence} was changed after it was written: its hash is of other content"
    if record.previous_hash != previous_hash:
        return (
            f"record {sequence} does not continue record {sequence - 1}: "
            "one of them was replaced by another that has a hash of its own"
        )
    return ""


def verify_chain(records: Iterable[AuditRecord]) -> int | None:
    """The sequence number at which the chain is first broken, or None when it holds.

    Args:
        records: The whole log in sequence. A record that was changed, removed, inserted or moved
            breaks it; only the removal of the newest records leaves no trace in the rest.
    """
    previous_hash = ""
    for expected, record in enumerate(records, start=1):
        if flaw(record, sequence=expected, previous_hash=previous_hash):
            return expected
        previous_hash = record.hash
    return None
