"""Accuracy: does the asset agree with its source of truth?

Read from the newest reconciliation results of the asset; nothing is measured again. Of several
pairs the worst counts. The value is the share of keys that are there with the same values; where no
keys were compared, of rows. Of a pair that was inferred from lineage only what the reconciliation
found to be wrong counts: rows that a filter leaves out are meant.
Not this dimension: which rows differ and why, which the reconciliation check tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from dagster_agent.model import Detection, DetectionStatus
from dagster_agent.quality.dimension import Part, Plan, Subject, dimension, settled, undeclared
from dagster_agent.quality.shares import graded

_JUDGED = (DetectionStatus.PASSED, DetectionStatus.FAILED)
_KEYS = ("keys_missing", "keys_extra", "keys_changed", "keys_duplicated")
_ROWS = ("rows_missing", "rows_extra")
_KNOWN = frozenset({*_KEYS, *_ROWS, "keys_compared", "key_coverage", "rows_source", "rows_lost"})
_INFERRED = ""


@dimension(id="accuracy")
def accuracy(subject: Subject) -> Plan:
    """Takes the shares out of the reconciliation's numbers."""
    oldest = subject.now - timedelta(hours=subject.config.accuracy.max_age_hours)
    recent = [t for t in subject.truths if t.status in _JUDGED and t.observed_at >= oldest]
    parts = sorted(_parts(recent), key=lambda p: (p.share, p.says))
    if parts:
        targets = subject.config.accuracy
        return settled(graded("accuracy", tuple(parts), subject.asset.name, targets))
    hint = "name a source of truth in `meta: dagster_agent: reconcile:`"
    if subject.truths:
        hint = "run the reconciliation check: it has no recent result with counts in it"
    return undeclared("accuracy", subject, hint)


def _parts(truths: Sequence[Detection]) -> Iterator[Part]:
    """One part for each pair; what several methods say of a pair is put together."""
    pairs: dict[str, dict[str, float]] = {}
    failed: set[str] = set()
    for truth in truths:
        for name, value in truth.metrics.items():
            what, _, pair = name.partition(".")
            if what in _KNOWN and not (what == "rows_lost" and pair):
                pairs.setdefault(pair, {})[what] = value
                if truth.status is DetectionStatus.FAILED:
                    failed.add(pair)
    for pair, numbers in sorted(pairs.items()):
        counts = _inferred(numbers, pair in failed) if pair == _INFERRED else _counts(numbers)
        if counts is not None:
            about = pair or "the tables it is built from"
            examined, broken = counts
            yield Part(says=f"agrees with {about}", examined=examined, broken=broken)


def _inferred(numbers: Mapping[str, float], failed: bool) -> tuple[int, int] | None:
    examined = numbers.get("rows_source", 0.0)
    if not examined:
        return None
    broken = numbers.get("rows_lost", 0.0) if failed else 0.0
    return int(examined), int(min(broken, examined))


def _counts(numbers: Mapping[str, float]) -> tuple[int, int] | None:
    """Keys or rows that were compared, and those that do not agree."""
    kinds = _KEYS if any(name in numbers for name in _KEYS) else _ROWS
    broken = sum(numbers.get(name, 0.0) for name in kinds)
    examined = numbers.get("keys_compared") or _from_coverage(numbers)
    examined = examined or numbers.get("rows_source", 0.0)
    if not examined:
        return (int(broken), int(broken)) if broken else None
    return round(examined), int(min(broken, examined))


def _from_coverage(numbers: Mapping[str, float]) -> float:
    missing, coverage = numbers.get("keys_missing", 0.0), numbers.get("key_coverage", 1.0)
    return missing / (1 - coverage) if missing and coverage < 1 else 0.0
