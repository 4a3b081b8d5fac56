"""Take converted amounts."""

from __future__ import annotations

from dagster_agent.model import ProposedChange
from dagster_agent.repair.conversion_edits import take_converted
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import Fault, fixer


@fixer(id="convert-currency")
def convert_currency(fault: Fault) -> ProposedChange | NoEdit:
    """Let a model take converted amounts where it takes amounts in any currency.

    Exchanges one name in one output column, or the CASE that converts only some currencies, for the
    column beside it in which the project converts all of them; where there is none, for the
    conversion that other models make, with the project's own rates.

    Not this fixer: amounts that nothing in the project converts, where somebody has to say first
    which currency is meant.
    """
    if fault.path.startswith("dbt_packages/"):
        return NoEdit(reason="the file belongs to an installed package")
    conversion = fault.conversion
    if conversion is None:
        return NoEdit(reason="no converted amounts are known")
    edit = take_converted(fault.text, dialect=fault.dialect, conversion=conversion)
    if isinstance(edit, NoEdit):
        return edit
    model = fault.asset.rsplit(".", 1)[-1]
    was = "the CASE over currencies" if conversion.whole_case else f"`{conversion.amount}`"
    verb = "Convert" if conversion.is_expression else f"Take {conversion.converted} for"
    return fault.mended(
        title=f"{verb} {conversion.output} in {model}",
        rationale=(
            f"Line {edit.line} of {fault.path}: {was} becomes `{conversion.converted}`, in which "
            "every currency is converted as elsewhere in the project; nothing else changes."
        ),
        text=edit.text,
    )
