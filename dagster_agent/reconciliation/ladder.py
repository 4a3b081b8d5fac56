"""Compare two tables, cheapest first: counts, aggregates, rows; stop at the rung that decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dagster_agent.catalog import Catalog
from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import Detection, DetectionStatus, Evidence, Severity
from dagster_agent.reconciliation import methods
from dagster_agent.reconciliation.aggregates import PairAggregates
from dagster_agent.reconciliation.breakdown import Breakdown, broken_down, differing_days
from dagster_agent.reconciliation.comparison import Comparison, TablePair
from dagster_agent.reconciliation.described import MissingTable
from dagster_agent.reconciliation.extent import day_count, of_some_days, without_rows
from dagster_agent.reconciliation.key_sql import sampled
from dagster_agent.reconciliation.measuring import day_sql, measure
from dagster_agent.reconciliation.method import ReconciliationMethod
from dagster_agent.reconciliation.report import ROWS_METHOD, reported
from dagster_agent.reconciliation.sampling import told_sample
from dagster_agent.reconciliation.thresholds import judged_by_history

METHODS = Catalog(methods, ReconciliationMethod)
"""All reconciliation methods."""
ROWS = 3
"""The rung on which rows are compared."""
_MAX_DAYS_LISTED = 60
"""Differing days to which the comparison of rows can be narrowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """What the third rung looks at, and why."""

    comparison: Comparison | None
    """None where the ladder ends before rows."""
    why: str
    days: int | None = None
    """So many days only; None for all."""


def climb(comparison: Comparison, pair: TablePair) -> list[Detection]:
    """What every rung says of a pair, cheapest first.

    Args:
        comparison: The asset.
        pair: Two tables that the team configured.

    Returns:
        At least one result. Trouble on one rung is a result and does not keep the dearer ones from
        looking.
    """
    comparison = replace(comparison, tables=pair)
    if pair.window.nothing_left:
        told = f"{comparison.asset.name} and {pair.theirs.label}: {pair.window.nothing_left}"
        return [comparison.detection("row-count", DetectionStatus.UNTRAINED, told)]
    comparison, troubles = _measured(comparison, pair)
    if comparison.aggregates is None:
        return troubles
    cheap = [*troubles, *_asked(comparison, below=ROWS)]
    rows = _rows(comparison, pair, comparison.aggregates, cheap)
    found = [*cheap]
    if rows.comparison is not None:
        found += _asked(rows.comparison, above=ROWS - 1)
    breakdown = _breakdown(comparison, pair, comparison.aggregates, found)
    found = reported(found, pair, breakdown)
    if pair.sample is not None:
        found = [_told_of_sample(d, pair, comparison.aggregates) for d in found]
    if pair.learned:
        found = [judged_by_history(d, comparison.history) for d in found]
    if rows.comparison is None:
        found = without_rows(found, pair, comparison.aggregates)
    elif rows.days is not None:
        found = of_some_days(found, comparison.aggregates, rows.days)
    return _most_telling_first(_with_ladder(found, pair, comparison.aggregates, rows.why))


def run(method: ReconciliationMethod, comparison: Comparison) -> Detection | None:
    """What one method says; trouble is a result."""
    try:
        return method.compare(comparison)
    except DagsterAgentError as error:
        return trouble(comparison, method.id, error)


def trouble(comparison: Comparison, method: str, error: DagsterAgentError) -> Detection:
    """A missing table is a finding; everything else could not run."""
    missing = isinstance(error, MissingTable)
    return comparison.detection(
        method,
        DetectionStatus.FAILED if missing else DetectionStatus.COULD_NOT_RUN,
        error.message if missing else f"{comparison.asset.name} was not compared: {error.message}",
        severity=Severity.ERROR if missing else Severity.WARN,
        hint=error.hint,
    )


def _measured(comparison: Comparison, pair: TablePair) -> tuple[Comparison, list[Detection]]:
    """With counts and aggregates; where the aggregates fail, with counts alone."""
    try:
        return replace(comparison, aggregates=measure(pair)), []
    except DagsterAgentError as error:
        if not (pair.measures or pair.columns or pair.day):
            return comparison, [trouble(comparison, "row-count", error)]
        first = error
    bare = replace(pair, measures={}, columns={}, day=None, value=None)
    try:
        counts = measure(bare)
    except DagsterAgentError:
        return comparison, [trouble(comparison, "row-count", first)]
    # without their aggregates the columns are still compared row by row
    kept = replace(pair, measures={}, day=None, value=None)
    found = replace(comparison, aggregates=counts, tables=kept)
    return found, [trouble(comparison, "column-aggregates", first)]


def _asked(comparison: Comparison, *, below: int = 99, above: int = 0) -> Iterator[Detection]:
    """What the methods between two rungs say, cheapest first."""
    for method in sorted(METHODS, key=lambda m: (m.rung, m.id)):
        if not above < method.rung < below:
            continue
        found = run(method, comparison)
        if found is not None:
            yield found


def _rows(
    comparison: Comparison, pair: TablePair, found: PairAggregates, cheap: list[Detection]
) -> _Rows:
    """Whether rows are compared, of which keys and days, and why."""
    failed = any(d.status is not DetectionStatus.PASSED for d in cheap)
    if not pair.keys:
        return _Rows(comparison=None, why="no key is known, so aggregates decide")
    days = differing_days(pair, found)
    if not pair.rows_asked and not failed and not days:
        return _Rows(
            comparison=None, why="they agree, and rows were asked for only where they do not"
        )
    why = "aggregates differ" if failed or days else "equal aggregates do not prove equal rows"
    narrowed, of_days = comparison.tables or pair, None
    if not pair.rows_asked and 0 < len(days) <= _MAX_DAYS_LISTED and len(days) < day_count(found):
        narrowed, of_days = _of_days(narrowed, days), len(days)
        why += f", on {of_days} of {day_count(found)} days"
    part = pair.sample.share_of(found.theirs.totals.rows) if pair.sample is not None else 1.0
    if part < 1:
        try:
            narrowed = sampled(narrowed, part)
        except DagsterAgentError as error:
            return _Rows(comparison=None, why=f"keys cannot be sampled: {error.message}")
        why += f"; {part * 100:.3g} % of the keys"
    share = _expected_share(comparison, pair, found)
    looked = replace(comparison, tables=narrowed, expected_share=share)
    return _Rows(comparison=looked, why=why, days=of_days)


def _expected_share(comparison: Comparison, pair: TablePair, found: PairAggregates) -> float | None:
    """Share of the rows that differed last time, or more if the counts say so already."""
    ours, theirs = found.ours.totals.rows, found.theirs.totals.rows
    known = [abs(ours - theirs) / max(ours, theirs, 1)] if ours != theirs else []
    if comparison.history is not None:
        known += [p.value for p in comparison.history(f"differing_share{pair.suffix}")[-1:]]
    return max(known, default=None)


def _of_days(pair: TablePair, days: tuple[str, ...]) -> TablePair:
    """Both sides with the rows of those days only."""
    listed = ", ".join(f"cast('{day}' as date)" for day in days if day)
    sides = [pair.ours, pair.theirs]
    for number, side in enumerate(sides):
        day = day_sql(side, pair.day or "")
        known = [f"{day} in ({listed})"] if listed else []
        sides[number] = side.restricted(
            " or ".join([*known, *([f"{day} is null"] if "" in days else [])])
        )
    return replace(pair, ours=sides[0], theirs=sides[1])


def _told_of_sample(found: Detection, pair: TablePair, counts: PairAggregates) -> Detection:
    total = counts.theirs.totals.rows
    part = pair.sample.share_of(total) if pair.sample is not None else 1.0
    if found.detector != ROWS_METHOD or pair.sample is None or part == 1:
        return found
    metrics = {n.removesuffix(pair.suffix): int(v) for n, v in found.metrics.items()}
    differing = sum(metrics.get(f"keys_{kind}", 0) for kind in ("missing", "extra", "changed"))
    compared = metrics.get("keys_compared") or round(part * total)
    told = told_sample(differing, compared, total, pair.sample.confidence, pair.keys)
    if found.status is DetectionStatus.PASSED:
        return replace(found, headline=f"{pair.ours.label} and {pair.theirs.label}: {told}")
    return replace(found, headline=f"{found.headline}; {told}")


def _breakdown(
    comparison: Comparison, pair: TablePair, found: PairAggregates, detections: list[Detection]
) -> Breakdown | None:
    """Only where something differs; trouble leaves the results as they are."""
    if not any(d.status is DetectionStatus.FAILED for d in detections):
        return None
    try:
        return broken_down(comparison.tables or pair, found, comparison.mask)
    except DagsterAgentError:
        return None


def _most_telling_first(found: list[Detection]) -> list[Detection]:
    """A failed comparison of rows before the cheaper ones: of equals, the first is shown."""
    rows = [d for d in found if d.detector == ROWS_METHOD and d.status is DetectionStatus.FAILED]
    return [*rows, *(d for d in found if d not in rows)]


def _with_ladder(
    found: list[Detection], pair: TablePair, aggregates: PairAggregates, why: str
) -> list[Detection]:
    """The last result tells how far the ladder was climbed, and why."""
    *others, last = found
    rung = (
        ROWS
        if last.detector == ROWS_METHOD
        else 2
        if (pair.measures or pair.columns or pair.metric)
        else 1
    )
    reached = {1: "counts", 2: "aggregates", ROWS: "rows"}[rung]
    told = (
        f"compared by counts and aggregates in {aggregates.seconds:.2f} s; "
        f"{'then by rows' if rung == ROWS else f'stopped at {reached}'}: {why}"
    )
    evidence = Evidence(kind="reconciliation", statement=told)
    metrics = {**last.metrics, f"rung{pair.suffix}": rung}
    return [*others, replace(last, metrics=metrics, evidence=(*last.evidence, evidence))]
