"""Which column of a table says when a row arrived."""

from __future__ import annotations

import re

from dagster_agent.model import ColumnSchema, TableSchema

_ARRIVED = "synced|loaded|ingested|imported|inserted|extracted|emitted|fetched|received|replicated"
_LOADS = "load|sync|ingest|ingestion|import|insert|etl|elt|batch|dw|dwh"
_LOAD_TIME = re.compile(
    rf"_?(?:{_ARRIVED})(?:_(?:at|on|ts|time|timestamp|date|utc))*"
    rf"|_?(?:{_LOADS})_(?:at|ts|time|timestamp|date|dt|datetime)"
    r"|_(?:fivetran|airbyte|sdc|dlt|stitch|hevo|rivery|portable)_\w+",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    r"_?(?:updated|modified|changed|last_updated|last_modified)(?:_(?:at|on|ts|time|date|utc))*",
    re.IGNORECASE,
)
_MADE = re.compile(
    r"(?:created|occurred|event|recorded|placed|captured|sent|logged)_?(?:at|on|ts|time|timestamp)"
    r"|timestamp|event_date|created",
    re.IGNORECASE,
)


def is_load_time(name: str) -> bool:
    """Whether a column is about the loading of a row and not about what the row tells."""
    return _LOAD_TIME.fullmatch(name) is not None


def is_moment(column: ColumnSchema) -> bool:
    """Whether its type holds dates or moments."""
    return column.type.startswith(("TIMESTAMP", "DATE"))


def load_time(schema: TableSchema) -> ColumnSchema | None:
    """The column that says when a row was loaded."""
    return _first(schema, _LOAD_TIME)


def version_time(schema: TableSchema) -> ColumnSchema | None:
    """The column by which the newest of several rows with one key is told."""
    return _first(schema, _LOAD_TIME) or _first(schema, _CHANGED)


def arrival_time(schema: TableSchema) -> ColumnSchema | None:
    """The column that says best when a row arrived: by its name, else the only moment there is."""
    for pattern in (_LOAD_TIME, _CHANGED, _MADE):
        if (found := _first(schema, pattern)) is not None:
            return found
    moments = [column for column in schema.columns if is_moment(column)]
    return moments[0] if len(moments) == 1 else None


def _first(schema: TableSchema, pattern: re.Pattern[str]) -> ColumnSchema | None:
    fitting = (c for c in schema.columns if pattern.fullmatch(c.name) and is_moment(c))
    return next(fitting, None)
