"""What only the SQL state store has: a database, its drivers, and a schema that is upgraded.

This file is long because each statement is about the same table layout, through opening,
upgrading and failing.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import alembic.command
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError

from dagster_agent.connectors.state_stores import open_store, schema
from dagster_agent.connectors.state_stores.audit_chain import sealed
from dagster_agent.connectors.state_stores.engine import Database
from dagster_agent.connectors.state_stores.sql_store import SqlStateStore
from dagster_agent.connectors.state_stores.tables import metadata
from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.model import AuditRecord, Lease, MetricPoint
from dagster_agent.response.audit import verify_audit

Connected = Callable[[str], AbstractContextManager[Connection]]
NOW = datetime(2026, 11, 3, 6, 12, tzinfo=UTC)


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
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0002",)
    connection.close()


def test_migrations_create_exactly_the_metadata(empty_url: str, connected: Connected) -> None:
    open_store(empty_url).close()
    with connected(empty_url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_head_is_the_newest_migration() -> None:
    folder = Path(schema.__file__).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def database_of_version_1(url: str, connected: Connected) -> None:
    """As the first version of the package left it, with one of everything that 0002 touches."""
    with connected(url) as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
        alembic.command.upgrade(config, "0001")
        record = sealed(
            AuditRecord(
                sequence=1, at=NOW, actor="ana", action="decide", subject="F-1", allowed=True
            )
        )
        statements: list[tuple[str, dict[str, object]]] = [
            ("INSERT INTO facts VALUES (:k, :v)", {"k": "q/1", "v": "7"}),
            ("INSERT INTO stages VALUES ('I', 'collect', :p)", {"p": b"\x00old"}),
            (
                "INSERT INTO leases VALUES ('I', 'run', 41, :at)",
                {"at": "2099-01-01 00:00:00.000000"},
            ),
            (
                "INSERT INTO audit VALUES (1, :at, 'ana', 'decide', 'F-1', :yes, '{}', '', :hash)",
                {"at": "2026-11-03 06:12:00.000000", "yes": True, "hash": record.hash},
            ),
            ("UPDATE audit_head SET sequence = 1, hash = :hash", {"hash": record.hash}),
        ]
        for statement, values in statements:
            connection.execute(text(statement), values)


def test_a_database_of_version_1_is_upgraded_with_what_it_holds(
    empty_url: str, connected: Connected
) -> None:
    database_of_version_1(empty_url, connected)
    store = open_store(empty_url)
    assert store.get("q/1") == 7
    assert [store.append("q", 8), store.entries("q")] == ["q/2", {"q/1": 7, "q/2": 8}]
    assert store.stage("I", "collect") == b"\x00old"
    assert store.leases(now=NOW)[0].token == 41
    audit_once(store, "x")
    assert [(r.sequence, r.subject) for r in store.audit()] == [(1, "F-1"), (2, "x")]
    assert verify_audit(store).intact
    assert store.prune(before=datetime.now(UTC) - timedelta(hours=1)) == 0
    assert store.prune(before=datetime.now(UTC) + timedelta(hours=1)) == 1
    store.close()
    with connected(empty_url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_process_of_version_1_may_write_while_another_upgrades(
    empty_url: str, connected: Connected
) -> None:
    database_of_version_1(empty_url, connected)
    store = open_store(empty_url)
    with connected(empty_url) as connection:
        connection.execute(
            text("INSERT INTO stages (investigation, stage, payload) VALUES ('J', 's', :p)"),
            {"p": b"older"},
        )
    assert store.prune(before=datetime.now(UTC) + timedelta(hours=1)) == 1
    assert store.stage("J", "s") == b"older"  # its age is not known, so it stays
    store.close()


def test_an_interrupted_creation_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_a_newer_schema_is_refused(url: str, connected: Connected) -> None:
    open_store(url).close()
    with connected(url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0042'"))
    with pytest.raises(ConfigError, match=r"has the schema '0042'.*upgrade the package"):
        open_store(url)


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
        ("postgresql+nodriver://me:hunter2@host/db", "'nodriver' .* is not one of psycopg, psyc"),
        ("postgresql+asyncpg://host/db?password=hunter2", "'asyncpg' .* is not one of psycopg"),
        ("sqlite+aiosqlite:////tmp/state.db", "'aiosqlite' .* is not one of pysqlite"),
    ],
)
def test_bad_urls_are_configuration_errors_without_the_password(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        open_store(url)
    assert caught.value.hint
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_the_driver_that_is_installed_is_taken(scheme: str) -> None:
    url = Database(f"{scheme}://me:hunter2@host/db?password=hunter2").name
    assert url == "postgresql+psycopg://me:***@host/db?password=[redacted]"


@pytest.mark.parametrize(
    ("scheme", "missing"), [("postgresql", "psycopg or psycopg2"), ("postgresql+psycopg2", "psyc")]
)
def test_a_missing_driver_says_what_to_install(scheme: str, missing: str) -> None:
    program = (
        "import importlib.util as u; real = u.find_spec;"
        "u.find_spec = lambda name, *a: None if name.startswith('psycopg') else real(name, *a);"
        "from dagster_agent.connectors.state_stores import open_store;"
        f"open_store('{scheme}://me:hunter2@host/db')"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    said = run.stderr.strip().splitlines()[-1]
    assert said.startswith(f"dagster_agent.errors.ConfigError: no driver for state URL {scheme}://")
    assert missing in said
    assert said.endswith("(pip install 'dagster-agent[postgres]')")
    assert "hunter2" not in run.stderr


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


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'mallory'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE sequence = 2",
        "INSERT INTO audit SELECT 0, at, 'mallory', action, subject, allowed, detail,"
        " previous_hash, hash FROM audit WHERE sequence = 1",
        "UPDATE audit_head SET sequence = 1",
        "DELETE FROM audit_head",
        "INSERT INTO audit_head VALUES (2, 0, '')",
    ],
)
def test_the_audit_log_cannot_be_changed_by_sql(
    url: str, statement: str, connected: Connected
) -> None:
    store = open_store(url)
    audit_once(store, "x")
    audit_once(store, "y")
    with connected(url) as connection, pytest.raises(DBAPIError, match="only grows"):
        connection.execute(text(statement))
    assert [r.actor for r in store.audit()] == ["agent", "agent"]
    assert verify_audit(store).intact
    audit_once(store, "z")
    store.close()


def test_the_audit_log_is_not_overwritten_by_insert_or_replace(
    tmp_path: Path, connected: Connected
) -> None:
    store = open_store(url_of(tmp_path / "state.db"))
    audit_once(store, "x")
    with (
        connected(url_of(tmp_path / "state.db")) as connection,
        pytest.raises(DBAPIError, match="only grows"),
    ):
        connection.execute(
            text(
                "INSERT OR REPLACE INTO audit SELECT 1, at, 'mallory', action, subject, allowed,"
                " detail, previous_hash, hash FROM audit"
            )
        )
    store.close()


@pytest.mark.parametrize("table", ["audit", "audit_head"])
def test_the_audit_log_cannot_be_truncated(postgres: Any, table: str, connected: Connected) -> None:
    url = postgres.database()
    with connected(url) as connection, pytest.raises(DBAPIError, match="only grows"):
        connection.execute(text(f"TRUNCATE {table}"))


def test_naive_moments_are_refused(tmp_path: Path) -> None:
    store = open_store(url_of(tmp_path / "state.db"))
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ConnectorError, match="naive datetime"):
        store.add_metrics([MetricPoint(asset="a", metric="m", value=1.0, at=naive)])
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_opens_its_own_connections(url: str) -> None:
    store = open_store(url)
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


LEASE = Lease(name="x", holder="run", token=1, expires_at=NOW)
READS: dict[str, Callable[[SqlStateStore], object]] = {
    "incident": lambda store: store.incident("I-1"),
    "open incident": lambda store: store.open_incident("fp"),
    "open incidents": lambda store: store.incidents(open_only=True),
    "finding": lambda store: store.finding("F-1"),
    "findings of an asset": lambda store: store.findings(asset="a"),
    "open findings": lambda store: store.findings(open_only=True),
    "open findings of an asset": lambda store: store.findings(asset="a", open_only=True),
    "decisions of a finding": lambda store: store.decisions("F-1"),
    "latest detection": lambda store: store.latest_detection("a", "d"),
    "baseline": lambda store: store.baseline("a"),
    "metric history": lambda store: store.metric_history("a", "m"),
    "metric histories": lambda store: store.metric_histories("a"),
    "stage": lambda store: store.stage("I", "collect"),
    "fact": lambda store: store.get("cursor"),
    "entries": lambda store: store.entries("steer/run"),
    "lease": lambda store: store.holds(LEASE, now=NOW),
    "audit from a record on": lambda store: store.audit(after=5, limit=10),
    "audit since a moment": lambda store: store.audit(since=NOW),
}


@pytest.mark.parametrize("name", READS)
def test_no_read_goes_through_a_whole_table(tmp_path: Path, name: str) -> None:
    store = open_store(url_of(tmp_path / "state.db"))
    engine = store._database.engine
    seen: list[tuple[str, Any]] = []

    def remember(_connection: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        seen.append((sql, values))

    event.listen(engine, "before_cursor_execute", remember)
    READS[name](store)
    sql, values = next(statement for statement in seen if statement[0].startswith("SELECT"))
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
    steps = [str(row[-1]) for row in plan]
    assert steps[0].startswith("SEARCH")
    assert "USING INDEX" in steps[0]
    assert not [step for step in steps if step.startswith("SCAN")]
    store.close()
