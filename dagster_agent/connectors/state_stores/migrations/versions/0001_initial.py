"""Incidents, findings, decisions, detections, baselines, metrics, stages, facts, leases, audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER: sa.Double[float] = sa.Double()
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_APPEND_ONLY = {
    "sqlite": (
        """CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END""",
        """CREATE TRIGGER audit_is_never_removed BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the audit log only grows'; END $$""",
        """CREATE TRIGGER audit_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()""",
    ),
}


def upgrade() -> None:
    """Create everything."""
    _stories()
    _observations()
    _workings()
    _audit()


def _stories() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Index("ix_incidents_fingerprint", "fingerprint"),
        sa.Index("ix_incidents_status_opened_at", "status", "opened_at"),
    )
    op.create_table(
        "findings",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("asset", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Index("ix_findings_asset_created_at", "asset", "created_at"),
        sa.Index("ix_findings_status_created_at", "status", "created_at"),
    )
    op.create_table(
        "decisions",
        sa.Column("sequence", _SEQUENCE, primary_key=True),
        sa.Column("finding_id", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Index("ix_decisions_finding_id", "finding_id"),
    )


def _observations() -> None:
    op.create_table(
        "detections",
        sa.Column("sequence", _SEQUENCE, primary_key=True),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("detector", sa.Text(), nullable=False),
        sa.Column("observed_at", sa.DateTime(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Index("ix_detections_asset_detector_observed_at", "asset", "detector", "observed_at"),
    )
    op.create_table(
        "baselines",
        sa.Column("sequence", _SEQUENCE, primary_key=True),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Index("ix_baselines_asset_accepted_at", "asset", "accepted_at"),
    )
    op.create_table(
        "metrics",
        sa.Column("asset", sa.Text(), primary_key=True),
        sa.Column("metric", sa.Text(), primary_key=True),
        sa.Column("at", sa.DateTime(), primary_key=True),
        sa.Column("value", _NUMBER),
    )


def _workings() -> None:
    op.create_table(
        "stages",
        sa.Column("investigation", sa.Text(), primary_key=True),
        sa.Column("stage", sa.Text(), primary_key=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "facts",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("holder", sa.Text()),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("sequence", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "sequence": 0, "hash": ""}])
    for statement in _APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)
