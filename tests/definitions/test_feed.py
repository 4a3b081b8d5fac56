"""The feed of finished runs: from now on, each once, none lost."""

from collections.abc import Callable

import dagster as dg
import pytest
from dagster import DagsterEventType

from dagster_agent.definitions import feed
from dagster_agent.definitions.feed import Cursor


@dg.op(config_schema={"fail": bool})
def work(context: dg.OpExecutionContext) -> None:
    if context.op_config["fail"]:
        raise RuntimeError("boom")


@dg.job
def chore() -> None:
    work()


@pytest.fixture
def execute(instance: dg.DagsterInstance) -> Callable[[bool], str]:
    def once(fail: bool) -> str:
        config = {"ops": {"work": {"config": {"fail": fail}}}}
        done = chore.execute_in_process(config, instance=instance, raise_on_error=False)
        return done.run_id

    return once


def read_all(instance: dg.DagsterInstance, cursor: Cursor) -> list[str]:
    return [f.run.run_id for f in feed.read(instance, cursor, location=None)]


def test_the_first_cursor_stands_behind_all_history(
    instance: dg.DagsterInstance, execute: Callable[[bool], str]
) -> None:
    execute(True)
    execute(False)
    cursor = Cursor.now(instance)
    assert read_all(instance, cursor) == []
    third = execute(True)
    assert read_all(instance, cursor) == [third]
    assert read_all(instance, cursor) == []


def test_a_cursor_survives_being_text(instance: dg.DagsterInstance) -> None:
    cursor = Cursor.now(instance)
    cursor.positions["PIPELINE_FAILURE"] = 7
    cursor.waiting = True
    assert Cursor.parse(cursor.text()) == cursor
    for text in (None, "", "12", "{}", '{"PIPELINE_SUCCESS": "x"}', "not json"):
        assert Cursor.parse(text) is None


def test_more_runs_than_one_tick_reads_are_left_in_front_of_the_cursor(
    instance: dg.DagsterInstance, execute: Callable[[bool], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MAX_RUNS", 3)
    cursor = Cursor.now(instance)
    started = [execute(fail) for fail in (True, False, True, True, False, False, True)]
    seen: list[str] = []
    for _ in range(3):
        page = read_all(instance, cursor)
        assert len(page) <= 3
        seen += page
    assert seen == started


def test_a_tick_that_runs_out_of_time_loses_nothing(
    instance: dg.DagsterInstance, execute: Callable[[bool], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MAX_SECONDS", 0.0)
    cursor = Cursor.now(instance)
    started = [execute(True) for _ in range(3)]
    assert [read_all(instance, cursor) for _ in started] == [[run_id] for run_id in started]


def test_a_run_whose_reading_broke_is_read_again(
    instance: dg.DagsterInstance, execute: Callable[[bool], str]
) -> None:
    cursor = Cursor.now(instance)
    first, second = execute(True), execute(False)

    def break_at(run_id: str) -> None:
        for finished in feed.read(instance, cursor, location=None):
            if finished.run.run_id == run_id:
                raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        break_at(second)
    assert read_all(instance, cursor) == [second]
    assert first != second


def test_how_and_when_a_run_ended_is_told(
    instance: dg.DagsterInstance, execute: Callable[[bool], str]
) -> None:
    cursor = Cursor.now(instance)
    execute(True)
    execute(False)
    bad, good = feed.read(instance, cursor, location="somewhere")
    assert (bad.failed, good.failed) == (True, False)
    assert bad.end is DagsterEventType.RUN_FAILURE
    assert bad.ended_at.tzinfo is not None
    assert bad.ended_at <= good.ended_at
