"""Uniqueness: does any row repeat the key of another?

The keys are those of dbt `unique` and `unique_combination_of_columns` tests, of unique and
primary-key constraints in a contract, the configured `unique_key` (unless it may name the slices
that a run replaces, as `delete+insert` allows), and `quality: uniqueness: key:`.
The value is the share of rows that do not repeat a key which an earlier row has, for the worst key.
Not this dimension: a key that is NULL, which is completeness.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from dagster_agent.quality.declared import Declared, declared
from dagster_agent.quality.dimension import Plan, Subject, dimension, undeclared
from dagster_agent.quality.shares import Promise, share_plan, sort_out
from dagster_agent.quality.sql_text import all_of, counted, repeats


@dimension(id="uniqueness")
def uniqueness(subject: Subject) -> Plan:
    """Counts the surplus rows of each key."""
    made = sort_out(partial(_once, subject, *key) for key in _keys(subject))
    if not made.promises and not made.errors:
        hint = "add a unique test, or name the key in `quality: {uniqueness: {key: [...]}}`"
        return undeclared("uniqueness", subject, hint)
    return share_plan("uniqueness", made, subject, subject.config.uniqueness)


def _keys(subject: Subject) -> Iterator[tuple[tuple[str, ...], Declared | str]]:
    manifest, uid = subject.around.manifest, subject.asset.unique_id
    tested = list(_tested(subject))
    yield from tested
    if key := subject.config.uniqueness.key:
        yield key, "meta"
    # dbt infers a key from a unique test even if that test is about some of the rows only
    known = {frozenset(name.casefold() for name in columns) for columns, _ in tested}
    key = manifest.unique_key(uid)
    told = bool(key) and not manifest.replaces_by_key(uid)
    if told and frozenset(name.casefold() for name in key) not in known:
        yield key, "dbt unique_key"
    for constraint in manifest.contract(uid).constraints:
        if constraint.type in ("unique", "primary_key") and constraint.columns:
            yield constraint.columns, "contract"


def _tested(subject: Subject) -> Iterator[tuple[tuple[str, ...], Declared | str]]:
    for test in declared(subject.tests, "unique_combination_of_columns"):
        if columns := test.texts("combination_of_columns"):
            yield columns, test
    for test in declared(subject.tests, "unique"):
        if test.column:
            yield (test.column,), test


def _once(subject: Subject, key: tuple[str, ...], by: Declared | str) -> Promise:
    source, where = (by, "") if isinstance(by, str) else (by.source, by.condition)
    columns = [subject.table.column(name) for name in key]
    filled = [f"{column} is not null" for column in columns]
    return Promise(
        says=f"{', '.join(map(subject.table.spelled, key))} occurs once ({source})",
        examined=counted(all_of([where, *filled])),
        broken=repeats(subject.table.rows, columns, where),
    )
