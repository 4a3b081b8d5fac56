"""How the pipeline has been, by numbers that anybody can count after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dagster_agent.model import Incident, IncidentStatus, Symptom, SymptomKind
from dagster_agent.response.health import RunEnd, health
from dagster_agent.testing import MemoryStore

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def incident(
    number: int, asset: str, days_ago: float, minutes: float | None, *, sign: float = 2
) -> Incident:
    opened = NOW - timedelta(days=days_ago)
    done = minutes is not None
    return Incident(
        id=f"I-{number:06d}",
        fingerprint=f"{number:016d}",
        title="x",
        asset=asset,
        symptoms=(
            Symptom(
                kind=SymptomKind.CHECK_FAILED,
                headline="x",
                observed_at=opened - timedelta(minutes=sign),
                asset=asset,
            ),
        ),
        opened_at=opened,
        updated_at=opened + timedelta(minutes=minutes or 0),
        status=IncidentStatus.RESOLVED if done else IncidentStatus.WAITING,
    )


def test_shares_and_medians_by_window_and_group() -> None:
    store = MemoryStore(
        incidents=[
            incident(1, "model.shop.a", 1, 30, sign=1),
            incident(2, "model.shop.b", 2, 90, sign=3),
            incident(3, "model.shop.a", 20, 600, sign=8),
            incident(4, "model.shop.a", 3, None),
        ]
    )
    runs = [
        RunEnd(group="a", ended_at=NOW - timedelta(days=n), succeeded=n != 2) for n in range(1, 11)
    ]
    found = health(store, runs, NOW, group_of=lambda uid: uid.split(".")[-1])
    week, month = found.of(), found.of(days=30)
    assert week is not None
    assert month is not None
    assert (week.runs, week.success_share, week.incidents) == (7, 0.8571, 3)
    assert (week.minutes_to_detect, week.minutes_to_repair) == (2.0, 60.0)
    assert (month.runs, month.minutes_to_repair, month.open_incidents) == (10, 90.0, 1)
    assert [(g.group, g.days) for g in found.groups] == [
        ("all", 7),
        ("all", 30),
        ("a", 7),
        ("a", 30),
        ("b", 7),
        ("b", 30),
    ]
    assert found.windows == (7, 30)
    table = found.table(7)
    assert table.columns == ("group", "open", "last 7 days")
    assert [row[0] for row in table.rows] == ["all", "a", "b"]
    told = "7 runs, 85.7% good; 3 incidents, detected in 2 min; repaired in 60 min"
    assert table.rows[0] == ("all", 1, told)
    assert found.table(30).rows[2] == ("b", 0, "1 incident, detected in 3 min; repaired in 90 min")
    assert found.metrics()["success_share_30d"] == 0.9


def test_nothing_happened() -> None:
    found = health(MemoryStore(), [], NOW)
    assert [(g.group, g.runs, g.success_share) for g in found.groups] == [
        ("all", 0, None),
        ("all", 0, None),
    ]
    assert found.metrics() == {}
    assert found.table(30).rows == (("all", 0, "nothing"),)
