"""Many processes on one state database: nothing is lost, doubled or held twice."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TypeVar

import pytest

from dagster_agent.connectors.state_stores import open_store
from dagster_agent.model import Lease, MetricPoint
from dagster_agent.response.audit import verify_audit

NOW = datetime(2026, 11, 3, 6, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WORKERS = 4
ROUNDS = 15
TURNS = 8
T = TypeVar("T")


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=spawn) as executor:
        yield executor


@pytest.fixture
def together(
    processes: ProcessPoolExecutor, tmp_path: Path
) -> Callable[[Callable[[str, int, Path], T], str], list[T]]:
    """Runs `work(url, worker, folder)` in all processes at once."""

    def run(work: Callable[[str, int, Path], T], url: str) -> list[T]:
        started = [
            processes.submit(_meet_and, work, url, worker, tmp_path) for worker in range(WORKERS)
        ]
        return [future.result(timeout=120) for future in started]

    return run


def _meet_and(work: Callable[[str, int, Path], T], url: str, worker: int, folder: Path) -> T:
    (folder / f"{worker}.ready").touch()
    end = time.monotonic() + 60
    while len(list(folder.glob("*.ready"))) < WORKERS:
        assert time.monotonic() < end
        time.sleep(0.01)
    return work(url, worker, folder)


def _write_everything(url: str, worker: int, folder: Path) -> int:
    won = 0
    with closing(open_store(url)) as store:
        for number in range(ROUNDS):
            store.append_audit(
                at=NOW,
                actor="agent",
                action="test",
                subject=f"{worker}/{number}",
                allowed=True,
                detail={"a": 1},
            )
            store.put(f"fact/{worker}", number)
            store.add_metrics([MetricPoint(asset="a", metric="m", value=worker, at=NOW)])
            lease = store.acquire_lease(
                f"round/{number}", holder=str(worker), ttl=10 * MINUTE, now=NOW
            )
            won += lease is not None
    return won


def test_processes_create_and_write_one_database(
    empty_url: str, together: Callable[..., list[int]]
) -> None:
    won = together(_write_everything, empty_url)
    with closing(open_store(empty_url)) as store:
        verdict = verify_audit(store)
        assert (verdict.records, verdict.intact) == (WORKERS * ROUNDS, True)
        assert sorted(r.subject for r in store.audit()) == sorted(
            f"{worker}/{number}" for worker in range(WORKERS) for number in range(ROUNDS)
        )
        assert sum(won) == ROUNDS  # every lease went to exactly one of them
        facts = [store.get(f"fact/{worker}") for worker in range(WORKERS)]
        assert facts == [ROUNDS - 1] * WORKERS
        assert len(store.metric_history("a", "m")) == 1


def _take_turns(url: str, worker: int, folder: Path) -> list[int]:
    """Inside the lease a file is made that must not be there yet."""
    tokens: list[int] = []
    witness = folder / "inside"
    with closing(open_store(url)) as store:
        while len(tokens) < TURNS:
            lease = store.acquire_lease("turn", holder=str(worker), ttl=MINUTE, now=NOW)
            if lease is None:
                time.sleep(0.001)
                continue
            witness.touch(exist_ok=False)
            assert store.holds(lease, now=NOW)
            tokens.append(lease.token)
            witness.unlink()
            store.release_lease(lease)
            assert not store.holds(lease, now=NOW)
    return tokens


def test_a_lease_has_one_holder_and_a_new_token_each_time(
    url: str, together: Callable[..., list[list[int]]]
) -> None:
    won = together(_take_turns, url)
    assert all(tokens == sorted(tokens) for tokens in won)
    assert sorted(chain.from_iterable(won)) == list(range(1, WORKERS * TURNS + 1))


def _never_give_back(url: str, worker: int, folder: Path) -> list[tuple[int, Lease]]:
    """As if every holder froze: the next can only have the lease once it has expired."""
    won: list[tuple[int, Lease]] = []
    with closing(open_store(url)) as store:
        for minute in range(ROUNDS):
            lease = store.acquire_lease(
                "frozen", holder=f"{worker}", ttl=MINUTE, now=NOW + minute * MINUTE
            )
            if lease is not None:
                won.append((minute, lease))
    return won


def test_an_expired_lease_goes_to_one_process_and_every_older_token_is_stale(
    url: str, together: Callable[..., list[list[tuple[int, Lease]]]]
) -> None:
    won = sorted(
        chain.from_iterable(together(_never_give_back, url)), key=lambda pair: pair[1].token
    )
    minutes = [minute for minute, _ in won]
    assert [lease.token for _, lease in won] == list(range(1, len(won) + 1))
    assert minutes == sorted(set(minutes))  # never two holders at one moment
    assert minutes[-1] == ROUNDS - 1
    with closing(open_store(url)) as store:
        good = [lease for minute, lease in won if store.holds(lease, now=NOW + minute * MINUTE)]
    assert good == [won[-1][1]]


def _append(url: str, worker: int, folder: Path) -> list[str]:
    with closing(open_store(url)) as store:
        return [store.append("steer/run", [worker, number]) for number in range(ROUNDS)]


def test_appended_entries_are_numbered_without_gap_and_none_is_lost(
    url: str, together: Callable[..., list[list[str]]]
) -> None:
    keys = together(_append, url)
    with closing(open_store(url)) as store:
        entries = store.entries("steer/run")
    assert list(entries) == [f"steer/run/{n}" for n in range(1, WORKERS * ROUNDS + 1)]
    for worker, given in enumerate(keys):
        assert [entries[key] for key in given] == [[worker, number] for number in range(ROUNDS)]
