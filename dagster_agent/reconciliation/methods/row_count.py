"""Row counts."""

from __future__ import annotations

from dagster_agent.model import Detection, DetectionStatus, Evidence, Severity
from dagster_agent.reconciliation.comparison import Comparison, TablePair
from dagster_agent.reconciliation.measuring import aggregates_in
from dagster_agent.reconciliation.method import reconciliation_method
from dagster_agent.reconciliation.model_rows import judge_rows
from dagster_agent.reconciliation.wording import rows, share


@reconciliation_method(id="row-count", rung=1)
def row_count(comparison: Comparison) -> Detection | None:
    """Whether all rows arrive.

    A model is compared with its driving table by running its own SQL on the data as it is now and
    counting after every clause, so that a table which is merely older than its source is no false
    alarm. With a configured table, the two counts must agree within the tolerance, and neither may
    be further behind the other than the watermark allows.
    Not this method: which rows differ (`key-difference`), and with what values; tables of which
    only a metric must agree.
    """
    if comparison.account is not None:
        return judge_rows(comparison, comparison.account)
    pair = comparison.tables
    if pair is None or pair.inferred or pair.only_metric:
        return None
    return _compare(comparison, pair)


def _compare(comparison: Comparison, pair: TablePair) -> Detection:
    found = aggregates_in(comparison)
    ours, theirs = found.ours.totals.rows, found.theirs.totals.rows
    limit = max(pair.tolerance.absolute, pair.tolerance.relative * theirs)
    gap = ours - theirs
    name, other = comparison.asset.name, pair.theirs.label
    # an empty table is no matter of degree
    agrees = abs(gap) <= limit and (ours > 0) == (theirs > 0)
    told = _told(comparison, pair, ours, theirs, agrees=agrees)
    late = pair.window.late
    agrees = agrees and not late
    return comparison.detection(
        "row-count",
        DetectionStatus.PASSED if agrees else DetectionStatus.FAILED,
        f"{late}; {told}" if late else told,
        severity=Severity.INFO if agrees else Severity.ERROR,
        metrics={
            f"rows_target{pair.suffix}": ours,
            f"rows_source{pair.suffix}": theirs,
            f"rows_missing{pair.suffix}": max(-gap, 0),
            f"rows_extra{pair.suffix}": max(gap, 0),
            **{f"{what}{pair.suffix}": value for what, value in pair.window.metrics.items()},
        },
        evidence=(
            Evidence(
                kind="reconciliation", statement=f"{name}: {rows(ours)}", query=found.ours.query
            ),
            Evidence(
                kind="reconciliation",
                statement=f"{other}: {rows(theirs)}",
                query=found.theirs.query,
            ),
            *(Evidence(kind="reconciliation", statement=told) for told in pair.window.told),
        ),
    )


def _told(comparison: Comparison, pair: TablePair, ours: int, theirs: int, *, agrees: bool) -> str:
    name, other, gap = comparison.asset.name, pair.theirs.label, ours - theirs
    if not gap:
        told = f"{name} and {other} have {rows(ours)} each"
    elif agrees:
        told = f"{name} has {rows(ours)}, {other} {theirs:,}: within the tolerance"
    elif not ours:
        told = f"{name} is empty, {other} has {rows(theirs)}"
    elif not theirs:
        told = f"{other} is empty, {name} has {rows(ours)}"
    else:
        told = f"{name} has {rows(abs(gap))} {'fewer' if gap < 0 else 'more'} than {other}"
        told += f": {ours:,} against {theirs:,} ({share(gap, theirs)})"
    return "; ".join([told, *pair.window.told])
