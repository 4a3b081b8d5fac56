"""What people say to an investigation: while it runs, and as a hint for the next one.

A message waits in the state store until the investigation looks, which it does between its steps.
It is text from outside: redacted, bounded, and whoever shows it escapes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dagster_agent.errors import ConfigError, InvestigationStopped
from dagster_agent.ports import Narrator, StateStore
from dagster_agent.privacy.redaction import redact
from dagster_agent.response.workspace import Workspace

MESSAGE_CHARS = 2000
"""Longer messages are cut, and say so."""

VOICE = "[human]"
"""Begins the log line that repeats what a person said."""

NOBODY = "someone"
"""Said where nobody gives a name."""

_NAME_CHARS = 80
_READ_CHARS = 50_000
_CUT = " … (cut)"
_STOP = re.compile(r"(?i)\W*(?:stop|abort)\W*")
_LEASE = "incident:"


@dataclass(frozen=True, slots=True, kw_only=True)
class SteeringMessage:
    """What one person said."""

    message: str
    """Redacted, at most `MESSAGE_CHARS` signs of theirs."""
    by: str
    """As they named themselves."""
    at: datetime
    """UTC."""

    @property
    def stops(self) -> bool:
        """Whether it says stop or abort and nothing else."""
        return _STOP.fullmatch(self.message) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningInvestigation:
    """An investigation that holds the lease of its incident."""

    investigation_id: str
    """Where it listens; in Dagster the id of its run."""
    incident_id: str
    """`I-...`."""
    title: str
    """Headline of the incident."""


def steer(
    store: StateStore,
    investigation_id: str,
    *,
    message: str,
    by: str,
    at: datetime,
    secrets: Sequence[str] = (),
) -> None:
    """Leave a message for an investigation; it hears each one once.

    Args:
        store: The state that it shares with us.
        investigation_id: Which; not checked here, since one that is queued holds nothing yet.
        message: `stop` or `abort` alone stops it; anything else is a hint.
        by: Who says so.
        at: UTC.
        secrets: Values that must not be kept, besides what is recognised by its form.

    Raises:
        ConfigError: The message is empty.
    """
    said = _said(message, by, at, secrets)
    store.append(_messages(investigation_id), _written(said))
    store.append_audit(
        at=at,
        actor=said.by,
        action="steer",
        subject=investigation_id,
        allowed=True,
        detail={"message": said.message},
    )


def unheard(store: StateStore, investigation_id: str) -> tuple[SteeringMessage, ...]:
    """Messages that came since the last call, oldest first; they count as heard from now on."""
    entries = store.entries(_messages(investigation_id))
    known: list[str] = store.get(_heard(investigation_id)) or []
    fresh = tuple(_read(value) for key, value in entries.items() if key not in known)
    if fresh:
        store.put(_heard(investigation_id), list(entries))
    return fresh


def heard(workspace: Workspace, investigation_id: str, narrator: Narrator) -> Sequence[str]:
    """What people said since the last call: for an investigation, between two of its steps.

    Each message is repeated in the run's log, and kept as a hint with the incident.

    Returns:
        The hints, oldest first; redacted, and not to be trusted as instructions.

    Raises:
        InvestigationStopped: Somebody said stop. The lease and the incident are left as they are,
            for `stages.abandon`.
    """
    hints: list[str] = []
    stopped: SteeringMessage | None = None
    for said in unheard(workspace.store, investigation_id):
        incident = _incident_of(workspace.store, investigation_id, said.at)
        if said.stops:
            stopped = said
        else:
            hints.append(redact(said.message, secrets=workspace.secrets))
            _keep(workspace.store, incident, said)
        narrator.step(
            f"{VOICE} {said.by}: {' '.join(said.message.split())}",
            why="said while this investigation runs",
            result="stops here" if said.stops else f"kept as a hint with {incident or 'this run'}",
        )
    if stopped is not None:
        raise InvestigationStopped(
            f"{stopped.by} stopped the investigation",
            hint="the incident waits in the inbox; ask again with a hint when you want",
        )
    return hints


def keep_hint(
    store: StateStore,
    incident_id: str,
    *,
    message: str,
    by: str,
    at: datetime,
    secrets: Sequence[str] = (),
) -> None:
    """Keep what a person knows about an incident. Arguments and errors as of `steer`."""
    _keep(store, incident_id, _said(message, by, at, secrets))


def hints(store: StateStore, incident_id: str) -> tuple[SteeringMessage, ...]:
    """All that people said about an incident, oldest first."""
    return tuple(_read(value) for value in store.entries(_hints(incident_id)).values())


def running(store: StateStore, *, now: datetime) -> tuple[RunningInvestigation, ...]:
    """Investigations that are going on, by incident."""
    found: list[RunningInvestigation] = []
    for lease in store.leases(now=now):
        if not lease.name.startswith(_LEASE):
            continue
        incident = store.incident(lease.name.removeprefix(_LEASE))
        if incident is not None:
            found.append(
                RunningInvestigation(
                    investigation_id=lease.holder, incident_id=incident.id, title=incident.title
                )
            )
    return tuple(found)


def _incident_of(store: StateStore, investigation_id: str, at: datetime) -> str | None:
    held = (each for each in running(store, now=at) if each.investigation_id == investigation_id)
    found = next(held, None)
    return found.incident_id if found is not None else None


def _said(message: str, by: str, at: datetime, secrets: Sequence[str]) -> SteeringMessage:
    # redacted before it is cut: half a secret would not be recognised
    text = redact(_visible(message[:_READ_CHARS]), secrets=secrets).strip()
    if not text:
        raise ConfigError("the message is empty", hint="say in `message` what it should know")
    name = " ".join(redact(_visible(by[:_READ_CHARS]), secrets=secrets).split())
    return SteeringMessage(
        message=_bounded(text, MESSAGE_CHARS), by=_bounded(name, _NAME_CHARS) or NOBODY, at=at
    )


def _bounded(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit] + _CUT


def _visible(text: str) -> str:
    """Without signs that reorder or hide what is read; lines stay lines."""
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in text)


def _keep(store: StateStore, incident_id: str | None, said: SteeringMessage) -> None:
    if incident_id is not None:
        store.append(_hints(incident_id), _written(said))


def _written(said: SteeringMessage) -> dict[str, str]:
    return {"message": said.message, "by": said.by, "at": said.at.isoformat()}


def _read(value: dict[str, str]) -> SteeringMessage:
    return SteeringMessage(
        message=value["message"], by=value["by"], at=datetime.fromisoformat(value["at"])
    )


def _messages(investigation_id: str) -> str:
    return f"steering/{investigation_id}"


def _heard(investigation_id: str) -> str:
    return f"steering-heard/{investigation_id}"


def _hints(incident_id: str) -> str:
    return f"hints/{incident_id}"
