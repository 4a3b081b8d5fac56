"""Symptoms that have one cause as far as lineage and time can tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.incidents.fingerprint import fingerprint
from dagster_agent.model import Severity, Symptom, SymptomKind

LOCAL_CHECKS = frozenset({"reconciliation/currencies", "reconciliation/nulls"})
"""Checks that look at what a model's own SQL does: nothing upstream explains what they find."""
_SEVERITY_ORDER = (Severity.ERROR, Severity.WARN, Severity.INFO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Symptoms that are told as one incident."""

    asset: str | None
    """dbt unique id furthest upstream; None when no symptom names one."""
    symptoms: tuple[Symptom, ...]
    """In the order seen."""
    lead: Symptom
    """The worst one on `asset`: nearest to the cause."""


class Lineage:
    """Which symptom may be the consequence of which.

    Args:
        manifest: Assets it does not know have no lineage.
        window: Longest time between cause and consequence, in either direction: a check may run
            long after its table was built.
    """

    def __init__(self, manifest: Manifest, window: timedelta) -> None:
        self._manifest = manifest
        self._window = window
        self._upstream: dict[str, Mapping[str, int]] = {}

    def distance(self, cause: str, effect: str) -> int | None:
        """Place of `cause` among what is upstream of `effect`, nearest first; 0 is itself."""
        if effect not in self._upstream:
            known = effect in self._manifest.assets
            above = self._manifest.upstream(effect) if known else ()
            self._upstream[effect] = {uid: n for n, uid in enumerate((effect, *above))}
        return self._upstream[effect].get(cause)

    def explains(self, cause: Symptom, effect: Symptom) -> bool:
        """`cause` was seen upstream of `effect` or on the same asset, at about the same time."""
        if SymptomKind.QUESTION in (cause.kind, effect.kind):
            return False  # what a person asks about is a story of its own
        if cause.asset is None or effect.asset is None:
            return False
        if effect.check in LOCAL_CHECKS and cause.check != effect.check:
            return False
        near = abs(cause.observed_at - effect.observed_at) <= self._window
        return near and self.distance(cause.asset, effect.asset) is not None


def group(symptoms: Iterable[Symptom], lineage: Lineage) -> tuple[Group, ...]:
    """Put every symptom into exactly one group; their order does not matter.

    A symptom belongs to the nearest affected asset upstream of it, and so to that asset's group. A
    failed run without an asset goes with the failed checks of the same run.

    Returns:
        Worst first, then by time.
    """
    ordered = in_order(symptoms)
    by_asset: dict[str, list[Symptom]] = {}
    others: list[Symptom] = []
    for symptom in ordered:
        if symptom.asset is None or symptom.kind is SymptomKind.QUESTION:
            others.append(symptom)
        else:
            by_asset.setdefault(symptom.asset, []).append(symptom)
    members: dict[str, list[Symptom]] = {}
    for asset, seen in by_asset.items():
        members.setdefault(_root(asset, by_asset, lineage), []).extend(seen)
    groups = [_group(found, by_asset[root], root) for root, found in members.items()]
    return tuple(sorted(_with_others(groups, others), key=lambda g: urgency(g.lead)))


def in_order(symptoms: Iterable[Symptom]) -> list[Symptom]:
    """As seen, each once; the same for any order in which they were handed over."""
    found = {_identity(symptom): symptom for symptom in symptoms}
    return [found[key] for key in sorted(found)]


def urgency(symptom: Symptom) -> tuple[int, datetime, tuple[str, ...]]:
    """Sort key: worst first, then oldest."""
    moment, *rest = _identity(symptom)
    return _SEVERITY_ORDER.index(symptom.severity), moment, tuple(rest)


def _identity(symptom: Symptom) -> tuple[Any, ...]:
    fields = (f.name for f in dataclasses.fields(symptom) if f.name != "metrics")
    texts = (str(getattr(symptom, name) or "") for name in fields)
    return (symptom.observed_at, *texts, repr(sorted(symptom.metrics.items())))


def _root(asset: str, by_asset: Mapping[str, Sequence[Symptom]], lineage: Lineage) -> str:
    """Follow the nearest affected asset upstream until there is none."""
    while True:
        above = [
            (distance, other)
            for other in by_asset
            if (distance := lineage.distance(other, asset))
            and any(lineage.explains(c, e) for c in by_asset[other] for e in by_asset[asset])
        ]
        if not above:
            return asset
        asset = min(above)[1]


def _group(symptoms: Iterable[Symptom], leads: Sequence[Symptom], asset: str | None) -> Group:
    return Group(asset=asset, symptoms=tuple(in_order(symptoms)), lead=min(leads, key=urgency))


def _with_others(groups: Sequence[Group], others: Sequence[Symptom]) -> list[Group]:
    """Add what has no lineage: to the group of its run, else to one of its own kind."""
    homes = sorted(groups, key=lambda g: urgency(g.lead))
    joined: dict[int, list[Symptom]] = {}
    alone: dict[str, list[Symptom]] = {}
    for symptom in others:
        home = next((n for n, g in enumerate(homes) if same_run(symptom, g.symptoms)), None)
        if home is None:
            alone.setdefault(fingerprint(symptom), []).append(symptom)
        else:
            joined.setdefault(home, []).append(symptom)
    for n, found in joined.items():
        homes[n] = dataclasses.replace(
            homes[n], symptoms=tuple(in_order((*homes[n].symptoms, *found)))
        )
    return [*homes, *(_group(found, found, found[0].asset) for found in alone.values())]


def same_run(symptom: Symptom, others: Iterable[Symptom]) -> bool:
    """The symptom is a failed run as a whole, and one of the others was seen in that run."""
    return (
        symptom.kind is SymptomKind.RUN_FAILED
        and symptom.asset is None
        and symptom.run_id is not None
        and any(other.run_id == symptom.run_id for other in others)
    )
