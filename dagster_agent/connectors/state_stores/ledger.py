"""Leases and the audit log: what must be exact while many processes write."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, and_, case, insert, or_, select, update

from dagster_agent.connectors.state_stores import codec
from dagster_agent.connectors.state_stores.audit_chain import sealed
from dagster_agent.connectors.state_stores.statements import insert_or
from dagster_agent.connectors.state_stores.tables import audit, audit_head, leases
from dagster_agent.model import AuditRecord, Lease


def acquire(
    connection: Connection, name: str, *, holder: str, expires_at: datetime, now: datetime
) -> Lease | None:
    """Take a free or expired lease, or renew one's own; one statement, so it cannot race.

    A renewal keeps its fencing token: the holder's first `Lease` stays good for the release.
    """
    running = leases.c.expires_at > now
    mine = leases.c.holder == holder
    statement = insert_or(leases, connection).values(
        name=name, holder=holder, token=1, expires_at=expires_at
    )
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={
            "holder": holder,
            "token": case((and_(mine, running), leases.c.token), else_=leases.c.token + 1),
            "expires_at": expires_at,
        },
        where=or_(mine, ~running, leases.c.holder.is_(None)),
    )
    token = connection.scalar(statement.returning(leases.c.token))
    if token is None:
        return None
    return Lease(name=name, holder=holder, token=token, expires_at=expires_at)


def release(connection: Connection, lease: Lease) -> None:
    """Give it back, unless somebody else holds it by now."""
    still_mine = and_(
        leases.c.name == lease.name,
        leases.c.token == lease.token,
        leases.c.holder == lease.holder,
    )
    connection.execute(update(leases).where(still_mine).values(holder=None))


def held(connection: Connection, now: datetime) -> Sequence[Lease]:
    """Those neither given back nor expired, by name."""
    query = (
        select(leases.c.name, leases.c.holder, leases.c.token, leases.c.expires_at)
        .where(leases.c.holder.is_not(None), leases.c.expires_at > now)
        .order_by(leases.c.name)
    )
    return [
        Lease(name=name, holder=holder, token=token, expires_at=expires_at)
        for name, holder, token, expires_at in connection.execute(query)
    ]


def append(connection: Connection, record: AuditRecord) -> AuditRecord:
    """Number, seal and keep the record; the head's row is the lock that puts writers in a queue."""
    head = (
        update(audit_head)
        .where(audit_head.c.id == 1)
        .values(sequence=audit_head.c.sequence + 1)
        .returning(audit_head.c.sequence, audit_head.c.hash)
    )
    sequence, previous_hash = connection.execute(head).one()
    record = sealed(
        dataclasses.replace(
            record,
            sequence=sequence,
            at=record.at.astimezone(UTC),
            previous_hash=previous_hash,
        )
    )
    row = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    connection.execute(insert(audit), row | {"detail": codec.encode(record.detail)})
    connection.execute(update(audit_head).values(hash=record.hash))
    return record


def records(connection: Connection) -> Sequence[AuditRecord]:
    """The whole log in sequence."""
    found: list[AuditRecord] = []
    for row in connection.execute(select(audit).order_by(audit.c.sequence)).mappings():
        values: dict[str, Any] = {str(name): value for name, value in row.items()}
        values["detail"] = codec.decode(dict[str, Any], values["detail"])
        found.append(AuditRecord(**values))
    return found
