from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.autonomy.config import AutonomyConfig
from dagster_agent.autonomy.guard import AutonomyGuard
from dagster_agent.autonomy.pause import pause, paused, resume
from dagster_agent.connectors.state_stores import open_store
from dagster_agent.connectors.state_stores.audit_chain import verify_chain
from dagster_agent.errors import ApprovalRequired, ConfigError, LeaseHeld
from dagster_agent.model import Lease
from dagster_agent.testing import MemoryStore

NOW = datetime(2026, 11, 3, 6, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class World:
    """What an action changes."""

    def __init__(self, **settings: object) -> None:
        self.store = MemoryStore()
        self.config = AutonomyConfig.model_validate(settings)
        self.changes: list[str] = []

    def perform(
        self,
        action: str = "open-pull-request",
        subject: str = "I-1",
        *,
        now: datetime = NOW,
        approved_by: str | None = None,
        raises: BaseException | None = None,
        **detail: object,
    ) -> int:
        def work() -> int:
            if raises is not None:
                raise raises
            self.changes.append(subject)
            return 42

        guard = AutonomyGuard(self.store, self.config, holder="run-1", secrets=["s3cr3t-value"])
        return guard.perform(
            action, subject, now=now, work=work, detail=detail, approved_by=approved_by
        )

    def log(self) -> list[tuple[str, str, bool]]:
        return [(r.action, str(r.detail["phase"]), r.allowed) for r in self.store.audit()]


def test_intent_before_outcome_after_and_nothing_is_held() -> None:
    world = World()
    assert world.perform(branch="agent/i-1") == 42
    intent, done = world.store.audit()
    assert (intent.actor, intent.subject, intent.at) == ("agent", "I-1", NOW)
    assert intent.detail == {"branch": "agent/i-1", "phase": "intent", "holder": "run-1"}
    assert done.detail == {
        "branch": "agent/i-1",
        "phase": "done",
        "intent": 1,
        "holder": "run-1",
    }
    assert world.store.leases(now=NOW) == []
    assert verify_chain(world.store.audit()) is None


def test_tier_3_needs_a_person() -> None:
    world = World()
    for nobody in (None, "", "  "):
        with pytest.raises(ApprovalRequired, match=r"tier 3 .propose-and-wait.*approve it") as e:
            world.perform("mark-pull-request-ready", approved_by=nobody)
        assert e.value.hint
    assert world.changes == []
    assert world.perform("mark-pull-request-ready", approved_by=" ana ") == 42
    assert world.log() == [
        ("mark-pull-request-ready", "refused", False),
        ("mark-pull-request-ready", "refused", False),
        ("mark-pull-request-ready", "refused", False),
        ("mark-pull-request-ready", "intent", True),
        ("mark-pull-request-ready", "done", True),
    ]
    assert world.store.audit()[-1].detail["approved_by"] == "ana"


def test_tier_4_is_never_done() -> None:
    world = World(tiers={"open-pull-request": 4})
    with pytest.raises(ApprovalRequired, match=r"tier 4 .alert-only.*autonomy.tiers.open-pull"):
        world.perform(approved_by="ana")
    assert world.changes == []
    assert world.log() == [("open-pull-request", "refused", False)]


def test_unknown_actions_are_no_way_around() -> None:
    world = World()
    with pytest.raises(ConfigError, match="unknown action"):
        world.perform("drop-table", approved_by="ana")
    assert world.changes == []


@pytest.mark.parametrize("approved_by", [None, "ana"])
def test_pause_in_the_settings_stops_everything(approved_by: str | None) -> None:
    world = World(paused=True)
    with pytest.raises(ApprovalRequired, match="paused in the settings"):
        world.perform(approved_by=approved_by)
    assert world.changes == []


def test_the_pause_switch_works_at_once_and_is_in_the_log() -> None:
    world = World()
    pause(world.store, by="ana", reason="migration", now=NOW)
    with pytest.raises(ApprovalRequired, match="paused by ana at 2026-11-03T06:12:00Z: migration"):
        world.perform()
    resume(world.store, by="ana", now=NOW)
    assert paused(world.store) is None
    assert world.perform() == 42
    assert [(r.actor, r.action) for r in world.store.audit()] == [
        ("ana", "pause"),
        ("agent", "open-pull-request"),
        ("ana", "resume"),
        ("agent", "open-pull-request"),
        ("agent", "open-pull-request"),
    ]


def test_a_subject_somebody_else_works_on_is_left_alone() -> None:
    world = World()
    world.store.acquire_lease("action:I-1", holder="other", ttl=5 * MINUTE, now=NOW)
    with pytest.raises(LeaseHeld, match="somebody else acts on I-1"):
        world.perform()
    assert world.perform(subject="I-2") == 42
    assert world.perform(now=NOW + 5 * MINUTE) == 42
    assert world.changes == ["I-2", "I-1"]


def test_an_action_does_not_run_inside_itself() -> None:
    world = World()
    guard = AutonomyGuard(world.store, world.config, holder="run-1")
    with pytest.raises(LeaseHeld):
        guard.perform("open-pull-request", "I-1", now=NOW, work=world.perform, detail={})
    assert world.changes == []


class Terminated(BaseException):
    """As Dagster's interruption: no Exception."""


@pytest.mark.parametrize(
    ("error", "phase"),
    [
        (RuntimeError("host s3cr3t-value is down"), "failed"),
        (Terminated("password=hunter2hunter2"), "interrupted"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_failure_and_interruption_leave_a_record_and_no_lease(
    error: BaseException, phase: str
) -> None:
    world = World()
    with pytest.raises(type(error)) as caught:
        world.perform(raises=error)
    assert caught.value is error
    assert world.log() == [
        ("open-pull-request", "intent", True),
        ("open-pull-request", phase, True),
    ]
    said = str(world.store.audit()[-1].detail["error"])
    assert said.startswith(type(error).__name__)
    assert "s3cr3t" not in said
    assert "hunter2" not in said
    assert world.store.leases(now=NOW) == []


def test_rate_limit_counts_the_last_hour_and_not_what_was_refused() -> None:
    world = World(max_per_hour={"open-pull-request": 2})
    world.perform(now=NOW)
    world.perform(now=NOW + 30 * MINUTE)
    for minutes in (31, 40, 59.9):
        with pytest.raises(ApprovalRequired, match=r"limit of 2 an hour.*max_per_hour.open-pull"):
            world.perform(now=NOW + minutes * MINUTE)
    assert world.perform(now=NOW + 60 * MINUTE) == 42  # the first one is an hour ago
    with pytest.raises(ApprovalRequired):
        world.perform(now=NOW + 61 * MINUTE)
    assert world.perform("accept-schema", now=NOW, approved_by="ana") == 42
    assert len(world.changes) == 4


@given(limit=st.integers(0, 4), minutes=st.lists(st.integers(0, 200), max_size=12))
def test_never_more_than_the_limit_within_an_hour(limit: int, minutes: list[int]) -> None:
    world = World(max_per_hour={"open-pull-request": limit})
    done: list[int] = []
    for minute in sorted(minutes):
        try:
            world.perform(now=NOW + minute * MINUTE)
            done.append(minute)
        except ApprovalRequired:
            # refused only because the hour is full
            assert sum(minute - 60 < m <= minute for m in done) == limit
    assert all(sum(m - 60 < other <= m for other in done) <= limit for m in done)
    assert len(world.changes) == len(done)


@given(
    tiers=st.dictionaries(
        st.sampled_from(["open-pull-request", "accept-schema"]), st.integers(1, 4)
    ),
    approved_by=st.sampled_from([None, "ana"]),
    action=st.sampled_from(["open-pull-request", "accept-schema", "close-pull-request"]),
)
def test_a_stricter_tier_never_permits_more(
    tiers: dict[str, int], approved_by: str | None, action: str
) -> None:
    def outcome(**settings: object) -> bool:
        world = World(**settings)
        with contextlib.suppress(ApprovalRequired):
            world.perform(action, approved_by=approved_by)
        assert bool(world.changes) == (world.log()[-1][1] == "done")
        return bool(world.changes)

    stricter = {name: min(4, tier + 1) for name, tier in tiers.items()}
    assert outcome(tiers=tiers) >= outcome(tiers=stricter)


def test_details_are_redacted_whatever_their_shape() -> None:
    world = World()
    world.perform(
        url="https://me:hunter2hunter2@host/x",
        nested={"password": "correct horse", "list": ["s3cr3t-value", Path("/a/s3cr3t-value")]},
        rows=52606,
        at=NOW,
        nothing=None,
    )
    detail = dict(world.store.audit()[0].detail)
    text = json.dumps(detail)
    for secret in ("hunter2", "correct horse", "s3cr3t"):
        assert secret not in text
    assert detail["rows"] == 52606
    assert detail["at"] == "2026-11-03T06:12:00Z"
    assert "nothing" not in detail


def test_refuse_writes_it_down() -> None:
    world = World()
    guard = AutonomyGuard(world.store, world.config, holder="run-1")
    with pytest.raises(ApprovalRequired, match="refused: not proven") as caught:
        guard.refuse(
            "open-pull-request", "I-1", now=NOW, reason="not proven", hint="prove it", detail={}
        )
    assert caught.value.hint == "prove it"
    assert world.log() == [("open-pull-request", "refused", False)]


def test_on_the_real_store(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'state.db'}")
    guard = AutonomyGuard(store, AutonomyConfig(), holder="run-1")
    with pytest.raises(ZeroDivisionError):
        guard.perform("open-pull-request", "I-1", now=NOW, work=lambda: 1 // 0, detail={"ü": 1})
    assert [r.detail["phase"] for r in store.audit()] == ["intent", "failed"]
    assert verify_chain(store.audit()) is None
    assert store.leases(now=NOW) == []
    store.close()


def test_a_lease_lost_before_the_write_stops_it() -> None:
    class Losing(MemoryStore):
        """Another process takes over while this one is held up."""

        def holds(self, lease: Lease, *, now: datetime) -> bool:
            return False

    world = World()
    world.store = Losing()
    with pytest.raises(LeaseHeld, match="was lost before the write"):
        world.perform()
    assert world.changes == []


def test_the_budget_of_a_day() -> None:
    world = World(max_dollars_per_day=2.0)
    guard = AutonomyGuard(world.store, world.config, holder="run-1")

    def ask(now: datetime) -> float:
        return guard.perform(
            "ask-claude", "I-1", now=now, work=lambda: 1.5, detail={}, cost=lambda spent: spent
        )

    assert ask(NOW) == 1.5
    assert ask(NOW + MINUTE) == 1.5  # what one question costs is known only afterwards
    with pytest.raises(ApprovalRequired, match=r"\$3.00 of \$2.00 for 24 hours are spent"):
        ask(NOW + 2 * MINUTE)
    assert ask(NOW + timedelta(days=1, minutes=2)) == 1.5
    done = [r.detail["cost_usd"] for r in world.store.audit() if r.detail["phase"] == "done"]
    assert done == [1.5, 1.5, 1.5]
