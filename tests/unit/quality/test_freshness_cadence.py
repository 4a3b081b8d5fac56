"""What is learned of arrivals, and from which age they are late."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_agent.model import MetricPoint
from dagster_agent.quality.freshness.arrivals import Arrivals, Hour
from dagster_agent.quality.freshness.cadence import (
    Cadence,
    Look,
    are_load_times,
    learn,
    learn_from_looks,
)
from dagster_agent.quality.freshness.learned import arrives_as_it_says
from dagster_agent.quality.freshness.partitions import DayLook, usually_complete, yesterday
from dagster_agent.quality.freshness.promises import last_deadline, span

UTC_ZONE = ZoneInfo("UTC")
MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
"""The last one before the silence; 16 November 2026 is a Monday."""
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def batches(*moments: datetime, rows: int = 100) -> list[Hour]:
    return [Hour(first=m, last=m, rows=rows) for m in sorted(moments)]


def nightly(days: int = 63, hour: int = 6, minutes: int = 0) -> list[Hour]:
    """One batch each day up to Monday; later by `minutes` on every third day."""
    moments = (
        MONDAY - n * DAY + hour * HOUR + timedelta(minutes=minutes * (n % 3 == 1))
        for n in range(days)
    )
    return batches(*moments)


def known(hours: list[Hour], now: datetime, zone: ZoneInfo = UTC_ZONE) -> Cadence:
    cadence = learn(hours, now, zone)
    assert cadence is not None
    return cadence


def late(hours: list[Hour], now: datetime, zone: ZoneInfo = UTC_ZONE) -> bool:
    cadence = known(hours, now, zone)
    assert cadence.limit is not None
    return now - hours[-1].last > cadence.limit


def test_a_nightly_batch_is_late_an_hour_after_its_time_and_not_before() -> None:
    tuesday = MONDAY + DAY
    assert known(nightly(), tuesday).every == DAY
    assert not late(nightly(), tuesday + 6 * HOUR + timedelta(minutes=50))
    assert late(nightly(), tuesday + 7 * HOUR + timedelta(minutes=10))
    assert late(nightly(), tuesday + 9 * DAY)  # and stays late: its own silence excuses nothing


def test_a_batch_that_varies_is_given_its_spread() -> None:
    hours = nightly(minutes=120)
    assert known(hours, MONDAY + DAY).longest == 26 * HOUR
    assert not late(hours, MONDAY + DAY + 8 * HOUR)
    assert late(hours, MONDAY + DAY + 12 * HOUR)


def test_weekends_without_rows_are_usual() -> None:
    working_days = [h for h in nightly() if h.last.weekday() < 5]
    friday = working_days[:-1]
    assert friday[-1].last.weekday() == 4
    for hours_later in range(71):
        assert not late(friday, friday[-1].last + hours_later * HOUR), hours_later
    assert late(friday, friday[-1].last + 75 * HOUR)


def test_a_stream_that_stops_in_the_morning_is_late_at_noon() -> None:
    hours = [
        Hour(first=start, last=start + timedelta(minutes=55), rows=500)
        for n in range(56)
        if (day := MONDAY - n * DAY).weekday() < 5
        for start in (day + h * HOUR for h in range(8, 18 if n else 11))
    ]
    hours.sort(key=lambda each: each.first)
    assert not late(hours, MONDAY + 11 * HOUR)
    assert late(hours, MONDAY + 13 * HOUR)
    until_friday = [h for h in hours if h.first < MONDAY]
    assert not late(until_friday, MONDAY - DAY + 12 * HOUR)


def test_one_earlier_outage_is_not_learned() -> None:
    outage = [h for h in nightly() if not MONDAY - 15 * DAY < h.last < MONDAY - 10 * DAY]
    assert late(outage, MONDAY + DAY + 9 * HOUR)


def test_summer_time_does_not_make_a_local_batch_late() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 9, 1, 6, 0, tzinfo=berlin)
    moments = [(first + n * DAY).astimezone(UTC) for n in range(58)]  # until 28 October
    hours = batches(*moments)
    for minutes in range(0, 24 * 60, 20):
        now = hours[-1].last + timedelta(minutes=minutes)
        assert not late(hours, now, berlin), now


def test_little_history_is_not_judged() -> None:
    assert learn(batches(MONDAY), MONDAY + DAY, UTC_ZONE) is None
    few = known(nightly(days=5), MONDAY + DAY)
    assert (few.gaps, few.limit) == (4, None)
    assert known(nightly(days=9), MONDAY + DAY).limit is not None


@settings(max_examples=30)
@given(
    st.lists(st.integers(0, 40), min_size=35, max_size=60),
    st.integers(0, 23),
    st.integers(-3000, 3000),
)
def test_moving_all_moments_moves_the_verdict_along(
    jitter: list[int], hour: int, days: int
) -> None:
    moments = [MONDAY - n * DAY + timedelta(minutes=late_by) for n, late_by in enumerate(jitter)]
    now = MONDAY + DAY + hour * HOUR
    shift = days * DAY
    here = known(batches(*moments), now)
    there = known(batches(*(m + shift for m in moments)), now + shift)
    assert (here.usual, here.limit) == (there.usual, there.limit)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 40), min_size=35, max_size=60), st.integers(1, 200))
def test_longer_silence_is_never_less_late(jitter: list[int], hours: int) -> None:
    moments = [MONDAY - n * DAY + timedelta(minutes=late_by) for n, late_by in enumerate(jitter)]
    now = batches(*moments)[-1].last + hours * HOUR
    if late(batches(*moments), now):
        assert late(batches(*moments), now + 7 * DAY)


def test_batches_of_one_moment_are_load_times_and_events_are_not() -> None:
    assert are_load_times(nightly())
    spread = [Hour(first=h.first, last=h.last + timedelta(minutes=9), rows=9) for h in nightly()]
    assert not are_load_times(spread)


def test_looks_at_this_hour_tell_what_is_usual_of_events() -> None:
    now = MONDAY + 5 * HOUR
    looks = [Look(at=now - n * DAY, age=29 * HOUR) for n in range(1, 10)]
    looks += [Look(at=now - n * DAY + 6 * HOUR, age=11 * HOUR) for n in range(1, 10)]
    usual, limit = learn_from_looks(looks, now, UTC_ZONE, least=7)  # type: ignore[misc]
    assert usual == 29 * HOUR
    assert 29 * HOUR < limit < 31 * HOUR
    assert learn_from_looks(looks[:3], now, UTC_ZONE, least=7) == 3


def test_yesterday_is_compared_with_the_same_weekday() -> None:
    hours = [
        Hour(first=day, last=day + HOUR, rows=1000 if day.weekday() < 5 else 40)
        for n in range(1, 64)
        for day in [MONDAY - n * DAY + 12 * HOUR]
    ]
    hours.sort(key=lambda each: each.first)
    sunday = yesterday(hours, MONDAY + HOUR, UTC_ZONE, dates=False, share=0.5)
    assert sunday is not None
    assert (sunday.day, sunday.rows, sunday.late) == (date(2026, 11, 15), 40, False)
    small = [*hours[:-3], Hour(first=hours[-3].first, last=hours[-3].last, rows=300)]
    friday = yesterday(small, MONDAY - 2 * DAY + HOUR, UTC_ZONE, dates=False, share=0.5)
    assert friday is not None
    assert friday.late
    assert (friday.rows, friday.smallest, friday.alike) == (300, 1000, 8)


def test_yesterday_is_judged_when_it_used_to_be_complete() -> None:
    now = MONDAY + 7 * HOUR
    by_day = {(MONDAY - n * DAY).date(): 100 for n in range(1, 12)}
    early = [DayLook(at=MONDAY - n * DAY + 4 * HOUR, rows=20) for n in range(1, 9)]
    done = [DayLook(at=MONDAY - n * DAY + 7 * HOUR, rows=99) for n in range(1, 9)]
    assert usually_complete([*early, *done], by_day, now, UTC_ZONE, least=7) is True
    assert usually_complete([*early, *done], by_day, now - 3 * HOUR, UTC_ZONE, least=7) is False
    assert usually_complete(done[:2], by_day, now, UTC_ZONE, least=7) == 2


def test_a_deadline_is_local_and_stands_still_in_summer() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    winter = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
    assert last_deadline("07:00", berlin, winter) == datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
    assert last_deadline("08:00", berlin, winter) == datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
    summer = datetime(2026, 7, 1, 6, 30, tzinfo=UTC)
    assert last_deadline("07:00", berlin, summer) == datetime(2026, 7, 1, 5, 0, tzinfo=UTC)


def test_spans_read_well() -> None:
    spans = (timedelta(minutes=40), 3.2 * HOUR, 27 * HOUR, 4 * DAY)
    assert [span(s) for s in spans] == ["40 min", "3.2 h", "27 h", "4 days"]


def test_rows_that_come_all_the_time_have_a_cadence_too() -> None:
    start = MONDAY - 20 * DAY
    hours = [
        Hour(first=start + n * HOUR, last=start + n * HOUR + timedelta(minutes=40), rows=3)
        for n in range(480)
    ]
    assert known(hours, MONDAY).every == HOUR
    assert not late(hours, hours[-1].last + timedelta(minutes=30))
    assert late(hours, hours[-1].last + timedelta(minutes=50))


def test_a_name_is_believed_once_a_look_has_seen_what_it_says() -> None:
    """`synced_at` may be set by the source system, long before a nightly load brings the row."""
    hours = [
        Hour(first=MONDAY - n * HOUR, last=MONDAY - n * HOUR + timedelta(minutes=50), rows=9)
        for n in range(24 * 40)
    ][::-1]
    arrivals = Arrivals(
        rows=9,
        dated=9,
        future=0,
        newest=hours[-1].last,
        furthest=None,
        hours=tuple(hours),
        queries=(),
    )

    def looked(hours_old: float) -> MetricPoint:
        at = MONDAY - DAY + 11 * HOUR
        return MetricPoint(asset="x", metric="freshness.age_hours", value=hours_old, at=at)

    assert not arrives_as_it_says(arrivals, [], UTC_ZONE)
    assert not arrives_as_it_says(arrivals, [looked(11.0)], UTC_ZONE)
    assert arrives_as_it_says(arrivals, [looked(11.0), looked(0.3)], UTC_ZONE)
