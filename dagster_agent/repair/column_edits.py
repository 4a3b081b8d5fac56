"""Edits of the references to a column in a model's Jinja text; every other byte stays as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp
from sqlglot.errors import SqlglotError

from dagster_agent.errors import QueryRefused
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import ColumnFault, Fault
from dagster_agent.repair.written_sql import Patch, WrittenSql, patched
from dagster_agent.sql.column_reads import ColumnRead, columns_read
from dagster_agent.sql.identifiers import same_relation
from dagster_agent.sql.lineage import output_columns

_EPHEMERAL = "__dbt__cte__"
_CASELESS_TYPE = re.compile(r"[A-Z0-9_ ]+(\([0-9, ]+\))?[A-Z0-9_ ]*")
"""Types without fields, values or names of the customer's own."""
_COMMENTABLE = re.compile(r"[\w.,$ ()-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnEdit:
    """An edited text."""

    text: str
    """The whole file after the edit."""
    lines: tuple[int, ...]
    """1-based lines of the file that were edited."""
    left_alone: tuple[int, ...] = ()
    """Lines that name the column in a branch which dbt did not compile."""

    @property
    def where(self) -> str:
        """The edited lines, in words."""
        return ", ".join(map(str, self.lines))

    @property
    def exception(self) -> str:
        """A sentence, with a space before it, on what was left alone; empty where nothing was."""
        if not self.left_alone:
            return ""
        lines = ", ".join(map(str, self.left_alone))
        return f" Line {lines} names it in a branch that was not compiled: left alone."


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How the file is written."""

    sql: str
    """The compiled text."""
    dialect: str
    """sqlglot's name of the dialect."""
    upper: bool
    """Keywords are written in capitals."""

    def keywords(self, text: str) -> str:
        """SQL words in the file's letter case."""
        return text.upper() if self.upper else text.lower()

    def type(self, name: str | None) -> str:
        """A type's name in the file's letter case, as far as case says nothing in it; empty for
        what is no type."""
        try:
            exp.DataType.build(name or "", dialect=self.dialect)
        except (SqlglotError, TypeError, ValueError):
            return ""
        text = name or ""
        return self.keywords(text) if _CASELESS_TYPE.fullmatch(text) else text

    def comment(self, text: str) -> str:
        """A comment behind a word; empty where the text could end it."""
        return f" /* {text} */" if _COMMENTABLE.fullmatch(text) else ""


Rewrite = Callable[[ColumnRead, ColumnFault, Style], str | NoEdit | None]
"""The whole reference, qualifier included, as it is to read; None leaves it as it is; NoEdit says
why nothing can be done."""


def edit_reads(fault: Fault, rewrite: Rewrite, *, read_afterwards: bool) -> ColumnEdit | NoEdit:
    """Rewrite the references that a model's own SELECTs make to the columns at fault.

    Args:
        fault: The model and the columns.
        rewrite: What becomes of each reference.
        read_afterwards: The columns may still be read when all is done.

    Returns:
        NoEdit where a reference cannot be rewritten, is not literally in the file, or the query
        would mean something else afterwards.
    """
    if fault.path.startswith("dbt_packages/"):
        return NoEdit(reason="the file belongs to an installed package")
    try:
        reads = _reads(fault)
        if not reads:
            return NoEdit(reason="the model does not read it by name, as far as its SQL tells")
        found = _patches(fault, reads, rewrite)
        if isinstance(found, NoEdit):
            return found
        after = replace(fault, compiled_code=patched(fault.compiled_code, found.values()))
        obstacle = _obstacle(fault, after, read_afterwards=read_afterwards)
    except QueryRefused as error:
        return NoEdit(reason=f"its SQL cannot be read: {error}")
    if obstacle:
        return NoEdit(reason=obstacle)
    file = WrittenSql(fault.text, compiled_code=fault.compiled_code, dialect=fault.dialect)
    text = file.apply(list(found.values()))
    if isinstance(text, NoEdit):
        return text
    lines = {line for start in found if (line := file.line(start)) is not None}
    left_alone = {line for c in fault.columns for line in file.elsewhere(c.column)}
    return ColumnEdit(text=text, lines=tuple(sorted(lines)), left_alone=tuple(sorted(left_alone)))


def _reads(fault: Fault) -> list[tuple[ColumnRead, ColumnFault]]:
    return [
        (read, column)
        for read in columns_read(fault.compiled_code, fault.dialect, fault.known)
        for column in fault.columns
        if read.column.casefold() == column.column.casefold()
        and same_relation(read.relation, column.relation)
        and not read.scope.startswith(_EPHEMERAL)
    ]


def _patches(
    fault: Fault, reads: Sequence[tuple[ColumnRead, ColumnFault]], rewrite: Rewrite
) -> dict[int, Patch] | NoEdit:
    """Patches by the offset of the column's own name."""
    upper = re.search(r"\bSELECT\b", fault.text) is not None
    style = Style(sql=fault.compiled_code, dialect=fault.dialect, upper=upper)
    found: dict[int, Patch] = {}
    for read, column in reads:
        if read.reference_start is None or read.start is None or read.end is None:
            return NoEdit(reason=f"the place of {read.column} in the SQL cannot be told")
        if read.clause == "using":
            return NoEdit(
                reason=f"it is joined by USING ({read.column}), which needs one name on both sides"
            )
        text = rewrite(read, column, style)
        if isinstance(text, NoEdit):
            return text
        if text is not None:
            found[read.start] = Patch(start=read.reference_start, end=read.end, text=text)
    return found or NoEdit(reason="every reference to it is written like that already")


def _obstacle(before: Fault, after: Fault, *, read_afterwards: bool) -> str:
    """What would be different beside the references themselves; empty for nothing."""
    was, becomes = (output_columns(f.compiled_code, f.dialect) for f in (before, after))
    if was != becomes:
        return f"the model would put out {', '.join(becomes)} instead of {', '.join(was)}"
    left = [] if read_afterwards else _reads(after)
    if left:
        return f"{left[0][0].column} would still be read in line {left[0][0].line}"
    return ""
