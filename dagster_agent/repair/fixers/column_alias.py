"""Read a renamed column under its new name, and go on calling it by the old one."""

from __future__ import annotations

from dagster_agent.model import ProposedChange
from dagster_agent.repair.column_edits import Style, edit_reads
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import ColumnFault, Fault, fixer
from dagster_agent.sql.column_reads import ColumnRead, ReadForm
from dagster_agent.sql.spelling import written

_NAMED_AFTER_COLUMN = frozenset({"postgres", "redshift"})
"""Dialects in which `user_id::int` is called `user_id` without being told so."""


@fixer(id="column-alias")
def column_alias(fault: Fault) -> ProposedChange | NoEdit:
    """Make a model read a renamed column as `new as old`.

    Changes only the references in the model that reads the table, so nothing after it sees the
    rename. An output column keeps its name by an alias; in conditions and expressions the new name
    takes the old one's place. Columns of the same name of other tables stay.

    Not this fixer: references that a macro or a loop writes, columns joined by USING, and columns
    that only pass through a star.
    """
    if not fault.columns or any(column.new_name is None for column in fault.columns):
        return NoEdit(reason="no new name is known")
    edit = edit_reads(fault, _renamed, read_afterwards=False)
    if isinstance(edit, NoEdit):
        return edit
    pairs = [f"{column.new_name} as {column.column}" for column in fault.columns]
    model = fault.asset.rsplit(".", 1)[-1]
    rationale = (
        f"{fault.path}, line {edit.where}: the column is read under its new name and put out under "
        "the old one, so nothing downstream changes."
    )
    return fault.mended(
        title=f"Read {' and '.join(pairs)} in {model}",
        rationale=rationale + edit.exception,
        text=edit.text,
    )


def _renamed(read: ColumnRead, column: ColumnFault, style: Style) -> str | NoEdit | None:
    if read.clause == "replace":
        return NoEdit(reason=f"line {read.line} of the compiled SQL replaces it within a star")
    old = style.sql[read.start : read.end]
    qualifier = style.sql[read.reference_start : read.start]
    new = qualifier + written(column.new_name or "", style.dialect, like=old)
    if read.form is ReadForm.BARE:
        return f"{new} {style.keywords('as')} {old}"
    if _names_output(read, style):
        return NoEdit(reason=f"the output column {read.output} takes its name from it")
    return new


def _names_output(read: ColumnRead, style: Style) -> bool:
    """Whether an output column without a name of its own is called after it."""
    if read.clause != "select" or read.cast_to is None or style.dialect not in _NAMED_AFTER_COLUMN:
        return False
    return read.output is not None and read.output.casefold() == read.column.casefold()
