"""The reader never disturbs a writer, and never sees half of what it wrote."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from dagster_agent.connectors.warehouses import WarehouseConfig
from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.errors import ConnectorError

COUNT = "SELECT count(*) AS n FROM main.t"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS i FROM range(10)")
    return path


@contextmanager
def _writer(path: Path, *, seconds: float, sql: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that opens the file, runs `sql`, and keeps it open for a while."""
    script = textwrap.dedent(f"""
        import duckdb, time
        connection = duckdb.connect({str(path)!r})
        connection.execute({sql!r})
        print("ready", flush=True)
        time.sleep({seconds})
        connection.close()
    """)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            assert process.wait() == 0


@pytest.mark.parametrize("copied", [True, False])
def test_waits_while_another_process_writes(path: Path, tmp_path: Path, copied: bool) -> None:
    warehouse = DuckDBWarehouse(path, snapshot_dir=tmp_path / "s" if copied else None)
    started = time.monotonic()
    with _writer(path, seconds=2, sql="INSERT INTO t VALUES (10)"):
        ready = time.monotonic()
        assert warehouse.query(COUNT, purpose="test").scalar() == 11
        assert time.monotonic() - ready > 1.5
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("copied", [True, False])
def test_gives_up_naming_file_and_holder(path: Path, tmp_path: Path, copied: bool) -> None:
    warehouse = DuckDBWarehouse(
        path, snapshot_dir=tmp_path / "s" if copied else None, wait_seconds=0.3
    )
    with (
        _writer(path, seconds=1.5, sql="INSERT INTO t VALUES (10)") as process,
        pytest.raises(ConnectorError) as caught,
    ):
        warehouse.query(COUNT, purpose="test")
    assert caught.value.retryable
    assert str(path) in caught.value.message
    assert f"PID {process.pid}" in caught.value.message


def test_an_unchanged_copy_answers_while_a_writer_is_at_work(path: Path, tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(path, snapshot_dir=tmp_path / "s", wait_seconds=0)
    warehouse.query(COUNT, purpose="test")
    with _writer(path, seconds=0.5, sql="BEGIN; INSERT INTO t VALUES (10)"):
        assert warehouse.query(COUNT, purpose="test").scalar() == 10


def test_a_copy_does_not_drop_the_lock_of_this_process(path: Path, tmp_path: Path) -> None:
    """POSIX would drop it if this process opened and closed the file."""
    warehouse = DuckDBWarehouse(path, snapshot_dir=tmp_path / "s", wait_seconds=0.2)
    second_writer = [sys.executable, "-c", f"import duckdb; duckdb.connect({str(path)!r})"]
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO t VALUES (10)")
        with pytest.raises(ConnectorError, match="this very process") as caught:
            warehouse.query(COUNT, purpose="test")
        assert f"PID {os.getpid()}" in caught.value.message
        refused = subprocess.run(second_writer, capture_output=True, text=True, check=False)
        assert "Could not set lock" in refused.stderr
    assert warehouse.query(COUNT, purpose="test").scalar() == 11


def test_a_copy_beside_a_reader_of_this_process(path: Path, tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(path, snapshot_dir=tmp_path / "s", wait_seconds=0.2)
    with duckdb.connect(str(path), read_only=True):
        assert warehouse.query(COUNT, purpose="test").scalar() == 10
        writer = [sys.executable, "-c", f"import duckdb; duckdb.connect({str(path)!r})"]
        refused = subprocess.run(writer, capture_output=True, text=True, check=False)
        assert "Could not set lock" in refused.stderr


def test_rows_in_the_log_of_a_killed_writer_are_read(path: Path, tmp_path: Path) -> None:
    script = f"""
import duckdb, os
connection = duckdb.connect({str(path)!r})
connection.execute("INSERT INTO t VALUES (10)")
os._exit(9)
"""
    subprocess.run([sys.executable, "-c", script], check=False)
    assert Path(f"{path}.wal").exists()
    warehouse = DuckDBWarehouse(path, snapshot_dir=tmp_path / "s")
    assert warehouse.query(COUNT, purpose="test").scalar() == 11
    assert Path(f"{path}.wal").exists()
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO t VALUES (11)")
    assert warehouse.query(COUNT, purpose="test").scalar() == 12


def test_only_the_newest_copy_is_kept(path: Path, tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(path, snapshot_dir=tmp_path / "s")
    for count in (11, 12, 13):
        with duckdb.connect(str(path)) as connection:
            connection.execute("INSERT INTO t VALUES (0)")
        assert warehouse.query(COUNT, purpose="test").scalar() == count
        assert warehouse.query(COUNT, purpose="test").scalar() == count
    copies = list((tmp_path / "s").rglob("shop.duckdb"))
    assert len(copies) == 1
    assert (tmp_path / "s").stat().st_mode & 0o077 == 0


def test_a_large_file_is_opened_itself(path: Path, tmp_path: Path) -> None:
    config = WarehouseConfig(snapshot_max_bytes=1)
    warehouse = DuckDBWarehouse(path, snapshot_dir=tmp_path / "s", config=config)
    assert warehouse.query(COUNT, purpose="test").scalar() == 10
    assert not list((tmp_path / "s").rglob("*.duckdb"))


def test_many_processes_copy_at_once(path: Path, tmp_path: Path) -> None:
    script = f"""
from pathlib import Path
from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
warehouse = DuckDBWarehouse(Path({str(path)!r}), snapshot_dir=Path({str(tmp_path / "s")!r}))
assert warehouse.query({COUNT!r}, purpose="test").scalar() == 10
"""
    running = [
        subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert [(process.communicate()[1], process.returncode) for process in running] == [("", 0)] * 4
    assert len(list((tmp_path / "s").rglob("shop.duckdb"))) == 1


def test_threads_share_nothing(path: Path, tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(path, snapshot_dir=tmp_path / "s")
    found: list[object] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(warehouse.query(COUNT, purpose="test").scalar())
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [10] * 8


def test_readers_see_only_committed_states(path: Path, tmp_path: Path) -> None:
    """Each commit keeps two tables equal; no copy may show them different."""
    script = textwrap.dedent(f"""
        import duckdb, time
        rows = "from range(20000)"
        for i in range(40):
            with duckdb.connect({str(path)!r}) as c:
                c.execute("begin")
                c.execute(f"create or replace table a as select range as r, {{i}} as n {{rows}}")
                c.execute(f"create or replace table b as select range as r, {{i}} as n {{rows}}")
                c.execute("commit")
            time.sleep(0.01)
    """)
    warehouse = DuckDBWarehouse(path, snapshot_dir=tmp_path / "s")
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE a AS SELECT 0 AS n; CREATE TABLE b AS SELECT 0 AS n")
    both = "SELECT (SELECT max(n) FROM main.a) AS a, (SELECT max(n) FROM main.b) AS b"
    seen: set[object] = set()
    with subprocess.Popen([sys.executable, "-c", script]) as writer:
        while writer.poll() is None:
            ((a, b),) = warehouse.query(both, purpose="test").rows
            assert a == b
            seen.add(a)
    assert writer.returncode == 0
    assert warehouse.query(both, purpose="test").rows == ((39, 39),)
    assert len(seen) > 1
