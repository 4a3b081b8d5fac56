"""Which grant a role lacks, when PostgreSQL has refused it something."""

from __future__ import annotations

import re

from dagster_agent.connectors.warehouses.postgres_session import PostgresSessions
from dagster_agent.errors import ConnectorError
from dagster_agent.sql.identifiers import quote

DENIED = "42501"
"""SQLSTATE of it."""

_OBJECT = re.compile(
    r"permission denied for (schema|table|view|materialized view|foreign table|partitioned table)"
    r" (.+)$"
)
_UNREADABLE = """
SELECT n.nspname, current_user,
       (SELECT string_agg(a.attname, E'\\n' ORDER BY a.attnum) FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          AND NOT has_column_privilege(c.oid, a.attnum, 'SELECT')),
       has_any_column_privilege(c.oid, 'SELECT')
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname = %s AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
  AND NOT has_table_privilege(c.oid, 'SELECT')
"""
"""Parameter: a name without its schema, which is all that the server says."""


def with_grant(error: ConnectorError, sessions: PostgresSessions) -> ConnectorError:
    """The error with the statement that would put an end to it.

    Args:
        error: A refusal, with the server's words.
        sessions: Of the refused role; the catalogue can be read without any grant.
    """
    import psycopg

    refused = _OBJECT.search(error.message)
    if refused is None:
        return error
    kind, name = refused[1], refused[2]
    try:
        with sessions.rows() as cursor:
            if kind == "schema":
                (role,) = cursor.execute("SELECT current_user").fetchone()
                return _told(error, f"GRANT USAGE ON SCHEMA {_plain(name)} TO {_plain(role)}")
            found = cursor.execute(_UNREADABLE, [name]).fetchall()
    except (psycopg.Error, OSError):
        return error
    if len(found) != 1:
        return error  # the server does not say which of them
    schema, role, hidden, some = found[0]
    table, listed = f"{_plain(schema)}.{_plain(name)}", ""
    if some and hidden:
        columns = hidden.split("\n")
        listed = f" ({', '.join(map(_plain, columns))})"
        error = ConnectorError(
            f"{error.message}: {role} may not read {', '.join(columns)} of {schema}.{name}",
            hint=error.hint,
        )
    return _told(error, f"GRANT SELECT{listed} ON {table} TO {_plain(role)}")


def _told(error: ConnectorError, grant: str) -> ConnectorError:
    return ConnectorError(error.message, hint=f"let the owner run: {grant}")


def _plain(name: str) -> str:
    """A name as a person would write it."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else quote(name, "postgres")
