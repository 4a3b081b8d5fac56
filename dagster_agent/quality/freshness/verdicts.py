"""What freshness says to people of rows that were read: detections with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dagster_agent.model import (
    Asset,
    Cell,
    Detection,
    DetectionStatus,
    Evidence,
    ResultTable,
    Severity,
)
from dagster_agent.quality.freshness.arrivals import Arrivals
from dagster_agent.quality.freshness.catalogue_verdicts import CONFIGURE
from dagster_agent.quality.freshness.learned import Cadence, Yesterday
from dagster_agent.quality.freshness.promises import Promise, span

_ZONE_WIDTH = timedelta(hours=14)
_READERS_NAMED = 3
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Puts judgements about one table into words."""

    asset: Asset
    """Which."""
    column: str
    """What tells how recent a row is."""
    readers: tuple[str, ...]
    """What reads it, exposures first."""
    arrivals: Arrivals
    """When its rows came."""
    now: datetime
    """UTC."""
    unasked: bool = False
    """Nothing was promised of its age."""

    def promises(self, promised: Sequence[Promise], cadence: Cadence | None) -> Detection:
        """The declared ages; untrained where nothing is declared and nothing learned."""
        newest = self.arrivals.newest
        if newest is None:
            return self._without_rows(promised)
        age = max(self.now - newest, timedelta())
        numbers = {"age_hours": _hours(age)}
        broken = next((p for p in promised if age > p.limit), None)
        if promised:
            numbers["allowed_hours"] = _hours((broken or promised[-1]).limit)
        row = f"{self.asset.name}: the newest row is {span(age)} old"
        if broken is not None:
            batch = f"last rows {newest:%Y-%m-%d %H:%M} UTC{self._usually(cadence)}"
            told = f"{row}, allowed are {broken.what}; {batch}{self._read_by()}"
            return self._detection(
                "freshness", DetectionStatus.FAILED, told, numbers, severity=broken.severity
            )
        if promised:
            told = f"{row}, allowed are {promised[-1].what}{self._usually(cadence)}"
            return self._detection("freshness", DetectionStatus.PASSED, told, numbers)
        if cadence is None or cadence.limit is None:
            lacks = f": {cadence.lacks}" if cadence is not None and cadence.lacks else ""
            told = f"{row}; no age is declared and no cadence is known{lacks}"
            return self._detection("freshness", DetectionStatus.UNTRAINED, told, numbers)
        told = f"{row}; no age is declared, it is judged by its own cadence"
        return self._detection("freshness", DetectionStatus.PASSED, told, numbers)

    def timestamps(self) -> list[Detection]:
        """Whether its moments can be believed; nothing to say of a table without a row."""
        seen = self.arrivals
        name = f"{self.asset.name}.{self.column}"
        numbers = {"future_rows": float(seen.future), "undated_rows": float(seen.rows - seen.dated)}
        if not seen.rows or self.unasked:
            # nobody said that the column tells of the past: a booking is made for the future
            return []
        status, hint = DetectionStatus.FAILED, ""
        if not seen.dated:
            told = f"{name} is NULL in all {seen.rows:,} rows: nothing tells how recent they are"
            hint = CONFIGURE
        elif seen.future:
            told = f"{name} lies ahead of the clock in {seen.future:,} of {seen.rows:,} rows"
            if seen.furthest is not None:
                ahead = seen.furthest - self.now
                told += f", the furthest by {span(ahead)} ({seen.furthest:%Y-%m-%d %H:%M} UTC)"
                if ahead <= _ZONE_WIDTH:
                    hint = (
                        "these look like local times stored without a zone: set"
                        " meta.dagster_agent.freshness.naive_timezone"
                    )
            told += "; ages are taken from the others"
        else:
            status = DetectionStatus.PASSED
            told = f"no moment of {name} lies ahead of the clock"
        return [self._detection("freshness/timestamps", status, told, numbers, hint=hint)]

    def cadence(self, cadence: Cadence) -> Detection:
        """The learned cadence."""
        newest, limit, usual = self.arrivals.newest, cadence.limit, cadence.usual
        age = max(self.now - newest, timedelta()) if newest is not None else timedelta()
        if limit is None or usual is None:
            told = f"the cadence of {self.asset.name} is not known: {cadence.lacks}"
            return self._detection("freshness/cadence", DetectionStatus.UNTRAINED, told, {})
        numbers = {"usual_hours": _hours(usual), "limit_hours": _hours(limit)}
        at_this_hour = f"at this hour it is at most {span(usual)} old as a rule"
        if age > limit:
            told = (
                f"{self.asset.name} has received nothing for {span(age)}, {at_this_hour}"
                f"{self._usually(cadence)}; last rows {newest:%Y-%m-%d %H:%M} UTC{self._read_by()}"
            )
            return self._detection("freshness/cadence", DetectionStatus.FAILED, told, numbers)
        told = (
            f"{self.asset.name} is {span(age)} old, {at_this_hour}{self._usually(cadence)};"
            f" notices a silence of {span(limit)}"
        )
        return self._detection("freshness/cadence", DetectionStatus.PASSED, told, numbers)

    def partition(self, yesterday: Yesterday) -> Detection:
        """Yesterday's rows."""
        day = yesterday.day
        if day is None:
            told = f"yesterday's rows of {self.asset.name} are not judged: {yesterday.lacks}"
            return self._detection("freshness/partition", DetectionStatus.UNTRAINED, told, {})
        numbers = {"rows": float(day.rows), "usual_rows": day.usual}
        usual = f"usual are {day.usual:,.0f}, {day.smallest:,} at least ({day.alike} days)"
        if day.late:
            what = f"holds {day.rows:,} rows of {day.day}" if day.rows else f"lacks {day.day}"
            told = f"{self.asset.name} {what}, {usual}{self._read_by()}"
            return self._detection("freshness/partition", DetectionStatus.FAILED, told, numbers)
        told = (
            f"{self.asset.name} holds {day.rows:,} rows of {day.day}, {usual};"
            f" notices fewer than {day.limit:,.0f}"
        )
        return self._detection("freshness/partition", DetectionStatus.PASSED, told, numbers)

    def _without_rows(self, promised: Sequence[Promise]) -> Detection:
        """No row, or none with a moment that can be believed."""
        seen = self.arrivals
        held = "is empty" if not seen.rows else f"holds no row with a usable {self.column}"
        told = f"{self.asset.name} {held}: it has no age"
        if not promised:
            return self._detection("freshness", DetectionStatus.UNTRAINED, told, {})
        told += f", allowed are {promised[0].what}{self._read_by()}"
        gravest = promised[0].severity
        return self._detection("freshness", DetectionStatus.FAILED, told, {}, severity=gravest)

    def _usually(self, cadence: Cadence | None) -> str:
        if cadence is None or cadence.every is None or cadence.longest is None:
            return ""
        return f"; batches come every {span(cadence.every)}, at most {span(cadence.longest)} apart"

    def _read_by(self) -> str:
        """Who is misled, in a few words."""
        if not self.readers:
            return ""
        named, others = self.readers[:_READERS_NAMED], len(self.readers) - _READERS_NAMED
        more = f" and {others} more" if others > 0 else ""
        return f"; read by {', '.join(named)}{more}"

    def _detection(
        self,
        detector: str,
        status: DetectionStatus,
        told: str,
        numbers: dict[str, float],
        *,
        severity: Severity = Severity.WARN,
        hint: str = "",
    ) -> Detection:
        return Detection(
            detector=detector,
            asset=self.asset.unique_id,
            status=status,
            headline=told,
            observed_at=self.now,
            severity=severity,
            metrics=numbers,
            sample=self._last_hours() if status is DetectionStatus.FAILED else None,
            evidence=tuple(
                Evidence(kind="freshness", statement=f"arrivals by {self.column}", query=query)
                for query in self.arrivals.queries
            ),
            hint=hint,
        )

    def _last_hours(self) -> ResultTable:
        """The newest hours with rows; aggregates only."""
        shown = self.arrivals.hours[-10:]
        rows: list[tuple[Cell, ...]] = [
            (f"{h.first:%Y-%m-%d %H:%M}", f"{h.last:%Y-%m-%d %H:%M}", h.rows)
            for h in reversed(shown)
        ]
        return ResultTable(
            columns=("first row (UTC)", "last row (UTC)", "rows"),
            rows=tuple(rows),
            truncated=len(self.arrivals.hours) > len(shown),
        )


def _hours(pause: timedelta) -> float:
    return round(pause / _HOUR, 3)
