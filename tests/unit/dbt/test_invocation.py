"""The dbt process: outcomes, locks given back, timeouts, and its end in every case."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import duckdb
import pytest

from dagster_agent.dbt import process
from dagster_agent.dbt.invocation import DbtWorker
from dagster_agent.dbt.process import end_waiting
from dagster_agent.errors import ConfigError, ConnectorError


def new_worker(root: Path, **changes: object) -> DbtWorker:
    folders = {"target_path": root / "private" / "target", "log_path": root / "private" / "logs"}
    return DbtWorker(project_dir=root, profiles_dir=root, target="dev", **folders, **changes)  # type: ignore[arg-type]


def process_of(worker: DbtWorker) -> subprocess.Popen[bytes]:
    process = worker._process
    assert process is not None
    return process.popen


def test_a_build_tells_of_each_node_and_gives_the_file_back(worker, tiny):
    outcome = worker.run(["build"])

    assert outcome.success
    assert outcome.trouble() == ""
    by_id = {r.unique_id: r for r in outcome.results}
    assert by_id["model.tiny.a"].status == "success"
    assert '"tiny"."raw"."orders"' in by_id["model.tiny.a"].compiled_code
    assert by_id["test.tiny.no_negative"].status == "pass"
    assert by_id["test.tiny.no_negative"].failures == 0
    assert not any(uid.startswith("exposure.") for uid in by_id)
    assert "Completed successfully" in outcome.log
    assert outcome.manifest_path.exists()
    assert not (tiny / "target").exists()
    with duckdb.connect(str(tiny / "tiny.duckdb")) as connection:  # no lock is left
        assert connection.execute("select count(*) from d").fetchone() == (1,)


def test_failures_are_outcomes(worker, tiny):
    path = tiny / "models" / "broken.sql"
    path.write_text("select nothing_here from {{ ref('a') }}")
    try:
        outcome = worker.run(["build", "--select", "broken"])
    finally:
        path.unlink()

    assert not outcome.success
    (result,) = outcome.results
    assert (result.unique_id, result.status) == ("model.tiny.broken", "error")
    assert "nothing_here" in result.message
    assert outcome.trouble().startswith("model.tiny.broken: ")


def test_a_failing_test_tells_how_many_rows(worker, tiny):
    path = tiny / "tests" / "always.sql"
    path.write_text("select * from {{ ref('a') }}")
    try:
        outcome = worker.run(["test", "--select", "always"])
    finally:
        path.unlink()

    assert [(r.status, r.failures) for r in outcome.results] == [("fail", 1)]
    assert not outcome.success


def test_what_stops_dbt_is_told(worker, tiny):
    path = tiny / "models" / "lost.sql"
    path.write_text("select * from {{ ref('nowhere') }}")
    try:
        outcome = worker.run(["compile"])
    finally:
        path.unlink()

    assert not outcome.success
    assert outcome.results == ()
    assert "nowhere" in outcome.error
    assert "nowhere" in outcome.trouble()

    assert "No such option" in worker.run(["build", "--selec", "x"]).error


def test_macros_run_too(worker):
    assert worker.run(
        ["run-operation", "generate_schema_name", "--args", "{custom_schema_name: x, node: y}"]
    ).success


def test_dbt_that_takes_too_long_is_stopped(tiny):
    with new_worker(tiny, timeout_seconds=0.01) as worker:
        process = process_of(worker)
        with pytest.raises(
            ConnectorError, match=r"dbt parse did not end within 0\.01 seconds"
        ) as caught:
            worker.run(["parse"])
        assert caught.value.retryable
        assert process.poll() is not None
        with pytest.raises(ConnectorError, match="closed"):
            worker.run(["parse"])


def test_a_dbt_process_that_dies_is_an_error(tiny):
    end_waiting()
    with new_worker(tiny) as worker:
        process_of(worker).send_signal(signal.SIGKILL)
        with pytest.raises(ConnectorError, match=r"died during the start of dbt \(exit code -9\)"):
            worker.run(["parse"])


def test_dbt_that_is_not_installed_is_named(tiny, tmp_path, monkeypatch):
    (tmp_path / "dbt").mkdir()
    (tmp_path / "dbt" / "__init__.py").write_text("raise ImportError('no dbt here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with new_worker(tiny) as worker, pytest.raises(ConfigError, match="no dbt here") as caught:
        worker.run(["parse"])
    assert caught.value.hint.startswith("install dbt-core")


def test_the_process_ends_with_the_block_whatever_happens(tiny):
    class Terminated(BaseException):
        pass

    worker = new_worker(tiny)
    end_waiting()
    started: list[subprocess.Popen[bytes]] = []

    def work() -> None:
        with worker:
            started.append(process_of(worker))
            raise Terminated

    with pytest.raises(Terminated):
        work()
    assert started[0].poll() is not None


def test_the_process_dies_with_its_parent(tiny):
    script = f"""
        import os, sys, time
        from pathlib import Path
        from dagster_agent.dbt.invocation import DbtWorker
        root = Path({str(tiny)!r})
        folders = dict(target_path=root / "t", log_path=root / "l")
        worker = DbtWorker(project_dir=root, profiles_dir=root, target="dev", **folders)
        print(worker.__enter__()._process.popen.pid, flush=True)
        time.sleep(60)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()

    deadline = time.monotonic() + 20
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _runs(child)


def test_a_process_that_has_worked_serves_the_next_user_in_its_own_folder(tiny, tmp_path):
    """Nothing of the user before is left: neither variables, nor the folder, nor its plugins."""
    other = Path(
        shutil.copytree(tiny, tmp_path / "other", ignore=shutil.ignore_patterns("*.duckdb"))
    )
    for root, said in ((tiny, "first"), (other, "second")):
        (root / "models" / "told.sql").write_text(
            'select \'{{ env_var("WHO", "nobody") }}\' as who'
        )
        profile = (root / "profiles.yml").read_text()
        plugin = f", plugins: [{{module: own_plugin}}], module_paths: ['{root}']}}"
        (root / "profiles.yml").write_text(profile.replace("}", plugin))
        (root / "own_plugin.py").write_text(
            "from dbt.adapters.duckdb.plugins import BasePlugin\n"
            "class Plugin(BasePlugin):\n"
            "    def configure_connection(self, conn):\n"
            f"        conn.create_function('whose', lambda: '{said}', [], 'VARCHAR')\n"
        )
        (root / "models" / "own.sql").write_text(
            "{{ config(materialized='table') }} select whose() as whose"
        )
    try:
        with new_worker(tiny, environment={"WHO": "ada"}) as worker:
            assert worker.run(["build", "--select", "told own"]).trouble() == ""
            first = process_of(worker)
        with new_worker(other) as worker:
            assert process_of(worker) is first
            assert worker.run(["build", "--select", "told own"]).trouble() == ""
        told = [_rows(root, "select who, whose from told, own") for root in (tiny, other)]
        assert told == [[("ada", "first")], [("nobody", "second")]]
    finally:
        for name in ("models/told.sql", "models/own.sql", "own_plugin.py"):
            (tiny / name).unlink()
        (tiny / "profiles.yml").write_text(profile)


def test_one_waits_at_most_and_not_for_long(tiny, monkeypatch):
    monkeypatch.setattr(process, "_REST_SECONDS", 0.2)
    with new_worker(tiny) as worker, new_worker(tiny) as another:
        both = [process_of(worker), process_of(another)]
        assert both[0] is not both[1]
        for opened in (worker, another):
            opened.run(["list", "--select", "a"])
    first, second = both[1], both[0]  # the inner block ends first
    assert first.poll() is not None
    assert second.wait(timeout=20) == 0
    with new_worker(tiny) as worker:
        assert process_of(worker) is not second
        assert worker.run(["list", "--select", "a"]).error == ""


def test_other_variables_of_the_start_want_another_process(tiny):
    with new_worker(tiny) as worker:
        worker.run(["list", "--select", "a"])
        before = process_of(worker)
    with new_worker(tiny, environment={"PYTHONOPTIMIZE": "1"}) as worker:
        assert process_of(worker) is not before
    assert before.poll() is not None


def _rows(root: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(root / "tiny.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
