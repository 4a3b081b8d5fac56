"""A PostgreSQL server that is not there, goes away in the middle, comes back, or refuses us."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from dagster_agent.connectors.state_stores import open_store
from dagster_agent.connectors.state_stores.sql_store import SqlStateStore
from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.model import AuditRecord
from dagster_agent.response.audit import verify_audit

Connected = Callable[[str], AbstractContextManager[Connection]]
NOW = datetime(2026, 11, 3, 6, 12, tzinfo=UTC)


@pytest.fixture
def url(postgres: Any) -> str:
    return postgres.database()


@pytest.fixture
def store(url: str) -> Iterator[SqlStateStore]:
    with closing(open_store(url)) as opened:
        yield opened


@pytest.fixture
def running(postgres: Any) -> Iterator[Any]:
    """The server, which runs again after the test."""
    yield postgres
    postgres.start()


def audit_once(store: SqlStateStore) -> AuditRecord:
    return store.append_audit(
        at=NOW, actor="agent", action="test", subject="x", allowed=True, detail={}
    )


def test_a_server_that_is_away_can_be_tried_again_and_is_found_when_it_is_back(
    running: Any, store: SqlStateStore
) -> None:
    store.put("cursor", 1)
    running.stop()
    calls: list[Callable[[], object]] = [
        lambda: store.get("cursor"),
        lambda: store.put("cursor", 2),
        lambda: audit_once(store),
        lambda: store.acquire_lease("x", holder="y", ttl=timedelta(hours=1), now=NOW),
        lambda: verify_audit(store),
        lambda: store.prune(before=NOW),
        lambda: open_store(running.url("agent_template")),
    ]
    for call in calls:
        with pytest.raises(ConnectorError, match=r"state database postgresql\+psycopg") as caught:
            call()
        assert caught.value.retryable
        assert caught.value.hint == "check that the database answers"
        assert "hunter2" not in str(caught.value)
    running.start()
    assert store.get("cursor") == 1
    assert audit_once(store).sequence == 1
    assert verify_audit(store).intact


def test_a_server_that_goes_away_in_the_middle_leaves_nothing_half_done(
    running: Any, url: str, store: SqlStateStore, connected: Connected
) -> None:
    audit_once(store)
    failed: list[ConnectorError] = []

    def blocked() -> None:
        try:
            audit_once(store)
        except ConnectorError as error:
            failed.append(error)

    thread = threading.Thread(target=blocked)
    with suppress(Exception), connected(url) as connection:  # the commit at its end fails, too
        connection.execute(text("UPDATE audit_head SET hash = hash"))  # holds the head's row
        thread.start()
        waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        end = time.monotonic() + 20
        while not connection.scalar(waiting) and time.monotonic() < end:
            time.sleep(0.01)
        running.stop()
    thread.join(timeout=30)
    assert [error.retryable for error in failed] == [True]
    running.start()
    assert audit_once(store).sequence == 2
    assert verify_audit(store).intact


def test_a_single_connection_that_was_cut_is_replaced(
    url: str, store: SqlStateStore, connected: Connected
) -> None:
    store.put("cursor", 1)
    with connected(url) as connection:
        cut = text(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert connection.scalar(cut) == 1
    assert store.get("cursor") == 1


def test_a_writer_that_waits_too_long_for_another_says_so(
    url: str, connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_agent.connectors.state_stores.engine.BUSY_SECONDS", 0.1)
    with closing(open_store(url)) as store, connected(url) as connection:
        connection.execute(text("UPDATE audit_head SET hash = hash"))
        with pytest.raises(ConnectorError, match="lock timeout") as caught:
            audit_once(store)
        assert caught.value.retryable
        assert store.audit() == []


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("no_such_database", "database .no_such_database. does not exist"),
        ("agent_template&user=nobody", "role .nobody. does not exist"),
    ],
)
def test_a_wrong_login_is_a_matter_of_configuration(postgres: Any, place: str, said: str) -> None:
    database, _, more = place.partition("&")
    with pytest.raises(ConfigError, match=said) as caught:
        open_store(f"{postgres.url(database)}&{more}".rstrip("&"))
    assert "setting state.url" in caught.value.hint
    assert "hunter2" not in str(caught.value)


def test_a_user_without_rights_is_told_what_to_grant(postgres: Any) -> None:
    url = postgres.database(empty=True)
    postgres.sql("DROP ROLE IF EXISTS guest")
    postgres.sql("CREATE ROLE guest LOGIN")
    with pytest.raises(ConfigError, match="permission denied for schema public") as caught:
        open_store(f"{url}&user=guest")
    assert caught.value.hint.startswith("grant this user CREATE on the schema")


def test_a_host_that_does_not_answer_is_given_up_soon() -> None:
    begun = time.monotonic()
    # reserved for documentation: nothing is there
    url = "postgresql://me:hunter2@192.0.2.1/state?connect_timeout=2"
    with pytest.raises(ConnectorError, match=r"192\.0\.2\.1") as caught:
        open_store(url)
    assert caught.value.retryable
    assert time.monotonic() - begun < 9
    assert "hunter2" not in str(caught.value)


def test_a_name_that_no_host_has_can_be_tried_again() -> None:
    with pytest.raises(ConnectorError, match=r"nowhere\.invalid") as caught:
        open_store("postgresql://me:hunter2@nowhere.invalid/state")
    assert caught.value.retryable
    assert "hunter2" not in str(caught.value)


def test_a_port_where_nobody_listens_can_be_tried_again() -> None:
    with pytest.raises(ConnectorError, match=r"localhost:1/state") as caught:
        open_store("postgresql://me:hunter2@localhost:1/state?sslmode=disable&password=hunter2")
    assert caught.value.retryable
    assert "hunter2" not in str(caught.value)
