"""Cast a column whose type changed back to the type that it had."""

from __future__ import annotations

from dagster_agent.model import ProposedChange
from dagster_agent.repair.column_edits import Style, edit_reads
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import ColumnFault, Fault, fixer
from dagster_agent.sql.column_reads import ColumnRead, ReadForm


@fixer(id="column-cast")
def column_cast(fault: Fault) -> ProposedChange | NoEdit:
    """Make a model cast a column to the type that it had before its source changed it.

    Every reference that is not cast on the spot already becomes `cast(column as type)`, and an
    output column keeps its name. A value that does not fit the type makes the model fail: it is
    never turned into NULL in silence.

    Not this fixer: references that a macro or a loop writes, columns joined by USING, fields of a
    struct, and columns that only pass through a star.
    """
    if not fault.columns or any(column.type is None for column in fault.columns):
        return NoEdit(reason="the type that it had is not known")
    edit = edit_reads(fault, _cast, read_afterwards=True)
    if isinstance(edit, NoEdit):
        return edit
    casts = [f"{column.column} to {column.type}" for column in fault.columns]
    model = fault.asset.rsplit(".", 1)[-1]
    rationale = (
        f"{fault.path}, line {edit.where}: the column has its old type again before anything "
        "computes with it. A value that does not fit makes the model fail rather than vanish."
    )
    return fault.mended(
        title=f"Cast {' and '.join(casts)} in {model}",
        rationale=rationale + edit.exception,
        text=edit.text,
    )


def _cast(read: ColumnRead, column: ColumnFault, style: Style) -> str | NoEdit | None:
    if read.cast_to is not None or read.clause == "exclude":
        return None
    type_ = style.type(column.type)
    if not type_:
        return NoEdit(reason=f"{column.type} cannot be written as a type")
    if style.sql[read.end : (read.end or 0) + 1] in (".", "[", ":"):
        return NoEdit(reason=f"line {read.line} of the compiled SQL reads a part of its value")
    reference = style.sql[read.reference_start : read.end]
    cast = style.keywords("cast(") + reference + style.keywords(" as ") + f"{type_})"
    if column.new_type and read.form is not ReadForm.PART:
        cast += style.comment(f"{column.relation.name} delivers it as {column.new_type}")
    if read.form is ReadForm.BARE:
        return f"{cast} {style.keywords('as')} {style.sql[read.start : read.end]}"
    return cast
