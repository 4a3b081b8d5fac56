"""Completeness: are the columns filled that must be?

Which must be, say dbt `not_null`, `not_null_proportion` and `not_empty_string` tests, the not-null
and primary-key constraints of a dbt contract, and `quality: completeness: columns:`. The value is
the share of rows with a value in the worst of them.
Not this dimension: whether rows are missing, which is accuracy.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from dagster_agent.quality.declared import Declared, declared
from dagster_agent.quality.dimension import Plan, Subject, dimension, undeclared
from dagster_agent.quality.shares import MakePromise, Promise, share_plan, sort_out
from dagster_agent.quality.sql_text import all_of, counted


@dimension(id="completeness")
def completeness(subject: Subject) -> Plan:
    """Counts NULLs per column that must be filled."""
    made = sort_out(_promises(subject))
    if not made.promises and not made.errors:
        hint = "add a not_null test, or name columns in `quality: {completeness: {columns: [...]}}`"
        return undeclared("completeness", subject, hint)
    return share_plan("completeness", made, subject, subject.config.completeness)


def _promises(subject: Subject) -> Iterator[MakePromise]:
    for test in declared(subject.tests, "not_null", "not_null_proportion"):
        if test.column:
            yield partial(_filled, subject, test.column, test)
    for test in declared(subject.tests, "not_empty_string"):
        if test.column:
            yield partial(_not_empty, subject, test.column, test)
    contract = subject.around.manifest.contract(subject.asset.unique_id)
    for constraint in contract.constraints:
        if constraint.type in ("not_null", "primary_key"):
            for column in constraint.columns:
                yield partial(_filled, subject, column, "contract")
    for column in subject.config.completeness.columns:
        yield partial(_filled, subject, column, "meta")


def _filled(subject: Subject, name: str, by: Declared | str) -> Promise:
    source, where = (by, "") if isinstance(by, str) else (by.source, by.condition)
    column = subject.table.column(name)
    return Promise(
        says=f"{subject.table.spelled(name)} is filled ({source})",
        examined=counted(all_of([where])),
        broken=counted(all_of([where, f"{column} is null"])),
    )


def _not_empty(subject: Subject, name: str, by: Declared) -> Promise:
    column, where = subject.table.column(name), by.condition
    return Promise(
        says=f"{subject.table.spelled(name)} is not empty ({by.source})",
        examined=counted(all_of([where])),
        broken=counted(all_of([where, f"{column} is null or trim({column}) = ''"])),
    )
