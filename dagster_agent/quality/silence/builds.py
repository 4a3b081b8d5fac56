"""A table that was built well and says nothing new; pure judgement on plain records of builds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from dagster_agent.model import Severity, Symptom, SymptomKind
from dagster_agent.quality.freshness.promises import span

NOTHING, SAME, GREW, OLD = (
    "silence/wrote-nothing",
    "silence/wrote-the-same",
    "silence/did-not-grow",
    "silence/old-input",
)
CHECKS = (NOTHING, SAME, GREW, OLD)
"""Everything that is judged of a build."""
_MIN_MOVES = 3
"""Earlier builds that changed with their sources, and none that did not, before one is told."""
_MIN_GROWTHS = 7
"""Builds that all grew, before one is told that did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """A source as a build found it."""

    rows: int | None = None
    """Its rows; None where that is not known."""
    newest: datetime | None = None
    """Its newest load time, UTC; None where no column tells."""
    allowed: timedelta | None = None
    """Greatest age that is declared of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One good build of one table."""

    run_id: str
    """Dagster run that built it."""
    at: datetime
    """When the run ended, UTC."""
    rows: int | None
    """Rows afterwards; None where that is not known."""
    checksum: str | None = None
    """Of its content; None where it was not taken, which says nothing."""
    sources: Mapping[str, SourceState] = field(default_factory=lambda: dict[str, SourceState]())
    """The sources above it, by dbt unique id."""


def moved(before: Build, now: Build) -> tuple[str, ...]:
    """Sources that had more or other rows at the later build, by dbt unique id, sorted."""
    both = sorted(before.sources.keys() & now.sources.keys())
    return tuple(
        uid
        for uid in both
        if (before.sources[uid].rows, before.sources[uid].newest)
        != (now.sources[uid].rows, now.sources[uid].newest)
    )


def judge(asset: str, name: str, build: Build, earlier: Sequence[Build]) -> list[Symptom]:
    """What is wrong with a build that ended well.

    Args:
        asset: dbt unique id.
        name: As people know it.
        build: The newest one.
        earlier: The ones before, oldest first.
    """
    found: list[Symptom] = []
    if build.rows == 0:
        if any(each.rows for each in earlier) or any(s.rows for s in build.sources.values()):
            found.append(_nothing(asset, name, build, earlier))
    elif earlier:
        found += _same(asset, name, build, earlier) or _grew(asset, name, build, earlier)
    found += _old(asset, name, build, earlier)
    return found


def _nothing(asset: str, name: str, build: Build, earlier: Sequence[Build]) -> Symptom:
    before = next((b.rows for b in reversed(earlier) if b.rows), None)
    sources = [f"{_short(u)} {s.rows:,}" for u, s in sorted(build.sources.items()) if s.rows]
    told = f"{name} was built without an error and holds no row"
    if before:
        told += f", the build before left {before:,}"
    if sources:
        told += f"; its sources hold rows: {', '.join(sources[:3])}"
    return _symptom(
        asset, NOTHING, told, build, kind=SymptomKind.RUN_SILENT, severity=Severity.ERROR
    )


def _same(asset: str, name: str, build: Build, earlier: Sequence[Build]) -> list[Symptom]:
    """The same content again, although the sources moved and that has always changed it."""
    before = earlier[-1]
    news = moved(before, build)
    alike = build.checksum is not None and build.checksum == before.checksum
    if not news or build.rows != before.rows or not alike:
        return []
    moves = [_changed(a, b) for a, b in pairwise(earlier) if moved(a, b)]
    known = [changed for changed in moves if changed is not None]
    if len(known) < _MIN_MOVES or not all(known):
        return []
    told = (
        f"{name} was built anew and holds the very same {build.rows or 0:,} rows as before,"
        f" although {_gains(before, build, news)}; its last"
        f" {len(known)} builds after new rows all changed it"
    )
    return [_symptom(asset, SAME, told, build)]


def _changed(before: Build, after: Build) -> bool | None:
    """None where the content of neither or only one is known."""
    if before.rows != after.rows:
        return True
    if before.checksum is None or after.checksum is None:
        return None
    return before.checksum != after.checksum


def _grew(asset: str, name: str, build: Build, earlier: Sequence[Build]) -> list[Symptom]:
    """The same number of rows, where every build before brought some."""
    counts = [each.rows for each in earlier if each.rows is not None]
    growths = [later - before for before, later in pairwise(counts)]
    if build.rows is None or not counts or build.rows != counts[-1]:
        return []
    if len(growths) < _MIN_GROWTHS or min(growths) <= 0:
        return []
    before = earlier[-1]
    news = moved(before, build)
    why = _gains(before, build, news) if news else "its sources have not moved either"
    told = (
        f"{name} was built without an error and has not grown: {build.rows:,} rows as before;"
        f" each of its last {len(growths)} builds brought some ({median(growths):,.0f} as a rule);"
        f" {why}"
    )
    return [_symptom(asset, GREW, told, build)]


def _old(asset: str, name: str, build: Build, earlier: Sequence[Build]) -> list[Symptom]:
    """It read older data than the build before, or older than is declared of the source."""
    told = list(_old_sources(build, earlier[-1] if earlier else None))
    if not told:
        return []
    return [_symptom(asset, OLD, f"{name} was built on old data: {'; '.join(told)}", build)]


def _old_sources(build: Build, before: Build | None) -> Iterator[str]:
    for uid, state in sorted(build.sources.items()):
        known = before.sources.get(uid) if before is not None else None
        if state.newest is None:
            continue
        newest = f"the newest row of {_short(uid)} is of {state.newest:%Y-%m-%d %H:%M} UTC"
        if known is not None and known.newest is not None and state.newest < known.newest:
            yield f"{newest}, at the build before it was of {known.newest:%Y-%m-%d %H:%M} UTC"
        elif state.allowed is not None and build.at - state.newest > state.allowed:
            age = span(build.at - state.newest)
            yield f"{newest}, {age} old, allowed are {span(state.allowed)}"


def _gains(before: Build, build: Build, news: Sequence[str]) -> str:
    told: list[str] = []
    for uid in news[:3]:
        was, now = before.sources[uid].rows, build.sources[uid].rows
        told.append(
            f"{_short(uid)} went from {was:,} to {now:,} rows"
            if was is not None and now is not None and was != now
            else f"{_short(uid)} has newer rows"
        )
    return ", ".join(told)


def _short(uid: str) -> str:
    return ".".join(uid.split(".")[2:]) or uid


def _symptom(
    asset: str,
    check: str,
    headline: str,
    build: Build,
    *,
    kind: SymptomKind = SymptomKind.STALE,
    severity: Severity = Severity.WARN,
) -> Symptom:
    return Symptom(
        kind=kind,
        headline=headline,
        observed_at=build.at,
        asset=asset,
        check=check,
        run_id=build.run_id,
        severity=severity,
        metrics={} if build.rows is None else {"rows": float(build.rows)},
    )
