"""The tables of the state store: what is queried is a column, the whole noun is JSON in `body`."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment, stored without its zone: SQLite knows none, and sorts as text."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy passes it by name
        """Refuse naive moments: whoever made one has guessed a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value.isoformat()}: pass an aware one in UTC")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy passes it by name
        """Give the zone back."""
        return value if value is None else value.replace(tzinfo=UTC)


_SEQUENCE = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only for a key that is called INTEGER."""

_CODE_POINTS = Text().with_variant(Text(collation="C"), "postgresql")
"""Compared by code point, as SQLite does: a range of keys is the same in every locale."""

metadata = MetaData()

incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_incidents_fingerprint", "fingerprint"),
    Index("ix_incidents_status_opened_at", "status", "opened_at"),
)

findings = Table(
    "findings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("asset", Text),
    Column("status", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_findings_asset_created_at", "asset", "created_at"),
    Index("ix_findings_status_created_at", "status", "created_at"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("finding_id", Text, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_decisions_finding_id", "finding_id"),
)

detections = Table(
    "detections",
    metadata,
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("asset", Text, nullable=False),
    Column("detector", Text, nullable=False),
    Column("observed_at", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_detections_asset_detector_observed_at", "asset", "detector", "observed_at"),
)

baselines = Table(
    "baselines",
    metadata,
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("asset", Text, nullable=False),
    Column("accepted_at", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_baselines_asset_accepted_at", "asset", "accepted_at"),
)

metrics = Table(
    "metrics",
    metadata,
    Column("asset", Text, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("at", UtcDateTime, primary_key=True),
    # NULL is not-a-number, which SQLite cannot store
    Column("value", Double),
)

stages = Table(
    "stages",
    metadata,
    Column("investigation", Text, primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
    # by the writer's clock, for `prune` alone; NULL where an older version of the package wrote it
    Column("saved_at", UtcDateTime),
)

facts = Table(
    "facts",
    metadata,
    Column("key", _CODE_POINTS, primary_key=True),
    Column("value", Text, nullable=False),
)

counters = Table(
    "counters",
    metadata,
    # the prefix of numbered facts, with its slash
    Column("prefix", Text, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    # NULL once it was given back; the row stays, so that the token goes on growing
    Column("holder", Text),
    Column("token", BigInteger, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("allowed", Boolean, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("ix_audit_at", "at"),
)

audit_head = Table(
    "audit_head",
    metadata,
    # one row: the end of the chain, and the lock that makes it gap-free under many writers
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)
