"""Guards on inserts into the audit log and on its head, numbered facts, the age of stages."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# 0001 refuses UPDATE and DELETE; these close what is left: a record put in between or (SQLite's
# INSERT OR REPLACE, which fires no DELETE trigger) in the place of another, and a head set back.
_GUARDS = {
    "sqlite": (
        """CREATE TRIGGER audit_grows_at_its_end BEFORE INSERT ON audit
        WHEN NEW.sequence <= (SELECT max(sequence) FROM audit)
        BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END""",
        """CREATE TRIGGER audit_head_never_goes_back BEFORE UPDATE ON audit_head
        WHEN NEW.sequence < OLD.sequence
        BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END""",
        """CREATE TRIGGER audit_head_is_never_removed BEFORE DELETE ON audit_head
        BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END""",
        """CREATE TRIGGER audit_head_is_one BEFORE INSERT ON audit_head
        BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION audit_grows_at_its_end() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
            IF NEW.sequence <= (SELECT max(sequence) FROM audit) THEN
                RAISE EXCEPTION 'the audit log only grows';
            END IF;
            RETURN NEW;
        END $$""",
        """CREATE TRIGGER audit_grows_at_its_end BEFORE INSERT ON audit
        FOR EACH ROW EXECUTE FUNCTION audit_grows_at_its_end()""",
        """CREATE FUNCTION audit_head_only_grows() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
            IF NEW.sequence < OLD.sequence THEN
                RAISE EXCEPTION 'the audit log only grows';
            END IF;
            RETURN NEW;
        END $$""",
        """CREATE TRIGGER audit_head_never_goes_back BEFORE UPDATE ON audit_head
        FOR EACH ROW EXECUTE FUNCTION audit_head_only_grows()""",
        """CREATE TRIGGER audit_head_is_one BEFORE INSERT OR DELETE OR TRUNCATE ON audit_head
        FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()""",
    ),
}


def upgrade() -> None:
    """Add them; nothing that is there changes."""
    dialect = op.get_bind().dialect.name
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_table(
        "counters",
        sa.Column("prefix", sa.Text(), primary_key=True),
        sa.Column("last", sa.BigInteger(), nullable=False),
    )
    # nullable: a process of the older version may still write while this one upgrades
    op.add_column("stages", sa.Column("saved_at", sa.DateTime()))
    stages = sa.table("stages", sa.column("saved_at", sa.DateTime()))
    op.execute(sa.update(stages).values(saved_at=datetime.now(UTC).replace(tzinfo=None)))
    if dialect == "postgresql":
        op.alter_column("facts", "key", type_=sa.Text(collation="C"), existing_nullable=False)
    for statement in _GUARDS[dialect]:
        op.execute(statement)
