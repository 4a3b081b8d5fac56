"""`Feed`: the customer's finished runs since the last tick, each exactly once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

import dagster as dg
from dagster import DagsterEventType, EventLogRecord, RunStatusChangeRecordsFilter

RUN_ENDS = (
    DagsterEventType.RUN_SUCCESS,
    DagsterEventType.RUN_FAILURE,
    DagsterEventType.RUN_CANCELED,
)
"""How a run can end."""

MAX_RUNS = 60
"""Runs read in one tick. A run with a few hundred events takes some 50 ms on SQLite."""

MAX_SECONDS = 25.0
"""Wall time after which a tick leaves the rest to the next; Dagster stops a tick after 60."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """A run that ended."""

    run: dg.DagsterRun
    """As recorded."""
    end: DagsterEventType
    """One of `RUN_ENDS`."""
    ended_at: datetime
    """UTC."""

    @property
    def failed(self) -> bool:
        """It ended badly, and nobody stopped it."""
        return self.end is DagsterEventType.RUN_FAILURE


@dataclass(kw_only=True)
class Cursor:
    """How far each stream of run ends has been read. One for all would skip what one holds back."""

    positions: dict[str, int] = field(default_factory=lambda: dict[str, int]())
    """Storage id of the last event read, by event type."""
    waiting: bool = False
    """Incidents were left for the next tick."""

    @classmethod
    def parse(cls, text: str | None) -> Cursor | None:
        """The cursor of the last tick; None at the first one, or when it is not ours."""
        try:
            kept = json.loads(text or "null")
        except ValueError:
            return None
        if not isinstance(kept, dict):
            return None
        values = cast("Mapping[str, object]", kept)
        positions = {e.value: values.get(e.value) for e in RUN_ENDS}
        if not all(isinstance(position, int) for position in positions.values()):
            return None
        return cls(
            positions=cast("dict[str, int]", positions), waiting=values.get("waiting") is True
        )

    @classmethod
    def now(cls, instance: dg.DagsterInstance) -> Cursor:
        """Behind all that has ended so far: history is not news."""
        positions: dict[str, int] = {}
        for end in RUN_ENDS:
            newest = instance.fetch_run_status_changes(
                RunStatusChangeRecordsFilter(event_type=end), limit=1, ascending=False
            ).records
            positions[end.value] = newest[0].storage_id if newest else 0
        return cls(positions=positions)

    def text(self) -> str:
        """For Dagster to keep."""
        return json.dumps({**self.positions, "waiting": self.waiting})


def read(
    instance: dg.DagsterInstance,
    cursor: Cursor,
    *,
    location: str | None,
    elsewhere: Callable[[dg.DagsterRun], bool] = lambda _: False,
) -> Iterator[FinishedRun]:
    """Runs that ended, in the order in which they did; the cursor moves as each is taken.

    Ends at `MAX_RUNS` or `MAX_SECONDS`; what is not taken stays in front of the cursor.

    Args:
        instance: Where the runs are recorded.
        cursor: Moved.
        location: Our code location.
        elsewhere: Which runs known to be of another location are ours to watch all the same.
    """
    started = time.monotonic()
    for number, record in enumerate(_page(instance, cursor)):
        if number and time.monotonic() - started > MAX_SECONDS:
            return
        entry = record.event_log_entry
        end = cast("DagsterEventType", entry.dagster_event_type)
        run = instance.get_run_by_id(entry.run_id)
        if run is not None and (_is_here(run, location) or elsewhere(run)):
            moment = datetime.fromtimestamp(entry.timestamp, UTC)
            yield FinishedRun(run=run, end=end, ended_at=moment)
        # After the yield: a run whose reading failed is read again.
        cursor.positions[end.value] = record.storage_id


def _page(instance: dg.DagsterInstance, cursor: Cursor) -> list[EventLogRecord]:
    found: list[EventLogRecord] = []
    for end in RUN_ENDS:
        found += instance.fetch_run_status_changes(
            RunStatusChangeRecordsFilter(
                event_type=end, after_storage_id=cursor.positions[end.value]
            ),
            limit=MAX_RUNS,
            ascending=True,
        ).records
    return sorted(found, key=lambda record: record.storage_id)[:MAX_RUNS]


def _is_here(run: dg.DagsterRun, location: str | None) -> bool:
    origin = run.remote_job_origin
    return origin is None or location is None or origin.location_name == location
