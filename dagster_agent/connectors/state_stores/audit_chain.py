"""The hash chain of the audit log: each record seals all before it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

from dagster_agent.connectors.state_stores import codec
from dagster_agent.model import AuditRecord


def sealed(record: AuditRecord) -> AuditRecord:
    """The record with its hash: SHA-256 over the canonical JSON of all its other fields."""
    content = codec.plain(record)
    del content["hash"]
    digest = hashlib.sha256(codec.canonical(content).encode()).hexdigest()
    return dataclasses.replace(record, hash=digest)


def verify_chain(records: Sequence[AuditRecord]) -> int | None:
    """The sequence number at which the chain is first broken, or None when it holds.

    Args:
        records: The whole log in sequence. A record that was changed, removed, inserted or moved
            breaks it; only the removal of the newest records leaves no trace in the rest.
    """
    previous_hash = ""
    for expected, record in enumerate(records, start=1):
        intact = record.sequence == expected and record.previous_hash == previous_hash
        if not intact or sealed(record).hash != record.hash:
            return expected
        previous_hash = record.hash
    return None
