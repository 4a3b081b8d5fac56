"""What is remembered between runs: baselines, metric points, leases, audit records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dagster_agent.model.table import TableSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The schema that somebody accepted as right."""

    asset: str
    """dbt unique id."""
    schema: TableSchema
    """What was accepted."""
    accepted_at: datetime
    """UTC."""
    accepted_by: str
    """Person, or `first-sight` for the first snapshot ever taken."""
    fingerprints: Mapping[str, tuple[int, ...]] = field(
        default_factory=lambda: dict[str, tuple[int, ...]]()
    )
    """By column: hashes of a sample of its values then, sorted; evidence for renames. No value can
    be read back from them: they are salted and cut to 32 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPoint:
    """One value of one metric of one asset."""

    asset: str
    """dbt unique id."""
    metric: str
    """As named by `TableProfile.metrics`."""
    value: float
    """The value."""
    at: datetime
    """UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The exclusive right to work on one thing, until it expires."""

    name: str
    """What is worked on, such as `incident:I-3fa9c1`."""
    holder: str
    """Who holds it: a Dagster run id or a process."""
    token: int
    """Fencing token; grows with each acquisition of the same name."""
    expires_at: datetime
    """UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One thing that was done, refused or decided. Never changed, never removed."""

    sequence: int
    """1, 2, 3, ... without gaps."""
    at: datetime
    """UTC."""
    actor: str
    """`agent`, or the person as they named themselves."""
    action: str
    """`open-pull-request`, `decide`, `accept-baseline`, ..."""
    subject: str
    """What it was done to."""
    allowed: bool
    """False when the guard refused it."""
    detail: Mapping[str, Any] = field(default_factory=lambda: dict[str, Any]())
    """Redacted particulars."""
    previous_hash: str = ""
    """`hash` of the record before; empty for the first."""
    hash: str = ""
    """SHA-256 over all the other fields."""
