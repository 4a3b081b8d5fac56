"""`Asset`: a dbt node that lives in the warehouse, as the manifest describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dagster_agent.model.table import Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """What dbt was told of how often a source is loaded."""

    loaded_at_field: str | None = None
    """Column or expression that says when a row arrived."""
    warn_after_hours: float | None = None
    """Age of the newest row from which dbt warns."""
    error_after_hours: float | None = None
    """Age of the newest row from which dbt fails."""
    off: bool = False
    """`freshness: null`: it is meant to be of any age."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A dbt model, seed, snapshot or source."""

    unique_id: str
    """dbt's unique id, such as `model.shop.fct_orders`."""
    name: str
    """dbt's name; of a source, its table's name."""
    resource_type: str
    """`model`, `seed`, `snapshot` or `source`."""
    relation: Relation | None = None
    """Where its rows are; None for ephemeral models."""
    materialized: str = "table"
    """dbt's materialization; `source` for sources."""
    path: str = ""
    """Original file, relative to the dbt project."""
    description: str = ""
    """As written in the yml."""
    owner: str | None = None
    """From `meta.owner`, `meta.dagster.owners` or the dbt group."""
    tags: tuple[str, ...] = ()
    """dbt tags."""
    meta: Mapping[str, Any] = field(default_factory=lambda: dict[str, Any]())
    """The whole `meta`; ours lies under `dagster_agent`."""
    declared_columns: tuple[str, ...] = ()
    """Columns named in the yml."""
    freshness: Freshness | None = None
    """Of sources only."""
