"""What goes wrong without anything failing, judged on plain records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dagster_agent.errors import ConfigError
from dagster_agent.model import Severity, Symptom, SymptomKind
from dagster_agent.quality.silence.automations import Automation, Tick, silent
from dagster_agent.quality.silence.builds import Build, SourceState, judge
from dagster_agent.quality.silence.config import SilenceConfig
from dagster_agent.quality.silence.deadlines import Completion, Deadline, missed
from dagster_agent.quality.silence.outputs import Production, missing
from dagster_agent.quality.silence.register import key, looked_at_always, register
from dagster_agent.quality.silence.stuck import RunTimes, limit_of, stuck

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CONFIG = SilenceConfig()
ORDERS = "source.shop.raw.orders"


# runs --------------------------------------------------------------------------------------------
def good(n: int, *, waited: timedelta = MINUTE, took: timedelta = 30 * MINUTE) -> RunTimes:
    created = NOW - n * DAY
    return RunTimes(
        run_id=f"run-{n}",
        job="nightly",
        created_at=created,
        started_at=created + waited,
        ended_at=created + waited + took,
    )


def going(*, waited: timedelta, running: timedelta | None = None) -> RunTimes:
    started = NOW - running if running is not None else None
    created = (started or NOW) - waited
    return RunTimes(run_id="12345678-9", job="nightly", created_at=created, started_at=started)


def test_a_run_is_stuck_beyond_twice_its_longest() -> None:
    history = [good(n, took=(20 + n) * MINUTE) for n in range(1, 11)]  # 21 to 30 minutes
    assert limit_of(history, CONFIG, queued=False).limit == 60 * MINUTE
    assert stuck(going(waited=MINUTE, running=59 * MINUTE), history, CONFIG, NOW) is None
    found = stuck(
        going(waited=MINUTE, running=2 * HOUR), history, CONFIG, NOW, waits_for="a lock on orders"
    )
    assert found is not None
    assert found.headline == (
        "nightly (run 12345678) has been running for 2 h; its last 10 good runs took 30 min as a"
        " rule. It waits for a lock on orders"
    )
    assert found.metrics == {"minutes": 120.0, "limit_minutes": 60.0}


def test_short_runs_have_ten_minutes() -> None:
    history = [good(n, took=timedelta(seconds=4)) for n in range(1, 11)]
    assert stuck(going(waited=MINUTE, running=9 * MINUTE), history, CONFIG, NOW) is None
    assert stuck(going(waited=MINUTE, running=11 * MINUTE), history, CONFIG, NOW) is not None


def test_waiting_and_running_are_judged_apart() -> None:
    history = [good(n) for n in range(1, 11)]
    found = stuck(going(waited=20 * MINUTE), history, CONFIG, NOW)
    assert found is not None
    assert found.check == "silence/queued nightly"
    assert found.headline.endswith("What it waits for cannot be seen")


def test_one_slow_night_of_many_is_not_learned() -> None:
    history = [good(n, took=10 * HOUR if n == 9 else 30 * MINUTE) for n in range(1, 41)]
    assert limit_of(history, CONFIG, queued=False).limit == 60 * MINUTE


@settings(max_examples=40)
@given(st.lists(st.integers(1, 10_000), min_size=5, max_size=40))
def test_no_earlier_run_of_few_would_have_been_stuck(seconds: list[int]) -> None:
    history = [good(n, took=timedelta(seconds=s)) for n, s in enumerate(seconds)]
    limit = limit_of(history, CONFIG, queued=False)
    assert limit.usual is not None
    assert limit.limit >= 2 * limit.usual
    if len(seconds) < 20:
        assert limit.limit >= timedelta(seconds=max(seconds))


# deadlines ---------------------------------------------------------------------------------------
def test_deadlines_are_read_with_zone_and_days() -> None:
    deadline = Deadline.parse("nightly", "07:00 Europe/Berlin Mon-Fri")
    assert (deadline.clock, deadline.zone.key) == ("07:00", "Europe/Berlin")
    assert deadline.weekdays == frozenset(range(5))
    assert Deadline.parse("x", "07:00").zone.key == "UTC"
    assert Deadline.parse("x", "07:00 UTC Sat-Mon,Wed").weekdays == frozenset({5, 6, 0, 2})
    for text, said in (
        ("7 pm", "cannot be read"),
        ("07:00 Europe/Berlim", "unknown time zone 'Europe/Berlim'"),
        ("07:00 UTC Montag", "unknown days 'Montag'"),
    ):
        with pytest.raises(ConfigError, match=said):
            Deadline.parse("nightly", text)
    with pytest.raises(ValidationError, match="cannot be read"):
        SilenceConfig(deadlines={"nightly": "25:00"})


def test_a_deadline_is_missed_until_it_is_complete() -> None:
    deadline = Deadline.parse("nightly", "07:00 Europe/Berlin")  # 06:00 UTC
    window = 18 * HOUR
    last_night = Completion(begun_at=NOW - 7 * HOUR, ended_at=NOW - 6 * HOUR)
    assert missed(deadline, [last_night], NOW, window=window) is None
    late_yesterday = Completion(begun_at=NOW - 30 * HOUR, ended_at=NOW - 20 * HOUR)
    found = missed(deadline, [late_yesterday], NOW, window=window, going_on="run 1 is queued")
    assert found is not None
    assert found.headline == (
        "nightly missed its deadline 07:00 Europe/Berlin by 3 h; complete last 2026-11-20 13:00"
        " UTC; run 1 is queued"
    )
    now_complete = Completion(begun_at=NOW - HOUR, ended_at=NOW)
    assert missed(deadline, [late_yesterday, now_complete], NOW, window=window) is None


def test_a_deadline_of_working_days_rests_on_sunday() -> None:
    deadline = Deadline.parse("nightly", "07:00 UTC Mon-Fri")
    sunday = NOW + DAY
    friday = Completion(begun_at=NOW - 29 * HOUR, ended_at=NOW - 28 * HOUR)
    assert missed(deadline, [friday], sunday, window=18 * HOUR) is None
    assert missed(deadline, [friday], sunday + DAY, window=18 * HOUR) is not None


# schedules and sensors ---------------------------------------------------------------------------
def sensor(*ticks: Tick, running: bool = True) -> Automation:
    due = ticks[0].at + MINUTE if ticks else None
    return Automation(
        name="watch", kind="sensor", running=running, every=MINUTE, due_at=due, ticks=ticks
    )


def told(automation: Automation, awake: timedelta = DAY) -> str | None:
    found = silent(automation, CONFIG, NOW, awake_since=NOW - awake)
    return found.headline if found is not None else None


def test_a_sensor_that_ticks_is_well() -> None:
    assert told(sensor(Tick(at=NOW - 4 * MINUTE, status="skipped"))) is None
    assert told(sensor()) is None


def test_a_sensor_that_stopped_ticking() -> None:
    stopped = sensor(Tick(at=NOW - HOUR, status="success"))
    assert told(stopped) == (
        "sensor watch has stopped ticking: a tick was due 2026-11-21 08:01 UTC, its last tick was"
        " 2026-11-21 08:00 UTC, it should every 1 min"
    )
    assert told(stopped, awake=2 * MINUTE) is None  # nothing ticked while the daemon was down


def test_a_sensor_that_hangs_in_a_tick() -> None:
    assert "hangs in a tick since 2026-11-21 08:00 UTC" in (
        told(sensor(Tick(at=NOW - HOUR, status="started"))) or ""
    )


def test_a_sensor_that_fails_in_each_tick() -> None:
    failed = [Tick(at=NOW - n * MINUTE, status="failure", error="KeyError: 'x'") for n in (1, 2, 3)]
    assert told(sensor(*failed)) == (
        "sensor watch has failed in each of its last 3 ticks, since 2026-11-21 08:57 UTC:"
        " KeyError: 'x'"
    )
    assert told(sensor(*failed[:2], Tick(at=NOW - 3 * MINUTE, status="skipped"))) is None


def test_a_sensor_that_was_switched_off() -> None:
    assert "is switched off" in (
        told(sensor(Tick(at=NOW - HOUR, status="success"), running=False)) or ""
    )
    assert told(sensor(Tick(at=NOW - 20 * DAY, status="success"), running=False)) is None


# outputs -----------------------------------------------------------------------------------------
def test_missing_outputs() -> None:
    run = Production(run_id="abcdefgh-1", job="nightly", ended_at=NOW, planned=9)
    assert missing(run) is None
    found = missing(
        Production(
            run_id="abcdefgh-1",
            job="nightly",
            ended_at=NOW,
            planned=9,
            missing_assets=("fct_orders",),
            missing_checks=("fct_orders: unique",),
        )
    )
    assert found is not None
    assert found.severity is Severity.ERROR
    assert found.headline == (
        "nightly (run abcdefgh) ended well, but 2 of its 9 planned outputs have no result:"
        " asset fct_orders, check fct_orders: unique"
    )


# builds ------------------------------------------------------------------------------------------
def build(
    n: int,
    rows: int | None,
    checksum: str | None = None,
    *,
    source: int | None = 100,
    newest: datetime | None = None,
    allowed: timedelta | None = None,
) -> Build:
    state = SourceState(rows=source, newest=newest, allowed=allowed)
    return Build(
        run_id=f"run-{n}", at=NOW + n * DAY, rows=rows, checksum=checksum, sources={ORDERS: state}
    )


def checks(new: Build, *earlier: Build) -> list[str | None]:
    return [s.check for s in judge("model.shop.fct_orders", "fct_orders", new, earlier)]


def test_exit_0_and_zero_rows() -> None:
    (found,) = judge("model.shop.fct_orders", "fct_orders", build(1, 0), [build(0, 1000)])
    assert (found.kind, found.severity) == (SymptomKind.RUN_SILENT, Severity.ERROR)
    assert found.headline == (
        "fct_orders was built without an error and holds no row, the build before left 1,000; its"
        " sources hold rows: raw.orders 100"
    )
    assert checks(build(1, 0, source=0), build(0, 0, source=0)) == []
    assert checks(build(1, None), build(0, 1000)) == []


def test_the_same_again_although_the_source_moved() -> None:
    earlier = [build(n, 100, f"c{n}", source=100 + n) for n in range(5)]
    again = build(5, 100, "c4", source=105)
    (found,) = judge("model.shop.fct_orders", "fct_orders", again, earlier)
    assert found.check == "silence/wrote-the-same"
    assert found.headline == (
        "fct_orders was built anew and holds the very same 100 rows as before, although raw.orders"
        " went from 104 to 105 rows; its last 4 builds after new rows all changed it"
    )
    assert checks(build(5, 100, "c5", source=105), *earlier) == []
    assert checks(build(5, 100, "c4", source=104), *earlier) == []  # nothing new to write
    assert checks(again, *earlier[-3:]) == []  # untrained
    quiet = [build(n, 100, "c4", source=100 + n) for n in range(5)]
    assert checks(again, *quiet) == []  # this table never cares for that source


def test_a_table_that_always_grew() -> None:
    earlier = [build(n, 1000 + 10 * n, source=100) for n in range(9)]
    (found,) = judge("model.shop.fct_orders", "fct_orders", build(9, 1080), earlier)
    assert found.check == "silence/did-not-grow"
    assert "each of its last 8 builds brought some (10 as a rule)" in found.headline
    assert found.headline.endswith("its sources have not moved either")
    assert checks(build(9, 1081), *earlier) == []
    rested = [*earlier[:4], build(4, 1030), *[build(n, 1000 + 10 * n) for n in range(5, 9)]]
    assert checks(build(9, 1080), *rested) == []


def test_a_build_on_an_old_snapshot() -> None:
    before = build(0, 90, newest=NOW)
    (found,) = judge(
        "model.shop.fct_orders", "fct_orders", build(1, 80, newest=NOW - 2 * DAY), [before]
    )
    assert found.headline == (
        "fct_orders was built on old data: the newest row of raw.orders is of 2026-11-19 09:00"
        " UTC, at the build before it was of 2026-11-21 09:00 UTC"
    )
    late = build(1, 95, newest=NOW + HOUR, allowed=3 * HOUR)
    assert checks(late, before) == ["silence/old-input"]
    assert checks(build(1, 95, newest=NOW + 23 * HOUR, allowed=3 * HOUR), before) == []


@settings(max_examples=40)
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=12))
def test_a_build_that_says_something_new_is_never_told(rows: list[int]) -> None:
    builds = [build(n, r, f"c{n}", source=n, newest=NOW + n * DAY) for n, r in enumerate(rows)]
    new = build(len(rows), rows[-1] + 1, "new", source=len(rows), newest=NOW + len(rows) * DAY)
    assert checks(new, *builds) == []


# the register ------------------------------------------------------------------------------------
def seen(check: str, asset: str | None = None) -> Symptom:
    return Symptom(kind=SymptomKind.STALE, headline="x", observed_at=NOW, check=check, asset=asset)


def test_a_trouble_is_new_once_and_over_once() -> None:
    stuck_run, old = seen("silence/running nightly"), seen("silence/old-input", "model.shop.a")
    first = register({}, [stuck_run, old, stuck_run], NOW, judged=looked_at_always)
    assert first.new == (old, stuck_run)
    second = register(first.alive, [stuck_run], NOW + HOUR, judged=looked_at_always)
    assert (second.new, second.over) == ((), ())  # builds were not judged at this look
    third = register(second.alive, [], NOW + HOUR, judged=lambda _: True)
    assert third.over == (key(old), key(stuck_run))
    assert third.alive == {}
