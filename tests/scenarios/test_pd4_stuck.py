"""PD4: a run queues far beyond its own history; the finding says what it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.storage.dagster_run import RunOpConcurrency
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.utils import make_new_run_id

from dagster_agent.definitions.silence_runs import missed_deadlines, runs_going_on, stuck_runs
from dagster_agent.quality.silence.config import SilenceConfig

LOCATION = InProcessCodeLocationOrigin(LoadableTargetOrigin(python_file="x.py"), location_name="x")
REPOSITORY = RemoteRepositoryOrigin(LOCATION, "__repository__")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    settings = {
        "telemetry": {"enabled": False},
        "concurrency": {"runs": {"max_concurrent_runs": 1}},
    }
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=settings) as made:
        yield made


def a_run(instance: dg.DagsterInstance, job: str, status: DagsterRunStatus) -> dg.DagsterRun:
    made = dg.DagsterRun(
        job_name=job,
        run_id=make_new_run_id(),
        status=status,
        remote_job_origin=RemoteJobOrigin(REPOSITORY, job),
        run_op_concurrency=RunOpConcurrency(
            root_key_counts={"warehouse": 1}, has_unconstrained_root_nodes=False
        ),
    )
    return instance.add_run(made)


def test_a_queued_run_is_told_with_what_it_waits_for(instance: dg.DagsterInstance) -> None:
    storage = instance.event_log_storage
    storage.set_concurrency_slots("warehouse", 1)
    other = a_run(instance, "load", DagsterRunStatus.STARTED)
    storage.claim_concurrency_slot("warehouse", other.run_id, "load")
    waiting = a_run(instance, "nightly", DagsterRunStatus.QUEUED)
    later = datetime.now(UTC) + timedelta(minutes=90)
    config = SilenceConfig(deadlines={"nightly": f"{later - timedelta(minutes=5):%H:%M} UTC"})

    going_on = runs_going_on(instance, config, "x")
    _, stuck = stuck_runs(going_on, instance, config, later)
    (late,) = missed_deadlines(going_on, instance, config, later)

    assert stuck.run_id == waiting.run_id
    assert "has been queued for 1.5 h; untrained: 0 of 5 earlier good runs" in stuck.headline
    assert "the daemon that takes runs from the queue, which has never given a" in stuck.headline
    assert f"a slot of the pool warehouse: 1 of 1 held by run {other.run_id[:8]}" in stuck.headline
    assert "a place in the queue: 1 runs go on, 1 may at once" in stuck.headline
    assert late.headline.startswith("nightly missed its deadline")
    assert "never complete; run " in late.headline
