"""Differences by key."""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.model import Cell, Detection, DetectionStatus, Evidence, ResultTable, Severity
from dagster_agent.reconciliation.comparison import Comparison, TablePair
from dagster_agent.reconciliation.method import reconciliation_method
from dagster_agent.reconciliation.row_comparison.comparing import compare_rows
from dagster_agent.reconciliation.row_comparison.difference import (
    ColumnDifference,
    PlanChosen,
    RowDifference,
)
from dagster_agent.reconciliation.wording import listed, share

_NAMED = 4
"""Columns that a headline names."""


@reconciliation_method(id="key-difference")
def key_difference(comparison: Comparison) -> Detection | None:
    """Which keys one table has and the other lacks, has twice, has as NULL, or has otherwise.

    In one warehouse nothing is fetched but a few examples; across stores rows are streamed or
    checksums compared, whichever is cheaper: the plan and its reason are in the evidence. Of a pair
    that nobody configured, the coverage of the driving table's keys is reported: keys may be
    missing because of a filter or because the table is older than its source. Only a key that dbt
    declares unique and that is broken although it is sound in the driving table fails.
    Not this method: why they are missing, which `row-count` tells of models.
    """
    pair = comparison.tables
    if pair is None or not pair.keys:
        return None
    found = compare_rows(
        pair,
        comparison.config,
        expected_share=comparison.expected_share,
        landing=comparison.landing,
    )
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
        evidence=_evidence(pair, found, told, sample),
    )


def _evidence(
    pair: TablePair, found: RowDifference, told: str, sample: ResultTable | None
) -> tuple[Evidence, ...]:
    key = ", ".join(pair.keys)
    compared = Evidence(
        kind="reconciliation",
        statement=f"keys compared by {key}: {told or 'no difference that counts'}",
        query=found.queries[-1] if found.queries else None,
        result=sample,
    )
    columns = Evidence(
        kind="reconciliation",
        statement=f"columns that differ: {listed([_told_column(c) for c in found.columns])}",
    )
    plan = Evidence(kind="reconciliation", statement=_told_plan(found.plan))
    return (compared, *([columns] if found.columns else []), plan)


def _told_column(column: ColumnDifference) -> str:
    far = ""
    if column.largest is not None and column.total is not None:
        far = f", by {column.largest:,.6g} at most and {column.total:+,.6g} in all"
    return f"{column.column} in {column.rows:,} rows{far}"


def _told_plan(plan: PlanChosen) -> str:
    return (
        f"plan {plan.name}: {plan.reason}. {plan.statements} statements, {plan.rows_fetched:,} "
        f"rows and {plan.bytes_moved:,} bytes left the stores"
    )


def _wrong(pair: TablePair, found: RowDifference) -> dict[str, int]:
    """What is wrong with a configured pair, beyond the tolerance."""
    limit = max(pair.tolerance.absolute, pair.tolerance.relative * found.keys_theirs)
    kinds = _kinds(found)
    return kinds if sum(kinds.values()) > limit else {}


def _kinds(found: RowDifference) -> dict[str, int]:
    """How many keys or rows differ, by how they do."""
    # copies of a row are told as duplicates, unless both sides have some
    copies = found.duplicated_ours == found.duplicated_theirs
    kinds = {
        "missing": found.keys_missing,
        "not there": found.keys_extra,
        "with other values": found.changed,
        "copies missing": (found.missing - found.keys_missing) if copies else 0,
        "copies too many": (found.extra - found.keys_extra) if copies else 0,
        "duplicated": found.duplicated_ours,
        "duplicated there": found.duplicated_theirs,
        "rows without a key": found.null_ours,
        "rows without a key there": found.null_theirs,
    }
    return {what: count for what, count in kinds.items() if count}


def _broken_key(pair: TablePair, found: RowDifference) -> dict[str, int]:
    """Duplicates and NULLs in a declared key that the driving table does not have."""
    if not pair.own_key:
        return {}
    kinds = {
        "duplicated": found.duplicated_ours if not found.duplicated_theirs else 0,
        "rows without a key": found.null_ours if not found.null_theirs else 0,
    }
    return {what: count for what, count in kinds.items() if count}


def _agreement(comparison: Comparison, pair: TablePair, found: RowDifference) -> str:
    name, other = comparison.asset.name, pair.theirs.label
    missing, extra = found.keys_missing, found.keys_extra
    if not pair.inferred and (differing := _kinds(found)):
        told = listed([f"{count:,} {what}" for what, count in differing.items()])
        return f"{name} and {other} differ within the tolerance, by {', '.join(pair.keys)}: {told}"
    if not missing and not extra:
        return f"{name} and {other} have the same {found.keys_theirs:,} keys{_agreeing(pair)}"
    covered = share(found.keys_theirs - missing, found.keys_theirs)
    told = f"{name} has {covered} of the {found.keys_theirs:,} keys of {other}"
    return f"{told}, and {extra:,} that are not there" if extra else told


def _agreeing(pair: TablePair) -> str:
    names = [name for name in pair.columns if name not in pair.keys]
    if not names:
        return ""
    return f" and agree in {listed(names) if len(names) <= _NAMED else f'{len(names)} columns'}"


def _metrics(pair: TablePair, found: RowDifference) -> dict[str, float]:
    numbers: dict[str, float] = {
        "keys_theirs": found.keys_theirs,
        "keys_compared": found.keys_theirs - found.keys_missing + found.keys_extra,
        "keys_missing": found.keys_missing,
        "keys_extra": found.keys_extra,
        "keys_duplicated": found.duplicated_ours,
        "keys_null": found.null_ours,
        "bytes_moved": found.plan.bytes_moved,
    }
    if not pair.inferred:
        numbers["keys_duplicated_theirs"] = found.duplicated_theirs
        numbers["keys_null_theirs"] = found.null_theirs
        numbers["differing_share"] = found.differing / max(1, found.rows_ours, found.rows_theirs)
    if pair.columns:
        numbers["keys_changed"] = found.changed
        for column in found.columns:
            numbers[f"rows_changed.{column.column}"] = column.rows
    if found.keys_theirs:
        numbers["key_coverage"] = 1 - found.keys_missing / found.keys_theirs
    return {f"{name}{pair.suffix}": number for name, number in numbers.items()}


def _masked(comparison: Comparison, table: ResultTable) -> ResultTable:
    """The examples with their keys and values masked; kinds, columns and counts are no data."""
    keys = slice(1, len(table.columns) - 3)
    values = ResultTable(columns=table.columns[keys], rows=tuple(row[keys] for row in table.rows))
    hidden = comparison.mask(values)
    lines = zip(table.rows, hidden.rows, strict=True)
    rows = tuple((row[0], *shown, *_hidden_values(comparison, row)) for row, shown in lines)
    return ResultTable(columns=table.columns, rows=rows, truncated=table.truncated)


def _hidden_values(comparison: Comparison, row: tuple[Cell, ...]) -> Iterator[Cell]:
    column, ours, theirs = row[-3:]
    yield column
    if column is None:
        yield from (ours, theirs)
        return
    values = ResultTable(columns=(str(column),), rows=((ours,), (theirs,)))
    yield from (value for (value,) in comparison.mask(values).rows)
