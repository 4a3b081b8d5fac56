"""Runs the migrations on the connection that `schema.py` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from dagster_agent.connectors.state_stores.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter most things in place: later revisions copy the table
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
