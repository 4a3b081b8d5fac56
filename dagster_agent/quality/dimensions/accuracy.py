"""Accuracy: does the asset agree with its source of truth?

Read from the newest reconciliation results of the asset; nothing is measured again. Of several
pairs the worst counts; one that could not be compared is an error, unless another disagrees. The
value is the share of keys that are there with the same values; where no keys were compared, of
rows, or of the values of a metric. Where only sums differ, one row is wrong at the least. Of a pair
that was inferred from lineage only what the reconciliation found to be wrong counts: rows that a
filter leaves out are meant.
Not this dimension: which rows differ and why, which the reconciliation check tells.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import Detection, DetectionStatus, Severity
from dagster_agent.quality.dimension import (
    DimensionResult,
    Part,
    Plan,
    Subject,
    dimension,
    settled,
    undeclared,
)
from dagster_agent.quality.measuring import Answers
from dagster_agent.quality.shares import graded

_JUDGED = (DetectionStatus.PASSED, DetectionStatus.FAILED)
_KEYS = ("keys_missing", "keys_extra", "keys_changed", "keys_duplicated")
_ROWS = ("rows_missing", "rows_extra")
_OF_ROWS = ("rows_source", "rows_now", "rows_target", "rows_lost", "lost_share", "rows_added")
_OF_METRICS = ("metric_groups", "metric_groups_differing")
_KNOWN = frozenset({*_KEYS, *_ROWS, *_OF_ROWS, *_OF_METRICS, "keys_compared", "key_coverage"})
_INFERRED = ""
_IN_SUMS = " in its sums, which one row breaks at the least"


@dimension(id="accuracy")
def accuracy(subject: Subject) -> Plan:
    """Takes the shares out of the reconciliation's numbers."""
    oldest = subject.now - timedelta(hours=subject.config.accuracy.max_age_hours)
    recent = [t for t in subject.truths if t.observed_at >= oldest]
    unread = _unread(recent)
    judged = [t for t in recent if t.status in _JUDGED and t.pair not in unread]
    parts = sorted(_parts(judged), key=lambda p: (p.share, p.says))
    targets = subject.config.accuracy
    if unread and not (parts and parts[0].share < targets.target):
        return _not_measured(unread[min(unread)])
    if parts:
        found = graded("accuracy", tuple(parts), subject.asset.name, targets)
        if parts[0].says.endswith(_IN_SUMS):
            found = replace(found, severity=Severity.ERROR)  # how many rows nobody knows
        return settled(found)
    hint = "name a source of truth in `meta: dagster_agent: reconcile:`"
    if subject.truths:
        hint = "run the reconciliation check: it has no recent result with counts in it"
    return undeclared("accuracy", subject, hint)


def _unread(truths: Sequence[Detection]) -> Mapping[str, Detection]:
    """By named pair, why it could not be compared the last time that it was tried."""
    newest: dict[str, Detection] = {}
    for truth in truths:
        known = newest.get(truth.pair)
        if truth.pair and (known is None or truth.observed_at > known.observed_at):
            newest[truth.pair] = truth
    return {p: t for p, t in newest.items() if t.status is DetectionStatus.COULD_NOT_RUN}


def _not_measured(why: Detection) -> Plan:
    def judge(answers: Answers) -> DimensionResult:  # noqa: ARG001 - nothing was asked
        raise DagsterAgentError(why.headline, hint=why.hint)

    return Plan(asks=(), judge=judge)


def _parts(truths: Sequence[Detection]) -> Iterator[Part]:
    """One part for each pair; what several methods say of a pair is put together."""
    pairs: dict[str, dict[str, float]] = {}
    failed: set[str] = set()
    disagreeing = {t.pair for t in truths if t.pair and t.status is DetectionStatus.FAILED}
    for truth in truths:
        for name, value in truth.metrics.items():
            what, _, pair = name.partition(".")
            if what in _KNOWN and not (what == "rows_lost" and pair):
                pairs.setdefault(pair, {})[what] = value
                if pair == _INFERRED and truth.status is DetectionStatus.FAILED:
                    failed.add(truth.detector)
    for pair, numbers in sorted(pairs.items()):
        counts = _inferred(numbers, failed) if pair == _INFERRED else _counts(numbers)
        if counts is not None:
            about = pair or "the tables it is built from"
            examined, broken = counts
            if pair in disagreeing and not broken:
                # sums differ while the rows that were counted agree: one is wrong at the least
                about, broken = about + _IN_SUMS, 1
            yield Part(says=f"agrees with {about}", examined=examined, broken=broken)


def _inferred(numbers: Mapping[str, float], failed: Collection[str]) -> tuple[int, int] | None:
    """Rows or keys that were looked at, and those that are missing or too many.

    The SELECT that loses rows may be another one than that which the model's rows come from, so the
    rows it had are told by the share that it lost.
    """
    source, now = numbers.get("rows_source", 0.0), numbers.get("rows_now", 0.0)
    lost, added = numbers.get("rows_lost", 0.0), numbers.get("rows_added", 0.0)
    by_rows = any(name.endswith("row-count") for name in failed)
    if by_rows and lost:
        share = numbers.get("lost_share") or min(1.0, lost / (source or lost))
        return round(lost / share), int(lost)
    if by_rows and now and numbers.get("rows_target") == 0:
        return int(now), int(now)
    if by_rows and added:
        return int(source + added), int(added)
    if any(name.endswith("key-difference") for name in failed):
        return _counts(numbers)
    return (int(source), 0) if source and not by_rows else None


def _counts(numbers: Mapping[str, float]) -> tuple[int, int] | None:
    """Keys or rows that were compared, and those that do not agree."""
    kinds = _KEYS if any(name in numbers for name in _KEYS) else _ROWS
    broken = sum(numbers.get(name, 0.0) for name in kinds)
    if not broken and (groups := numbers.get("metric_groups")):
        return round(groups), round(numbers.get("metric_groups_differing", 0.0))
    examined = numbers.get("keys_compared") or _from_coverage(numbers)
    examined = examined or numbers.get("rows_source", 0.0)
    if not examined:
        return (int(broken), int(broken)) if broken else None
    return round(examined), int(min(broken, examined))


def _from_coverage(numbers: Mapping[str, float]) -> float:
    missing, coverage = numbers.get("keys_missing", 0.0), numbers.get("key_coverage", 1.0)
    return missing / (1 - coverage) if missing and coverage < 1 else 0.0
