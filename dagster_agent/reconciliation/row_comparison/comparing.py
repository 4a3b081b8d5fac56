"""Choose a plan and compare the rows of two tables by it."""

from __future__ import annotations

from dataclasses import replace

from dagster_agent.errors import ConfigError
from dagster_agent.reconciliation.comparison import TablePair
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.row_comparison.checksum_plan import compare_checksums, extents
from dagster_agent.reconciliation.row_comparison.columns import compared_columns
from dagster_agent.reconciliation.row_comparison.cost import FETCHING, Choice, choose
from dagster_agent.reconciliation.row_comparison.difference import PlanChosen, RowDifference
from dagster_agent.reconciliation.row_comparison.landing import Landing
from dagster_agent.reconciliation.row_comparison.same_store import compare_in_store
from dagster_agent.reconciliation.row_comparison.store import Journal
from dagster_agent.reconciliation.row_comparison.stream_plan import compare_streamed


def compare_rows(
    pair: TablePair,
    config: ReconciliationConfig,
    *,
    expected_share: float | None = None,
    landing: Landing | None = None,
) -> RowDifference:
    """Which rows two tables do not share, and in which columns they differ.

    Args:
        pair: The tables, in one store or two; without keys, rows are compared as a whole.
        config: Examples, sizes of buckets, and the plan across stores where it is fixed.
        expected_share: Share of the rows that differed when the same pair was compared last; None
            when it never was. Decides how small buckets are; no answer depends on it.
        landing: Where rows of different stores can be brought together; needed for those only.

    Raises:
        ConfigError: Types of a column that cannot be compared (names it and both types), a dialect
            whose values have no known form, or two stores and no place to bring rows together.
        ConnectorError: As `Warehouse.query`, such as for a number that overflows.
    """
    if pair.one_store:
        return compare_in_store(pair, config, expected_share=expected_share)
    if landing is None:
        raise ConfigError(
            f"{pair.ours.label} and {pair.theirs.label} are in different stores, and there is no "
            "place to bring their rows together",
            hint="pip install 'dagster-agent[duckdb]'",
        )
    columns = compared_columns(pair, native=False)
    journal = Journal()
    choice = FETCHING
    if config.across != "stream":
        sizes = extents(pair, columns, journal)
        choice = choose(pair, columns, config, (sizes[0].rows, sizes[1].rows), journal)
        if choice.plan == "checksum":
            with landing() as place:
                found = compare_checksums(pair, columns, config, place, journal, sizes)
            if found is not None:
                return _told(found, choice, journal)
            choice = Choice(
                plan="stream",
                reason=f"{choice.reason}; more than 30 % of the rows are in buckets that differ, "
                "so all were fetched",
            )
    with landing(near=(pair.ours.warehouse, pair.theirs.warehouse)) as place:
        found = compare_streamed(
            pair, columns, config, place, journal, expected_share=expected_share
        )
    return _told(found, choice, journal)


def _told(found: RowDifference, choice: Choice, journal: Journal) -> RowDifference:
    plan = PlanChosen(
        name=choice.plan,
        reason=choice.reason,
        bytes_moved=journal.bytes_moved,
        statements=len(journal.queries),
        rows_fetched=journal.rows_fetched,
    )
    return replace(found, plan=plan, queries=tuple(journal.queries))
