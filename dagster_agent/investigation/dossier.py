"""`Dossier`: everything an investigation has collected before it starts to think."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dagster_agent.git.repository import Commit
from dagster_agent.investigation.accounts.broken_reads import BrokenRead
from dagster_agent.investigation.accounts.currencies import CurrencyAccount
from dagster_agent.investigation.accounts.keys import KeyAccount
from dagster_agent.investigation.accounts.loads import LoadAccount
from dagster_agent.investigation.accounts.new_columns import NewColumn
from dagster_agent.investigation.accounts.nulls import NullAccount
from dagster_agent.model import Detection, Failure, Incident, TableSchema
from dagster_agent.sql.row_accounting import ScopeAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetAccount:
    """Where the rows of one model come from and where they go."""

    asset: str
    """dbt unique id."""
    scopes: tuple[ScopeAccount, ...]
    """One per SELECT of its compiled SQL, in text order."""
    unmatched_alone: Mapping[str, int] = field(default_factory=lambda: dict[str, int]())
    """By ordinal of the join (as text): rows that have no match there, had no other join dropped
    rows before it. Only for models in which several joins drop rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """Evidence as collected; read only from here on. Serialisable as JSON."""

    incident: Incident
    """What is investigated."""
    focus: str | None
    """dbt unique id the story is about; None when a question named nothing that is known."""
    scope: tuple[str, ...]
    """`focus` and what is upstream of it, nearest first, dbt unique ids."""
    detections: tuple[Detection, ...] = ()
    """Fresh detector results of the assets in scope."""
    accounts: tuple[AssetAccount, ...] = ()
    """Row accounting of the models in scope."""
    failures: tuple[Failure, ...] = ()
    """What the failed runs' messages say, classified; the likeliest first."""
    schemas: Mapping[str, TableSchema] = field(default_factory=lambda: dict[str, TableSchema]())
    """Observed schemas of the assets in scope, by dbt unique id; absent where there is no table."""
    accepted: Mapping[str, TableSchema] = field(default_factory=lambda: dict[str, TableSchema]())
    """Accepted baselines of the assets in scope, by dbt unique id, where there is one."""
    broken_reads: tuple[BrokenRead, ...] = ()
    """Columns that models in scope (and children of the focus) read and that are not there."""
    keys: tuple[KeyAccount, ...] = ()
    """Keys of the assets in scope, counted."""
    loads: tuple[LoadAccount, ...] = ()
    """Arrivals in the sources in scope."""
    currencies: tuple[CurrencyAccount, ...] = ()
    """Sums over several currencies in the models in scope."""
    nulls: tuple[NullAccount, ...] = ()
    """What the models in scope lose to NULL."""
    new_columns: tuple[NewColumn, ...] = ()
    """Columns that the incident says are new, counted."""
    commits: tuple[Commit, ...] = ()
    """Commits that touched files in scope, newest first."""
    last_good: datetime | None = None
    """When the focus was last known to be right, UTC."""
    log_tail: str = ""
    """Redacted end of the failed run's output."""
    notes: tuple[str, ...] = ()
    """What could not be collected, and why."""
    collected_at: datetime
    """UTC."""
