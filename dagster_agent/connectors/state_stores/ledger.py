"""Leases and the audit log: what must be exact while many processes write."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    case,
    insert,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.types import NullType

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


def holds(connection: Connection, lease: Lease, now: datetime) -> bool:
    """Whether its token is the newest and its holder has it still."""
    query = select(leases.c.token).where(_still_mine(lease), leases.c.expires_at > now)
    return connection.scalar(query) is not None


def release(connection: Connection, lease: Lease) -> None:
    """Give it back, unless somebody else holds it by now."""
    connection.execute(update(leases).where(_still_mine(lease)).values(holder=None))


def _still_mine(lease: Lease) -> ColumnElement[bool]:
    return and_(
        leases.c.name == lease.name,
        leases.c.token == lease.token,
        leases.c.holder == lease.holder,
    )


def held(connection: Connection, now: datetime) -> Sequence[Lease]:
    """Those neither given back nor expired, by name."""
    query = select(leases.c.name, leases.c.holder, leases.c.token, leases.c.expires_at).where(
        leases.c.holder.is_not(None), leases.c.expires_at > now
    )
    found = [
        Lease(name=name, holder=holder, token=token, expires_at=expires_at)
        for name, holder, token, expires_at in connection.execute(query)
    ]
    # not by the database, whose order depends on its locale
    return sorted(found, key=lambda lease: lease.name)


def append(connection: Connection, record: AuditRecord) -> AuditRecord:
    """Number, seal and keep the record; the head's row is the lock that puts writers in a queue."""
    count = (
        update(audit_head)
        .where(audit_head.c.id == 1)
        .values(sequence=audit_head.c.sequence + 1)
        .returning(audit_head.c.sequence, audit_head.c.hash)
    )
    sequence, previous_hash = connection.execute(count).one()
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


def head(connection: Connection) -> tuple[int, str]:
    """Number and hash of the newest record, as counted when it was written."""
    found = connection.execute(select(audit_head.c.sequence, audit_head.c.hash)).one_or_none()
    return (0, "") if found is None else (found.sequence, found.hash)


def records(
    connection: Connection, *, after: int, limit: int | None, since: datetime | None
) -> Sequence[AuditRecord]:
    """A page of the log in sequence."""
    # read as it stands there: a value that somebody put in by hand must not end the reading
    columns = [type_coerce(column, NullType).label(column.name) for column in audit.c]
    query = select(*columns)
    if after > 0:  # otherwise all, also what somebody put in below 1
        query = query.where(audit.c.sequence > after)
    if since is not None:
        query = query.where(audit.c.at >= since)
    # + 0: SQLite would otherwise read the whole log in this order instead of using the other index
    query = query.order_by(audit.c.sequence if since is None else audit.c.sequence + 0)
    return [_record(row) for row in connection.execute(query.limit(limit)).mappings()]


def _record(row: RowMapping) -> AuditRecord:
    values: dict[str, Any] = {str(name): value for name, value in row.items()}
    values["at"] = _moment(values["at"])
    if values["allowed"] in (0, 1):
        values["allowed"] = bool(values["allowed"])
    values["detail"] = _detail(values["detail"])
    return AuditRecord(**values)


def _moment(stored: object) -> datetime:
    try:
        moment = stored if isinstance(stored, datetime) else datetime.fromisoformat(str(stored))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _detail(stored: object) -> dict[str, Any]:
    try:
        detail: object = json.loads(str(stored))
    except ValueError:
        detail = None
    return cast("dict[str, Any]", detail) if isinstance(detail, dict) else {"unreadable": stored}
