"""What a person reads of a pair that differs: how much, since when, where, and what is at stake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dagster_agent.model import Detection, DetectionStatus, Evidence
from dagster_agent.reconciliation.breakdown import Breakdown, Part
from dagster_agent.reconciliation.comparison import TablePair
from dagster_agent.reconciliation.wording import listed, money, things

ROWS_METHOD = "reconciliation/key-difference"
_MOSTLY = 0.5
"""Share of the difference from which on a segment is named in the headline."""


def reported(
    detections: Sequence[Detection], pair: TablePair, breakdown: Breakdown | None
) -> list[Detection]:
    """The results of a pair with the place and the worth of the differences in them.

    The dearest result that failed carries it; the others stay as short as they are.
    """
    failed = [d for d in detections if d.status is DetectionStatus.FAILED]
    if not failed or breakdown is None:
        return list(detections)
    carrier = next((d for d in failed if d.detector == ROWS_METHOD), failed[0])
    return [_carrying(d, pair, breakdown) if d is carrier else d for d in detections]


def _carrying(detection: Detection, pair: TablePair, breakdown: Breakdown) -> Detection:
    where = _where(pair, breakdown)
    if detection.detector == ROWS_METHOD:
        headline = _of_rows(detection, pair, where)
    else:
        headline = detection.headline + where
    tables = (
        (breakdown.days_table, f"{len(breakdown.days)} of {breakdown.day_count} days differ"),
        (breakdown.segments_table, f"{len(breakdown.segments)} segments differ"),
    )
    evidence = tuple(
        Evidence(kind="reconciliation", statement=told, result=table)
        for table, told in tables
        if table.rows
    )
    return replace(
        detection,
        headline=headline,
        metrics={**detection.metrics, **_metrics(pair, breakdown)},
        evidence=(*detection.evidence, *evidence),
    )


def _metrics(pair: TablePair, breakdown: Breakdown) -> Mapping[str, float]:
    found: dict[str, float] = {}
    if breakdown.day_count:
        found[f"days_differing{pair.suffix}"] = len(breakdown.days)
    if pair.segments:
        found[f"segments_differing{pair.suffix}"] = len(breakdown.segments)
    if breakdown.at_stake is not None:
        found[f"at_stake{pair.suffix}"] = float(breakdown.at_stake)
    return found


def _of_rows(detection: Detection, pair: TablePair, where: str) -> str:
    """`fct_orders lacks 1,204 of 51,200 orders of ledger since ... ; 12 orders have other values`;
    the method's own sentence where that has nothing to count."""
    count = {
        name.removesuffix(pair.suffix): int(value) for name, value in detection.metrics.items()
    }
    name, other = pair.ours.label, pair.theirs.label
    total = count.get("keys_theirs") or count.get("rows_theirs")
    of = f" of {total:,}" if total else ""
    kinds = {
        "keys_missing": f"lacks {{n:,}}{of} {{noun}} of {other}",
        "keys_extra": f"has {{n:,}} {{noun}} that {other} lacks",
        "keys_changed": f"has {{n:,}} {{noun}} with other values than {other}",
        "keys_duplicated": "has {n:,} duplicated {noun}",
        "keys_duplicated_theirs": f"{other} has {{n:,}} duplicated {{noun}}",
        "keys_null": "has {n:,} {rows} without a key",
        "keys_null_theirs": f"{other} has {{n:,}} {{rows}} without a key",
    }
    told = [
        text.format(
            n=count[what],
            noun=things(pair.keys, total if total and what == "keys_missing" else count[what]),
            rows="row" if count[what] == 1 else "rows",
        )
        for what, text in kinds.items()
        if count.get(what)
    ]
    if not told:
        return detection.headline + where
    first, *rest = told
    return "; ".join([f"{name} {first}{where}", *rest])


def _where(pair: TablePair, breakdown: Breakdown) -> str:
    return _since(breakdown) + _at_stake(pair, breakdown) + _mostly(breakdown)


def _since(breakdown: Breakdown) -> str:
    named = [part.name for part in breakdown.days if part.name]
    if not named or len(breakdown.days) == breakdown.day_count:
        return ""
    return f" on {named[0]}" if len(named) == 1 else f" since {named[0]}"


def _at_stake(pair: TablePair, breakdown: Breakdown) -> str:
    if not breakdown.at_stake:
        return ""
    unit = pair.unit or (pair.value or "")
    return f" ({money(breakdown.at_stake, unit)} at stake)"


def _mostly(breakdown: Breakdown) -> str:
    """The segments that hold most of the difference, of each column the worst."""
    found: dict[str, Part] = {}
    total: dict[str, int] = {}
    for part in breakdown.segments:
        column = part.name.split("=")[0]
        total[column] = total.get(column, 0) + _size(part)
        if "‹" not in part.name:  # masked: it would say nothing
            found.setdefault(column, part)
    mostly = [p.name for c, p in found.items() if total[c] and _size(p) >= _MOSTLY * total[c]]
    if not mostly:
        return ""
    alone = all(_size(part) == total[column] for column, part in found.items())
    return f", {'all' if alone else 'most'} in {listed(mostly)}"


def _size(part: Part) -> int:
    """Rows of difference; 1 where only the value differs."""
    return abs(part.ours - part.theirs) or 1
