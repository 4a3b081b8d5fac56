"""What only the SQL state store has: a file, a schema that is upgraded, and many processes."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from dagster_agent.connectors.state_stores import open_store, schema
from dagster_agent.connectors.state_stores.audit_chain import verify_chain
from dagster_agent.connectors.state_stores.sql_store import SqlStateStore
from dagster_agent.connectors.state_stores.tables import metadata
from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.model import MetricPoint

NOW = datetime(2026, 11, 3, 6, 12, tzinfo=UTC)
SPAWN = multiprocessing.get_context("spawn")


def url_of(file: Path) -> str:
    return f"sqlite:///{file}"


def audit_once(store: SqlStateStore, subject: str) -> None:
    store.append_audit(
        at=NOW, actor="agent", action="test", subject=subject, allowed=True, detail={"a": 1}
    )


def test_folder_is_created_and_the_file_is_in_wal_mode(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "Ordner mit Ü" / "state.db"
    store = open_store(url_of(file))
    audit_once(store, "x")
    store.close()
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    connection.close()


def test_migrations_create_exactly_the_metadata(tmp_path: Path) -> None:
    open_store(url_of(tmp_path / "state.db")).close()
    engine = create_engine(url_of(tmp_path / "state.db"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_head_is_the_newest_migration() -> None:
    folder = Path(schema.__file__).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_a_database_of_version_1_keeps_what_it_holds(tmp_path: Path) -> None:
    first = open_store(url_of(tmp_path / "state.db"))
    first.put("cursor", 7)
    audit_once(first, "x")
    first.close()
    second = open_store(url_of(tmp_path / "state.db"))
    assert second.get("cursor") == 7
    assert [record.subject for record in second.audit()] == ["x"]
    second.close()


def test_an_interrupted_creation_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import alembic.command

    upgrade = alembic.command.upgrade

    def upgrade_and_die(config: Config, revision: str) -> None:
        upgrade(config, revision)
        raise KeyboardInterrupt

    monkeypatch.setattr(alembic.command, "upgrade", upgrade_and_die)
    with pytest.raises(KeyboardInterrupt):
        open_store(url_of(tmp_path / "state.db"))
    with sqlite3.connect(tmp_path / "state.db") as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()
    monkeypatch.undo()
    store = open_store(url_of(tmp_path / "state.db"))
    assert store.audit() == []
    store.close()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    open_store(url_of(file)).close()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0042'")
    connection.close()
    with pytest.raises(ConfigError, match=r"state\.db has the schema '0042'.*upgrade the package"):
        open_store(url_of(file))


def test_opening_again_neither_imports_alembic_nor_configures_logging(tmp_path: Path) -> None:
    url = url_of(tmp_path / "state.db")
    program = (
        "import logging, sys; from dagster_agent.connectors.state_stores import open_store;"
        "assert 'sqlalchemy' not in sys.modules;"
        f"open_store({url!r});"
        "print('alembic' in sys.modules, logging.getLogger().handlers,"
        " logging.getLogger('alembic').level, logging.getLogger().level)"
    )
    run = [sys.executable, "-W", "error", "-c", program]
    seen = [subprocess.run(run, capture_output=True, text=True, check=True) for _ in range(2)]
    assert [s.stdout.strip() for s in seen] == ["True [] 0 30", "False [] 0 30"]
    assert [s.stderr for s in seen] == ["", ""]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "no database URL"),
        ("", "no database URL"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("mysql://root:hunter2@host/db", "cannot be kept in 'mysql'"),
        ("postgresql+nodriver://me:hunter2@host/db", "driver"),
        ("postgresql+pg8000://me:hunter2@host/db", "driver"),
    ],
)
def test_bad_urls_are_configuration_errors_without_the_password(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        open_store(url)
    assert caught.value.hint
    assert "hunter2" not in str(caught.value)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    file.write_bytes(b"this is no database at all, whatever its name says" * 200)
    with pytest.raises(ConnectorError, match=r"state\.db is damaged: file is not a database"):
        open_store(url_of(file))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"folder of the state file .*file/state\.db"):
        open_store(url_of(tmp_path / "file" / "state.db"))


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.db").mkdir()
    with pytest.raises(ConfigError, match=r"state\.db cannot be written: unable to open"):
        open_store(url_of(tmp_path / "state.db"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_without_the_right_to_write_is_named(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    store = open_store(url_of(file))
    store.close()
    file.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ConfigError, match=r"state\.db cannot be written"):
            open_store(url_of(file)).put("a", 1)
    finally:
        tmp_path.chmod(0o700)


def test_audit_rows_cannot_be_changed_or_removed_by_sql(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    store = open_store(url_of(file))
    audit_once(store, "x")
    engine = create_engine(url_of(file))
    for statement in ("UPDATE audit SET actor = 'mallory'", "DELETE FROM audit"):
        with engine.connect() as connection, pytest.raises(Exception, match="only grows"):
            connection.execute(text(statement))
    engine.dispose()
    assert [r.actor for r in store.audit()] == ["agent"]
    store.close()


def test_naive_moments_are_refused(tmp_path: Path) -> None:
    store = open_store(url_of(tmp_path / "state.db"))
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ConnectorError, match="naive datetime"):
        store.add_metrics([MetricPoint(asset="a", metric="m", value=1.0, at=naive)])
    store.close()


def _work(url: str, worker: int, rounds: int) -> int:
    """One of many processes: opens the database, writes everything, fights for one lease."""
    store = open_store(url)
    won = 0
    for number in range(rounds):
        audit_once(store, f"{worker}/{number}")
        store.put(f"fact/{worker}", number)
        store.add_metrics([MetricPoint(asset="a", metric="m", value=worker, at=NOW)])
        ttl = timedelta(minutes=10)
        lease = store.acquire_lease(f"round/{number}", holder=str(worker), ttl=ttl, now=NOW)
        won += lease is not None
    store.close()
    return won


def test_eight_processes_create_and_write_one_file(tmp_path: Path) -> None:
    url, workers, rounds = url_of(tmp_path / "state.db"), 8, 15
    with SPAWN.Pool(workers) as pool:
        won = pool.starmap(_work, [(url, worker, rounds) for worker in range(workers)], chunksize=1)
    store = open_store(url)
    records = store.audit()
    assert verify_chain(records) is None
    assert sorted(r.subject for r in records) == sorted(
        f"{worker}/{number}" for worker in range(workers) for number in range(rounds)
    )
    assert sum(won) == rounds  # every lease went to exactly one of them
    assert [store.get(f"fact/{worker}") for worker in range(workers)] == [rounds - 1] * workers
    assert len(store.metric_history("a", "m")) == 1
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_opens_its_own_connections(tmp_path: Path) -> None:
    store = open_store(url_of(tmp_path / "state.db"))
    store.put("who", "parent")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            store.put("who", "child")
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert store.get("who") == "child"
    store.close()


def test_a_writer_that_waits_too_long_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_agent.connectors.state_stores.engine.BUSY_SECONDS", 0.1)
    file = tmp_path / "state.db"
    store = open_store(url_of(file))
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ConnectorError, match=r"state\.db: database is locked") as caught:
        store.put("a", 1)
    assert caught.value.retryable
    assert store.get("a") is None  # readers are not held up
    other.execute("ROLLBACK")
    other.close()
    store.put("a", 1)
    store.close()
