"""Match shares of the joined lookups."""

from __future__ import annotations

from dagster_agent.model import Detection, DetectionStatus, Evidence, ResultTable
from dagster_agent.reconciliation.comparison import Comparison, ModelAccount
from dagster_agent.reconciliation.method import reconciliation_method
from dagster_agent.reconciliation.pairs import PairKind
from dagster_agent.reconciliation.wording import share
from dagster_agent.sql.row_accounting import StepCount


@reconciliation_method(id="join-match", rung=1)
def join_match(comparison: Comparison) -> Detection | None:
    """How many rows find a partner in each table that is joined to them.

    Counts left and inner joins on equality. Never fails by itself: what share is usual only history
    can tell, and the anomaly engine's detectors judge that.
    Not this method: rows that an inner join drops for want of a partner, which `row-count` reports.
    """
    account = comparison.account
    if account is None:
        return None
    found = _shares(account)
    if not found:
        return None
    lines = [(name, before, step.unmatched or 0, step) for name, before, step in found]
    metrics: dict[str, float] = {}
    for name, before, unmatched, _ in lines:
        metrics[f"match_share.{name}"] = 1 - unmatched / before
        metrics[f"unmatched_rows.{name}"] = unmatched
    told = ", ".join(f"{name} {share(before - u, before)}" for name, before, u, _ in lines)
    table = ResultTable(
        columns=("lookup", "join", "rows", "without_match"),
        rows=tuple((name, step.label, before, u) for name, before, u, step in lines),
    )
    return comparison.detection(
        "join-match",
        DetectionStatus.PASSED,
        f"rows of {comparison.asset.name} that find a match: {told}",
        metrics=metrics,
        sample=table,
        evidence=(
            Evidence(
                kind="row-accounting",
                statement=f"match shares: {told}",
                query=lines[0][3].query,
                result=table,
            ),
        ),
    )


def _shares(account: ModelAccount) -> list[tuple[str, int, StepCount]]:
    """Name, rows before, and step of each lookup whose rows could be counted; names are unique."""
    by_scope = {counted.scope: counted for counted in account.accounts}
    found: list[tuple[str, int, StepCount]] = []
    for pair in account.pairs:
        if pair.kind is not PairKind.LOOKUP:
            continue
        steps = by_scope[pair.scope].steps
        if len(steps) < pair.position + 2:
            continue
        before, step = steps[pair.position], steps[pair.position + 1]
        if not before.rows or step.unmatched is None:
            continue
        taken = sum(name == pair.name or name.startswith(f"{pair.name}.") for name, *_ in found)
        found.append((f"{pair.name}.{taken + 1}" if taken else pair.name, before.rows, step))
    return found
