"""Carry a new column of a source into the model that stages it."""

from __future__ import annotations

from dagster_agent.model import FileEdit, ProposedChange
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import Fault, fixer
from dagster_agent.repair.select_list import carry_columns
from dagster_agent.repair.yml_edits import ColumnDescription, describe_columns


@fixer(id="carry-column")
def carry_column(fault: Fault) -> ProposedChange | NoEdit:
    """Add new columns of a source to the output list of a model, and to its yml.

    The column goes to the end of the list, in the style in which the list is written, through every
    SELECT on the way. In the yml it is described, and tested for NULL only where the fault says
    that no row is. Models after this one see the column and are left as they are.

    Not this fixer: models that take all columns by a star, unions, and models that put rows
    together.
    """
    if not fault.columns:
        return NoEdit(reason="no new column is known")
    edit = carry_columns(fault)
    if isinstance(edit, NoEdit):
        return edit
    edits = [FileEdit(path=fault.path, before=fault.text, after=edit.text)]
    model = fault.asset.rsplit(".", 1)[-1]
    names = " and ".join(column.column for column in fault.columns)
    rationale = f"{fault.path}, line {', '.join(str(n) for n in edit.lines)}: one more column."
    if fault.yml is not None:
        said = [
            ColumnDescription(
                name=column.column, description=column.description, not_null=column.never_null
            )
            for column in fault.columns
        ]
        described = describe_columns(fault.yml.text, model, said)
        if isinstance(described, NoEdit):
            rationale += f" It is not described: {described.reason}."
        elif described != fault.yml.text:
            edits.append(FileEdit(path=fault.yml.path, before=fault.yml.text, after=described))
            rationale += f" {fault.yml.path} describes it."
    return ProposedChange(
        title=f"Carry {names} into {model}",
        rationale=f"{rationale} Nothing downstream is touched.",
        edits=tuple(edits),
        assets=(fault.asset,),
    )
