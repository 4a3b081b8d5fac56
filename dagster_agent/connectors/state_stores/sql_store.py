"""`SqlStateStore`: the state in SQLite or PostgreSQL, over SQLAlchemy Core.

This file is long because the port has many methods; each is a few lines on a module of its noun.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Select, Table, UpdateBase, insert, select

from dagster_agent.connectors.state_stores import (
    codec,
    facts,
    ledger,
    metric_points,
    retention,
    tables,
)
from dagster_agent.connectors.state_stores.engine import Database
from dagster_agent.connectors.state_stores.schema import ensure_schema
from dagster_agent.connectors.state_stores.statements import (
    detector_key,
    latest,
    newest_first,
    upsert,
)
from dagster_agent.model import (
    OPEN_STATUSES,
    AuditRecord,
    Baseline,
    Decision,
    Detection,
    Finding,
    FindingStatus,
    Incident,
    Lease,
    MetricPoint,
)
from dagster_agent.ports.state_store import KEPT_POINTS

T = TypeVar("T")

_OPEN_FINDINGS = (FindingStatus.OPEN, FindingStatus.APPROVED, FindingStatus.SNOOZED)


class SqlStateStore:
    """Implements `ports.StateStore`; every call is one transaction.

    Args:
        url: See `open_store`.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        weakref.finalize(self, self._database.close)
        ensure_schema(self._database)

    def close(self) -> None:
        """Close its connections; a further call opens new ones."""
        self._database.close()

    # incidents -------------------------------------------------------------------------------
    def save_incident(self, incident: Incident) -> None:
        """See `StateStore`."""
        self._put(
            tables.incidents,
            id=incident.id,
            fingerprint=incident.fingerprint,
            status=incident.status.value,
            opened_at=incident.opened_at,
            body=codec.encode(incident),
        )

    def incident(self, incident_id: str) -> Incident | None:
        """See `StateStore`."""
        table = tables.incidents
        return self._one(Incident, select(table.c.body).where(table.c.id == incident_id))

    def open_incident(self, fingerprint: str) -> Incident | None:
        """See `StateStore`."""
        table = tables.incidents
        query = newest_first(table, "opened_at").where(table.c.fingerprint == fingerprint)
        return self._one(Incident, query.where(table.c.status.in_(OPEN_STATUSES)).limit(1))

    def incidents(self, *, open_only: bool = False) -> Sequence[Incident]:
        """See `StateStore`."""
        query = newest_first(tables.incidents, "opened_at")
        if open_only:
            query = query.where(tables.incidents.c.status.in_(OPEN_STATUSES))
        return self._all(Incident, query)

    # findings and decisions ------------------------------------------------------------------
    def save_finding(self, finding: Finding) -> None:
        """See `StateStore`."""
        self._put(
            tables.findings,
            id=finding.id,
            asset=finding.report.asset,
            status=finding.status.value,
            created_at=finding.created_at,
            body=codec.encode(finding),
        )

    def finding(self, finding_id: str) -> Finding | None:
        """See `StateStore`."""
        table = tables.findings
        return self._one(Finding, select(table.c.body).where(table.c.id == finding_id))

    def findings(self, *, asset: str | None = None, open_only: bool = False) -> Sequence[Finding]:
        """See `StateStore`."""
        query = newest_first(tables.findings, "created_at")
        if asset is not None:
            query = query.where(tables.findings.c.asset == asset)
        if open_only:
            query = query.where(tables.findings.c.status.in_(_OPEN_FINDINGS))
        return self._all(Finding, query)

    def add_decision(self, decision: Decision) -> None:
        """See `StateStore`."""
        self._append(
            tables.decisions,
            finding_id=decision.finding_id,
            decided_at=decision.decided_at,
            body=codec.encode(decision),
        )

    def decisions(self, finding_id: str | None = None) -> Sequence[Decision]:
        """See `StateStore`."""
        table = tables.decisions
        query = select(table.c.body).order_by(table.c.decided_at, table.c.sequence)
        if finding_id is not None:
            query = query.where(table.c.finding_id == finding_id)
        return self._all(Decision, query)

    # detections, baselines, metric history ---------------------------------------------------
    def save_detection(self, detection: Detection) -> None:
        """See `StateStore`."""
        self._append(
            tables.detections,
            asset=detection.asset,
            detector=detector_key(detection.detector, detection.pair),
            observed_at=detection.observed_at,
            body=codec.encode(detection),
        )

    def latest_detection(self, asset: str, detector: str, *, pair: str = "") -> Detection | None:
        """See `StateStore`."""
        table = tables.detections
        query = latest(table, "observed_at").where(table.c.asset == asset)
        key = detector_key(detector, pair)
        return self._one(Detection, query.where(table.c.detector == key))

    def save_baseline(self, baseline: Baseline) -> None:
        """See `StateStore`."""
        self._append(
            tables.baselines,
            asset=baseline.asset,
            accepted_at=baseline.accepted_at,
            body=codec.encode(baseline),
        )

    def baseline(self, asset: str) -> Baseline | None:
        """See `StateStore`."""
        query = latest(tables.baselines, "accepted_at")
        return self._one(Baseline, query.where(tables.baselines.c.asset == asset))

    def add_metrics(self, points: Sequence[MetricPoint]) -> None:
        """See `StateStore`."""
        if points:
            with self._database.write() as connection:
                metric_points.add(connection, points)

    def metric_history(
        self, asset: str, metric: str, *, limit: int = KEPT_POINTS
    ) -> Sequence[MetricPoint]:
        """See `StateStore`."""
        with self._database.read() as connection:
            return metric_points.history(connection, asset, metric, limit=limit)

    def metric_histories(
        self, asset: str, *, limit: int = KEPT_POINTS
    ) -> Mapping[str, Sequence[MetricPoint]]:
        """See `StateStore`."""
        with self._database.read() as connection:
            return metric_points.histories(connection, asset, limit=limit)

    # stages of an investigation --------------------------------------------------------------
    def save_stage(self, investigation: str, stage: str, payload: bytes) -> None:
        """See `StateStore`."""
        self._put(
            tables.stages,
            investigation=investigation,
            stage=stage,
            payload=payload,
            saved_at=datetime.now(UTC),
        )

    def stage(self, investigation: str, stage: str) -> bytes | None:
        """See `StateStore`."""
        table = tables.stages
        query = select(table.c.payload).where(table.c.investigation == investigation)
        return self._scalar(query.where(table.c.stage == stage))

    # cursors and small facts -----------------------------------------------------------------
    def put(self, key: str, value: Any) -> None:
        """See `StateStore`."""
        with self._database.write() as connection:
            facts.put(connection, key, value)

    def get(self, key: str) -> Any:
        """See `StateStore`."""
        with self._database.read() as connection:
            return facts.get(connection, key)

    def append(self, prefix: str, value: Any) -> str:
        """See `StateStore`."""
        with self._database.write() as connection:
            return facts.append(connection, prefix, value)

    def entries(self, prefix: str) -> Mapping[str, Any]:
        """See `StateStore`."""
        with self._database.read() as connection:
            return facts.entries(connection, prefix)

    # leases and audit ------------------------------------------------------------------------
    def acquire_lease(
        self, name: str, *, holder: str, ttl: timedelta, now: datetime
    ) -> Lease | None:
        """See `StateStore`."""
        with self._database.write() as connection:
            return ledger.acquire(connection, name, holder=holder, expires_at=now + ttl, now=now)

    def holds(self, lease: Lease, *, now: datetime) -> bool:
        """See `StateStore`."""
        with self._database.read() as connection:
            return ledger.holds(connection, lease, now)

    def release_lease(self, lease: Lease) -> None:
        """See `StateStore`."""
        with self._database.write() as connection:
            ledger.release(connection, lease)

    def leases(self, *, now: datetime) -> Sequence[Lease]:
        """See `StateStore`."""
        with self._database.read() as connection:
            return ledger.held(connection, now)

    def append_audit(
        self,
        *,
        at: datetime,
        actor: str,
        action: str,
        subject: str,
        allowed: bool,
        detail: dict[str, Any],
    ) -> AuditRecord:
        """See `StateStore`."""
        record = AuditRecord(
            sequence=0,
            at=at,
            actor=actor,
            action=action,
            subject=subject,
            allowed=allowed,
            detail=codec.plain(detail),
        )
        with self._database.write() as connection:
            return ledger.append(connection, record)

    def audit(
        self, *, after: int = 0, limit: int | None = None, since: datetime | None = None
    ) -> Sequence[AuditRecord]:
        """See `StateStore`."""
        with self._database.read() as connection:
            return ledger.records(connection, after=after, limit=limit, since=since)

    def audit_head(self) -> tuple[int, str]:
        """See `StateStore`."""
        with self._database.read() as connection:
            return ledger.head(connection)

    # housekeeping ----------------------------------------------------------------------------
    def prune(self, *, before: datetime) -> int:
        """See `StateStore`."""
        return sum(self._run(statement) for statement in retention.prunings(before=before))

    # the six statements ----------------------------------------------------------------------
    def _put(self, table: Table, **values: Any) -> None:
        with self._database.write() as connection:
            connection.execute(upsert(table, connection), values)

    def _append(self, table: Table, **values: Any) -> None:
        self._run(insert(table).values(values))

    def _run(self, statement: UpdateBase) -> int:
        with self._database.write() as connection:
            return connection.execute(statement).rowcount

    def _scalar(self, query: Select[Any]) -> Any:
        with self._database.read() as connection:
            return connection.scalar(query)

    def _one(self, kind: type[T], query: Select[Any]) -> T | None:
        text: str | None = self._scalar(query)
        return None if text is None else codec.decode(kind, text)

    def _all(self, kind: type[T], query: Select[Any]) -> Sequence[T]:
        with self._database.read() as connection:
            texts = connection.scalars(query).all()
        return [codec.decode(kind, text) for text in texts]
