"""The contents of a table's JSON columns beside what was accepted of them, kept between looks.

They are kept apart from the accepted schema: they are learned on while all is well, and a schema
that was accepted before anybody looked into documents stays what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from dagster_agent.errors import ConfigError, DagsterAgentError
from dagster_agent.model import Asset, TableSchema
from dagster_agent.ports import StateStore, Warehouse
from dagster_agent.schema_drift.config import SchemaDriftConfig
from dagster_agent.schema_drift.json_absence import absences, stays_away
from dagster_agent.schema_drift.json_changes import KeyChange, key_changes, learned
from dagster_agent.schema_drift.json_keys import ColumnKeys
from dagster_agent.schema_drift.json_look import JsonLook, take_look, watched
from dagster_agent.schema_drift.json_memory import Known, KnownColumn, from_plain, to_plain
from dagster_agent.schema_drift.json_query import EACH
from dagster_agent.schema_drift.types import TypeChange

_KEYS = "schema-drift/keys"
_DAY = timedelta(days=1)
"""What documents are like in a day: some kinds come at night only, thousands at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What is known of the documents of a table, and how they differ from it."""

    changes: tuple[KeyChange, ...] = ()
    """Keys that came, went, or hold another type."""
    found: Mapping[str, ColumnKeys] = field(default_factory=lambda: dict[str, ColumnKeys]())
    """The look, by column; empty where none was taken, or it failed."""
    known: Known = field(default_factory=lambda: dict[str, KnownColumn]())
    """What it was compared with."""
    doubtful: tuple[KeyChange, ...] = ()
    """Keys that went, or hold another type, while a day of documents has not been seen yet, and
    keys that are away for no longer than they have been before."""
    untrained_until: datetime | None = None
    """UTC; until then nothing that fails is told, because a look reaches back less than a day."""
    not_looked: str = ""
    """What was on purpose not looked into, and why."""
    problem: DagsterAgentError | None = None
    """Why the look failed."""
    query: str = ""
    """The statement of the look."""

    @property
    def told(self) -> str:
        """The look in a few words; empty where none was taken."""
        if not self.found:
            return ""
        columns = ", ".join(self.found)
        documents = max(keys.documents for keys in self.found.values())
        if not documents:
            return f"no documents in {columns} yet"
        verb = "as known" if any(self._is_known(name) for name in self.found) else "learned"
        told = f"{self.keys} keys in {columns} {verb}, {documents:,} documents looked at"
        if self.untrained_until is None:
            return told
        return (
            f"{told} (untrained until {self.untrained_until:%Y-%m-%d %H:%M} UTC: less than a day)"
        )

    @property
    def keys(self) -> int:
        """How many keys were found, the documents and elements themselves not counted."""
        paths = (path for column in self.found.values() for path in column.keys)
        return sum(bool(path) and path[-1] != EACH for path in paths)

    def _is_known(self, column: str) -> bool:
        known = self.known.get(column)
        return known is not None and known.documents > 0


def look_into(
    asset: Asset,
    schema: TableSchema,
    *,
    warehouse: Warehouse,
    store: StateStore,
    config: SchemaDriftConfig,
    moment: Callable[[], str | None],
    now: datetime,
    secrets: Sequence[str] = (),
) -> Contents:
    """Look into a table's JSON columns and compare them with what is known; keeps nothing.

    Args:
        asset: Whose table it is.
        schema: Its schema now.
        warehouse: Asked in one statement.
        store: Remembers what is known.
        config: Of the asset.
        moment: Names the column that tells when a row came; asked where there is a JSON column.
        now: UTC.
        secrets: Values known to be secret.
    """
    wanted = config.json_keys == "all" or (
        config.json_keys == "sources" and asset.resource_type == "source"
    )
    if not wanted:
        return Contents()
    try:
        look = take_look(warehouse, schema, config=config, moment=moment, now=now, secrets=secrets)
    except ConfigError as problem:
        look = JsonLook(problem=problem)
    if look is None:
        return Contents()
    kept = _kept(store, asset.unique_id)
    known = {
        name: replace(column, keys=watched(name, column.keys, config))
        for name, column in from_plain(kept.get("columns") or {}).items()
    }
    changes = [
        change
        for name, found in look.found.items()
        if name in known
        for change in key_changes(known[name], found)
    ]
    until = _untrained_until(look, kept, now)
    told = [c for c in changes if _is_told(c, known[c.column], until is None, now)]
    return Contents(
        changes=tuple(told),
        doubtful=tuple(change for change in changes if change not in told),
        untrained_until=until,
        found=look.found,
        known=known,
        not_looked=look.not_looked,
        problem=look.problem,
        query=look.query,
    )


def _is_told(change: KeyChange, known: KnownColumn, trained: bool, now: datetime) -> bool:
    if change.kind == "removed":
        return trained and stays_away(known.keys[change.path], now)
    return trained or change.kind == "added"


def _untrained_until(look: JsonLook, kept: Mapping[str, Any], now: datetime) -> datetime | None:
    """A day after the first look, where each look is shorter than that."""
    short = not look.whole and (look.hours is None or look.hours < _DAY / timedelta(hours=1))
    until = datetime.fromisoformat(kept["since"]) + _DAY if kept.get("since") else now + _DAY
    return until if look.found and short and now < until else None


def contents_seen(store: StateStore, uid: str) -> Contents:
    """How the documents differed at the last look, without another one."""
    kept = _kept(store, uid).get("changes") or ()
    return Contents(changes=tuple(_change(each) for each in kept))


def keep_contents(
    store: StateStore, uid: str, contents: Contents, *, right: bool, now: datetime
) -> None:
    """Remember a look.

    Args:
        store: Where.
        uid: Unique id of the asset.
        contents: The look; one that failed or was not taken leaves what is known.
        right: Nothing fails, or somebody accepted it: it is what is known from now on.
        now: UTC.
    """
    if not contents.found:
        _without_changes(store, uid, contents)
        return
    known, since = contents.known, _kept(store, uid).get("since") or now.isoformat()
    if right:
        known = {
            name: learned(
                contents.known.get(name),
                found,
                [change for change in contents.changes if change.column == name],
                doubtful=[change for change in contents.doubtful if change.column == name],
            )
            for name, found in contents.found.items()
        }
    missed = [c for c in (*contents.changes, *contents.doubtful) if c.kind == "removed"]
    known = {
        name: absences(
            column,
            contents.known.get(name),
            {change.path for change in missed if change.column == name},
            now=now,
            trained=contents.untrained_until is None,
        )
        for name, column in known.items()
    }
    changes = [] if right else [_plain(change) for change in contents.changes]
    kept = {"since": since, "columns": to_plain(known), "changes": changes}
    store.put(f"{_KEYS}/{uid}", kept)


def _without_changes(store: StateStore, uid: str, contents: Contents) -> None:
    """Nobody looks any more, by the settings or for want of a column: nothing is different."""
    kept = _kept(store, uid)
    if kept.get("changes") and contents.problem is None:
        store.put(f"{_KEYS}/{uid}", {**kept, "changes": []})


def forget_contents(store: StateStore, uid: str) -> None:
    """The next look takes what it finds as right."""
    if _kept(store, uid):
        store.put(f"{_KEYS}/{uid}", None)


def _kept(store: StateStore, uid: str) -> Mapping[str, Any]:
    return store.get(f"{_KEYS}/{uid}") or {}


def _plain(change: KeyChange) -> dict[str, Any]:
    return {**asdict(change), "path": list(change.path), "change": change.change.value}


def _change(kept: Mapping[str, Any]) -> KeyChange:
    given: dict[str, Any] = dict(kept)
    given["path"] = tuple(given["path"])
    given["change"] = TypeChange(given["change"])
    return KeyChange(**given)
