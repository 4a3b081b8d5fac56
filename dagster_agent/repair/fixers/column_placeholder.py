"""Put NULL in the place of a column that is gone."""

from __future__ import annotations

from dagster_agent.model import ProposedChange
from dagster_agent.repair.column_edits import Style, edit_reads
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import ColumnFault, Fault, fixer
from dagster_agent.sql.column_reads import ColumnRead, ReadForm


@fixer(id="column-placeholder")
def column_placeholder(fault: Fault) -> ProposedChange | NoEdit:
    """Make a model put out NULL where it copied a column that no longer exists.

    The column keeps its name and type, so everything after it is built again, and says in a comment
    that its values are gone.

    Not this fixer: columns that a condition, a join or an expression uses. What should be computed
    without them is for a person to say.
    """
    if not fault.columns:
        return NoEdit(reason="no column is known to be gone")
    edit = edit_reads(fault, _null, read_afterwards=False)
    if isinstance(edit, NoEdit):
        return edit
    names = " and ".join(column.column for column in fault.columns)
    model = fault.asset.rsplit(".", 1)[-1]
    return fault.mended(
        title=f"Put out NULL for {names} in {model}",
        rationale=(
            f"{fault.path}, line {edit.where}: the models are built again, with NULL in the place "
            "of the values that no longer arrive. Nothing can bring those back but the source."
            f"{edit.exception}"
        ),
        text=edit.text,
    )


def _null(read: ColumnRead, column: ColumnFault, style: Style) -> str | NoEdit | None:
    if read.form is ReadForm.PART:
        used = "an expression" if read.clause == "select" else f"its {read.clause} clause"
        return NoEdit(
            reason=f"{read.column} is used in {used} (line {read.line} of the compiled SQL), and "
            "what that should mean without it is for a person to say"
        )
    type_ = style.type(column.type)
    null = style.keywords("cast(null as ") + f"{type_})" if type_ else style.keywords("null")
    null += style.comment(f"{column.relation.name} has no {column.column} any more")
    if read.form is ReadForm.ALIASED:
        return null
    return f"{null} {style.keywords('as')} {style.sql[read.start : read.end]}"
