"""Differences by key."""

from __future__ import annotations

from dagster_agent.model import Detection, DetectionStatus, Evidence, ResultTable, Severity
from dagster_agent.reconciliation.comparison import Comparison, TablePair
from dagster_agent.reconciliation.key_comparison import KeyDifference, compare_keys
from dagster_agent.reconciliation.method import reconciliation_method
from dagster_agent.reconciliation.store_comparison import compare_across_stores
from dagster_agent.reconciliation.wording import listed, share


@reconciliation_method(id="key-difference")
def key_difference(comparison: Comparison) -> Detection | None:
    """Which keys one table has and the other lacks, has twice, has as NULL, or has otherwise.

    In one warehouse by one join of the keys; across stores by checksums, then by fetching only what
    differs. Of a pair that nobody configured, the coverage of the driving table's keys is reported:
    keys may be missing because of a filter or because the table is older than its source. Only a
    key that dbt declares unique and that is broken although it is sound in the driving table fails.
    Not this method: why they are missing, which `row-count` tells of models.
    """
    pair = comparison.tables
    if pair is None or not pair.keys:
        return None
    if pair.one_store:
        found = compare_keys(pair, comparison.config.sample_rows)
    else:
        found = compare_across_stores(pair, comparison.config)
    wrong = _broken_key(pair, found) if pair.inferred else _wrong(pair, found)
    told = listed([f"{count:,} {what}" for what, count in wrong.items()])
    key = ", ".join(pair.keys)
    headline = _agreement(comparison, pair, found)
    if wrong:
        headline = f"{comparison.asset.name} and {pair.theirs.label} differ by {key}: {told}"
    sample = _masked(comparison, found.examples) if found.examples.rows else None
    return comparison.detection(
        "key-difference",
        DetectionStatus.FAILED if wrong else DetectionStatus.PASSED,
        headline,
        severity=Severity.ERROR if wrong else Severity.INFO,
        metrics=_metrics(pair, found),
        sample=sample,
        evidence=(
            Evidence(
                kind="reconciliation",
                statement=f"keys compared by {key}: {told or 'no difference that counts'}",
                query=found.query,
                result=sample,
            ),
        ),
    )


def _wrong(pair: TablePair, found: KeyDifference) -> dict[str, int]:
    """What is wrong with a configured pair, beyond the tolerance."""
    limit = max(pair.tolerance.absolute, pair.tolerance.relative * found.keys_theirs)
    kinds = {
        "missing": found.missing,
        "not there": found.extra,
        "with other values": found.changed,
        "duplicated": found.duplicated_ours,
        "duplicated there": found.duplicated_theirs,
        "rows without a key": found.null_ours,
        "rows without a key there": found.null_theirs,
    }
    differing = sum(kinds.values())
    return {what: count for what, count in kinds.items() if count} if differing > limit else {}


def _broken_key(pair: TablePair, found: KeyDifference) -> dict[str, int]:
    """Duplicates and NULLs in a declared key that the driving table does not have."""
    if not pair.own_key:
        return {}
    kinds = {
        "duplicated": found.duplicated_ours if not found.duplicated_theirs else 0,
        "rows without a key": found.null_ours if not found.null_theirs else 0,
    }
    return {what: count for what, count in kinds.items() if count}


def _agreement(comparison: Comparison, pair: TablePair, found: KeyDifference) -> str:
    name, other = comparison.asset.name, pair.theirs.label
    covered = found.keys_theirs - found.missing
    if not found.missing and not found.extra:
        return f"{name} and {other} have the same {found.keys_theirs:,} keys"
    told = f"{name} has {share(covered, found.keys_theirs)} of the {found.keys_theirs:,} keys"
    extra = f", and {found.extra:,} that are not there" if found.extra else ""
    return f"{told} of {other}{extra}"


def _metrics(pair: TablePair, found: KeyDifference) -> dict[str, float]:
    numbers: dict[str, float] = {
        "keys_missing": found.missing,
        "keys_extra": found.extra,
        "keys_duplicated": found.duplicated_ours,
        "keys_null": found.null_ours,
    }
    if pair.columns:
        numbers["keys_changed"] = found.changed
    if found.keys_theirs:
        numbers["key_coverage"] = 1 - found.missing / found.keys_theirs
    return {f"{name}{pair.suffix}": number for name, number in numbers.items()}


def _masked(comparison: Comparison, table: ResultTable) -> ResultTable:
    """The examples with their key values masked; kind and counts are no data."""
    keys = slice(1, len(table.columns) - 2)
    values = ResultTable(columns=table.columns[keys], rows=tuple(row[keys] for row in table.rows))
    hidden = comparison.mask(values)
    rows = tuple(
        (row[0], *shown, *row[-2:]) for row, shown in zip(table.rows, hidden.rows, strict=True)
    )
    return ResultTable(columns=table.columns, rows=rows, truncated=table.truncated)
