"""`AutonomyGuard`: the one wrapper through which everything passes that changes the world."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NoReturn, TypeVar, cast

from dagster_agent.autonomy.config import AutonomyConfig
from dagster_agent.autonomy.pause import paused
from dagster_agent.autonomy.policy import Tier, action, permits
from dagster_agent.errors import ApprovalRequired, DagsterAgentError, LeaseHeld
from dagster_agent.model import AuditRecord, Lease
from dagster_agent.ports import StateStore
from dagster_agent.privacy.redaction import known_secrets, redact

T = TypeVar("T")

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """Something that wants to be done."""

    action: str
    subject: str
    now: datetime
    detail: Mapping[str, Any]
    """Redacted."""
    asked: float = field(default_factory=time.monotonic)
    """Monotonic clock when it was asked for."""


class AutonomyGuard:
    """Pause, tier, lease, rate limit, budget and audit, in this order, around every write.

    Args:
        store: Holds the audit log, the leases and the pause switch.
        config: Tiers and limits.
        holder: Who acts, for leases and audit: a Dagster run id or the name of a command.
        secrets: Values that must not reach the audit log; see `privacy.redaction.known_secrets`.
    """

    def __init__(
        self,
        store: StateStore,
        config: AutonomyConfig,
        *,
        holder: str,
        secrets: Sequence[str] = (),
    ) -> None:
        self._store = store
        self._config = config
        self._holder = holder
        self._secrets = tuple(secrets)

    def perform(
        self,
        action_id: str,
        subject: str,
        *,
        now: datetime,
        work: Callable[[], T],
        detail: Mapping[str, Any],
        approved_by: str | None = None,
        cost: Callable[[T], float | None] | None = None,
    ) -> T:
        """Do the work if policy allows it, and write down what was tried and what came of it.

        The intent is in the audit log before the work begins and its outcome afterwards, also when
        the work fails or is interrupted; the lease on the subject is given back in every case.

        Args:
            action_id: An id of `policy.ACTIONS`.
            subject: What it is done to; one action at a time per subject.
            now: UTC.
            work: Changes the world. Must not go through the guard for the same subject again.
            detail: Particulars for the audit log; redacted here.
            approved_by: The person who approved, as they named themselves.
            cost: Reads from the result what it cost in US dollars; None for what costs nothing.

        Returns:
            What `work` returned.

        Raises:
            ApprovalRequired: Paused, forbidden by the tier, over the limit or over the day's
                budget. Nothing was done.
            LeaseHeld: Somebody else acts on the subject. Nothing was done.
            ConfigError: Unknown action.
        """
        approver = (approved_by or "").strip()
        request = self._request(action_id, subject, now, {**detail, "approved_by": approver})
        self._check_policy(request, approved=bool(approver))
        with self._lease(request) as lease:
            intent = self._record(request, phase="intent")
            self._check_rate(request, intent)
            if cost is not None:
                self._check_budget(request, intent)
            self._check_fence(request, lease)
            return self._attempt(request, intent, work, cost)

    def refuse(
        self,
        action_id: str,
        subject: str,
        *,
        now: datetime,
        reason: str,
        hint: str,
        detail: Mapping[str, Any],
    ) -> NoReturn:
        """Write down that something may not be done, and raise ApprovalRequired.

        Args:
            action_id: What was asked for.
            subject: What it would have been done to.
            now: UTC.
            reason: Why not, for people.
            hint: What a person can do.
            detail: Particulars for the audit log; redacted here.
        """
        self._refuse(self._request(action_id, subject, now, detail), reason, hint)

    def _check_policy(self, request: _Request, *, approved: bool) -> None:
        tier = self._config.tier(request.action)
        stopped = "paused in the settings" if self._config.paused else paused(self._store)
        if stopped is not None:
            self._refuse(request, stopped, "resume the agent, then try again")
        if not permits(tier, approved=approved):
            hint = f"do it by hand, or set autonomy.tiers.{request.action} to 3 or less"
            if tier is Tier.PROPOSE_AND_WAIT:
                hint = f"a person has to approve it: {action(request.action).reason}"
            self._refuse(request, f"tier {tier.value} ({tier.label})", hint)

    @contextmanager
    def _lease(self, request: _Request) -> Generator[Lease]:
        ttl = timedelta(minutes=self._config.lease_minutes)
        # not the holder alone: two actions of one run must not share a lease
        holder = f"{self._holder}/{uuid.uuid4().hex[:8]}"
        lease = self._store.acquire_lease(
            f"action:{request.subject}", holder=holder, ttl=ttl, now=request.now
        )
        if lease is None:
            raise LeaseHeld(
                f"{request.action}: somebody else acts on {request.subject}",
                hint=f"try again; their lease ends within {self._config.lease_minutes} minutes",
            )
        try:
            yield lease
        finally:
            # a lease that cannot be given back ends by itself
            with contextlib.suppress(DagsterAgentError):
                self._store.release_lease(lease)

    def _check_fence(self, request: _Request, lease: Lease) -> None:
        """Right before the write: a process that was held up may have lost its lease meanwhile."""
        held_up = timedelta(seconds=time.monotonic() - request.asked)
        if not self._store.holds(lease, now=request.now + held_up):
            raise LeaseHeld(
                f"{request.action}: the lease on {request.subject} was lost before the write",
                hint="nothing was done; try again",
            )

    def _check_rate(self, request: _Request, intent: AuditRecord) -> None:
        """Count intents up to this one: the audit log's order decides between processes."""
        since = request.now - _HOUR
        log = [r for r in self._store.audit(since=since) if r.action == request.action]
        refused = {r.detail.get("intent") for r in log if not r.allowed}
        recent = [
            r
            for r in log
            if r.detail.get("phase") == "intent"
            and r.at > since
            and r.sequence <= intent.sequence
            and r.sequence not in refused
        ]
        limit = self._config.limit(request.action)
        if len(recent) > limit:
            self._refuse(
                request,
                f"limit of {limit} an hour reached",
                f"wait, or raise autonomy.max_per_hour.{request.action}",
                intent=intent.sequence,
            )

    def _check_budget(self, request: _Request, intent: AuditRecord) -> None:
        spent = sum(
            cost
            for record in self._store.audit(since=request.now - _DAY)
            if isinstance(cost := record.detail.get("cost_usd"), (int, float))
        )
        limit = self._config.max_dollars_per_day
        if spent >= limit:
            self._refuse(
                request,
                f"${spent:.2f} of ${limit:.2f} for 24 hours are spent",
                "wait, or raise autonomy.max_dollars_per_day",
                intent=intent.sequence,
            )

    def _attempt(
        self,
        request: _Request,
        intent: AuditRecord,
        work: Callable[[], T],
        cost: Callable[[T], float | None] | None,
    ) -> T:
        try:
            result = work()
        except BaseException as error:
            # Dagster's Terminate is no Exception
            phase = "failed" if isinstance(error, Exception) else "interrupted"
            said = self._clean(f"{type(error).__name__}: {error}", self._secrets)
            with contextlib.suppress(DagsterAgentError):
                self._record(request, phase=phase, intent=intent.sequence, error=said)
            raise
        paid = cost(result) if cost is not None else None
        more: dict[str, Any] = {} if paid is None else {"cost_usd": paid}
        self._record(request, phase="done", intent=intent.sequence, **more)
        return result

    def _refuse(self, request: _Request, reason: str, hint: str, **more: Any) -> NoReturn:
        self._record(request, allowed=False, phase="refused", reason=reason, **more)
        raise ApprovalRequired(
            f"{request.action} on {request.subject} refused: {reason}", hint=hint
        )

    def _record(self, request: _Request, *, allowed: bool = True, **more: Any) -> AuditRecord:
        return self._store.append_audit(
            at=request.now,
            actor="agent",
            action=request.action,
            subject=request.subject,
            allowed=allowed,
            detail={**request.detail, **more, "holder": self._holder},
        )

    def _request(
        self, action_id: str, subject: str, now: datetime, detail: Mapping[str, Any]
    ) -> _Request:
        action(action_id)  # unknown ones end here
        secrets = (*self._secrets, *known_secrets({}, detail))
        cleaned = cast("dict[str, Any]", self._clean(dict(detail), secrets))
        kept = {key: value for key, value in cleaned.items() if value not in ("", None)}
        return _Request(
            action=action_id, subject=self._clean(subject, secrets), now=now, detail=kept
        )

    def _clean(self, value: Any, secrets: Sequence[str]) -> Any:
        if value is None or isinstance(value, (bool, int, float, datetime)):
            return value
        if isinstance(value, Mapping):
            pairs = cast("Mapping[object, object]", value)
            return {str(key): self._clean(item, secrets) for key, item in pairs.items()}
        if isinstance(value, (list, tuple)):
            return [self._clean(item, secrets) for item in cast("Sequence[object]", value)]
        return redact(str(value), secrets=secrets)
