"""Row counts."""

from __future__ import annotations

from dagster_agent.model import Detection, DetectionStatus, Evidence, Severity
from dagster_agent.reconciliation.comparison import Comparison, Side, TablePair
from dagster_agent.reconciliation.method import reconciliation_method
from dagster_agent.reconciliation.model_rows import judge_rows
from dagster_agent.reconciliation.wording import rows, share


@reconciliation_method(id="row-count")
def row_count(comparison: Comparison) -> Detection | None:
    """Whether all rows arrive.

    A model is compared with its driving table by running its own SQL on the data as it is now and
    counting after every clause, so that a table which is merely older than its source is no false
    alarm. With a configured table, the two counts must agree within the tolerance.
    Not this method: which rows differ (`key-difference`), and with what values.
    """
    if comparison.account is not None:
        return judge_rows(comparison, comparison.account)
    pair = comparison.tables
    return None if pair is None or pair.inferred else _compare(comparison, pair)


def _compare(comparison: Comparison, pair: TablePair) -> Detection:
    (ours, our_query), (theirs, their_query) = _count(pair.ours), _count(pair.theirs)
    limit = max(pair.tolerance.absolute, pair.tolerance.relative * theirs)
    gap = ours - theirs
    name, other = comparison.asset.name, pair.theirs.label
    # an empty table is no matter of degree
    agrees = abs(gap) <= limit and (ours > 0 or theirs == 0)
    if not gap:
        told = f"{name} and {other} have {rows(ours)} each"
    elif agrees:
        told = f"{name} has {rows(ours)}, {other} {theirs:,}: within the tolerance"
    else:
        told = f"{name} has {rows(abs(gap))} {'fewer' if gap < 0 else 'more'} than {other}"
        told += f": {ours:,} against {theirs:,} ({share(gap, theirs)})"
    return comparison.detection(
        "row-count",
        DetectionStatus.PASSED if agrees else DetectionStatus.FAILED,
        told,
        severity=Severity.INFO if agrees else Severity.ERROR,
        metrics={
            f"rows_target{pair.suffix}": ours,
            f"rows_source{pair.suffix}": theirs,
            f"rows_missing{pair.suffix}": max(-gap, 0),
            f"rows_extra{pair.suffix}": max(gap, 0),
        },
        evidence=(
            Evidence(kind="reconciliation", statement=f"{name}: {rows(ours)}", query=our_query),
            Evidence(
                kind="reconciliation", statement=f"{other}: {rows(theirs)}", query=their_query
            ),
        ),
    )


def _count(side: Side) -> tuple[int, str]:
    query = f"select count(*) as n from {side.rows_sql}"
    return int(str(side.warehouse.query(query, purpose="row count").scalar())), query
