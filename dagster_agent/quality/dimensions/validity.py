"""Validity: do the rows satisfy the rules that are declared for them?

Rules are dbt `accepted_values`, `relationships`, `accepted_range` and `expression_is_true` tests,
check constraints and column types of a dbt contract, and `quality: valid: {column: rule}`. The
value is the share of rows that satisfy every rule; NULL breaks none, as in dbt.
Not this dimension: whether a value is there at all (completeness), or is the right one (accuracy).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from dagster_agent.errors import ConfigError
from dagster_agent.quality.declared import Declared, declared
from dagster_agent.quality.dimension import Plan, Subject, dimension, undeclared
from dagster_agent.quality.shares import MakePromise, Promise, share_plan, sort_out
from dagster_agent.quality.sql_text import all_of, as_text, counted, literal, matches, try_cast
from dagster_agent.quality.sql_text import values as listed

_Rule = tuple[str, str]
"""What it says, and the SQL condition of a row that breaks it."""


@dimension(id="validity")
def validity(subject: Subject) -> Plan:
    """Counts the rows that break each rule, and those that break any."""
    made = sort_out(_rules(subject))
    if not made.promises and not made.errors:
        hint = (
            "add an accepted_values, relationships or accepted_range test, or a rule in"
            " `quality: {valid: {column: condition or /pattern/}}`"
        )
        return undeclared("validity", subject, hint)
    if len(made.promises) > 1:
        anywhere = " or ".join(f"({rule.condition})" for rule in made.promises)
        made = replace(made, overall=_kept((f"all {len(made.promises)} rules", anywhere)))
    return share_plan("validity", made, subject, subject.config.validity)


def _kept(rule: _Rule) -> Promise:
    says, broken = rule
    return Promise(says=says, examined="count(*)", broken=counted(broken), condition=broken)


def _making(
    find: Callable[[Subject, Declared], _Rule], subject: Subject, test: Declared
) -> Promise:
    return _kept(find(subject, test))


def _rules(subject: Subject) -> Iterator[MakePromise]:
    for kind, find in _TESTS.items():
        for test in declared(subject.tests, kind):
            yield partial(_making, find, subject, test)
    yield from _contract(subject)
    for name, rule in subject.config.valid.items():
        yield partial(_configured, subject, name, rule)


def _on(subject: Subject, test: Declared) -> tuple[str, str]:
    """The tested column, plain and quoted."""
    name = subject.table.spelled(test.column or "")
    return name, subject.table.column(name)


def _accepted_values(subject: Subject, test: Declared) -> _Rule:
    name, column = _on(subject, test)
    given = test.arguments.get("values") or ()
    dialect = subject.table.dialect
    # dbt quotes the values unless told otherwise, so that 1 and '1' are the same to it
    compared, options = as_text(column, dialect), [str(value) for value in given]
    if test.arguments.get("quote") is False:
        compared, options = column, list(given)
    outside = f"{column} is not null and {compared} not in ({listed(options, dialect)})"
    return f"{name} is one of {len(options)} values ({test.source})", all_of(
        [test.condition, outside]
    )


def _relationship(subject: Subject, test: Declared) -> _Rule:
    name, column = _on(subject, test)
    parent = subject.around.named(str(test.arguments.get("to", "")))
    field = parent.column(str(test.arguments.get("field", "")))
    there = all_of([f"{field} is not null", str(test.arguments.get("to_condition") or "")])
    here = str(test.arguments.get("from_condition") or "")
    known = f"select {field} from {parent.rows} where {there}"
    orphan = f"{column} is not null and {column} not in ({known})"
    says = f"{name} is in {parent.asset.name} ({test.source})"
    return says, all_of([test.condition, here, orphan])


def _accepted_range(subject: Subject, test: Declared) -> _Rule:
    name, column = _on(subject, test)
    inclusive = test.arguments.get("inclusive") is not False
    below, above = ("<", ">") if inclusive else ("<=", ">=")
    outside = [
        f"{column} {sign} {_bound(subject, test.arguments[key])}"
        for key, sign in (("min_value", below), ("max_value", above))
        if test.arguments.get(key) is not None
    ]
    if not outside:
        raise ConfigError(
            f"accepted_range of {name} has no bound", hint="give min_value or max_value"
        )
    return f"{name} is in its range ({test.source})", all_of([test.condition, " or ".join(outside)])


def _bound(subject: Subject, value: object) -> str:
    """A number, or an SQL expression, as dbt_utils takes both."""
    return f"({value})" if isinstance(value, str) else literal(value, subject.table.dialect)


def _expression(subject: Subject, test: Declared) -> _Rule:
    expression = str(test.arguments.get("expression", ""))
    if test.column:
        expression = f"{subject.table.column(test.column)} {expression}"
    return f"{expression} ({test.source})", all_of([test.condition, f"not ({expression})"])


def _contract(subject: Subject) -> Iterator[MakePromise]:
    contract = subject.around.manifest.contract(subject.asset.unique_id)
    for constraint in contract.constraints:
        if constraint.type == "check" and constraint.expression:
            told, broken = f"{constraint.expression} (contract)", f"not ({constraint.expression})"
            yield partial(_kept, (told, broken))
    if try_cast("x", "y", subject.table.dialect) is not None:
        for name, type_ in contract.types.items():
            yield partial(_of_type, subject, name, type_)


def _of_type(subject: Subject, name: str, type_: str) -> Promise:
    column = subject.table.column(name)
    cast = try_cast(column, type_, subject.table.dialect)
    return _kept((f"{name} is {type_} (contract)", f"{column} is not null and {cast} is null"))


def _configured(subject: Subject, name: str, rule: str) -> Promise:
    column = subject.table.column(name)
    spelled = subject.table.spelled(name)
    if len(rule) > 1 and rule.startswith("/") and rule.endswith("/"):
        dialect = subject.table.dialect
        match = matches(as_text(column, dialect), rule[1:-1], dialect)
        told = f"{spelled} matches {rule} (meta)"
        return _kept((told, f"{column} is not null and not ({match})"))
    return _kept((f"{rule} (meta)", f"{column} is not null and not ({rule})"))


_TESTS: Mapping[str, Callable[[Subject, Declared], _Rule]] = {
    "accepted_values": _accepted_values,
    "relationships": _relationship,
    "relationships_where": _relationship,
    "accepted_range": _accepted_range,
    "expression_is_true": _expression,
}
"""dbt tests by name, and how each becomes a rule."""
