"""How the pipeline has been: good runs, time to detect, time to repair, by group of assets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from dagster_agent.model import Incident, IncidentStatus, ResultTable
from dagster_agent.ports import StateStore

WINDOWS = (7, 30)
"""Days back that are told."""
ALL = "all"
"""Name of the group of everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """A run of the customer's that ended."""

    group: str
    """The group of assets that it built, or its job where it built none."""
    ended_at: datetime
    """UTC."""
    succeeded: bool
    """Whether it ended well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupHealth:
    """One group of assets over one window."""

    group: str
    """Its name; `all` for everything."""
    days: int
    """Length of the window."""
    runs: int
    """Runs that ended in it."""
    success_share: float | None
    """Share of them that ended well, 0 to 1; None without runs."""
    incidents: int
    """Incidents opened in it."""
    minutes_to_detect: float | None
    """Median minutes from the trouble's first sign to the incident; None without incidents."""
    minutes_to_repair: float | None
    """Median minutes from the incident to its end, of those resolved in it; None without any."""
    open_incidents: int
    """Incidents that are open now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the pipeline has been."""

    groups: tuple[GroupHealth, ...]
    """Everything first, then the groups, the least healthy first; shorter windows first."""
    at: datetime
    """UTC."""

    def of(self, group: str = ALL, days: int = WINDOWS[0]) -> GroupHealth | None:
        """One group over one window; None where nothing happened in it."""
        return next((g for g in self.groups if (g.group, g.days) == (group, days)), None)

    def metrics(self) -> Mapping[str, float]:
        """Numbers of everything that a chart may follow, such as `success_share_7d`."""
        found: dict[str, float] = {}
        for each in self.groups:
            if each.group != ALL:
                continue
            for name in ("success_share", "minutes_to_detect", "minutes_to_repair"):
                value: float | None = getattr(each, name)
                if value is not None:
                    found[f"{name}_{each.days}d"] = value
        return found

    @property
    def windows(self) -> tuple[int, ...]:
        """Days back that are told, the shortest first."""
        return tuple(sorted({each.days for each in self.groups}))

    def table(self, days: int) -> ResultTable:
        """The groups over one window as they are shown: a page cuts off what is wider.

        Args:
            days: Length of the window.
        """
        told = [each for each in self.groups if each.days == days]
        rows = tuple((each.group, each.open_incidents, _words(each)) for each in told)
        return ResultTable(columns=("group", "open", f"last {days} days"), rows=rows)


def health(
    store: StateStore,
    runs: Iterable[RunEnd],
    now: datetime,
    *,
    group_of: Callable[[str], str] | None = None,
    windows: Sequence[int] = WINDOWS,
) -> Health:
    """Judge the last days by runs and incidents.

    The first sign of a trouble is its earliest symptom: the end of the run that showed it. Closed
    incidents that a person called no trouble count neither as repaired nor as incidents.

    Args:
        store: Knows the incidents.
        runs: Ends of the customer's runs, at least of the longest window, in any order.
        now: UTC.
        group_of: Group of an asset by its dbt unique id; None: all assets are one group.
        windows: Days back.
    """
    ended = list(runs)
    incidents = [i for i in store.incidents() if i.status is not IncidentStatus.DISMISSED]
    groups = {i.id: _group(i, group_of) for i in incidents}
    names = sorted({run.group for run in ended} | set(groups.values()))
    found = [_judged(ALL, days, ended, incidents, now) for days in windows]
    others = [
        _judged(
            name,
            days,
            [run for run in ended if run.group == name],
            [i for i in incidents if groups[i.id] == name],
            now,
        )
        for name in (names if names != [ALL] else [])
        for days in windows
    ]
    known = sorted((g for g in others if g.runs or g.incidents or g.open_incidents), key=_worst)
    return Health(groups=(*found, *known), at=now)


def _group(incident: Incident, group_of: Callable[[str], str] | None) -> str:
    if incident.asset is None or group_of is None:
        return ALL
    return group_of(incident.asset)


def _judged(
    group: str, days: int, runs: Sequence[RunEnd], incidents: Sequence[Incident], now: datetime
) -> GroupHealth:
    since = now - timedelta(days=days)
    ended = [run for run in runs if since <= run.ended_at <= now]
    opened = [i for i in incidents if i.opened_at >= since]
    repaired = [
        i for i in incidents if i.status is IncidentStatus.RESOLVED and i.updated_at >= since
    ]
    return GroupHealth(
        group=group,
        days=days,
        runs=len(ended),
        success_share=_share(ended),
        incidents=len(opened),
        minutes_to_detect=_minutes(i.opened_at - _first_sign(i) for i in opened),
        minutes_to_repair=_minutes(i.updated_at - i.opened_at for i in repaired),
        open_incidents=sum(i.status is not IncidentStatus.RESOLVED for i in incidents),
    )


def _first_sign(incident: Incident) -> datetime:
    seen = [symptom.observed_at for symptom in incident.symptoms]
    return min([*seen, incident.opened_at])


def _share(runs: Sequence[RunEnd]) -> float | None:
    if not runs:
        return None
    return round(sum(run.succeeded for run in runs) / len(runs), 4)


def _minutes(spans: Iterable[timedelta]) -> float | None:
    minutes = [span.total_seconds() / 60 for span in spans]
    return round(median(minutes), 1) if minutes else None


def _worst(group: GroupHealth) -> tuple[int, float, str, int]:
    share = 1.0 if group.success_share is None else group.success_share
    return -group.open_incidents, share, group.group, group.days


def _words(each: GroupHealth) -> str:
    """What happened to a group in a window, in words."""
    parts: list[str] = []
    if each.success_share is not None:
        parts.append(f"{_counted(each.runs, 'run')}, {each.success_share:.1%} good")
    if each.incidents:
        detected = _told(each.minutes_to_detect)
        parts.append(f"{_counted(each.incidents, 'incident')}, detected in {detected}")
    if each.minutes_to_repair is not None:
        parts.append(f"repaired in {_told(each.minutes_to_repair)}")
    return "; ".join(parts) or "nothing"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _told(minutes: float | None) -> str:
    if minutes is None:
        return "-"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
