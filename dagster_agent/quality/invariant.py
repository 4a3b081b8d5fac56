"""`InvariantForm`: one way of saying what must always be true of the rows of a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from dagster_agent.errors import ConfigError
from dagster_agent.model import Invariant, Severity
from dagster_agent.quality.sql_text import all_of, counted
from dagster_agent.quality.table import PromisedTable, Surroundings

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An invariant as somebody declared it on an asset."""

    form: str
    """Id of the form."""
    arguments: Arguments
    """As written in the yml, or as read from the sentence."""
    table: PromisedTable
    """The asset's table."""
    around: Surroundings
    """The project and its other tables."""
    now: datetime
    """UTC."""
    says: str = ""
    """The sentence, in the words of whoever declared it; empty: the form's own words are taken."""
    where: str = ""
    """SQL condition on the asset's rows."""
    money: str = ""
    """Column whose sum over the violating rows is at stake; of a form that adds up itself, the unit
    of what it adds up."""
    severity: Severity = Severity.ERROR
    """Severity of a violation."""

    def text(self, name: str) -> str:
        """A required argument that is one text.

        Raises:
            ConfigError: It is missing or something else.
        """
        value = self.arguments.get(name)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(name, "a text")
        return value.strip()

    def texts(self, name: str) -> tuple[str, ...]:
        """A required argument that is one text or a list of texts; raises like `text`."""
        value = self.arguments.get(name)
        if isinstance(value, str) and value.strip():
            return (value.strip(),)
        if isinstance(value, list | tuple) and value:
            return tuple(str(item) for item in cast("Sequence[object]", value))
        raise self.wrong(name, "a name or a list of names")

    def optional(self, name: str) -> str | None:
        """An argument that is one text, or None; raises like `text`."""
        return None if self.arguments.get(name) is None else self.text(name)

    def number(self, name: str, default: float | None = None) -> float:
        """An argument that is a number; raises like `text` where there is no default."""
        value = self.arguments.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(name, "a number")
        return value

    def wrong(self, name: str, wanted: str) -> ConfigError:
        """The error of an argument that is missing or of another kind."""
        key = self.form.replace("-", "_")
        value = self.arguments.get(name)
        told = f"has no {name!r}" if value is None else f"has {name}: {value!r}"
        return ConfigError(
            f"the invariant {key} of {self.table.asset.name} {told}", hint=f"{name} is {wanted}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledInvariant:
    """A claim as SQL, and as an expectation."""

    says: str
    """One sentence."""
    examined: str
    """SQL of one number: rows, keys or groups it is about. See `measuring.ask_all`."""
    broken: str
    """SQL of one number: those that violate it."""
    rows: str
    """A SELECT of what violates it, not limited."""
    expectation: Mapping[str, Any]
    """The same as a Great Expectations configuration: `type` and `kwargs`."""
    stake: str | None = None
    """SQL of one number: the money in what violates it."""
    noun: str = "rows"
    """What is counted."""
    weight: str = ""
    """Column of `rows` that says how many violations a row stands for; one where it is empty."""

    def invariant(self) -> Invariant:
        """As investigations write it: one SELECT that yields the number of violations."""
        return Invariant(
            statement=self.says,
            sql=f"select {_counting(self.weight)} as violations from ({self.rows}) as violating",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InvariantForm:
    """A member of the catalogue in `invariants/`."""

    id: str
    """Public id, the file's name with dashes; with underscores it is the key in the yml."""
    example: str
    """A sentence that it understands, for error messages."""
    compile: Callable[[Claim], CompiledInvariant]
    """May raise a ConfigError: an argument, a column or a table is wrong."""
    short: str = ""
    """Argument that a bare text or list in the yml is; empty: a mapping is needed."""
    arguments: frozenset[str] = field(default_factory=lambda: frozenset[str]())
    """Names of all arguments."""
    without: frozenset[str] = field(default_factory=lambda: frozenset[str]())
    """Those of `where` and `money` that have no meaning for it."""
    sentences: tuple[re.Pattern[str], ...] = ()
    """Sentences it understands; groups are arguments, `subject` the words for the asset."""

    @property
    def key(self) -> str:
        """Its key in the yml."""
        return self.id.replace("-", "_")


def invariant_form(
    *,
    id: str,  # noqa: A002 - the public word for it
    example: str,
    arguments: str,
    short: str = "",
    without: str = "",
    sentences: Sequence[str] = (),
) -> Callable[[Callable[[Claim], CompiledInvariant]], InvariantForm]:
    """Make a form of a function; registers nothing.

    Args:
        id: Public id.
        example: A sentence that it understands.
        arguments: Names of all arguments, with spaces between.
        short: Argument that a bare text or list is.
        without: Those of `where` and `money` that have no meaning for it, with spaces between.
        sentences: Regular expressions of whole sentences, letter case ignored.
    """

    def decorate(compile_: Callable[[Claim], CompiledInvariant]) -> InvariantForm:
        return InvariantForm(
            id=id,
            example=example,
            compile=compile_,
            short=short,
            arguments=frozenset(arguments.split()),
            without=frozenset(without.split()),
            sentences=tuple(re.compile(s, re.IGNORECASE) for s in sentences),
        )

    return decorate


def by_row(
    claim: Claim, says: str, broken: str, expectation: tuple[str, Arguments] | None = None
) -> CompiledInvariant:
    """An invariant that each row keeps or breaks by itself.

    Args:
        claim: What was declared.
        says: The form's own words for it.
        broken: SQL condition of a row that violates it; NULL counts as kept.
        expectation: Type and kwargs of the same in Great Expectations, where it has one that is not
            limited to some rows.
    """
    violating = all_of([claim.where, broken])
    rows = f"select * from {claim.table.rows} where {violating}"
    stake = None
    if claim.money:
        stake = f"sum(case when {violating} then {claim.table.column(claim.money)} end)"
    return CompiledInvariant(
        says=claim.says or says,
        examined=counted(all_of([claim.where])),
        broken=counted(violating),
        rows=rows,
        expectation=_expectation(rows, None if claim.where else expectation, claim.says or says),
        stake=stake,
    )


def by_select(
    claim: Claim,
    says: str,
    *,
    examined: str,
    rows: str,
    noun: str,
    stake: str | None = None,
    weight: str = "",
) -> CompiledInvariant:
    """An invariant over groups or several tables.

    Args:
        claim: What was declared.
        says: The form's own words for it.
        examined: SQL of one number, in parentheses.
        rows: A SELECT of what violates it.
        noun: What is counted: `keys`, `weeks`.
        stake: Column of `rows` with the money in it.
        weight: Column of `rows` with the number of violations that a row stands for.
    """
    return CompiledInvariant(
        says=claim.says or says,
        examined=examined,
        broken=f"(select {_counting(weight)} from ({rows}) as violating)",
        rows=rows,
        expectation=_expectation(rows, None, claim.says or says),
        stake=f"(select sum({stake}) from ({rows}) as violating)" if stake else None,
        noun=noun,
        weight=weight,
    )


def _counting(weight: str) -> str:
    return f"coalesce(sum({weight}), 0)" if weight else "count(*)"


def _expectation(rows: str, own: tuple[str, Arguments] | None, says: str) -> Mapping[str, Any]:
    kind, kwargs = own or ("unexpected_rows_expectation", {"unexpected_rows_query": rows})
    return {"type": kind, "kwargs": dict(kwargs), "meta": {"notes": says}}
