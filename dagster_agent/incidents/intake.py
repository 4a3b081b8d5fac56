"""Symptoms in; incidents opened or joined. Nothing that was seen is lost."""

from __future__ import annotations

import dataclasses
import hashlib
import time
import uuid
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import LeaseHeld
from dagster_agent.incidents import grouping, lifecycle
from dagster_agent.incidents.config import IncidentsConfig
from dagster_agent.incidents.fingerprint import fingerprint
from dagster_agent.incidents.grouping import Group, Lineage
from dagster_agent.model import Incident, IncidentStatus, Symptom, SymptomKind
from dagster_agent.ports import StateStore

_LEASE = "incident-intake"
_LEASE_TTL = timedelta(minutes=1)
_WAIT_SECONDS = 10.0
_POLL_SECONDS = 0.05
_LOOKED_INTO = (IncidentStatus.WAITING, IncidentStatus.SNOOZED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What became of the symptoms."""

    opened: tuple[Incident, ...]
    """New incidents, worst first; all of them, also those that wait for an investigation."""
    joined: tuple[Incident, ...]
    """Incidents that were open already and have been given a symptom."""


def take_in(
    symptoms: Sequence[Symptom],
    *,
    store: StateStore,
    manifest: Manifest,
    now: datetime,
    config: IncidentsConfig,
) -> Intake:
    """Group symptoms and let each group join an open incident, or open one.

    A group joins the incident that holds the same trouble as its root, or whose symptoms explain
    it (upstream or on the same asset, at about the same time). Taking in a batch twice opens
    nothing new.

    Args:
        symptoms: In any order.
        store: Remembers the incidents; one process at a time is let in.
        manifest: Lineage. Assets that it does not know are grouped by their own name.
        now: UTC.
        config: Windows and limits.

    Raises:
        LeaseHeld: Another process takes in for more than ten seconds; nothing was done.
    """
    lineage = Lineage(manifest, timedelta(minutes=config.grouping_window_minutes))
    with _alone(store, now):
        register = _Register(store, lineage, config, now)
        for group in grouping.group(symptoms, lineage):
            register.take(group)
    return Intake(opened=tuple(register.opened.values()), joined=tuple(register.joined.values()))


def merge(
    incident: Incident, home: Incident, *, store: StateStore, now: datetime, config: IncidentsConfig
) -> None:
    """Tell an incident's symptoms with another's, that has turned out to have the same cause.

    What a person asked stays with the incident that answered it: it would keep its new home open.

    Args:
        incident: What is told elsewhere from now on; unchanged.
        home: Open; closes only when the new symptoms are gone, too.
        store: Remembers the incidents; one process at a time is let in.
        now: UTC.
        config: Limits.

    Raises:
        LeaseHeld: Another process takes in for more than ten seconds; nothing was done.
    """
    with _alone(store, now):
        home = store.incident(home.id) or home
        news = [s for s in incident.symptoms if s.kind is not SymptomKind.QUESTION]
        kept = _kept((*home.symptoms, *news), config.max_symptoms_per_fingerprint)
        store.save_incident(dataclasses.replace(home, symptoms=kept, updated_at=now))


def waiting(store: StateStore, limit: int) -> tuple[Incident, ...]:
    """Incidents that nobody has looked into yet: worst first, then oldest; at most `limit`."""
    found = [i for i in store.incidents(open_only=True) if i.status is IncidentStatus.OPEN]

    def worst_first(incident: Incident) -> tuple[object, ...]:
        severity, *_ = min(grouping.urgency(symptom) for symptom in incident.symptoms)
        return severity, incident.opened_at, incident.id

    return tuple(sorted(found, key=worst_first)[:limit])


class _Register:
    """The open incidents while a batch is taken in."""

    def __init__(
        self, store: StateStore, lineage: Lineage, config: IncidentsConfig, now: datetime
    ) -> None:
        self.opened: dict[str, Incident] = {}
        self.joined: dict[str, Incident] = {}
        self._store = store
        self._lineage = lineage
        self._config = config
        self._now = now
        # oldest first: of several that fit, the first one is the story
        self._known = {i.id: i for i in reversed(store.incidents(open_only=True))}
        self._fingerprints = {i.id: _fingerprints(i) for i in self._known.values()}
        self._wake_the_dead()

    def take(self, group: Group) -> None:
        """Let the group join where it belongs, or open an incident for it."""
        root = [s for s in group.symptoms if s.asset == group.asset] or list(group.symptoms)
        home = self._same(root) or self._explaining(root)
        if home is not None:
            self._join(home, group.symptoms, group)
            return
        news: list[Symptom] = []
        for symptom in group.symptoms:
            known = self._same([symptom])
            if known is None:
                news.append(symptom)
            elif known.status is IncidentStatus.OPEN:
                # its consequence was seen first, and nobody has looked into it yet
                self._join(known, group.symptoms, group)
                return
            else:
                self._join(known, [symptom], group)
        self._open(dataclasses.replace(group, symptoms=tuple(news)))

    def _same(self, symptoms: Iterable[Symptom]) -> Incident | None:
        """The incident with the same trouble as one of these.

        One that was opened before pairs had names may be of any of them: better one story too few
        in the hour of an upgrade than each told twice.
        """
        seen = tuple(symptoms)
        wanted = {fingerprint(symptom) for symptom in seen}
        unnamed = {fingerprint(dataclasses.replace(s, pair=None)) for s in seen if s.pair}
        known = self._known.values()
        return next(
            (i for i in known if wanted & self._fingerprints[i.id]),
            next((i for i in known if unnamed & _unnamed_fingerprints(i)), None),
        )

    def _explaining(self, symptoms: Sequence[Symptom]) -> Incident | None:
        """The incident of which one of these is a consequence.

        What was looked into already explains nothing new downstream: a trouble that comes after the
        finding may be another one, and to look twice costs less than to miss it.
        """
        for incident in self._known.values():
            for symptom in symptoms:
                if grouping.same_run(symptom, incident.symptoms) or any(
                    self._is_cause(cause, symptom, incident) for cause in incident.symptoms
                ):
                    return incident
        return None

    def _is_cause(self, cause: Symptom, symptom: Symptom, incident: Incident) -> bool:
        if grouping.same_run(cause, [symptom]):
            return True
        if incident.status in _LOOKED_INTO and cause.asset != symptom.asset:
            return False
        return self._lineage.explains(cause, symptom)

    def _join(self, incident: Incident, symptoms: Iterable[Symptom], group: Group) -> None:
        kept = _kept((*incident.symptoms, *symptoms), self._config.max_symptoms_per_fingerprint)
        changed = dataclasses.replace(incident, symptoms=kept)
        if incident.status is IncidentStatus.OPEN and self._nearer(group, incident):
            changed = dataclasses.replace(changed, asset=group.asset, title=group.lead.headline)
        until = incident.snoozed_until
        if incident.status is IncidentStatus.SNOOZED and until is not None and until <= self._now:
            changed = lifecycle.move(changed, IncidentStatus.OPEN, now=self._now)
        if changed != incident:
            changed = dataclasses.replace(changed, updated_at=self._now)
            self._keep(changed)
        if incident.id in self.opened:
            self.opened[incident.id] = changed
        else:
            self.joined[incident.id] = changed

    def _nearer(self, group: Group, incident: Incident) -> bool:
        """The group's root is nearer to the cause than what the incident names so far."""
        if group.asset is None or incident.asset is None:
            return incident.asset is None and group.asset is not None
        return bool(self._lineage.distance(group.asset, incident.asset))

    def _open(self, group: Group) -> None:
        trouble = fingerprint(group.lead)
        incident = Incident(
            id=self._new_id(trouble),
            fingerprint=trouble,
            title=group.lead.headline,
            asset=group.asset,
            symptoms=_kept(group.symptoms, self._config.max_symptoms_per_fingerprint),
            opened_at=self._now,
            updated_at=self._now,
        )
        self._keep(incident)
        self.opened[incident.id] = incident

    def _new_id(self, trouble: str) -> str:
        """Six digits collide after some thousand incidents; then the next ones are taken."""
        attempt = 0
        while True:
            text = f"{trouble} {self._now.isoformat()} {attempt}"
            incident_id = f"I-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
            if self._store.incident(incident_id) is None:
                return incident_id
            attempt += 1

    def _wake_the_dead(self) -> None:
        """Hand incidents whose investigation died without a word to a person.

        An investigation holds the lease `incident:<id>` as long as it lives. The incident does not
        become OPEN again: a crash that repeats would be launched for ever.
        """
        held = {lease.name for lease in self._store.leases(now=self._now)}
        for incident in list(self._known.values()):
            investigating = incident.status is IncidentStatus.INVESTIGATING
            if investigating and f"incident:{incident.id}" not in held:
                self._keep(lifecycle.move(incident, IncidentStatus.WAITING, now=self._now))

    def _keep(self, incident: Incident) -> None:
        self._store.save_incident(incident)
        self._known[incident.id] = incident
        self._fingerprints[incident.id] = _fingerprints(incident)


def _fingerprints(incident: Incident) -> frozenset[str]:
    return frozenset({incident.fingerprint, *map(fingerprint, incident.symptoms)})


def _kept(symptoms: Iterable[Symptom], most: int) -> tuple[Symptom, ...]:
    """Each symptom once, in the order seen; of each fingerprint the first and the newest."""
    by_print: dict[str, list[Symptom]] = {}
    for symptom in grouping.in_order(symptoms):
        by_print.setdefault(fingerprint(symptom), []).append(symptom)
    kept = [s for seen in by_print.values() for s in (seen[:1] + seen[1:][-(most - 1) :])]
    return tuple(grouping.in_order(kept))


def _unnamed_fingerprints(incident: Incident) -> frozenset[str]:
    """Of the checks of which the pair is not known."""
    return frozenset(fingerprint(s) for s in incident.symptoms if s.check and s.pair is None)


@contextmanager
def _alone(store: StateStore, now: datetime) -> Generator[None]:
    """Keep two processes from opening the same incident twice."""
    holder = uuid.uuid4().hex
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        lease = store.acquire_lease(_LEASE, holder=holder, ttl=_LEASE_TTL, now=now)
        if lease is not None:
            break
        if time.monotonic() > deadline:
            raise LeaseHeld(
                "another process is taking in symptoms", hint="the next tick tries again"
            )
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        store.release_lease(lease)
